"""Quantised operators of the domain com.microsoft."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from onnx import helper

from .case import Case, Numbers, case
from .quantization import F32, I8, U8, bytes_of

case = partial(case, domain="com.microsoft", opset=21)


def cases() -> Iterator[Case]:
    yield from linear()
    yield from elementwise()
    yield from pools()
    yield from products()
    yield from embeddings()
    yield from few_bits()
    yield from recurrent()
    yield from attention()


def linear() -> Iterator[Case]:
    n = Numbers("contrib QuantizeLinear")
    x = n.floats(2, 3, 4)
    yield case("QuantizeLinear", "uint8", [x, F32(0.02), U8(120)])
    yield case("QuantizeLinear", "int16", [x, F32(0.0002), np.int16(-5)])
    yield case("QuantizeLinear", "axis", [x, n.floats(3, low=0.01, high=0.1), n.ints(3, dtype=I8)], axis=1)
    yield case("DequantizeLinear", "uint8", [bytes_of(n, 2, 3, 4), F32(0.02), U8(120)])
    yield case("DequantizeLinear", "axis", [bytes_of(n, 2, 3, 4), n.floats(3, low=0.01, high=0.1), n.ints(3, low=0, dtype=U8)], axis=1)
    yield case("DequantizeLinear", "uint16", [bytes_of(n, 3, 5, dtype=np.uint16), F32(0.01), np.uint16(7777)])


def elementwise() -> Iterator[Case]:
    for op_type, scale in (("QLinearAdd", 0.0519), ("QLinearMul", 0.0873)):
        n = Numbers(op_type)
        for name, dtype in (("uint8", U8), ("int8", I8)):
            a, b = [bytes_of(n, 3, 4, 5, dtype=dtype), F32(0.0231), dtype(17)], [bytes_of(n, 3, 4, 5, dtype=dtype), F32(0.0317), dtype(99)]
            yield case(op_type, name, [*a, *b, F32(scale), dtype(101)])
        broadcast = [bytes_of(n, 4, 1), F32(0.0231), U8(17), bytes_of(n, 3, 1, 5), F32(0.0317), U8(140), F32(scale), U8(60)]
        yield case(op_type, "broadcast", broadcast)
        yield case(op_type, "scalar", [bytes_of(n, 3, 4), F32(0.0231), U8(17), U8(200), F32(0.0317), U8(140), F32(scale), U8(60)])
    for op_type, attributes in (("QLinearSigmoid", {}), ("QLinearLeakyRelu", {"alpha": 0.13})):
        n = Numbers(op_type)
        every = np.arange(256).reshape(16, 16)
        target = [F32(1 / 256), U8(0)] if op_type == "QLinearSigmoid" else [F32(0.047), U8(20)]
        yield case(op_type, "uint8", [every.astype(U8), F32(0.0391), U8(121), *target], **attributes)
        signed = [F32(1 / 256), I8(-128)] if op_type == "QLinearSigmoid" else [F32(0.047), I8(-100)]
        yield case(op_type, "int8", [every.astype(I8), F32(0.0391), I8(-7), *signed], **attributes)

    n = Numbers("QLinearConcat")
    parts = [bytes_of(n, 2, 3), F32(0.021), U8(12), bytes_of(n, 2, 4), F32(0.043), U8(130), bytes_of(n, 2, 1), F32(0.037), U8(128)]
    yield case("QLinearConcat", "three", [F32(0.037), U8(128), *parts], axis=1)
    parts = [bytes_of(n, 2, 3, dtype=I8), F32(0.021), I8(12), bytes_of(n, 1, 3, dtype=I8), F32(0.043), I8(-30)]
    yield case("QLinearConcat", "int8", [F32(0.037), I8(5), *parts], constants=(0, 1, 3, 4, 6, 7), axis=0)

    n = Numbers("QLinearWhere")
    operands = [bytes_of(n, 3, 4), F32(0.021), U8(12), bytes_of(n, 4), F32(0.043), U8(130), F32(0.037), U8(128)]
    yield case("QLinearWhere", "uint8", [n.bools(3, 1), *operands], constants=(2, 3, 5, 6, 7, 8))

    n = Numbers("QLinearSoftmax")
    x = bytes_of(n, 3, 4, 7)
    yield case("QLinearSoftmax", "last_axis", [x, F32(0.031), U8(128), F32(1 / 256), U8(0)], axis=-1, opset_attribute=13)
    yield case("QLinearSoftmax", "flattened", [x, F32(0.021), U8(128), F32(1 / 256), U8(0)], axis=1, opset_attribute=11)
    yield case("QLinearSoftmax", "int8", [x.astype(I8), F32(0.031), I8(3), F32(1 / 256), I8(-128)], axis=1, opset_attribute=13)


def pools() -> Iterator[Case]:
    n = Numbers("QLinearAveragePool")
    # Scales of whose multiples none lies half-way between two steps: there the last digit decides.
    scales = [F32(0.0213717), U8(112), F32(0.0190391), U8(90)]
    x = bytes_of(n, 2, 3, 6, 7)
    yield case("QLinearAveragePool", "plain", [x, *scales], kernel_shape=[3, 2], strides=[2, 1])
    yield case("QLinearAveragePool", "padded", [x, *scales], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    yield case("QLinearAveragePool", "count_include_pad", [x, *scales], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    yield case("QLinearAveragePool", "channels_last", [bytes_of(n, 2, 6, 7, 3), *scales], kernel_shape=[2, 2], channels_last=1)
    yield case("QLinearAveragePool", "int8", [x.astype(I8), F32(0.0213717), I8(-3), F32(0.0190391), I8(9)], kernel_shape=[2, 2])
    yield case("QLinearGlobalAveragePool", "plain", [x, *scales])
    yield case("QLinearGlobalAveragePool", "channels_last", [bytes_of(n, 2, 6, 7, 3), *scales], channels_last=1)
    signed = [x.astype(I8), F32(0.0213717), I8(-3), F32(0.0031391), I8(9)]
    yield case("QLinearGlobalAveragePool", "int8", signed)
    # ONNX Runtime knows the operator, but has no kernel for it on the processor.
    n = Numbers("QLinearReduceMean")
    for name, dtype, attributes in (("uint8", U8, {"axes": [1]}), ("int8", I8, {"axes": [0, -1], "keepdims": 0}), ("all", U8, {})):
        x, target = [bytes_of(n, 3, 4, 5, dtype=dtype), F32(0.0213717), dtype(12)], [F32(0.0190391), dtype(9)]
        stand_in = [
            helper.make_node("DequantizeLinear", ["x0", "x1", "x2"], ["numbers"]),
            helper.make_node("ReduceMean", ["numbers"], ["mean"], **attributes),
            helper.make_node("QuantizeLinear", ["mean", "x3", "x4"], ["y0"]),
        ]
        if "axes" in attributes:
            stand_in[1] = helper.make_node("ReduceMean", ["numbers", "axes"], ["mean"], keepdims=attributes.get("keepdims", 1))
            stand_in.insert(0, helper.make_node("Constant", [], ["axes"], value_ints=attributes["axes"]))
        yield case("QLinearReduceMean", name, [*x, *target], stand_in=stand_in, **attributes)
    yield case("NhwcMaxPool", "uint8", [bytes_of(n, 2, 6, 7, 3)], kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])


def products() -> Iterator[Case]:
    n = Numbers("QGemm")
    a, b = [bytes_of(n, 4, 9), F32(0.02), U8(117)], [bytes_of(n, 9, 5, dtype=I8), F32(0.01), I8(0)]
    bias = n.ints(5, low=-3000, high=3000, dtype=np.int32)
    yield case("QGemm", "quantized", [*a, *b, bias, F32(0.1), U8(128)], alpha=1.0)
    yield case("QGemm", "float", [*a, *b, bias], alpha=0.5)
    columns = [n.floats(5, low=0.005, high=0.02), np.zeros(5, I8)]
    transposed = [bytes_of(n, 9, 4).copy(), F32(0.02), U8(117), bytes_of(n, 5, 9, dtype=I8), *columns, None, F32(0.1), U8(128)]
    yield case("QGemm", "transposed_per_column", transposed, constants=(3, 4, 5), alpha=1.0, transA=1, transB=1)
    signed = [bytes_of(n, 4, 9, dtype=I8), F32(0.02), I8(-7), bytes_of(n, 9, 5, dtype=I8), F32(0.01), I8(0), bias, F32(0.1), I8(8)]
    yield case("QGemm", "int8", signed, alpha=1.0)

    n = Numbers("DynamicQuantizeMatMul")
    x, w = n.floats(2, 3, 9), bytes_of(n, 9, 5, dtype=I8)
    yield case("DynamicQuantizeMatMul", "plain", [x, w, F32(0.01)])
    yield case("DynamicQuantizeMatMul", "bias", [x, w, F32(0.01), I8(3), n.floats(5)], constants=(1, 2, 3, 4))
    yield case("DynamicQuantizeMatMul", "per_column", [x, w.astype(U8), n.floats(5, low=0.005, high=0.02), n.ints(5, low=100, high=150, dtype=U8)])

    n = Numbers("MatMulIntegerToFloat")
    a = bytes_of(n, 2, 3, 9)
    yield case("MatMulIntegerToFloat", "plain", [a, w, F32(0.02), F32(0.01)])
    yield case("MatMulIntegerToFloat", "all", [a, w, F32(0.02), n.floats(5, low=0.005, high=0.02), U8(117), np.zeros(5, I8), n.floats(5)])


def embeddings() -> Iterator[Case]:
    n = Numbers("QEmbedLayerNormalization")
    words, places, width = 10, 7, 8
    ids, mask = n.ints(2, 5, low=0, high=words, dtype=np.int32), np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], np.int32)
    for name, dtype in (("uint8", U8), ("int8", I8)):
        tables = [bytes_of(n, *shape, dtype=dtype) for shape in ((words, width), (places, width), (2, width), (width,), (width,))]
        scales = [np.array(scale, F32) for scale in (0.021, 0.013, 0.017, 0.005, 0.009)]
        zeros = [np.array(zero, dtype) for zero in (100, 90, 80, 3, 70)]
        inputs = [ids, n.ints(2, 5, low=0, high=2, dtype=np.int32), *tables, mask, *scales, *zeros]
        yield case("QEmbedLayerNormalization", name, inputs, constants=(2, 3, 4, 5, 6), n_outputs=2, epsilon=1e-5)
    inputs = [ids, None, *tables[:2], None, *tables[3:], None, *scales[:2], None, *scales[3:], *zeros[:2], None, *zeros[3:]]
    yield case("QEmbedLayerNormalization", "without_segments", inputs, n_outputs=2, epsilon=1e-12)


def few_bits() -> Iterator[Case]:
    n = Numbers("MatMulNBits")
    rows, inner, columns, block = 3, 40, 6, 16
    blocks = -(-inner // block)
    a = n.floats(2, rows, inner)
    packed = n.ints(columns, blocks, block // 2, low=0, high=256, dtype=U8)
    scales = n.floats(columns * blocks, low=0.01, high=0.1)
    sizes = {"K": inner, "N": columns, "bits": 4, "block_size": block}
    zeros = n.ints(columns * -(-blocks // 2), low=0, high=256, dtype=U8)
    yield case("MatMulNBits", "symmetric", [a, packed, scales], constants=(1, 2), **sizes)
    yield case("MatMulNBits", "asymmetric", [a, packed, scales, zeros], constants=(1, 2, 3), **sizes)
    yield case("MatMulNBits", "one_row", [a[0, :1], packed, scales, zeros], constants=(1, 2, 3), **sizes)
    float_zeros = n.floats(columns * blocks, low=5, high=9)
    yield case("MatMulNBits", "float_zero_points", [a, packed, scales, float_zeros], constants=(1, 2, 3), **sizes)
    bias = n.floats(columns)
    yield case("MatMulNBits", "bias", [a, packed, scales, None, None, bias], constants=(1, 2, 5), **sizes)
    eight = n.ints(columns, blocks, block, low=0, high=256, dtype=U8)
    yield case("MatMulNBits", "eight_bits", [a, eight, scales], constants=(1, 2), **(sizes | {"bits": 8}))


def recurrent() -> Iterator[Case]:
    n = Numbers("DynamicQuantizeLSTM")
    # One sequence: with several, ONNX Runtime quantises the states of as many together as a thread happens to get.
    steps, batch, features, units = 4, 1, 5, 3
    for name, directions, direction in (("forward", 1, "forward"), ("bidirectional", 2, "bidirectional")):
        x = n.floats(steps, batch, features)
        w, r = bytes_of(n, directions, features, 4 * units, dtype=I8), bytes_of(n, directions, units, 4 * units, dtype=I8)
        b = n.floats(directions, 8 * units)
        layer = [np.full(directions, 0.01, F32), np.zeros(directions, I8), np.full(directions, 0.008, F32), np.zeros(directions, I8)]
        inputs = [x, w, r, b, None, None, None, None, *layer]
        attributes = {"constants": (1, 2, 3, 8, 9, 10, 11), "hidden_size": units, "direction": direction, "n_outputs": 3}
        yield case("DynamicQuantizeLSTM", name, inputs, **attributes)
    columns = [n.floats(1, 4 * units, low=0.005, high=0.01), np.zeros((1, 4 * units), I8)]
    inputs = [x, w[:1], r[:1], None, None, n.floats(1, 1, units), n.floats(1, 1, units), None, *columns, *columns]
    yield case("DynamicQuantizeLSTM", "per_column", inputs, constants=(1, 2, 8, 9, 10, 11), hidden_size=units, n_outputs=3)


def attention() -> Iterator[Case]:
    n = Numbers("QAttention")
    batch, length, width, heads = 2, 4, 8, 2
    x, w, b = bytes_of(n, batch, length, width), bytes_of(n, width, 3 * width, dtype=I8), n.floats(3 * width)
    plain = {"constants": (1, 2), "num_heads": heads}
    mask = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], np.int32)
    yield case("QAttention", "mask", [x, w, b, F32(0.02), F32(0.01), mask, U8(120), I8(0)], **plain)
    columns = [n.floats(3 * width, low=0.005, high=0.02), None, U8(120), np.zeros(3 * width, I8)]
    yield case("QAttention", "per_column_causal", [x, w, b, F32(0.02), *columns], unidirectional=1, **plain)

"""Quantisation in the default domain: between numbers and small integers, and products of the latter."""

from collections.abc import Iterator

import ml_dtypes
import numpy as np
from onnx import TensorProto, helper

from .case import Case, Numbers, case, history

U8, I8, F32 = np.uint8, np.int8, np.float32


def bytes_of(n: Numbers, *shape: int, dtype=U8) -> np.ndarray:
    limits = np.iinfo(dtype)
    return n.ints(*shape, low=limits.min, high=limits.max + 1, dtype=dtype)


def cases() -> Iterator[Case]:
    yield from linear()
    yield from products()
    yield from convolutions()


def linear() -> Iterator[Case]:
    n = Numbers("QuantizeLinear")
    x = n.floats(2, 6, 4, low=-4.0, high=4.0)
    x[0, 0] = [np.inf, -np.inf, 0.125, -0.125]
    for opset in history("QuantizeLinear", 10):
        yield case("QuantizeLinear", "uint8", [x, F32(0.025), U8(120)], opset=opset)
        yield case("QuantizeLinear", "default_type", [x, F32(0.25)], opset=opset)
    yield case("QuantizeLinear", "ties", [np.arange(-9, 10, dtype=F32) / 2, F32(1), I8(-3)])
    yield case("QuantizeLinear", "axis", [x, n.floats(6, low=0.01, high=0.1), n.ints(6, dtype=I8)], opset=13, axis=1)
    yield case("QuantizeLinear", "last_axis", [x, n.floats(4, low=0.01, high=0.1), n.ints(4, dtype=I8)], opset=13, axis=-1)
    yield case("QuantizeLinear", "float16", [n.floats(3, 5, dtype=np.float16), np.float16(0.05), I8(3)], opset=19)
    yield case("QuantizeLinear", "int16", [x, F32(0.0002), np.int16(-5)], opset=21)
    yield case("QuantizeLinear", "uint16", [x, F32(0.0001), np.uint16(32768)], opset=21)
    yield case("QuantizeLinear", "output_dtype", [x, F32(0.03)], opset=21, output_dtype=TensorProto.INT8)
    x = np.clip(x, -4, 4)
    blocks = [x, n.floats(2, 3, 4, low=0.01, high=0.1), n.ints(2, 3, 4, dtype=I8)]
    yield case("QuantizeLinear", "blocks", blocks, opset=21, axis=1, block_size=2)
    ragged = [x, n.floats(2, 2, 4, low=0.01, high=0.1), n.ints(2, 2, 4, dtype=I8)]
    yield case("QuantizeLinear", "ragged_blocks", ragged, opset=21, axis=1, block_size=4)
    innermost = [x, n.floats(2, 6, 2, low=0.01, high=0.1), n.ints(2, 6, 2, low=0, dtype=U8)]
    yield case("QuantizeLinear", "innermost_blocks", innermost, opset=21, axis=2, block_size=2)
    yield case("QuantizeLinear", "empty", [n.floats(0, 4), F32(0.1), U8(3)])

    n = Numbers("DequantizeLinear")
    q = bytes_of(n, 2, 6, 4)
    for opset in history("DequantizeLinear", 10):
        yield case("DequantizeLinear", "uint8", [q, F32(0.025), U8(120)], opset=opset)
    yield case("DequantizeLinear", "no_zero_point", [q.astype(I8), F32(0.5)], opset=13)
    yield case("DequantizeLinear", "int32", [n.ints(7, low=-(2**30), high=2**30, dtype=np.int32), F32(1e-4)], opset=13)
    yield case("DequantizeLinear", "axis", [q, n.floats(6, low=0.01, high=0.1), n.ints(6, low=0, dtype=U8)], opset=13, axis=1)
    yield case("DequantizeLinear", "last_axis", [q.astype(I8), n.floats(4, low=0.01, high=0.1), n.ints(4, dtype=I8)], opset=13, axis=2)
    yield case("DequantizeLinear", "float16", [q, np.float16(0.05), U8(100)], opset=19)
    yield case("DequantizeLinear", "int16", [bytes_of(n, 3, 5, dtype=np.int16), F32(0.01), np.int16(77)], opset=21)
    yield case("DequantizeLinear", "uint16", [bytes_of(n, 3, 5, dtype=np.uint16), F32(0.01), np.uint16(7777)], opset=21)
    int4 = n.ints(3, 5, low=-8, high=8).astype(ml_dtypes.int4)
    yield case("DequantizeLinear", "int4", [int4, F32(0.5), np.array(-2, ml_dtypes.int4)], constants=(0, 2), opset=21)
    weights = n.ints(32, 3, low=0, high=16).astype(ml_dtypes.uint4)
    zeros = n.ints(2, 3, low=0, high=16).astype(ml_dtypes.uint4)
    blocks = [weights, n.floats(2, 3, low=0.01, high=0.1), zeros]
    yield case("DequantizeLinear", "uint4_blocks", blocks, constants=(0, 2), opset=21, axis=0, block_size=16)
    yield case("DequantizeLinear", "blocks", [q, n.floats(2, 2, 4, low=0.01, high=0.1)], opset=21, axis=1, block_size=3)
    f8 = n.floats(3, 4, low=-400, high=400).astype(ml_dtypes.float8_e4m3fn)
    yield case("DequantizeLinear", "float8", [f8, F32(0.25)], constants=(0,), opset=19)

    n = Numbers("DynamicQuantizeLinear")
    for name, low, high in (("both_signs", -3.0, 5.0), ("positive", 1.0, 9.0), ("negative", -9.0, -2.0)):
        yield case("DynamicQuantizeLinear", name, [n.floats(3, 7, low=low, high=high)], n_outputs=3)
    yield case("DynamicQuantizeLinear", "zeros", [np.zeros((2, 3), F32)], n_outputs=3, opset=11)


def products() -> Iterator[Case]:
    n = Numbers("MatMulInteger")
    for name, left, right in (("u8u8", U8, U8), ("u8i8", U8, I8), ("i8i8", I8, I8), ("i8u8", I8, U8)):
        yield case("MatMulInteger", name, [bytes_of(n, 5, 7, dtype=left), bytes_of(n, 7, 3, dtype=right), left(7), right(9)], opset=10)
    yield case("MatMulInteger", "no_zero_points", [bytes_of(n, 5, 7), bytes_of(n, 7, 3, dtype=I8)])
    constant = [bytes_of(n, 13, 37), bytes_of(n, 37, 35, dtype=I8), U8(131), n.ints(35, dtype=I8)]
    yield case("MatMulInteger", "constant_per_column", constant, constants=(1, 3))
    yield case("MatMulInteger", "batches", [bytes_of(n, 2, 1, 3, 6), bytes_of(n, 3, 6, 4, dtype=I8), U8(100)])
    yield case("MatMulInteger", "vector", [bytes_of(n, 1, 6), bytes_of(n, 6, 1)])

    n = Numbers("QLinearMatMul")
    left, right = bytes_of(n, 5, 9), bytes_of(n, 9, 4, dtype=I8)
    scales = [F32(0.02), U8(117)]
    for opset in history("QLinearMatMul", 10):
        yield case("QLinearMatMul", "u8i8", [left, *scales, right, F32(0.01), I8(0), F32(0.1), U8(128)], opset=opset)
    columns = [n.floats(4, low=0.005, high=0.02), np.zeros(4, I8)]
    yield case("QLinearMatMul", "per_column", [left, *scales, right, *columns, F32(0.1), U8(128)], constants=(3, 4, 5))
    signed = [left.astype(I8), F32(0.02), I8(-11), right, F32(0.01), I8(4), F32(0.08), I8(9)]
    yield case("QLinearMatMul", "i8i8", signed)
    unsigned = [left, *scales, right.astype(U8), F32(0.01), U8(133), F32(0.08), U8(9)]
    yield case("QLinearMatMul", "u8u8", unsigned)
    batch = [bytes_of(n, 2, 5, 9), *scales, bytes_of(n, 2, 9, 4, dtype=I8), F32(0.01), I8(0), F32(0.1), U8(128)]
    yield case("QLinearMatMul", "batches", batch)
    # No run-time has 8-bit floats here: they are dequantised, multiplied and quantised.
    stand_in = [
        helper.make_node("DequantizeLinear", ["x0", "x1", "x2"], ["a"], axis=0),
        helper.make_node("DequantizeLinear", ["x3", "x4", "x5"], ["b"], axis=1),
        helper.make_node("MatMul", ["a", "b"], ["product"]),
        helper.make_node("QuantizeLinear", ["product", "x6", "x7"], ["y0"]),
    ]
    a, b = n.floats(5, 9), n.floats(9, 4)
    floats = [ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e4m3fnuz, ml_dtypes.float8_e5m2, ml_dtypes.float8_e5m2fnuz]
    for dtype in floats:
        zero = np.array(0, dtype)
        inputs = [a.astype(dtype), F32(0.5), zero, b.astype(dtype), F32(0.25), zero, F32(0.125), zero]
        yield case("QLinearMatMul", np.dtype(dtype).name, inputs, stand_in=stand_in, is_by_reference=True)
    e4m3, e5m2 = floats[0], floats[2]
    rows, columns = n.floats(5, low=0.1, high=0.5), n.floats(4, low=0.1, high=0.5)
    inputs = [a.astype(e4m3), rows, np.zeros(5, e4m3), b.astype(e5m2), columns, np.zeros(4, e5m2), F32(0.01), U8(128)]
    yield case("QLinearMatMul", "float8_per_row_and_column", inputs, stand_in=stand_in, is_by_reference=True)
    inputs = [left, F32(0.02), U8(117), b.astype(e4m3), F32(0.25), np.array(0, e4m3), F32(0.125), np.array(0, e4m3)]
    yield case("QLinearMatMul", "uint8_and_float8", inputs, stand_in=stand_in, is_by_reference=True)


def convolutions() -> Iterator[Case]:
    n = Numbers("ConvInteger")
    x, w = bytes_of(n, 2, 4, 7, 6), bytes_of(n, 6, 4, 3, 3)
    yield case("ConvInteger", "plain", [x, w], opset=10)
    yield case("ConvInteger", "padded", [x, w, U8(99), U8(120)], pads=[1, 0, 2, 1], strides=[2, 1])
    yield case("ConvInteger", "signed_weights", [x, w.astype(I8), U8(99), I8(-5)], pads=[1, 1, 1, 1], dilations=[2, 2])
    yield case("ConvInteger", "groups", [x, bytes_of(n, 6, 2, 2, 3), U8(7)], group=2)

    n = Numbers("QLinearConv")
    scales, target = [F32(0.03), U8(121)], [F32(0.9), U8(128)]
    w = bytes_of(n, 6, 4, 3, 3, dtype=I8)
    bias = n.ints(6, low=-5000, high=5000, dtype=np.int32)
    per_channel = [n.floats(6, low=0.005, high=0.02), np.zeros(6, I8)]
    yield case("QLinearConv", "u8i8", [x, *scales, w, F32(0.01), I8(0), *target, bias], opset=10, pads=[1, 1, 1, 1])
    yield case("QLinearConv", "per_channel", [x, *scales, w, *per_channel, *target, bias], constants=(3, 4, 5, 8), strides=[2, 2])
    yield case("QLinearConv", "no_bias", [x, *scales, w.astype(U8), F32(0.01), U8(127), *target], auto_pad="SAME_UPPER")
    signed = [x.astype(I8), F32(0.03), I8(-9), w, F32(0.01), I8(0), F32(0.8), I8(-20), bias]
    yield case("QLinearConv", "i8i8", signed, pads=[1, 1, 1, 1])
    depthwise = [x, *scales, bytes_of(n, 4, 1, 3, 3, dtype=I8), F32(0.01), I8(0), F32(0.2), U8(128), bias[:4]]
    yield case("QLinearConv", "depthwise", depthwise, group=4, pads=[1, 1, 1, 1], strides=[1, 2])
    multiplied = [x, *scales, bytes_of(n, 8, 1, 2, 3, dtype=I8), F32(0.01), I8(0), F32(0.2), U8(128)]
    yield case("QLinearConv", "depth_multiplier", multiplied, group=4, dilations=[2, 1])
    grouped = [x, *scales, bytes_of(n, 6, 2, 1, 1, dtype=I8), *per_channel, F32(0.2), U8(128)]
    yield case("QLinearConv", "pointwise_groups", grouped, group=2)
    line = [bytes_of(n, 2, 3, 9), *scales, bytes_of(n, 4, 3, 3, dtype=I8), F32(0.01), I8(0), F32(0.4), U8(128)]
    yield case("QLinearConv", "one_axis", line, strides=[2], pads=[2, 0])
    cube = [bytes_of(n, 1, 2, 4, 5, 3), *scales, bytes_of(n, 3, 2, 2, 3, 2, dtype=I8), F32(0.01), I8(0), F32(0.4), U8(128)]
    yield case("QLinearConv", "three_axes", cube, pads=[1, 1, 0, 0, 1, 1])

# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "ml_dtypes==0.6.0",
#     "numpy==2.4.6",
#     "onnx==1.23.2",
#     "onnxruntime==1.31.1",
#     "onnx_ir==1.1.0",
#     "sympy==1.14.0",
# ]
# ///
"""Writes the corpus of quantised models: run `uv run tests/corpus/quantized.py` from the repository's root.

Four small networks, each in the forms that ONNX Runtime's quantiser and optimiser write: dynamic, static with QuantizeLinear and
DequantizeLinear (QDQ), static with quantised operators (QOperator), weights of four bits, float16, and after graph optimisation.
Expected outputs come from ONNX Runtime without further graph optimisation.

A case is a folder `quantized/NETWORK_VARIANT/` in the format of ONNX's own test sets. The metadata of quantised models holds
`output_steps`: the size of one quantisation step of each output.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.optimizer import optimize_model

sys.path.append(str(Path(__file__).parents[1]))

import test_set

HOME = Path(__file__).parent / "quantized"
OPSET = 17


class Network:
    """A graph in the making: nodes, weights from a seeded generator, inputs with a batch of test data."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, np.ndarray] = {}
        self.inputs: dict[str, np.ndarray] = {}
        self.output = ""

    def input(self, name: str, values: np.ndarray) -> str:
        self.inputs[name] = values
        return name

    def weight(self, *shape: int, spread: float | None = None) -> str:
        fan_in = int(np.prod(shape[1:])) if len(shape) > 2 else shape[0]
        values = self.rng.normal(0, spread or fan_in**-0.5, shape)
        return self.constant(values.astype(np.float32), "w")

    def constant(self, values: np.ndarray, prefix: str = "c") -> str:
        name = f"{prefix}{len(self.weights)}"
        self.weights[name] = np.asarray(values)
        return name

    def node(self, op_type: str, *inputs: str, **attributes) -> str:
        output = f"{op_type.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, list(inputs), [output], name=f"node_{output}", **attributes))
        return output

    def dense(self, x: str, size_in: int, size_out: int) -> str:
        """As a linear layer over more than two axes is exported."""
        product = self.node("MatMul", x, self.weight(size_in, size_out))
        return self.node("Add", self.weight(size_out, spread=0.1), product)

    def conv(self, x: str, channels_in: int, channels_out: int, size: int, **attributes) -> str:
        groups = attributes.get("group", 1)
        weights = self.weight(channels_out, channels_in // groups, size, size)
        bias = self.weight(channels_out, spread=0.1)
        return self.node("Conv", x, weights, bias, kernel_shape=[size, size], pads=[size // 2] * 4, **attributes)

    def norm(self, x: str, size: int) -> str:
        scale = self.constant(self.rng.uniform(0.8, 1.2, size).astype(np.float32), "w")
        return self.node("LayerNormalization", x, scale, self.weight(size, spread=0.1), axis=-1, epsilon=1e-5)

    def model(self) -> onnx.ModelProto:
        values = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), ["N", *value.shape[1:]])
            for name, value in self.inputs.items()
        ]
        graph = helper.make_graph(
            self.nodes,
            self.name,
            values,
            [helper.make_tensor_value_info(self.output, TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name) for name, value in self.weights.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="drydock tests/corpus")
        return onnx.shape_inference.infer_shapes(model)


def mlp() -> Network:
    net = Network("mlp", 1)
    x = net.input("x", net.rng.normal(0, 1, (16, 12)).astype(np.float32))
    x = net.node("Relu", net.node("Gemm", x, net.weight(24, 12), net.weight(24, spread=0.1), transB=1))
    x = net.node("Sigmoid", net.dense(x, 24, 24))
    x = net.node("Gemm", x, net.weight(24, 5), net.weight(5, spread=0.1))
    net.output = net.node("Softmax", x, axis=-1)
    return net


def cnn() -> Network:
    net = Network("cnn", 2)
    x = net.input("x", net.rng.normal(0, 1, (4, 3, 12, 12)).astype(np.float32))
    stem = net.node("Relu", net.conv(x, 3, 8, 3))
    block = net.conv(net.node("Relu", net.conv(stem, 8, 8, 3)), 8, 8, 3)
    x = net.node("Relu", net.node("Add", block, stem))
    x = net.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    wide = net.node("LeakyRelu", net.conv(x, 8, 8, 1), alpha=0.1)
    deep = net.conv(x, 8, 8, 3, group=8)
    x = net.node("Concat", wide, deep, axis=1)
    gate = net.node("Sigmoid", net.conv(x, 16, 16, 1))
    x = net.node("Mul", x, gate)
    x = net.node("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.node("Clip", net.conv(x, 16, 12, 3, strides=[2, 2]), net.constant(np.float32(0)), net.constant(np.float32(6)))
    x = net.node("GlobalAveragePool", x)
    x = net.node("Flatten", x)
    x = net.node("Gemm", x, net.weight(12, 6), net.weight(6, spread=0.1))
    net.output = net.node("Softmax", x, axis=-1)
    return net


def encoder() -> Network:
    """One layer of BERT, as PyTorch exports it."""
    tokens, width, heads, words = 8, 32, 2, 40
    net = Network("encoder", 3)
    ids = net.input("input_ids", net.rng.integers(0, words, (3, tokens)))
    segments = net.input("token_type_ids", net.rng.integers(0, 2, (3, tokens)))
    lengths = np.array([[8], [5], [3]])
    mask = net.input("attention_mask", (np.arange(tokens)[None, :] < lengths).astype(np.int64))

    word = net.node("Gather", net.weight(words, width, spread=0.5), ids, axis=0)
    segment = net.node("Gather", net.weight(2, width, spread=0.5), segments, axis=0)
    position = net.node("Gather", net.weight(16, width, spread=0.5), net.constant(np.arange(tokens)[None, :]), axis=0)
    x = net.norm(net.node("Add", net.node("Add", word, segment), position), width)

    hidden = net.node("Unsqueeze", mask, net.constant(np.array([1])))
    hidden = net.node("Cast", net.node("Unsqueeze", hidden, net.constant(np.array([2]))), to=TensorProto.FLOAT)
    hidden = net.node("Mul", net.node("Sub", net.constant(np.float32(1)), hidden), net.constant(np.float32(-10000)))

    def split_heads(x: str, perm: list[int]) -> str:
        shape = net.constant(np.array([0, 0, heads, width // heads]))
        return net.node("Transpose", net.node("Reshape", x, shape), perm=perm)

    query = split_heads(net.dense(x, width, width), [0, 2, 1, 3])
    key = split_heads(net.dense(x, width, width), [0, 2, 3, 1])
    value = split_heads(net.dense(x, width, width), [0, 2, 1, 3])
    scores = net.node("Div", net.node("MatMul", query, key), net.constant(np.float32((width / heads) ** 0.5)))
    weights = net.node("Softmax", net.node("Add", scores, hidden), axis=-1)
    mixed = net.node("Transpose", net.node("MatMul", weights, value), perm=[0, 2, 1, 3])
    mixed = net.node("Reshape", mixed, net.constant(np.array([0, 0, width])))
    x = net.norm(net.node("Add", net.dense(mixed, width, width), x), width)

    inner = net.dense(x, width, 2 * width)
    erf = net.node("Erf", net.node("Div", inner, net.constant(np.float32(2**0.5))))
    gelu = net.node("Mul", inner, net.node("Add", erf, net.constant(np.float32(1))))
    gelu = net.node("Mul", gelu, net.constant(np.float32(0.5)))
    net.output = net.norm(net.node("Add", net.dense(gelu, 2 * width, width), x), width)
    return net


def lstm() -> Network:
    inputs, hidden = 10, 12
    net = Network("lstm", 4)
    x = net.input("x", net.rng.normal(0, 1, (3, 7, inputs)).astype(np.float32))
    x = net.node("Transpose", x, perm=[1, 0, 2])
    w = net.constant(net.rng.normal(0, 0.4, (2, 4 * hidden, inputs)).astype(np.float32), "w")
    r = net.constant(net.rng.normal(0, 0.3, (2, 4 * hidden, hidden)).astype(np.float32), "w")
    b = net.constant(net.rng.normal(0, 0.1, (2, 8 * hidden)).astype(np.float32), "w")
    x = net.node("LSTM", x, w, r, b, hidden_size=hidden, direction="bidirectional")
    # [time, direction, batch, hidden] to [batch, time, direction and hidden]
    x = net.node("Reshape", net.node("Transpose", x, perm=[2, 0, 1, 3]), net.constant(np.array([0, 0, 2 * hidden])))
    net.output = net.dense(x, 2 * hidden, 4)
    return net


class Calibration(CalibrationDataReader):
    """The test data, one example at a time."""

    def __init__(self, net: Network) -> None:
        n_examples = len(next(iter(net.inputs.values())))
        self.examples = iter([{name: value[index : index + 1] for name, value in net.inputs.items()} for index in range(n_examples)])

    def get_next(self) -> dict | None:
        return next(self.examples, None)


def variants(net: Network) -> Iterator[tuple[str, onnx.ModelProto]]:
    """Every form of a network, by name."""
    # The tools change the model that they are given, so each gets its own.
    yield "float32", net.model()
    yield "float32_optimized", optimized(net.model())
    # As the quantiser's documentation asks for: shapes inferred, small fusions done.
    with tempfile.TemporaryDirectory() as folder:
        original_path, prepared_path = Path(folder) / "original.onnx", Path(folder) / "prepared.onnx"
        onnx.save(net.model(), original_path)
        quant_pre_process(original_path, prepared_path, skip_symbolic_shape=True)
        prepared = onnx.load(prepared_path)

    def transformed(transform) -> onnx.ModelProto:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "source.onnx", Path(folder) / "target.onnx"
            onnx.save(prepared, source)
            transform(source, target)
            return onnx.load(target)

    def dynamic(**options) -> onnx.ModelProto:
        return transformed(lambda source, target: quantize_dynamic(source, target, **options))

    def static(**options) -> onnx.ModelProto:
        return transformed(lambda source, target: quantize_static(source, target, Calibration(net), **options))

    s8, u8, s16 = QuantType.QInt8, QuantType.QUInt8, QuantType.QInt16
    yield "dynamic_u8", (dynamic_u8 := dynamic(weight_type=u8))
    yield "dynamic_s8_per_channel", dynamic(weight_type=s8, per_channel=True)
    yield "dynamic_u8_optimized", optimized(dynamic_u8)
    if net.name != "lstm":
        symmetric = {"ActivationSymmetric": True, "WeightSymmetric": True}
        qdq, qoperator = {"quant_format": QuantFormat.QDQ}, {"quant_format": QuantFormat.QOperator}
        yield "qdq_u8s8", (qdq_u8s8 := static(**qdq, activation_type=u8, weight_type=s8))
        yield "qdq_u8s8_per_channel", (per_channel := static(**qdq, activation_type=u8, weight_type=s8, per_channel=True))
        yield "qdq_s8s8_symmetric", static(**qdq, activation_type=s8, weight_type=s8, per_channel=True, extra_options=symmetric)
        yield "qdq_u8u8", static(**qdq, activation_type=u8, weight_type=u8)
        yield "qdq_s16s8", static(**qdq, activation_type=s16, weight_type=s8)
        yield "qdq_contrib_domain", static(**qdq, activation_type=u8, weight_type=s8, extra_options={"UseQDQContribOps": True})
        yield "qdq_u8s8_optimized", optimized(qdq_u8s8)
        yield "qdq_u8s8_per_channel_optimized", optimized(per_channel)
        yield "qoperator_u8u8", static(**qoperator, activation_type=u8, weight_type=u8)
        yield "qoperator_u8s8_per_channel", static(**qoperator, activation_type=u8, weight_type=s8, per_channel=True)
        yield "qoperator_s8s8", static(**qoperator, activation_type=s8, weight_type=s8)
    if net.name == "encoder":
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "source.onnx", Path(folder) / "target.onnx"
            fused = optimize_model(net.model(), model_type="bert", num_heads=2, hidden_size=32, opt_level=0)
            fused.save_model_to_file(str(source))
            yield "float32_fused", onnx.load(source)
            quantize_dynamic(source, target, weight_type=s8)
            yield "dynamic_s8_fused", onnx.load(target)
    if net.name in ("mlp", "encoder"):
        for form, quant_format in (("nbits", QuantFormat.QOperator), ("int4", QuantFormat.QDQ)):
            for name, is_symmetric in (("symmetric", True), ("asymmetric", False)):
                quantizer = MatMulNBitsQuantizer(
                    net.model(),
                    block_size=16,
                    is_symmetric=is_symmetric,
                    quant_format=quant_format,
                    op_types_to_quantize=("MatMul",),
                )
                quantizer.process()
                yield f"weights_{form}_{name}", quantizer.model.model
    yield "float16", (half := convert_float_to_float16(net.model(), keep_io_types=False))
    yield "float16_float32_io", convert_float_to_float16(net.model(), keep_io_types=True)
    yield "float16_optimized", optimized(half)


def optimized(model: onnx.ModelProto) -> onnx.ModelProto:
    """What ONNX Runtime's optimiser makes of a model, short of layouts for one processor."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimized.onnx"
        test_set.session(model.SerializeToString(), onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED, path)
        return onnx.load(path)


def output_step(model: onnx.ModelProto, name: str, value: np.ndarray, is_float16: bool) -> float:
    """One step of the output's own scale; where it is not quantised itself, of eight bits over its range.

    In float16 two steps of the type at the largest number: each operator may round, or not, where ONNX Runtime computes in float32.
    """
    if is_float16:
        return 2 * float(np.spacing(np.float16(np.abs(value).max())))
    producer = next((node for node in model.graph.node if name in node.output), None)
    if producer is not None and producer.op_type == "DequantizeLinear":
        scale = next((tensor for tensor in model.graph.initializer if tensor.name == producer.input[1]), None)
        if scale is not None:
            return float(numpy_helper.to_array(scale).max())
    return float(value.max() - value.min()) / 255


def write(name: str, net: Network, model: onnx.ModelProto) -> int:
    runner = test_set.session(model.SerializeToString())
    inputs = {
        given.name: net.inputs[given.name].astype(np.float16 if given.type == "tensor(float16)" else net.inputs[given.name].dtype)
        for given in runner.get_inputs()
    }
    expected = dict(zip([output.name for output in runner.get_outputs()], runner.run(None, inputs), strict=True))
    if not name.startswith(f"{net.name}_float32"):
        steps = " ".join(f"{output_step(model, output, value, 'float16' in name):.6g}" for output, value in expected.items())
        helper.set_model_props(model, {"output_steps": steps})
    return test_set.write_case(HOME / name, model, inputs, expected)


def main() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    n_bytes = n_models = 0
    for network in (mlp, cnn, encoder, lstm):
        net = network()
        for variant, model in variants(net):
            n_bytes += write(f"{net.name}_{variant}", net, model)
            n_models += 1
    print(f"{n_models} models, {n_bytes / 1e3:.0f} kB")


if __name__ == "__main__":
    main()

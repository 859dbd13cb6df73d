"""Small whole models, for what happens between operators: folding, fusing, freeing, sharing."""

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto, helper

from .case import Case, Numbers


def node(op_type: str, inputs: list[str], outputs: list[str], **attributes):
    domain = attributes.pop("domain", "")
    return helper.make_node(op_type, inputs, outputs, name=f"{op_type.lower()}_{outputs[0]}", domain=domain, **attributes)


def cases() -> Iterator[Case]:
    n = Numbers("models")
    channels = {name: n.floats(4) for name in ("scale", "shift", "mean")} | {"variance": n.floats(4, low=0.3)}
    statistics = ["scale", "shift", "mean", "variance"]
    for name, bias in (("with_bias", ["b"]), ("no_bias", [])):
        yield Case(
            f"model_conv_batch_norm_relu_{name}",
            [
                node("Conv", ["x", "w", *bias], ["c"], pads=[1, 1, 1, 1]),
                node("BatchNormalization", ["c", *statistics], ["n"]),
                node("Relu", ["n"], ["y"]),
            ],
            {"x": n.floats(2, 3, 5, 5)},
            ["y"],
            initializers={"w": n.floats(4, 3, 3, 3), **({"b": n.floats(4)} if bias else {}), **channels},
            is_batched=True,
        )
    # The convolution's own result is wanted too, so the normalisation may not be folded into it.
    yield Case(
        "model_conv_batch_norm_shared",
        [
            node("Conv", ["x", "w"], ["c"]),
            node("BatchNormalization", ["c", *statistics], ["n"]),
            node("Add", ["n", "c"], ["y"]),
        ],
        {"x": n.floats(1, 3, 4, 4)},
        ["y", "c"],
        initializers={"w": n.floats(4, 3, 3, 3), **channels},
    )
    yield Case(
        "model_perceptron",
        [
            node("Gemm", ["x", "w1", "b1"], ["h"], transB=1),
            node("Relu", ["h"], ["r"]),
            node("Dropout", ["r"], ["d"]),
            node("Identity", ["d"], ["i"]),
            node("MatMul", ["i", "w2"], ["m"]),
            node("Add", ["m", "b2"], ["logits"]),
            node("Softmax", ["logits"], ["p"], axis=-1),
            node("ArgMax", ["p"], ["label"], axis=1, keepdims=0),
        ],
        {"x": n.floats(7, 20)},
        ["label", "p"],
        opset=13,
        initializers={"w1": n.floats(16, 20), "b1": n.floats(16), "w2": n.floats(16, 3), "b2": n.floats(3)},
        is_batched=True,
    )
    # Shapes computed by the graph itself, as PyTorch's exporter writes them.
    yield Case(
        "model_shape_arithmetic",
        [
            node("Shape", ["x"], ["s"]),
            node("Gather", ["s", "zero"], ["n"], axis=0),
            node("Unsqueeze", ["n", "axes"], ["n1"]),
            node("Concat", ["n1", "rest"], ["shape"], axis=0),
            node("Reshape", ["x", "shape"], ["y"]),
        ],
        {"x": n.floats(3, 2, 4)},
        ["y"],
        opset=17,
        initializers={"zero": np.array(0), "axes": np.array([0]), "rest": np.array([-1])},
        is_batched=True,
    )
    yield Case(
        "model_constants_all_the_way",
        [
            node("Add", ["a", "b"], ["c"]),
            node("Mul", ["c", "c"], ["d"]),
            node("Add", ["x", "d"], ["y"]),
        ],
        {"x": n.floats(2, 3)},
        ["y"],
        initializers={"a": n.floats(3), "b": n.floats(2, 1)},
    )
    # The same value twice in one node, and once more later: nothing may be computed in place too early.
    yield Case(
        "model_shared_values",
        [
            node("Add", ["x", "x"], ["a"]),
            node("Relu", ["a"], ["r"]),
            node("Mul", ["a", "r"], ["m"]),
            node("Sub", ["m", "x"], ["y"]),
        ],
        {"x": n.floats(3, 4)},
        ["y", "a"],
    )
    yield Case("model_output_is_input", [node("Identity", ["x"], ["y"])], {"x": n.floats(2, 2)}, ["y"])
    yield Case(
        "model_output_is_constant",
        [node("Identity", ["c"], ["y"]), node("Neg", ["x"], ["z"])],
        {"x": n.floats(2)},
        ["y", "z"],
        initializers={"c": n.floats(2, 2)},
    )
    yield Case(
        "model_elementwise_chain",
        [
            node("Mul", ["x", "k"], ["a"]),
            node("Add", ["a", "b"], ["s"]),
            node("Sigmoid", ["s"], ["g"]),
            node("Mul", ["s", "g"], ["silu"]),
            node("Clip", ["silu", "low", "high"], ["y"]),
        ],
        {"x": n.floats(5, 33)},
        ["y"],
        initializers={"k": n.floats(33), "b": n.floats(1), "low": np.array(-0.2, np.float32), "high": np.array(1.0, np.float32)},
        is_batched=True,
    )
    yield pipeline(n)


def pipeline(n: Numbers) -> Case:
    """Text and numbers with holes, through imputation, scaling and one-hot encoding into a linear classifier and ZipMap."""
    ml = {"domain": "ai.onnx.ml"}
    amount = n.floats(6, 2)
    amount[1, 0] = np.nan
    return Case(
        "model_table_pipeline",
        [
            node("Imputer", ["amount"], ["full"], imputed_value_floats=[0.1, 0.2], replaced_value_float=float("nan"), **ml),
            node("Scaler", ["full"], ["scaled"], offset=[0.5, -0.5], scale=[1.5, 0.5], **ml),
            node("OneHotEncoder", ["colour"], ["hot"], cats_strings=["red", "green", "blue"], zeros=1, **ml),
            node("Reshape", ["hot", "flat"], ["columns"]),
            node("Concat", ["scaled", "columns"], ["features"], axis=1),
            node(
                "LinearClassifier",
                ["features"],
                ["label", "scores"],
                coefficients=n.floats(15).tolist(),
                intercepts=[0.1, 0.2, -0.3],
                classlabels_strings=["a", "b", "c"],
                post_transform="SOFTMAX",
                **ml,
            ),
            node("Cast", ["scores"], ["floats"], to=TensorProto.FLOAT),
            node("ZipMap", ["floats"], ["probabilities"], classlabels_strings=["a", "b", "c"], **ml),
        ],
        {"amount": amount, "colour": n.words(6, 1)},
        ["label", "probabilities"],
        opset=17,
        ml_opset=3,
        initializers={"flat": np.array([-1, 3])},
        is_batched=True,
    )

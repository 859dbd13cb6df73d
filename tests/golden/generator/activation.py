"""Activation functions."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history

# Attributes beside the defaults.
VARIANTS = {
    "Tanh": [],
    "Sigmoid": [],
    "Relu": [],
    "LeakyRelu": [{"alpha": 0.2}],
    "Elu": [{"alpha": 1.7}],
    "Selu": [{"alpha": 1.5, "gamma": 1.1}],
    "Softplus": [],
    "HardSigmoid": [{"alpha": 0.5, "beta": 0.4}],
    "HardSwish": [],
    "Gelu": [{"approximate": "tanh"}],
    "Celu": [{"alpha": 0.5}, {"alpha": 2.0}],
    "Mish": [],
    "Shrink": [{"lambd": 1.5, "bias": 1.5}],
    "Softsign": [],
    "ThresholdedRelu": [{"alpha": 2.0}],
}


def cases() -> Iterator[Case]:
    for op_type, variants in VARIANTS.items():
        n = Numbers(op_type)
        for opset in history(op_type):
            yield case(op_type, "default", [n.floats(3, 7, low=-5, high=5)], opset=opset)
        yield case(op_type, "image", [n.floats(2, 3, 2, 4, low=-5, high=5)], is_batched=True)
        yield case(op_type, "scalar", [n.floats(low=-5, high=5)])
        yield case(op_type, "empty", [n.floats(2, 0)])
        yield case(op_type, "long", [n.floats(1037, low=-9, high=9)])
        # Far out, where a careless formula overflows.
        yield case(op_type, "tails", [np.array([-100, -30, -10, -1e-3, -0.0, 0, 1e-3, 10, 30, 100], np.float32)])
        for index, attributes in enumerate(variants):
            yield case(op_type, f"attributes{index}", [n.floats(4, 5, low=-5, high=5)], **attributes)
    yield case("Relu", "int32", [np.array([-3, 0, 4], np.int32)], opset=14)
    yield case("Relu", "nan", [np.array([np.nan, -1, 1], np.float32)])
    n = Numbers("Softmax")
    for op_type in ("Softmax", "LogSoftmax"):
        for opset in history(op_type):
            yield case(op_type, "matrix", [n.floats(3, 5, low=-4, high=4)], opset=opset)
            # Before opset 13 the axis splits the shape in two, from then on it names one dimension: the answers differ.
            yield case(op_type, "axis1_of_3", [n.floats(2, 3, 4, low=-4, high=4)], opset=opset, axis=1)
        yield case(op_type, "default_axis_of_3", [n.floats(2, 3, 4, low=-4, high=4)], opset=11)
        yield case(op_type, "axis0", [n.floats(4, 3)], opset=13, axis=0)
        yield case(op_type, "negative_axis", [n.floats(2, 3, 4)], opset=13, axis=-2)
        yield case(op_type, "large", [np.array([[1000, 1001, 999], [-1000, 0, -1001]], np.float32)], opset=13)
        yield case(op_type, "batch", [n.floats(5, 10)], opset=13, is_batched=True, axis=-1)
    n = Numbers("Hardmax")
    for opset in history("Hardmax"):
        yield case("Hardmax", "default", [n.floats(2, 3, 4)], opset=opset)
        yield case("Hardmax", "first_axis", [n.ints(3, 4, low=0, high=3, dtype=np.float32)], opset=opset, axis=0)
    n = Numbers("Swish")
    yield case("Swish", "default", [n.floats(3, 7, low=-5, high=5)], opset=24)
    yield case("Swish", "alpha", [np.array([-100, -10, -1e-3, 0, 1, 30, 100], np.float32)], opset=24, alpha=1.702)
    n = Numbers("SwiGLU")
    yield case("SwiGLU", "default", [n.floats(3, 7, low=-5, high=5), n.floats(3, 7)], opset=28, is_newer=True)
    yield case("SwiGLU", "alpha", [n.floats(2, 5, low=-5, high=5), n.floats(2, 5)], opset=28, is_newer=True, alpha=0.5)

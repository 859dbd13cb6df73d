"""Integers as rows of bits, and BitCast."""

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto

from .case import Case, Numbers, case


def cases() -> Iterator[Case]:
    for direction in ("LEFT", "RIGHT"):
        x, by = np.array([1, 2, 200, 255], np.uint8), np.array([1, 3, 0, 7], np.uint8)
        yield case("BitShift", f"{direction.lower()}_uint8", [x, by], opset=11, direction=direction)
        yield case("BitShift", f"{direction.lower()}_broadcast", [x.reshape(2, 2).astype(np.uint64), np.array([1, 4], np.uint64)], direction=direction)
    for op_type in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        n = Numbers(op_type)
        yield case(op_type, "int32", [n.ints(3, 4, dtype=np.int32), n.ints(3, 4, dtype=np.int32)], opset=18)
        yield case(op_type, "broadcast", [n.ints(2, 1, 3, low=0, high=255, dtype=np.uint8), n.ints(4, 1, low=0, high=255, dtype=np.uint8)])
    yield case("BitwiseNot", "int64", [np.array([-1, 0, 5], np.int64)], opset=18)
    yield case("BitwiseNot", "uint16", [np.array([0, 1, 65535], np.uint16)])
    yield case("BitCast", "float_to_int32", [np.array([1, -0.0, np.inf], np.float32)], opset=26, to=TensorProto.INT32)
    yield case("BitCast", "uint8_to_int8", [np.array([[0, 127], [128, 255]], np.uint8)], opset=26, to=TensorProto.INT8)

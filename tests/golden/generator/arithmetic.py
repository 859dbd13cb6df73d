"""Element-wise arithmetic, with broadcasting, in floats and integers."""

from collections.abc import Iterator

import numpy as np

from .case import NEWEST, Case, Numbers, case, history


def cases() -> Iterator[Case]:
    yield from binary()
    yield from unary()
    yield from variadic()
    n = Numbers("Clip")
    x = n.floats(3, 5)
    yield case("Clip", "attributes", [x], opset=7, min=-0.5, max=0.75)
    yield case("Clip", "only_max", [x], opset=7, max=0.25)
    low, high = np.array(-0.5, np.float32), np.array(0.75, np.float32)
    for opset in history("Clip", first=11):
        yield case("Clip", "inputs", [x, low, high], opset=opset)
    yield case("Clip", "constants", [x, low, high], opset=13, constants=(1, 2))
    yield case("Clip", "only_max", [x, None, high], opset=13)
    yield case("Clip", "no_bounds", [x], opset=13)
    yield case("Clip", "crossed_bounds", [x, high, low], opset=13)
    yield case("Clip", "int64", [n.ints(7), np.array(-3), np.array(4)], opset=13)
    n = Numbers("PRelu")
    for opset in history("PRelu"):
        yield case("PRelu", "channels", [n.floats(2, 3, 4), n.floats(3, 1)], opset=opset)
    yield case("PRelu", "scalar_slope", [n.floats(4, 5), n.floats(1)])
    yield case("PRelu", "constant_slope", [n.floats(2, 3, 2, 2), n.floats(3, 1, 1)], constants=(1,))
    yield from cast()


def binary() -> Iterator[Case]:
    for op_type in ("Add", "Sub", "Mul", "Div", "Pow"):
        n = Numbers(op_type)
        # A power of a negative number is NaN, and a quotient by nearly nothing is no test of anything.
        low = 0.3 if op_type in ("Pow", "Div") else -2.0
        for opset in history(op_type):
            yield case(op_type, "same_shape", [n.floats(3, 4, low=low), n.floats(3, 4, low=low)], opset=opset)
        yield case(op_type, "broadcast_row", [n.floats(2, 3, 4, low=low), n.floats(4, low=low)], is_batched=True)
        yield case(op_type, "broadcast_both", [n.floats(3, 1, 4, low=low), n.floats(2, 1, low=low)])
        yield case(op_type, "scalar", [n.floats(2, 3, low=low), n.floats(low=low)])
        yield case(op_type, "scalar_first", [n.floats(low=low), n.floats(2, 3, low=low)], constants=(0,))
        yield case(op_type, "empty", [n.floats(0, 3), n.floats(3, low=low)])
        yield case(op_type, "float64", [n.floats(5, low=low, dtype=np.float64), n.floats(5, low=low, dtype=np.float64)])
        if op_type != "Pow":
            divisor = np.array([3, -3, 4, -4, 7], np.int64)
            yield case(op_type, "int64", [np.array([7, 7, -7, -7, 0], np.int64), divisor])
            yield case(op_type, "int32", [n.ints(2, 5, dtype=np.int32), divisor.astype(np.int32)])
    n = Numbers("Pow")
    yield case("Pow", "negative_base", [n.floats(6), np.array([2, 3, 0, 1, 2, 3], np.float32)])
    yield case("Pow", "int_exponent", [n.floats(2, 3), np.array(2, np.int64)])
    yield case("Pow", "constant_square", [n.floats(2, 3), np.array(2, np.float32)], constants=(1,))
    yield case("Pow", "int64", [n.ints(5, low=-4, high=5), np.array([0, 1, 2, 3, 2], np.int64)])
    yield case("Div", "by_zero", [np.array([1, -1, 0, 5], np.float32), np.array([0, 0, 0, 2], np.float32)])


def unary() -> Iterator[Case]:
    for op_type in ("Neg", "Abs", "Sqrt", "Exp", "Log", "Erf"):
        n = Numbers(op_type)
        low = 0.0 if op_type == "Sqrt" else 0.05 if op_type == "Log" else -3.0
        for opset in history(op_type):
            yield case(op_type, "matrix", [n.floats(3, 7, low=low, high=3.0)], opset=opset)
        yield case(op_type, "batch", [n.floats(2, 3, 2, low=low, high=3.0)], opset=13, is_batched=True)
        yield case(op_type, "scalar", [n.floats(low=low, high=3.0)], opset=13)
        yield case(op_type, "empty", [n.floats(0, 4)], opset=13)
        yield case(op_type, "long", [n.floats(1037, low=low, high=4.0)], opset=13)
    yield case("Neg", "int64", [np.array([-3, 0, 4], np.int64)])
    yield case("Abs", "int64", [np.array([-3, 0, 4], np.int64)])
    yield case("Abs", "int32", [np.array([-3, 0, 4], np.int32)])
    yield case("Sqrt", "negative", [np.array([-1, -0.0, 4], np.float32)])
    yield case("Log", "edges", [np.array([0, -1, 1, np.inf], np.float32)])
    yield case("Exp", "edges", [np.array([-200, 0, 89, -np.inf, np.nan], np.float32)])
    yield case("Erf", "tails", [np.array([-5, -3.5, -1e-4, 0, 1e-4, 3.5, 5], np.float32)])


def variadic() -> Iterator[Case]:
    for op_type in ("Min", "Max", "Sum", "Mean"):
        n = Numbers(op_type)
        for opset in history(op_type, first=8):
            yield case(op_type, "three", [n.floats(2, 3), n.floats(3), n.floats(2, 1)], opset=opset)
        yield case(op_type, "two", [n.floats(4, 3), n.floats(4, 3)], opset=7)
        yield case(op_type, "one", [n.floats(2, 3)], opset=13)
        yield case(op_type, "two_batched", [n.floats(4, 3), n.floats(1, 3)], opset=13, is_batched=True)
    for op_type in ("Min", "Max"):
        n = Numbers(op_type + "int")
        yield case(op_type, "int64", [n.ints(2, 4), n.ints(4)])
        yield case(op_type, "nan", [np.array([1, np.nan, 3], np.float32), np.array([np.nan, 2, 2], np.float32)])


def cast() -> Iterator[Case]:
    from onnx import TensorProto as T

    floats = np.array([-2.7, -0.5, 0, 0.5, 1.5, 100.9], np.float32)
    for opset in history("Cast"):
        yield case("Cast", "float_to_int64", [floats], opset=opset, to=T.INT64)
    for name, to in (("int32", T.INT32), ("bool", T.BOOL), ("double", T.DOUBLE), ("float16", T.FLOAT16), ("int8", T.INT8)):
        yield case("Cast", f"float_to_{name}", [floats], opset=13, to=to)
    yield case("Cast", "float_to_float", [floats], opset=13, to=T.FLOAT)
    yield case("Cast", "int64_to_float", [np.array([-3, 0, 16777217], np.int64)], opset=13, to=T.FLOAT)
    yield case("Cast", "int64_to_int32", [np.array([-3, 0, 7], np.int64)], opset=13, to=T.INT32)
    yield case("Cast", "int32_to_bool", [np.array([-3, 0, 7], np.int32)], opset=13, to=T.BOOL)
    yield case("Cast", "bool_to_float", [np.array([[True, False], [False, True]])], opset=NEWEST, to=T.FLOAT)
    yield case("Cast", "bool_to_int64", [np.array([True, False])], opset=NEWEST, to=T.INT64)
    yield case("Cast", "uint8_to_float", [np.array([0, 200, 255], np.uint8)], opset=13, to=T.FLOAT)
    yield case("Cast", "double_to_float", [np.array([1 / 3, 1e300, -0.0], np.float64)], opset=13, to=T.FLOAT)
    for opset in history("CastLike"):
        yield case("CastLike", "float_to_int64", [floats, np.array([1, 2], np.int64)], opset=opset)
    yield case("CastLike", "int64_to_half", [np.array([-3, 0, 7], np.int64), np.array(0, np.float16)])
    yield case("CastLike", "float_to_string", [floats, np.array(["a"], dtype=object)])
    yield case("Cast", "string_to_float", [np.array(["1.5", "-2e3", "NaN", "INF", "7"], dtype=object)], opset=13, to=T.FLOAT)
    yield case("Cast", "string_to_int64", [np.array(["12", "-7"], dtype=object)], opset=13, to=T.INT64)
    yield case("Cast", "int64_to_string", [np.array([12, -7], np.int64)], opset=13, to=T.STRING)
    yield case("Cast", "float_to_string", [np.array([1.5, -0.25, 3.0, 1e10], np.float32)], opset=13, to=T.STRING)

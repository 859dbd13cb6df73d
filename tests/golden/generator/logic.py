"""Comparisons, boolean operators, Where."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    for op_type in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
        n = Numbers(op_type)
        for opset in history(op_type, first=11):
            yield case(op_type, "floats", [n.ints(3, 4, low=0, high=3).astype(np.float32), n.ints(3, 4, low=0, high=3).astype(np.float32)], opset=opset)
        yield case(op_type, "broadcast", [n.floats(2, 3, 1), n.floats(4)])
        yield case(op_type, "scalar", [n.floats(2, 3), np.array(0.25, np.float32)], constants=(1,), is_batched=True)
        yield case(op_type, "int64", [n.ints(6, low=0, high=3), n.ints(6, low=0, high=3)])
        yield case(op_type, "nan", [np.array([np.nan, 1, np.nan], np.float32), np.array([np.nan, np.nan, 1], np.float32)])
        if op_type in ("Greater", "Less"):
            yield case(op_type, "floats", [n.floats(3, 4), n.floats(3, 4)], opset=7)
    n = Numbers("Equal")
    yield case("Equal", "int64", [n.ints(6, low=0, high=3), n.ints(6, low=0, high=3)], opset=7)
    yield case("Equal", "bool", [n.bools(2, 4), n.bools(4)])
    yield case("Equal", "strings", [n.words(6), n.words(6)], opset=19)
    for op_type in ("And", "Or", "Xor"):
        n = Numbers(op_type)
        for opset in (7, 13, 21):
            yield case(op_type, "same_shape", [n.bools(3, 4), n.bools(3, 4)], opset=opset)
        yield case(op_type, "broadcast", [n.bools(2, 1, 3), n.bools(4, 1)])
    n = Numbers("Not")
    for opset in (7, 13, 21):
        yield case("Not", "matrix", [n.bools(2, 3)], opset=opset)
    kinds = np.array([1, np.inf, -np.inf, np.nan, 0], np.float32)
    for opset in history("IsInf"):
        yield case("IsInf", "both", [kinds], opset=opset)
    yield case("IsInf", "positive", [kinds], detect_negative=0)
    yield case("IsInf", "negative", [kinds.astype(np.float64)], detect_positive=0)
    for opset in history("IsNaN"):
        yield case("IsNaN", "floats", [kinds], opset=opset)
    yield case("IsNaN", "half", [kinds.astype(np.float16)])
    n = Numbers("Where")
    for opset in history("Where"):
        yield case("Where", "same_shape", [n.bools(3, 4), n.floats(3, 4), n.floats(3, 4)], opset=opset)
    yield case("Where", "broadcast", [n.bools(2, 1, 3), n.floats(4, 1), n.floats(3)])
    yield case("Where", "scalars", [n.bools(2, 3), np.array(1.5, np.float32), np.array(-1, np.float32)], constants=(1, 2))
    yield case("Where", "int64", [n.bools(5), n.ints(5), n.ints(1)])
    yield case("Where", "strings", [n.bools(5), n.words(5), n.words(1)])
    yield case("Where", "keeps_nan_out", [np.array([True, False]), np.array([1, np.nan], np.float32), np.array([np.nan, 2], np.float32)])

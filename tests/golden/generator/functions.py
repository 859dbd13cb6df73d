"""Functions of one number beside the everyday ones of `arithmetic`, and Mod."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history

# Where each is defined.
RANGES = {
    "Acos": (-1, 1),
    "Acosh": (1, 4),
    "Asin": (-1, 1),
    "Asinh": (-4, 4),
    "Atan": (-4, 4),
    "Atanh": (-0.99, 0.99),
    "Ceil": (-4, 4),
    "Cos": (-9, 9),
    "Cosh": (-4, 4),
    "Floor": (-4, 4),
    "Reciprocal": (0.1, 4),
    "Round": (-4, 4),
    "Sign": (-4, 4),
    "Sin": (-9, 9),
    "Sinh": (-4, 4),
    "Tan": (-1.4, 1.4),
}


def cases() -> Iterator[Case]:
    for op_type, (low, high) in RANGES.items():
        n = Numbers(op_type)
        for opset in history(op_type):
            yield case(op_type, "matrix", [n.floats(3, 7, low=low, high=high)], opset=opset)
        yield case(op_type, "scalar", [n.floats(low=low, high=high)])
        yield case(op_type, "empty", [n.floats(0, 4)])
        yield case(op_type, "edges", [np.array([-0.0, 0, np.inf, -np.inf, np.nan], np.float32)])
    yield case("Round", "halves", [np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1e9], np.float32)])
    yield case("Sign", "int64", [np.array([-3, 0, 4], np.int64)])
    yield case("Sign", "uint8", [np.array([0, 4, 255], np.uint8)])
    n = Numbers("Mod")
    ints = [np.array([7, 7, -7, -7, 0], np.int64), np.array([3, -3, 4, -4, 7], np.int64)]
    for opset in history("Mod"):
        yield case("Mod", "fmod", [n.floats(3, 4), n.floats(3, 4, low=0.3)], opset=opset, fmod=1)
        yield case("Mod", "int64", ints, opset=opset)
    yield case("Mod", "int64_fmod", ints, fmod=1)
    yield case("Mod", "broadcast", [n.ints(2, 3, dtype=np.int32), n.ints(3, low=1, dtype=np.int32)])
    yield case("Mod", "uint8", [np.array([200, 5], np.uint8), np.array([7, 6], np.uint8)])
    yield case("Mod", "negative_float64", [np.array([-4.3, 7.2, 5.0]), np.array([2.1, -3.4, 8.0])], fmod=1)

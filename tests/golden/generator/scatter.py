"""Elements that indices place: Scatter, ScatterElements, ScatterND, GatherND, OneHot."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    n = Numbers("ScatterElements")
    data, indices, updates = n.floats(3, 4), n.ints(2, 4, low=-3, high=3), n.floats(2, 4)
    yield case("Scatter", "axis1", [data, np.array([[1, 0], [3, 3]]), n.floats(2, 2)], opset=9, axis=1)
    for opset in history("ScatterElements"):
        yield case("ScatterElements", "duplicates", [data, indices % 3, updates], opset=opset)
    for reduction in ("add", "mul", "max", "min"):
        yield case("ScatterElements", reduction, [data, indices, updates], opset=18, reduction=reduction)
    yield case("ScatterElements", "wider", [data, n.ints(3, 6, low=0, high=4), n.floats(3, 6)], axis=-1, reduction="add")
    yield case("ScatterElements", "int64", [n.ints(5), n.ints(3, low=0, high=5, dtype=np.int32), n.ints(3)], reduction="max")
    yield case("ScatterElements", "strings", [n.words(5), np.array([4, 0]), n.words(2)])
    yield case("ScatterElements", "bools", [n.bools(5), np.array([4, 0]), n.bools(2)])
    yield case("ScatterElements", "nothing", [data, np.zeros((0, 4), np.int64), n.floats(0, 4)])
    n = Numbers("ScatterND")
    cube, rows = n.floats(3, 4, 2), np.array([[2, 0], [0, -1], [2, 0]])
    for opset in history("ScatterND"):
        yield case("ScatterND", "slices", [cube, rows, n.floats(3, 2)], opset=opset)
    for reduction in ("add", "mul", "max", "min"):
        yield case("ScatterND", reduction, [cube, rows, n.floats(3, 2)], opset=18, reduction=reduction)
    yield case("ScatterND", "elements", [cube, n.ints(2, 3, 3, low=0, high=2), n.floats(2, 3)])
    yield case("ScatterND", "strings", [n.words(2, 3), np.array([[1]]), n.words(1, 3)])
    n = Numbers("GatherND")
    for opset in history("GatherND"):
        yield case("GatherND", "slices", [n.floats(3, 4, 2), np.array([[2, 0], [0, -1]])], opset=opset)
    yield case("GatherND", "batch_dims1", [n.floats(2, 3, 4, 2), n.ints(2, 5, 2, low=0, high=3)], batch_dims=1)
    yield case("GatherND", "batch_dims2", [n.floats(2, 3, 4), n.ints(2, 3, 1, low=-4, high=4)], batch_dims=2)
    yield case("GatherND", "strings", [n.words(2, 3), np.array([[1, 2], [0, 0]])])
    yield case("GatherND", "bools", [n.bools(2, 3), np.array([[[1]], [[0]]])])
    n = Numbers("OneHot")
    values = np.array([-1, 2.5], np.float32)
    for opset in history("OneHot"):
        yield case("OneHot", "last", [n.ints(3, low=0, high=5), np.array(5), values], opset=opset)
    yield case("OneHot", "out_of_range", [np.array([4, -5, 5, -6, 0]), np.array([5]), values])
    yield case("OneHot", "middle", [n.ints(2, 3, low=-4, high=4), np.array([4]), np.array([3, 7])], axis=1)
    yield case("OneHot", "float_indices", [np.array([0.0, 1.9, 3.0], np.float32), np.array([4.0], np.float32), values], axis=0)

"""Elements that move in a pattern: DepthToSpace, SpaceToDepth, CenterCropPad, ReverseSequence, Compress, NonZero, Unique."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    n = Numbers("DepthToSpace")
    for opset in history("DepthToSpace"):
        yield case("DepthToSpace", "block2", [n.floats(2, 8, 2, 3)], opset=opset, blocksize=2)
    yield case("DepthToSpace", "crd", [n.floats(1, 18, 2, 1)], opset=13, mode="CRD", blocksize=3)
    for opset in history("SpaceToDepth"):
        yield case("SpaceToDepth", "block2", [n.floats(2, 2, 4, 6)], opset=opset, blocksize=2)
    n = Numbers("CenterCropPad")
    yield case("CenterCropPad", "odd", [n.floats(5, 4, 3), np.array([2, 7, 4])], opset=18)
    yield case("CenterCropPad", "axes", [n.ints(5, 4, 3), np.array([8, 4])], axes=[-1, 0])
    n = Numbers("ReverseSequence")
    yield case("ReverseSequence", "time_first", [n.floats(4, 3, 2), np.array([1, 4, 2])], opset=10)
    yield case("ReverseSequence", "batch_first", [n.floats(3, 4), np.array([3, 0, 4])], time_axis=1, batch_axis=0)
    n = Numbers("Compress")
    for opset in history("Compress"):
        yield case("Compress", "axis1", [n.floats(2, 3), np.array([True, False, True])], opset=opset, axis=1)
    yield case("Compress", "flattened", [n.ints(2, 3), np.array([False, True, False, False, True])])
    yield case("Compress", "strings", [n.words(4), np.array([True, False, True])], axis=-1)
    n = Numbers("NonZero")
    for opset in history("NonZero"):
        yield case("NonZero", "floats", [n.floats(2, 3, 4) * n.bools(2, 3, 4)], opset=opset)
    yield case("NonZero", "bools", [n.bools(7)])
    yield case("NonZero", "int64", [np.array([[0, 3], [0, 0]])])
    n = Numbers("Unique")
    x = n.ints(3, 4, low=0, high=4)
    for opset in history("Unique"):
        yield case("Unique", "sorted", [x], opset=opset, n_outputs=4)
    yield case("Unique", "unsorted", [x.astype(np.float32)], n_outputs=4, sorted=0)
    yield case("Unique", "axis1", [n.ints(2, 5, low=0, high=2)], n_outputs=4, axis=1)
    yield case("Unique", "axis0_unsorted", [n.ints(6, 2, low=0, high=2)], n_outputs=4, axis=0, sorted=0)
    yield case("Unique", "strings", [n.words(6)], n_outputs=4)
    yield case("Unique", "counts_only", [n.floats(4)], outputs=["y0", "", "", "y3"])

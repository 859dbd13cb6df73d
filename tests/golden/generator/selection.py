"""Picking elements: TopK, Slice, Gather, GatherElements."""

from collections.abc import Iterator

import numpy as np

from .case import NEWEST, Case, Numbers, case, history


def cases() -> Iterator[Case]:
    n = Numbers("TopK")
    x, k = n.floats(3, 6), np.array([3])
    yield case("TopK", "attribute", [x], opset=7, n_outputs=2, k=2)
    for opset in history("TopK", first=10):
        yield case("TopK", "input", [x, k], opset=opset, constants=(1,), n_outputs=2)
    yield case("TopK", "smallest", [x, k], n_outputs=2, largest=0)
    yield case("TopK", "axis0", [x, np.array([2])], n_outputs=2, axis=0)
    yield case("TopK", "all_of_them", [n.floats(2, 2, 4), np.array([4])], n_outputs=2, axis=-1)
    # Equal values come with the smaller index first.
    yield case("TopK", "ties", [np.array([[1, 3, 3, 2, 3, 0]], np.float32), np.array([4])], constants=(1,), n_outputs=2)
    yield case("TopK", "int64", [n.ints(2, 5), np.array([2])], constants=(1,), n_outputs=2)
    yield from slices()
    n = Numbers("Gather")
    for opset in history("Gather"):
        yield case("Gather", "axis0", [n.floats(4, 3), np.array([2, 0, 3])], opset=opset)
        yield case("Gather", "axis1", [n.floats(4, 3, 2), np.array([[2, 0], [1, 1]])], opset=opset, axis=1)
    yield case("Gather", "negative_index", [n.floats(4, 3), np.array([-1, -4])], opset=11)
    yield case("Gather", "negative_axis", [n.floats(4, 3, 5), np.array([4, 0])], axis=-1)
    yield case("Gather", "scalar_index", [n.floats(4, 3), np.array(2)], constants=(1,), axis=1)
    yield case("Gather", "int32_indices", [n.floats(4, 3), np.array([1, 1], np.int32)])
    yield case("Gather", "int64_data", [n.ints(5), np.array([4, 0])])
    yield case("Gather", "strings", [n.words(5), np.array([4, 0])])
    yield case("Gather", "bools", [n.bools(5), np.array([[4, 0]])])
    yield case("Gather", "no_indices", [n.floats(4, 3), np.array([], np.int64)])
    n = Numbers("GatherElements")
    for opset in history("GatherElements"):
        yield case("GatherElements", "axis1", [n.floats(3, 4), n.ints(3, 2, low=0, high=4)], opset=opset, axis=1)
    yield case("GatherElements", "axis0", [n.floats(3, 4), n.ints(2, 4, low=-3, high=3)], axis=0)
    yield case("GatherElements", "smaller_elsewhere", [n.floats(3, 4, 2), n.ints(2, 5, 2, low=0, high=4)], axis=-2)
    yield case("GatherElements", "int64", [n.ints(3, 3), n.ints(3, 3, low=0, high=3, dtype=np.int32)], axis=1)


def slices() -> Iterator[Case]:
    n = Numbers("Slice")
    x = n.floats(4, 5, 6)
    yield case("Slice", "attributes", [x], opset=7, starts=[1, 0], ends=[3, 4], axes=[0, 2])
    yield case("Slice", "attributes_negative", [x], opset=9, starts=[-3], ends=[-1], axes=[1])
    yield case("Slice", "attributes_no_axes", [x], opset=9, starts=[0, 1], ends=[2, 1000])

    def ints(*values: int) -> np.ndarray:
        return np.array(values, np.int64)

    for opset in history("Slice", first=10):
        yield case("Slice", "inputs", [x, ints(1, 0), ints(3, 4), ints(0, 2)], opset=opset, constants=(1, 2, 3))
    yield case("Slice", "run_time_bounds", [x, ints(1, 0), ints(3, 4), ints(0, 2)])
    yield case("Slice", "steps", [x, ints(0, 1), ints(5, 6), ints(1, 2), ints(2, 3)], constants=(1, 2, 3, 4))
    yield case("Slice", "backwards", [x, ints(-1), ints(-7), ints(2), ints(-1)], constants=(1, 2, 3, 4))
    yield case("Slice", "backwards_to_the_start", [x, ints(3), ints(-(2**63)), ints(1), ints(-2)], constants=(1, 2, 3, 4))
    yield case("Slice", "to_the_end", [x, ints(2), ints(2**63 - 1), ints(-1)], constants=(1, 2, 3))
    yield case("Slice", "nothing_left", [x, ints(3), ints(1), ints(0)], constants=(1, 2, 3))
    yield case("Slice", "no_axes", [x, ints(1, 1), ints(2, 4)], constants=(1, 2))
    yield case("Slice", "int64_data", [n.ints(7), ints(1), ints(6), ints(0), ints(2)], constants=(1, 2, 3, 4))
    yield case("Slice", "int32_bounds", [x, np.array([1], np.int32), np.array([3], np.int32), np.array([0], np.int32)], opset=NEWEST)

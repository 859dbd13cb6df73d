"""Shapes and the order of elements: nothing is computed, everything has to land in the right place."""

from collections.abc import Iterator

import numpy as np
from onnx import helper, numpy_helper

from .case import NEWEST, Case, Numbers, case, history


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def cases() -> Iterator[Case]:
    yield from reshapes()
    yield from axes()
    yield from joins()
    yield from pads()
    yield from constants()
    n = Numbers("Identity")
    for op_type in ("Identity", "Dropout"):
        for opset in history(op_type):
            yield case(op_type, "floats", [n.floats(2, 3)], opset=opset)
    yield case("Identity", "strings", [n.words(3)], opset=13)
    yield case("Identity", "int64", [n.ints(2, 2)], opset=13)
    yield case("Dropout", "ratio", [n.floats(2, 3)], opset=7, ratio=0.7)
    yield case("Dropout", "ratio_input", [n.floats(2, 3), np.array(0.7, np.float32)], opset=12)
    yield case("Dropout", "not_training", [n.floats(2, 3), np.array(0.7, np.float32), np.array(False)], opset=13, constants=(1, 2))
    yield case("Dropout", "mask", [n.floats(2, 3)], opset=13, n_outputs=2)


def reshapes() -> Iterator[Case]:
    n = Numbers("Reshape")
    x = n.floats(2, 3, 4)
    for opset in history("Reshape"):
        yield case("Reshape", "constant", [x, ints(4, 6)], opset=opset, constants=(1,))
    yield case("Reshape", "infer_one", [x, ints(2, -1)], constants=(1,), is_batched=True)
    yield case("Reshape", "keep_one", [x, ints(0, -1)], constants=(1,), is_batched=True)
    yield case("Reshape", "run_time_shape", [x, ints(3, 1, 8)])
    yield case("Reshape", "to_scalar", [n.floats(1, 1), ints()])
    yield case("Reshape", "allow_zero", [n.floats(0, 3), ints(3, 0)], opset=14, constants=(1,), allowzero=1)
    yield case("Reshape", "int64", [n.ints(6), ints(2, 3)])
    yield case("Reshape", "strings", [n.words(6), ints(2, 3)])
    n = Numbers("Flatten")
    for opset in history("Flatten"):
        yield case("Flatten", "default", [n.floats(2, 3, 4)], opset=opset)
    for axis in (0, 2, 3, -1):
        yield case("Flatten", f"axis{axis}".replace("-", "_minus"), [n.floats(2, 3, 4)], axis=axis)
    yield case("Flatten", "batch", [n.floats(2, 3, 2, 2)], opset=13, is_batched=True)
    n = Numbers("Transpose")
    for opset in history("Transpose"):
        yield case("Transpose", "reversed", [n.floats(2, 3, 4)], opset=opset)
    yield case("Transpose", "perm", [n.floats(2, 3, 4, 5)], perm=[0, 2, 3, 1], is_batched=True)
    yield case("Transpose", "int64", [n.ints(2, 3)], perm=[1, 0])
    yield case("Transpose", "strings", [n.words(2, 3)], perm=[1, 0])
    yield case("Transpose", "bools", [n.bools(2, 3, 2)], perm=[2, 0, 1])
    n = Numbers("Expand")
    for opset in history("Expand"):
        yield case("Expand", "row", [n.floats(3, 1), ints(2, 3, 4)], opset=opset, constants=(1,))
    yield case("Expand", "both_ways", [n.floats(3, 1), ints(1, 4)])
    yield case("Expand", "smaller_shape", [n.floats(2, 3), ints(1)])
    yield case("Expand", "int64", [n.ints(1), ints(5)])
    n = Numbers("Tile")
    for opset in history("Tile"):
        yield case("Tile", "matrix", [n.floats(2, 3), ints(2, 3)], opset=opset, constants=(1,))
    yield case("Tile", "some_axes", [n.floats(2, 1, 3), ints(1, 4, 1)])
    yield case("Tile", "zero", [n.floats(2, 3), ints(0, 1)])
    yield case("Tile", "int64", [n.ints(2, 2), ints(2, 1)])


def axes() -> Iterator[Case]:
    n = Numbers("Squeeze")
    x = n.floats(1, 3, 1, 4)
    for opset in history("Squeeze"):
        if opset < 13:
            yield case("Squeeze", "axes", [x], opset=opset, axes=[0, 2])
        else:
            yield case("Squeeze", "axes", [x, ints(0, 2)], opset=opset, constants=(1,))
        yield case("Squeeze", "all", [x], opset=opset)
    yield case("Squeeze", "negative_axis", [x], opset=11, axes=[-2])
    yield case("Squeeze", "negative_axis", [x, ints(-2)])
    yield case("Squeeze", "int64", [n.ints(1, 3), ints(0)])
    n = Numbers("Unsqueeze")
    x = n.floats(3, 4)
    for opset in history("Unsqueeze"):
        if opset < 13:
            yield case("Unsqueeze", "axes", [x], opset=opset, axes=[0, 2])
        else:
            yield case("Unsqueeze", "axes", [x, ints(0, 2)], opset=opset, constants=(1,))
    yield case("Unsqueeze", "negative_axis", [x], opset=11, axes=[-1])
    yield case("Unsqueeze", "unordered", [x, ints(3, 0, -3)])
    yield case("Unsqueeze", "scalar", [np.array(7), ints(0)])


def joins() -> Iterator[Case]:
    n = Numbers("Concat")
    for opset in history("Concat"):
        yield case("Concat", "axis1", [n.floats(2, 3), n.floats(2, 1), n.floats(2, 2)], opset=opset, axis=1)
    yield case("Concat", "axis0", [n.floats(2, 3), n.floats(1, 3)], axis=0)
    yield case("Concat", "negative_axis", [n.floats(2, 3, 2), n.floats(2, 3, 4)], axis=-1, is_batched=True)
    yield case("Concat", "one", [n.floats(2, 3)], axis=0)
    yield case("Concat", "with_empty", [n.floats(2, 0), n.floats(2, 3)], axis=1)
    yield case("Concat", "int64", [n.ints(2), n.ints(3)], axis=0)
    yield case("Concat", "strings", [n.words(2, 1), n.words(2, 2)], axis=1)
    n = Numbers("Split")
    x = n.floats(6, 4)
    for opset in history("Split"):
        if opset < 13:
            yield case("Split", "sizes", [x], opset=opset, split=[2, 1, 3], n_outputs=3)
        else:
            yield case("Split", "sizes", [x, ints(2, 1, 3)], opset=opset, constants=(1,), n_outputs=3)
        if opset < 18:
            yield case("Split", "equal", [x], opset=opset, axis=1, n_outputs=2)
        else:
            yield case("Split", "equal", [x], opset=opset, axis=1, num_outputs=2, n_outputs=2)
    yield case("Split", "uneven", [n.floats(7, 2)], opset=18, num_outputs=3, n_outputs=3)
    yield case("Split", "negative_axis", [x, ints(1, 3)], axis=-1, n_outputs=2)
    yield case("Split", "with_empty", [x, ints(0, 6)], n_outputs=2)


def pads() -> Iterator[Case]:
    n = Numbers("Pad")
    x = n.floats(2, 3, 4)
    yield case("Pad", "attributes", [x], opset=7, pads=[0, 1, 2, 0, 1, 0], value=1.5)
    for mode in ("reflect", "edge"):
        yield case("Pad", f"attributes_{mode}", [x], opset=9, pads=[0, 1, 2, 0, 1, 1], mode=mode)
    for opset in history("Pad", first=11):
        yield case("Pad", "constant", [x, ints(0, 1, 2, 0, 1, 0), np.array(1.5, np.float32)], opset=opset, constants=(1, 2))
    for mode in ("reflect", "edge"):
        yield case("Pad", mode, [x, ints(1, 2, 3, 0, 1, 2)], opset=13, constants=(1,), mode=mode)
    yield case("Pad", "wrap", [x, ints(1, 2, 3, 0, 1, 2)], opset=19, constants=(1,), mode="wrap")
    yield case("Pad", "axes", [x, ints(1, 2), np.array(-1, np.float32), ints(-1)], opset=18, constants=(1, 2, 3))
    yield case("Pad", "negative", [x, ints(0, -1, 0, 0, 0, -2)], constants=(1,))
    yield case("Pad", "run_time_pads", [x, ints(0, 0, 1, 0, 0, 1)])
    yield case("Pad", "int64", [n.ints(2, 2), ints(1, 0, 0, 1), np.array(9)])


def constants() -> Iterator[Case]:
    n = Numbers("Shape")
    for op_type in ("Shape", "Size"):
        for opset in history(op_type):
            yield case(op_type, "floats", [n.floats(2, 3, 4)], opset=opset)
        yield case(op_type, "scalar", [n.floats()], opset=13)
        yield case(op_type, "empty", [n.floats(2, 0)], opset=13)
        yield case(op_type, "strings", [n.words(3, 2)], opset=13)
    yield case("Shape", "start_end", [n.floats(2, 3, 4, 5)], opset=15, start=1, end=-1)
    yield case("Shape", "start_beyond", [n.floats(2, 3)], opset=15, start=5)
    for opset in history("Constant"):
        yield case("Constant", "tensor", [], opset=opset, value=numpy_helper.from_array(n.floats(2, 3)))
    values = {"value_float": 1.5, "value_floats": [1.5, -2.0], "value_int": 7, "value_ints": [7, -8], "value_string": "a", "value_strings": ["a", "b"]}
    for name, value in values.items():
        yield case("Constant", name, [], opset=12, **{name: value})
    yield case("Constant", "int64", [], opset=9, value=numpy_helper.from_array(n.ints(3)))
    yield case("Constant", "strings", [], opset=13, value=helper.make_tensor("c", 8, [2], [b"x", b"y"]))
    sparse = helper.make_sparse_tensor(numpy_helper.from_array(n.floats(3)), numpy_helper.from_array(np.array([1, 4, 5])), [2, 3])
    add = helper.make_node("Add", ["x", "w"], ["y"], name="add")
    for opset in (11, 13):
        constant = helper.make_node("Constant", [], ["w"], name="constant", sparse_value=sparse)
        yield Case(f"constant_sparse_opset{opset}", [constant, add], {"x": n.floats(2, 3)}, ["y"], opset=opset)
    sparse = helper.make_sparse_tensor(numpy_helper.from_array(n.ints(2), "w"), numpy_helper.from_array(np.array([[0, 2], [2, 0]])), [3, 3])
    yield Case("sparse_initializer", [add], {"x": n.ints(3, 3)}, ["y"], sparse_initializers=[sparse])
    for opset in history("ConstantOfShape"):
        yield case("ConstantOfShape", "zeros", [ints(2, 3)], opset=opset)
    yield case("ConstantOfShape", "value", [ints(2, 3)], opset=9, constants=(0,), value=numpy_helper.from_array(np.array([2.5], np.float32)))
    yield case("ConstantOfShape", "int64", [ints(4)], opset=13, value=numpy_helper.from_array(np.array([-7])))
    yield case("ConstantOfShape", "bool", [ints(2, 2)], opset=13, value=numpy_helper.from_array(np.array([True])))
    yield case("ConstantOfShape", "scalar", [ints()], opset=13)
    yield case("ConstantOfShape", "empty", [ints(0, 3)], opset=13)
    for opset in history("Range", first=11):
        yield case("Range", "ints", [np.array(3), np.array(11), np.array(2)], opset=opset)
    yield case("Range", "floats", [np.array(1, np.float32), np.array(2.6, np.float32), np.array(0.5, np.float32)], opset=NEWEST)
    yield case("Range", "down", [np.array(10, np.int32), np.array(4, np.int32), np.array(-3, np.int32)], constants=(0, 1, 2))
    yield case("Range", "nothing", [np.array(3), np.array(3), np.array(1)])

"""Reductions, ArgMax and ArgMin."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history

# From this opset on, axes are an input.
AXES_INPUT = {"ReduceSum": 13}
AXES_INPUT_OTHERS = 18

REDUCTIONS = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2")
FURTHER = ("ReduceL1", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare")


def cases() -> Iterator[Case]:
    for op_type in (*REDUCTIONS, *FURTHER):
        n = Numbers(op_type)
        # A logarithm of a negative sum is no test of anything.
        x = n.floats(2, 3, 4, low=0.1 if op_type == "ReduceLogSum" else -2.0)
        first_with_input = AXES_INPUT.get(op_type, AXES_INPUT_OTHERS)
        for opset in history(op_type):
            if opset < first_with_input:
                yield case(op_type, "axis1", [x], opset=opset, axes=[1])
                yield case(op_type, "drop_dims", [x], opset=opset, axes=[0, 2], keepdims=0)
            else:
                yield case(op_type, "axis1", [x, np.array([1])], opset=opset, constants=(1,))
                yield case(op_type, "drop_dims", [x, np.array([0, 2])], opset=opset, constants=(1,), keepdims=0)
        yield case(op_type, "negative_axis", [x], opset=11, axes=[-1])
        yield case(op_type, "all", [x], opset=11)
        yield case(op_type, "all", [x])
        yield case(op_type, "all_to_scalar", [x], keepdims=0)
        yield case(op_type, "axes_given_at_run_time", [x, np.array([-2])])
        yield case(op_type, "no_axes_is_identity", [x, np.array([], np.int64)], constants=(1,), noop_with_empty_axes=1)
        yield case(op_type, "batch", [np.abs(n.floats(6, 5)) if op_type == "ReduceLogSum" else n.floats(6, 5), np.array([1])], constants=(1,), is_batched=True)
        if op_type in FURTHER:
            yield case(op_type, "nothing", [n.floats(2, 0, 3), np.array([1])], constants=(1,))
            if op_type in ("ReduceL1", "ReduceSumSquare"):
                yield case(op_type, "int32", [n.ints(3, 4, dtype=np.int32), np.array([0])], constants=(1,), keepdims=0)
        elif op_type not in ("ReduceMean", "ReduceL2"):
            yield case(op_type, "int64", [n.ints(3, 4, low=-3, high=4), np.array([1])], constants=(1,))
            yield case(op_type, "int32", [n.ints(3, 4, low=-3, high=4, dtype=np.int32), np.array([0])], constants=(1,), keepdims=0)
    n = Numbers("ReduceMax edges")
    for op_type in ("ReduceMax", "ReduceMin"):
        yield case(op_type, "infinities", [np.array([[-np.inf, 1], [np.inf, 2]], np.float32), np.array([1])], constants=(1,))
    large = np.array([[1000, 1001, -np.inf], [-np.inf, -np.inf, -np.inf], [np.inf, 0, 1]], np.float32)
    yield case("ReduceLogSumExp", "large", [large, np.array([1])], constants=(1,))
    yield case("ReduceMean", "far_from_zero", [n.floats(3, 200) + np.float32(100), np.array([1])], constants=(1,))
    for op_type in ("ArgMax", "ArgMin"):
        n = Numbers(op_type)
        x = n.floats(3, 4, 5)
        for opset in history(op_type):
            yield case(op_type, "axis1", [x], opset=opset, axis=1)
        yield case(op_type, "drop_dims", [x], axis=2, keepdims=0)
        yield case(op_type, "negative_axis", [x], opset=11, axis=-1)
        yield case(op_type, "default_axis", [x])
        yield case(op_type, "batch", [n.floats(5, 10)], axis=1, keepdims=0, is_batched=True)
        yield case(op_type, "first_of_ties", [np.array([[1, 3, 3, 1]], np.float32)], axis=1)
        yield case(op_type, "last_of_ties", [np.array([[1, 3, 3, 1]], np.float32)], opset=12, axis=1, select_last_index=1)
        yield case(op_type, "int64", [n.ints(3, 4)], axis=0)

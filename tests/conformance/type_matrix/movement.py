"""Operators that move elements about, look them up, or make them."""

from collections.abc import Iterator

import numpy as np
from onnx import GraphProto, helper, numpy_helper

from .recipe import Binding, Variant, ints, recipe
from .values import Values, number


@recipe("Concat")
def concat(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3), b.t.plain(2, 1), b.t.plain(2, 0)], {"axis": 1})
    yield Variant("edges", [b.t.edges(), b.t.edges()], {"axis": 0})


@recipe("Transpose")
def transpose(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 4)], {"perm": [1, 2, 0]})
    yield Variant("default", [b.t.plain(2, 3)])
    yield Variant("empty", [b.t.plain(0, 3)])


@recipe("Flatten")
def flatten(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 4)], {"axis": 2})
    yield Variant("empty", [b.t.plain(2, 0, 4)])


@recipe("Reshape")
def reshape(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 4), ints(0, -1, 2)])
    yield Variant("empty", [b.t.plain(2, 0, 4), ints(0, 5) if b.opset < 14 else ints(0, 0, 5)], {} if b.opset < 14 else {"allowzero": 0})


@recipe("Squeeze", "Unsqueeze")
def singles(b: Binding) -> Iterator[Variant]:
    data = b.t.plain(1, 3, 1)
    if b.opset >= 13:
        yield Variant("plain", [data, ints(0)])
        yield Variant("several", [data, ints(0, 2)])
    else:
        yield Variant("plain", [data], {"axes": [0]})
        yield Variant("several", [data], {"axes": [0, 2]})


@recipe("Expand")
def expand(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(3, 1), ints(2, 1, 4)])
    yield Variant("empty", [b.t.plain(3, 1), ints(3, 0)])


@recipe("Tile")
def tile(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3), ints(2, 2)])
    yield Variant("nothing", [b.t.plain(2, 3), ints(0, 2)])


@recipe("Slice")
def slices(b: Binding) -> Iterator[Variant]:
    data = b.of("T").plain(4, 5)
    if b.opset < 10:
        yield Variant("plain", [data], {"starts": [1, -3], "ends": [3, 1000], "axes": [0, 1]})
        return
    index = Values(b.types["Tind"], "").dtype
    given = [np.array(values, index) for values in ([-1, 1], [-100, 4], [0, 1], [-2, 1])]
    yield Variant("steps", [data, *given])
    yield Variant("nothing", [data, np.array([3], index), np.array([1], index)])


@recipe("Split")
def split(b: Binding) -> Iterator[Variant]:
    data = b.t.plain(2, 6)
    if b.opset >= 13:
        yield Variant("sizes", [data, ints(1, 0, 5)], {"axis": 1}, 3)
    else:
        yield Variant("sizes", [data], {"axis": 1, "split": [1, 2, 3]}, 3)
    yield Variant("equal", [data], {"axis": -1} | ({"num_outputs": 3} if b.opset >= 18 else {}), 3)


@recipe("Pad")
def pad(b: Binding) -> Iterator[Variant]:
    data, amounts = b.of("T").plain(3, 4), [1, 2, 0, 1]
    modes = ["constant", "reflect", "edge"] + (["wrap"] if b.opset >= 19 else [])
    for mode in modes:
        if b.opset < 11:
            yield Variant(mode, [data], {"mode": mode, "pads": amounts})
        elif mode == "constant":
            yield Variant(mode, [data, ints(*amounts), np.asarray(b.of("T").positive(1)[0], b.of("T").dtype)], {"mode": mode})
        else:
            yield Variant(mode, [data, ints(*amounts)], {"mode": mode})
    if b.opset >= 18:
        axes = np.array([1], Values(b.types["Tind"], "").dtype)
        yield Variant("axes", [data, ints(1, -2), None, axes])


@recipe("DepthToSpace", "SpaceToDepth")
def blocks(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 4, 2, 4)], {"blocksize": 2})
    yield Variant("empty", [b.t.plain(0, 4, 2, 4)], {"blocksize": 2})


@recipe("CenterCropPad")
def center_crop_pad(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T").plain(3, 5), np.array([4, 2], Values(b.types["Tind"], "").dtype)])


@recipe("Col2Im")
def columns_to_image(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 4, 4), ints(3, 3), ints(2, 2)])


@recipe("Gather", "GatherElements")
def gather(b: Binding) -> Iterator[Variant]:
    data, index = b.of("T"), Values(b.types["Tind"], "").dtype
    yield Variant("plain", [data.plain(3, 4), np.array([[2, 0], [-1, 1]], index)], {"axis": 1})
    yield Variant("edges", [data.edges(), np.array([1, 0, 1, -1], index)])
    yield Variant("empty", [data.plain(3, 4), np.zeros((0, 2), index)])


@recipe("GatherND")
def gather_nd(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T").plain(3, 4), np.array([[0, -1], [2, 1]])])
    yield Variant("rows", [b.of("T").plain(3, 4), np.array([[1], [0]])])


@recipe("Scatter", "ScatterElements")
def scatter_elements(b: Binding) -> Iterator[Variant]:
    data, index = b.of("T"), Values(b.types["Tind"], "").dtype
    given = [data.plain(3, 4), np.array([[2, 0], [-1, 1]] if b.op_type != "Scatter" else [[2, 0], [3, 1]], index), data.positive(2, 2)]
    yield Variant("plain", given, {"axis": 1})
    yield from reductions(b, [data.plain(3, 4), np.array([[1, 1, 0]], index), data.positive(1, 3)], axis=1)


@recipe("ScatterND")
def scatter_nd(b: Binding) -> Iterator[Variant]:
    data = b.of("T")
    yield Variant("plain", [data.plain(3, 4), np.array([[0, 1], [2, -1]]), data.positive(2)])
    yield from reductions(b, [data.plain(3, 4), np.array([[1], [1]]), data.positive(2, 4)])


def reductions(b: Binding, inputs: list, **attributes) -> Iterator[Variant]:
    kinds = (["add", "mul"] if b.opset >= 16 else []) + (["max", "min"] if b.opset >= 18 else [])
    for kind in kinds if b.of("T").name not in ("bool", "string") else []:
        yield Variant(kind, inputs, {"reduction": kind, **attributes})


@recipe("Compress")
def compress(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T").plain(3, 2), np.array([False, True, True])], {"axis": 0})
    yield Variant("flat", [b.of("T").plain(3, 2), np.array([False, True, True])])


@recipe("OneHot")
def one_hot(b: Binding) -> Iterator[Variant]:
    indices, depth, values = b.of("T1"), b.of("T2"), b.of("T3")
    given = np.array([0, 2, 5, 1]).astype(indices.dtype)
    yield Variant("plain", [given, np.asarray(depth.dtype.type(3)), values.plain(2)])
    if indices.name.startswith(("int", "float", "double")):
        yield Variant("negative", [np.array([-1, -3, -4, 2]).astype(indices.dtype), np.asarray(depth.dtype.type(3)), values.plain(2)], {"axis": 0})


@recipe("TopK")
def top_k(b: Binding) -> Iterator[Variant]:
    if b.opset < 10:
        yield Variant("plain", [b.of("T").distinct(3, 8)], {"k": 3}, 2)
        return
    yield Variant("plain", [b.of("T").distinct(3, 8), ints(3)], {}, 2)
    yield Variant("ties", [b.of("T").plain(2, 12), ints(5)], {}, 2)
    yield Variant("nothing", [b.of("T").plain(2, 4), ints(0)], {}, 2)
    if b.opset >= 11:
        yield Variant("smallest", [b.of("T").distinct(8, 2), ints(3)], {"axis": 0, "largest": 0}, 2)


@recipe("Unique")
def unique(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(12)], {}, 4)
    yield Variant("unsorted", [b.t.plain(12)], {"sorted": 0}, 4)
    yield Variant("axis", [np.concatenate([b.t.plain(2, 2), b.t.plain(2, 2)])], {"axis": 0}, 4)


@recipe("ReverseSequence")
def reverse_sequence(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(4, 3), ints(1, 4, 2)], {"time_axis": 0, "batch_axis": 1})


@recipe("Trilu")
def trilu(b: Binding) -> Iterator[Variant]:
    yield Variant("upper", [b.t.positive(3, 4), np.asarray(1)])
    yield Variant("lower", [b.t.positive(2, 3, 3), np.asarray(-1)], {"upper": 0})


@recipe("EyeLike")
def eye_like(b: Binding) -> Iterator[Variant]:
    yield Variant("typed", [b.of("T1").plain(3, 4)], {"dtype": number(b.types["T2"]), "k": -1})


@recipe("ConstantOfShape")
def constant_of_shape(b: Binding) -> Iterator[Variant]:
    value = numpy_helper.from_array(b.of("T2").positive(1))
    yield Variant("plain", [ints(2, 3)], {"value": value})
    yield Variant("scalar", [np.zeros(0, np.int64)], {"value": value})


@recipe("Constant")
def constant(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [], {"value": numpy_helper.from_array(b.t.edges())})


@recipe("BitCast")
def bit_cast(b: Binding) -> Iterator[Variant]:
    if b.of("T1").dtype.itemsize == b.of("T2").dtype.itemsize:
        yield Variant("plain", [b.of("T1").plain(2, 3)], {"to": number(b.types["T2"])})


@recipe("TensorScatter")
def tensor_scatter(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 4, 3), b.t.plain(2, 1, 3), ints(1, 3)])


@recipe("SequenceConstruct")
def sequence_construct(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T").plain(2), b.of("T").edges()])


@recipe("SequenceAt", "SequenceErase")
def sequence_at(b: Binding) -> Iterator[Variant]:
    items = [b.of("S").plain(2), b.of("S").plain(3)]
    yield Variant("plain", [items, np.asarray(-1, Values(b.types["I"], "").dtype)])


@recipe("SequenceInsert")
def sequence_insert(b: Binding) -> Iterator[Variant]:
    position = np.asarray(1, Values(b.types["I"], "").dtype)
    yield Variant("plain", [[b.of("T").plain(2), b.of("T").plain(3)], b.of("T").edges(), position])


@recipe("SequenceLength")
def sequence_length(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [[b.of("S").plain(2), b.of("S").plain(3)]])


@recipe("ConcatFromSequence")
def concat_from_sequence(b: Binding) -> Iterator[Variant]:
    items = [b.of("S").plain(2, 2), b.of("S").plain(2, 2)]
    yield Variant("plain", [items], {"axis": 1})
    yield Variant("stack", [items], {"axis": 0, "new_axis": 1})


@recipe("SplitToSequence")
def split_to_sequence(b: Binding) -> Iterator[Variant]:
    data, index = b.of("T").plain(2, 5), Values(b.types["I"], "").dtype
    yield Variant("sizes", [data, np.array([1, 4], index)], {"axis": 1})
    yield Variant("chunks", [data, np.asarray(2, index)], {"axis": 1})
    yield Variant("single", [data], {"axis": 0, "keepdims": 0})


@recipe("If")
def branches(b: Binding) -> Iterator[Variant]:
    values = [b.of("V").plain(2), b.of("V").edges()]
    then_branch, else_branch = (body([], [helper.make_node("Constant", [], ["out"], value=numpy_helper.from_array(value))], [("out", value)]) for value in values)
    for condition in (True, False):
        yield Variant(str(condition).lower(), [np.asarray(condition)], {"then_branch": then_branch, "else_branch": else_branch})


@recipe("Loop")
def loop(b: Binding) -> Iterator[Variant]:
    value, count, condition = b.of("V").plain(2), np.asarray(3), np.asarray(True)
    nodes = [helper.make_node("Identity", [given], [made]) for given, made in (("go", "go_on"), ("state", "next"), ("state", "row"))]
    inner = body([("index", count), ("go", condition), ("state", value)], nodes, [("go_on", condition), ("next", value), ("row", value)])
    yield Variant("plain", [count, condition, value], {"body": inner}, 2)


@recipe("Scan")
def scan(b: Binding) -> Iterator[Variant]:
    if b.opset < 9:
        return
    state, rows = b.of("V").plain(2), b.of("V").distinct(3, 2)
    nodes = [helper.make_node("Identity", [given], [made]) for given, made in (("row", "next"), ("state", "out"))]
    inner = body([("state", state), ("row", state)], nodes, [("next", state), ("out", state)])
    yield Variant("plain", [state, rows], {"body": inner, "num_scan_inputs": 1}, 2)


def body(inputs: list, nodes: list, outputs: list) -> GraphProto:
    """A subgraph; inputs and outputs are names with values of their types and shapes."""
    infos = [[helper.make_tensor_value_info(name, element_type(value), value.shape) for name, value in values] for values in (inputs, outputs)]
    return helper.make_graph(nodes, "body", *infos)


def element_type(value: np.ndarray) -> int:
    return number("string") if value.dtype == object else helper.np_dtype_to_tensor_dtype(value.dtype)

"""Sequences and optionals."""

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto, helper

from .case import Case, Numbers


def cases() -> Iterator[Case]:
    n = Numbers("Sequence")
    a, b, c = n.floats(2, 3), n.floats(1, 3), n.floats(2, 3)
    given = {"a": a, "b": b, "c": c}
    construct = helper.make_node("SequenceConstruct", ["a", "b", "c"], ["abc"])

    def with_sequence(name: str, node, output: str, **more) -> Case:
        return Case(f"{name}_opset17", [construct, node], {**given, **more}, [output], opset=17)

    for position in (0, -1, 2, -3):
        at = np.array(position)
        name = str(position).replace("-", "minus_")
        yield with_sequence(f"sequence_at_{name}", helper.make_node("SequenceAt", ["abc", "at"], ["y"]), "y", at=at)
        yield with_sequence(f"sequence_erase_{name}", helper.make_node("SequenceErase", ["abc", "at"], ["y"]), "y", at=at)
        yield with_sequence(f"sequence_insert_{name}", helper.make_node("SequenceInsert", ["abc", "b", "at"], ["y"]), "y", at=at)
    yield with_sequence("sequence_erase_last", helper.make_node("SequenceErase", ["abc"], ["y"]), "y")
    yield with_sequence("sequence_insert_end", helper.make_node("SequenceInsert", ["abc", "a"], ["y"]), "y")
    yield with_sequence("sequence_insert_after_all", helper.make_node("SequenceInsert", ["abc", "a", "at"], ["y"]), "y", at=np.array(3, np.int32))
    yield with_sequence("sequence_length", helper.make_node("SequenceLength", ["abc"], ["y"]), "y")
    yield with_sequence("concat_from_sequence_axis", helper.make_node("ConcatFromSequence", ["abc"], ["y"], axis=0), "y")
    same = helper.make_node("SequenceConstruct", ["a", "c"], ["ac"])
    for axis in (0, 1, -1):
        name = str(axis).replace("-", "minus_")
        concat = helper.make_node("ConcatFromSequence", ["ac"], ["y"], axis=axis, new_axis=1)
        yield Case(f"concat_from_sequence_new_{name}_opset17", [same, concat], {"a": a, "c": c}, ["y"], opset=17)
    empty = helper.make_node("SequenceEmpty", [], ["none"], dtype=TensorProto.INT64)
    length = helper.make_node("SequenceLength", ["none"], ["y"])
    insert = helper.make_node("SequenceInsert", ["none", "x"], ["z"])
    yield Case("sequence_empty_insert_opset17", [empty, length, insert], {"x": n.ints(3)}, ["y", "z"], opset=17)
    words = helper.make_node("SequenceConstruct", ["u", "v"], ["uv"])
    join = helper.make_node("ConcatFromSequence", ["uv"], ["y"], axis=0)
    yield Case("concat_from_sequence_strings_opset17", [words, join], {"u": n.words(2), "v": n.words(3)}, ["y"], opset=17)
    yield from splits()
    yield from optionals()


def splits() -> Iterator[Case]:
    n = Numbers("SplitToSequence")
    x = n.floats(5, 4)

    def split(name: str, lengths: np.ndarray | None = None, opset: int = 17, **attributes) -> Case:
        names = ["x"] if lengths is None else ["x", "lengths"]
        given = {"x": x} if lengths is None else {"x": x, "lengths": lengths}
        return Case(f"split_to_sequence_{name}_opset{opset}", [helper.make_node("SplitToSequence", names, ["y"], **attributes)], given, ["y"], opset=opset)

    yield split("ones")
    yield split("ones", opset=11)
    yield split("ones_without_axis", keepdims=0, axis=1)
    yield split("pairs", np.array(2))
    yield split("lengths", np.array([1, 0, 4], np.int32))
    yield split("last_axis", np.array([3, 1]), axis=-1, keepdims=0)


def optionals() -> Iterator[Case]:
    n = Numbers("Optional")
    x = n.floats(2)
    for opset in (15, 18):
        wrap = helper.make_node("Optional", ["x"], ["maybe"])
        has = helper.make_node("OptionalHasElement", ["maybe"], ["has"])
        get = helper.make_node("OptionalGetElement", ["maybe"], ["y"])
        yield Case(f"optional_tensor_opset{opset}", [wrap, has, get], {"x": x}, ["has", "y"], opset=opset)
    nothing = helper.make_node("Optional", [], ["none"], type=helper.make_tensor_type_proto(TensorProto.FLOAT, [2]))
    has = helper.make_node("OptionalHasElement", ["none"], ["has"])
    same = helper.make_node("Identity", ["x"], ["y"])
    yield Case("optional_empty_opset17", [nothing, has, same], {"x": x}, ["has", "y"], opset=17)
    several = helper.make_node("SequenceConstruct", ["x", "x"], ["xx"])
    wrap = helper.make_node("Optional", ["xx"], ["maybe"])
    get = helper.make_node("OptionalGetElement", ["maybe"], ["y"])
    yield Case("optional_sequence_opset17", [several, wrap, get], {"x": x}, ["y"], opset=17)

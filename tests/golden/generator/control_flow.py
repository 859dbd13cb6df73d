"""Control flow: graphs inside nodes, with values captured from the graphs around them."""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper

from .case import Case, Numbers, history


def cases() -> Iterator[Case]:
    yield from branches()


def value(name: str, element_type: int = TensorProto.FLOAT, shape: list | None = None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, element_type, shape)


def branches() -> Iterator[Case]:
    n = Numbers("If")
    x = n.floats(2, 3)
    for opset in history("If"):
        for taken in (True, False):
            then = helper.make_graph([helper.make_node("Relu", ["x"], ["then_y"])], "then", [], [value("then_y")])
            otherwise = helper.make_graph([helper.make_node("Add", ["x", "w"], ["else_y"])], "else", [], [value("else_y")])
            choose = helper.make_node("If", ["choice"], ["y"], name="choose", then_branch=then, else_branch=otherwise)
            yield Case(
                f"if_captured_{str(taken).lower()}_opset{opset}",
                [choose],
                {"choice": np.array(taken), "x": x},
                ["y"],
                opset=opset,
                initializers={"w": n.floats(3)},
            )
    # Two levels: the inner branches read a value of the outer branch, of the graph, and pass one on as it is.
    inner_then = helper.make_graph([helper.make_node("Mul", ["doubled", "x"], ["inner_product"])], "inner_then", [], [value("inner_product")])
    inner_else = helper.make_graph([helper.make_node("Identity", ["doubled"], ["inner_same"])], "inner_else", [], [value("inner_same")])
    outer_then = helper.make_graph(
        [
            helper.make_node("Add", ["x", "x"], ["doubled"]),
            helper.make_node("If", ["second"], ["nested"], name="inner", then_branch=inner_then, else_branch=inner_else),
        ],
        "outer_then",
        [],
        [value("nested"), value("doubled")],
    )
    outer_else = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["negative"]), helper.make_node("Abs", ["x"], ["positive"])],
        "outer_else",
        [],
        [value("negative"), value("positive")],
    )
    outer = helper.make_node("If", ["first"], ["y", "z"], name="outer", then_branch=outer_then, else_branch=outer_else)
    for first, second in ((True, True), (True, False), (False, True)):
        name = f"if_nested_{str(first).lower()}_{str(second).lower()}_opset17"
        yield Case(name, [outer], {"first": np.array(first), "second": np.array(second), "x": x}, ["y", "z"], opset=17)

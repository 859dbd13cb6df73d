"""Control flow: graphs inside nodes, with values captured from the graphs around them."""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper

from .case import Case, Numbers, history


def cases() -> Iterator[Case]:
    yield from branches()
    yield from loops()
    yield from scans()
    yield from maps()
    yield from attention()


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


def loops() -> Iterator[Case]:
    n = Numbers("Loop")
    start, step = n.floats(3), n.floats(3)
    scalar = np.array

    def body(nodes: list, carried: list[str], outputs: list[str], condition: str = "go_on") -> onnx.GraphProto:
        if condition == "go_on":
            nodes = [helper.make_node("Identity", ["go_in"], ["go_on"]), *nodes]
        inputs = [value("i", TensorProto.INT64, []), value("go_in", TensorProto.BOOL, []), *(value(name) for name in carried)]
        return helper.make_graph(nodes, "body", inputs, [value(condition, TensorProto.BOOL, []), *(value(name) for name in outputs)])

    # Sums and a scan output, with a captured step.
    summing = [helper.make_node("Add", ["sum_in", "step"], ["sum_out"]), helper.make_node("Mul", ["sum_out", "sum_out"], ["square"])]
    for opset in history("Loop"):
        loop = helper.make_node("Loop", ["trips", "go", "start"], ["sum", "squares"], name="loop", body=body(summing, ["sum_in"], ["sum_out", "square"]))
        given = {"trips": scalar(4), "go": scalar(True), "start": start, "step": step}
        yield Case(f"loop_for_opset{opset}", [loop], given, ["sum", "squares"], opset=opset)
    for name, trips, go in (("no_trips", 0, True), ("negative_trips", -3, True), ("condition_false", 5, False)):
        yield Case(f"loop_{name}_opset17", [loop], {**given, "trips": scalar(trips), "go": scalar(go)}, ["sum", "squares"], opset=17)
    # Without a trip count: until the sum is large. Without a condition: as often as said.
    doubling = [
        helper.make_node("Add", ["sum_in", "sum_in"], ["sum_out"]),
        helper.make_node("ReduceSum", ["sum_out"], ["total"], keepdims=0),
        helper.make_node("Less", ["total", "limit"], ["below"]),
    ]
    loop = helper.make_node("Loop", ["", "go", "start"], ["sum"], name="loop", body=body(doubling, ["sum_in"], ["sum_out"], "below"))
    given = {"go": scalar(True), "start": np.abs(start), "limit": np.array(100, np.float32)}
    yield Case("loop_while_opset17", [loop], given, ["sum"], opset=17)
    loop = helper.make_node("Loop", ["trips", "", "start"], ["sum"], name="loop", body=body(summing[:1], ["sum_in"], ["sum_out"]))
    yield Case("loop_without_condition_opset17", [loop], {"trips": scalar(3), "start": start, "step": step}, ["sum"], opset=17)
    # The carried value grows with each iteration.
    growing = [helper.make_node("Concat", ["sum_in", "step"], ["sum_out"], axis=0)]
    loop = helper.make_node("Loop", ["trips", "", "start"], ["sum"], name="loop", body=body(growing, ["sum_in"], ["sum_out"]))
    yield Case("loop_growing_opset17", [loop], {"trips": scalar(3), "start": start, "step": step}, ["sum"], opset=17)
    # A loop in a loop: the inner one captures the outer's iteration number and a value from outside both.
    inner_body = helper.make_graph(
        [
            helper.make_node("Identity", ["inner_go_in"], ["inner_go"]),
            helper.make_node("Cast", ["i"], ["i_float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["i_float", "step"], ["scaled"]),
            helper.make_node("Add", ["inner_in", "scaled"], ["inner_out"]),
        ],
        "inner_body",
        [value("j", TensorProto.INT64, []), value("inner_go_in", TensorProto.BOOL, []), value("inner_in")],
        [value("inner_go", TensorProto.BOOL, []), value("inner_out")],
    )
    nested = [helper.make_node("Loop", ["i", "", "sum_in"], ["sum_out"], name="inner", body=inner_body)]
    loop = helper.make_node("Loop", ["trips", "", "start"], ["sum"], name="outer", body=body(nested, ["sum_in"], ["sum_out"]))
    yield Case("loop_nested_opset17", [loop], {"trips": scalar(4), "start": start, "step": step}, ["sum"], opset=17)


def scans() -> Iterator[Case]:
    n = Numbers("Scan")
    state, wide, tall = n.floats(2), n.floats(4, 2), n.floats(2, 4)

    def body(width: int | None = 2) -> onnx.GraphProto:
        nodes = [helper.make_node("Add", ["state_in", "x"], ["state_out"]), helper.make_node("Mul", ["state_out", "x"], ["y"])]
        shape = [width] if width else None
        return helper.make_graph(nodes, "body", [value("state_in", shape=shape), value("x", shape=shape)], [value("state_out", shape=shape), value("y", shape=shape)])

    # Opset 8: a batch of two; ONNX Runtime leaves what lies beyond a sequence's end 0.
    batched = {"lengths": np.array([3, 4]), "states": n.floats(2, 2), "xs": n.floats(2, 4, 2)}
    scan = helper.make_node("Scan", ["lengths", "states", "xs"], ["last", "ys"], name="scan", body=body(), num_scan_inputs=1)
    yield Case("scan_lengths_opset8", [scan], batched, ["last", "ys"], opset=8)
    scan = helper.make_node("Scan", ["", "states", "xs"], ["last", "ys"], name="scan", body=body(), num_scan_inputs=1, directions=[1])
    yield Case("scan_reversed_opset8", [scan], {key: batched[key] for key in ("states", "xs")}, ["last", "ys"], opset=8)
    for opset in history("Scan", first=9):
        scan = helper.make_node("Scan", ["state", "xs"], ["last", "ys"], name="scan", body=body(), num_scan_inputs=1)
        yield Case(f"scan_forward_opset{opset}", [scan], {"state": state, "xs": wide}, ["last", "ys"], opset=opset)
    variants = {
        "reversed_input": (wide, {"scan_input_directions": [1]}),
        "reversed_output": (wide, {"scan_output_directions": [1]}),
        "input_axis": (tall, {"scan_input_axes": [1]}),
        "output_axis": (wide, {"scan_output_axes": [-1]}),
        "all": (tall, {"scan_input_axes": [-1], "scan_input_directions": [1], "scan_output_axes": [1], "scan_output_directions": [1]}),
    }
    for name, (xs, attributes) in variants.items():
        scan = helper.make_node("Scan", ["state", "xs"], ["last", "ys"], name="scan", body=body(), num_scan_inputs=1, **attributes)
        yield Case(f"scan_{name}_opset17", [scan], {"state": state, "xs": xs}, ["last", "ys"], opset=17)
    # No state, two scan inputs, a captured weight.
    nodes = [helper.make_node("Sub", ["a", "b"], ["difference"]), helper.make_node("Mul", ["difference", "state"], ["y"])]
    zipping = helper.make_graph(nodes, "body", [value("a", shape=[2]), value("b", shape=[2])], [value("y", shape=[2])])
    scan = helper.make_node("Scan", ["as", "bs"], ["ys"], name="scan", body=zipping, num_scan_inputs=2, scan_input_directions=[0, 1])
    yield Case("scan_two_inputs_opset17", [scan], {"as": wide, "bs": n.floats(4, 2), "state": state}, ["ys"], opset=17)


def maps() -> Iterator[Case]:
    n = Numbers("SequenceMap")
    body = helper.make_graph([helper.make_node("Mul", ["item", "factor"], ["scaled"])], "body", [value("item"), value("factor")], [value("scaled")])
    nodes = [
        helper.make_node("SplitToSequence", ["x"], ["parts"], axis=0),
        helper.make_node("SequenceMap", ["parts", "factor"], ["scaled_parts"], name="map", body=body),
    ]
    yield Case("sequence_map_tensor_opset17", nodes, {"x": n.floats(3, 2), "factor": n.floats(2)}, ["scaled_parts"], opset=17)


def attention() -> Iterator[Case]:
    n = Numbers("FlexAttention")
    given = {"q": n.floats(1, 4, 3, 2), "k": n.floats(1, 2, 5, 2), "v": n.floats(1, 2, 5, 3)}

    def modifier(op_type: str, captured: str, name: str) -> onnx.GraphProto:
        return helper.make_graph([helper.make_node(op_type, ["in", captured], ["out"])], name, [value("in", shape=[1, 4, 3, 5])], [value("out", shape=[1, 4, 3, 5])])

    modifiers = {"score_mod": modifier("Add", "bias", "scores"), "prob_mod": modifier("Mul", "share", "probabilities")}
    for name, attributes in (("plain", {}), ("scaled", {"scale": 0.5}), ("modified", modifiers)):
        node = helper.make_node("FlexAttention", ["q", "k", "v"], ["y"], name="attention", domain="ai.onnx.preview", **attributes)
        weights = {"bias": n.floats(5), "share": n.floats(3, 5)} if name == "modified" else {}
        yield Case(f"flex_attention_{name}_opset23", [node], given, ["y"], opset=23, initializers=weights, is_newer=True)

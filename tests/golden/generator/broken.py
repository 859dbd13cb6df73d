"""Model files that are wrong in one way each. What Drydock says about each of them stands in `tests/core/bad_models.rs`."""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def files() -> Iterator[tuple[str, bytes]]:
    """Names (without `.onnx`) and contents."""
    yield "empty", b""
    yield "random", np.random.default_rng(1).bytes(2000)
    yield "text", b"id,amount\n1,20.5\n2,17.0\n"
    yield "no_graph", onnx.ModelProto(ir_version=8).SerializeToString()
    for name, model in models():
        yield name, model.SerializeToString(deterministic=True)


def models() -> Iterator[tuple[str, onnx.ModelProto]]:
    yield from bad_tensors()
    yield from bad_graphs()
    yield from bad_numbers()
    yield from bad_trees()


def bad_tensors() -> Iterator[tuple[str, onnx.ModelProto]]:
    def with_weight(**fields) -> onnx.ModelProto:
        return add_weight(TensorProto(name="w", data_type=TensorProto.FLOAT, **fields))

    yield "bytes_do_not_match_dims", with_weight(dims=[2, 3], raw_data=bytes(20))
    yield "numbers_do_not_match_dims", with_weight(dims=[2, 3], float_data=[1.0, 2.0])
    yield "negative_dim", with_weight(dims=[-2, 3], raw_data=bytes(24))
    yield "enormous_dims", with_weight(dims=[2**40, 2**10], raw_data=bytes(4))
    yield "overflowing_dims", with_weight(dims=[2**62, 2**62], raw_data=bytes(4))
    unknown = TensorProto(name="w", data_type=99, dims=[3], raw_data=bytes(12))
    yield "unknown_element_type", add_weight(unknown)
    for name, location, offset, length in (
        ("external_data_above", "../secret.bin", 0, 12),
        ("external_data_absolute", "/etc/passwd", 0, 12),
        ("external_data_missing", "not_there.bin", 0, 12),
        ("external_data_beyond_end", "empty.onnx", 8, 12),
        ("external_data_enormous", "random.onnx", 0, 2**60),
    ):
        weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3], data_location=TensorProto.EXTERNAL)
        for key, value in (("location", location), ("offset", str(offset)), ("length", str(length))):
            weight.external_data.add(key=key, value=value)
        yield name, add_weight(weight)


def bad_graphs() -> Iterator[tuple[str, onnx.ModelProto]]:
    node = helper.make_node
    yield "cycle", model([node("Add", ["x", "b"], ["a"], name="first"), node("Relu", ["a"], ["b"], name="second"), node("Identity", ["b"], ["y"], name="third")])
    yield "missing_initializer", model([node("Add", ["x", "w"], ["y"], name="add")])
    yield "missing_output", model([node("Relu", ["x"], ["z"], name="relu")])
    yield "made_twice", model([node("Relu", ["x"], ["y"], name="one"), node("Neg", ["x"], ["y"], name="two")])
    yield "unknown_operator", model([node("Frobnicate", ["x"], ["y"], name="frob")])
    yield "unknown_domain", model([node("Add", ["x", "x"], ["y"], name="add", domain="com.example")], domains=["com.example"])
    yield "domain_without_opset", model([node("Scaler", ["x"], ["y"], name="scale", domain="ai.onnx.ml", offset=[0.0], scale=[1.0])])
    yield "too_few_inputs", model([node("Add", ["x"], ["y"], name="add")])
    yield "missing_attribute", model([node("Concat", ["x", "x"], ["y"], name="join")])
    yield "wrong_attribute_type", model([node("Softmax", ["x"], ["y"], name="soft", axis="one")])
    yield "shapes_do_not_fit", model([node("MatMul", ["x", "w"], ["y"], name="product")], {"w": np.zeros((5, 2), np.float32)})
    yield "types_do_not_fit", model([node("Add", ["x", "w"], ["y"], name="add")], {"w": np.zeros(3, np.int64)})
    yield "index_out_of_range", model([node("Gather", ["x", "i"], ["y"], name="pick", axis=1)], {"i": np.array([7])})
    yield "axis_out_of_range", model([node("Softmax", ["x"], ["y"], name="soft", axis=5)])


def bad_numbers() -> Iterator[tuple[str, onnx.ModelProto]]:
    """Small files that ask for enormous results, or divide by a zero of their own."""
    node = helper.make_node
    huge = np.array([2**40, 2**40])
    yield "enormous_constant", model([node("ConstantOfShape", ["s"], ["y"], name="fill")], {"s": huge})
    yield "enormous_expand", model([node("Expand", ["x", "s"], ["y"], name="grow")], {"s": np.array([2**40, 1, 1])})
    yield "enormous_tile", model([node("Tile", ["x", "s"], ["y"], name="repeat")], {"s": huge})
    yield "enormous_pad", model([node("Pad", ["x", "p"], ["y"], name="pad")], {"p": np.array([0, 2**40, 0, 2**61])})
    limits = {"a": np.array(0), "b": np.array(2**60), "c": np.array(1)}
    yield "enormous_range", model([node("Range", ["a", "b", "c"], ["y"], name="count")], limits)
    yield "endless_range", model([node("Range", ["a", "b", "a"], ["y"], name="count")], limits)
    image = {"image": np.zeros((1, 1, 4, 4), np.float32)}
    yield "stride_zero", model([node("MaxPool", ["image"], ["y"], name="pool", kernel_shape=[2, 2], strides=[0, 1])], image)
    yield "enormous_kernel", model([node("MaxPool", ["image"], ["y"], name="pool", kernel_shape=[2**40, 2**40])], image)
    yield "enormous_pads", model([node("AveragePool", ["image"], ["y"], name="pool", kernel_shape=[2, 2], pads=[2**61, 2**61, 2**61, 2**61])], image)
    weights = image | {"w": np.zeros((2, 1, 2, 2), np.float32)}
    yield "negative_dilation", model([node("Conv", ["image", "w"], ["y"], name="conv", dilations=[-1, 1])], weights)
    yield "group_zero", model([node("Conv", ["image", "w"], ["y"], name="conv", group=0)], weights)
    yield "enormous_stride_transposed", model([node("ConvTranspose", ["image", "t"], ["y"], name="deconv", strides=[2**40, 2**40])], image | {"t": np.zeros((1, 1, 2, 2), np.float32)})


def bad_trees() -> Iterator[tuple[str, onnx.ModelProto]]:
    def tree(**changes) -> onnx.ModelProto:
        attributes = {
            "n_targets": 1,
            "nodes_treeids": [0, 0, 0],
            "nodes_nodeids": [0, 1, 2],
            "nodes_featureids": [0, 0, 0],
            "nodes_values": [0.5, 0.0, 0.0],
            "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"],
            "nodes_truenodeids": [1, 0, 0],
            "nodes_falsenodeids": [2, 0, 0],
            "target_treeids": [0, 0],
            "target_nodeids": [1, 2],
            "target_ids": [0, 0],
            "target_weights": [1.0, 2.0],
        }
        node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], name="trees", domain="ai.onnx.ml", **(attributes | changes))
        return model([node], domains=["ai.onnx.ml"])

    # A node that is its own child would be walked for ever.
    yield "tree_cycle", tree(nodes_truenodeids=[0, 0, 0])
    yield "tree_child_missing", tree(nodes_falsenodeids=[77, 0, 0])
    yield "tree_lengths_differ", tree(nodes_values=[0.5])
    yield "tree_feature_missing", tree(nodes_featureids=[2**40, 0, 0])
    yield "tree_feature_negative", tree(nodes_featureids=[-1, 0, 0])
    yield "tree_target_missing", tree(target_ids=[0, 5])
    yield "tree_enormous_targets", tree(n_targets=2**50)
    yield "tree_unknown_mode", tree(nodes_modes=["BRANCH_MAYBE", "LEAF", "LEAF"])


def model(nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray] | None = None, domains: list[str] = ()) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "broken",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3])],
        [onnx.ValueInfoProto(name="y")],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(domain, 3) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def add_weight(weight: TensorProto) -> onnx.ModelProto:
    made = model([helper.make_node("Add", ["x", "w"], ["y"], name="add")])
    made.graph.initializer.append(weight)
    return made

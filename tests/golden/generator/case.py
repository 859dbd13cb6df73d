"""One golden case: a model, its inputs, and what ONNX Runtime answers."""

import re
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import test_set
from onnx import TensorProto, defs, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

# The newest opset that the cases ask for.
NEWEST = 23
NEWEST_OF_ONNX_RUNTIME = 26
ML = "ai.onnx.ml"


class Numbers:
    """Random numbers that depend on a word alone, so that a new case leaves the others as they are."""

    def __init__(self, seed: str) -> None:
        self.rng = np.random.default_rng(zlib.crc32(seed.encode()))

    def floats(self, *shape: int, low: float = -2.0, high: float = 2.0, dtype=np.float32) -> np.ndarray:
        # Three decimals are plenty, and keep failure messages readable.
        return np.asarray(self.rng.uniform(low, high, shape).round(3) if shape else round(self.rng.uniform(low, high), 3), dtype)

    def ints(self, *shape: int, low: int = -9, high: int = 10, dtype=np.int64) -> np.ndarray:
        return self.rng.integers(low, high, shape).astype(dtype)

    def bools(self, *shape: int) -> np.ndarray:
        return self.rng.random(shape) < 0.5

    def words(self, *shape: int, choices: tuple[str, ...] = ("red", "green", "blue", "")) -> np.ndarray:
        return self.rng.choice(np.array(choices, dtype=object), shape)


@dataclass
class Case:
    name: str
    nodes: list[onnx.NodeProto]
    # Graph inputs with their values, in order.
    inputs: dict[str, np.ndarray]
    outputs: list[str]
    opset: int = NEWEST
    ml_opset: int | None = None
    initializers: dict[str, np.ndarray] = field(default_factory=dict)
    # Inputs whose first dimension is declared as N, to exercise symbolic shapes.
    is_batched: bool = False
    # False for operators that only ONNX Runtime puts into the default domain.
    is_standard: bool = True
    # The operator is newer than ONNX Runtime: it runs the function by which the specification defines it.
    is_newer: bool = False
    # Expected outputs that are known without running anything, because the inputs were made from them.
    known: list | None = None
    # Nodes that mean the same, run in the place of the case's own where nobody has a kernel for those.
    stand_in: list[onnx.NodeProto] | None = None
    # The specification's reference implementation answers, not ONNX Runtime, which lacks the operator or the type.
    is_by_reference: bool = False
    # More constants of the graph, of which the file holds only some elements.
    sparse_initializers: list[onnx.SparseTensorProto] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Writes the case's folder."""
        expected = self.expected() if self.known is None else self.known
        model = self.model({name: value_info(name, value) for name, value in zip(self.outputs, expected, strict=True)})
        helper.set_model_props(model, {"expected_outputs": self.source()})
        if self.is_standard:
            onnx.checker.check_model(model)
        test_set.write_case(folder, model, self.inputs, dict(zip(self.outputs, expected, strict=True)))

    def source(self) -> str:
        if self.known is not None:
            return "known from the inputs"
        return f"onnx.reference {onnx.__version__}" if self.is_by_reference else f"onnxruntime {onnxruntime.__version__}"

    def expected(self) -> list:
        # Untyped outputs: the runtime finds their types.
        outputs = {name: onnx.ValueInfoProto(name=name) for name in self.outputs}
        model = replace(self, nodes=self.stand_in or self.nodes).model(outputs)
        if self.is_by_reference:
            return ReferenceEvaluator(model).run(None, self.inputs)
        if self.is_newer:
            spell_out(model)
        return test_set.session(model.SerializeToString()).run(None, self.inputs)

    def model(self, outputs: dict[str, onnx.ValueInfoProto]) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [value_info(name, value, self.is_batched) for name, value in self.inputs.items()],
            list(outputs.values()),
            [numpy_helper.from_array(value, name) for name, value in self.initializers.items()],
            sparse_initializer=self.sparse_initializers,
        )
        opsets = [helper.make_opsetid("", self.opset)]
        if self.ml_opset:
            opsets.append(helper.make_opsetid(ML, self.ml_opset))
        others = sorted({node.domain for node in self.nodes} - {"", ML})
        opsets.extend(helper.make_opsetid(domain, 1) for domain in others)
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="drydock tests/golden")


def case(
    op_type: str,
    variant: str,
    inputs: list[np.ndarray | None],
    *,
    opset: int = NEWEST,
    ml_opset: int | None = None,
    domain: str = "",
    constants: tuple[int, ...] = (),
    n_outputs: int = 1,
    outputs: list[str] | None = None,
    is_batched: bool = False,
    is_newer: bool = False,
    is_by_reference: bool = False,
    stand_in: list[onnx.NodeProto] | None = None,
    **attributes,
) -> Case:
    """A case of a single node. `None` leaves an optional input out; inputs at `constants` become initializers."""
    inputs = [value if value is None or isinstance(value, dict) else np.asarray(value) for value in inputs]
    names = ["" if value is None else f"x{index}" for index, value in enumerate(inputs)]
    given = {name: value for name, value in zip(names, inputs, strict=True) if value is not None}
    fixed = {f"x{index}": inputs[index] for index in constants}
    outputs = outputs or [f"y{index}" for index in range(n_outputs)]
    # QLinearSoftmax has an attribute called `opset`.
    if "opset_attribute" in attributes:
        attributes["opset"] = attributes.pop("opset_attribute")
    node = helper.make_node(op_type, names, outputs, name=op_type.lower(), domain=ML if ml_opset else domain, **attributes)
    version = f"ml{ml_opset}" if ml_opset else domain.rpartition(".")[2] or f"opset{opset}"
    return Case(
        name=f"{snake(op_type)}_{variant}_{version}",
        nodes=[node],
        inputs={name: value for name, value in given.items() if name not in fixed},
        outputs=[name for name in outputs if name],
        opset=opset,
        ml_opset=ml_opset,
        initializers=fixed,
        is_batched=is_batched,
        is_newer=is_newer,
        is_by_reference=is_by_reference,
        stand_in=stand_in,
    )


def spell_out(model: onnx.ModelProto) -> None:
    """Replaces the meaning of the model's only node by the specification's function, in operators that ONNX Runtime knows."""
    model.opset_import.append(helper.make_opsetid("specification", 1))
    types = {value.name: value.type for value in model.graph.input}
    pending = [(model.graph.node[0], model.opset_import[0].version)]
    while pending:
        node, opset = pending.pop()
        schema = defs.get_schema(node.op_type, 1 if node.domain else opset, node.domain)
        given = {attribute.name for attribute in node.attribute}
        defaults = [attribute.default_value for name, attribute in schema.attributes.items() if name not in given]
        node.attribute.extend(default for default in defaults if default.type)
        if schema.has_function:
            function = schema.function_body
        else:
            inputs = [types[name].SerializeToString() if name else b"" for name in node.input]
            function = onnx.FunctionProto.FromString(schema.get_context_dependent_function(node.SerializeToString(), inputs))
        del function.opset_import[:]
        known = min(opset, NEWEST_OF_ONNX_RUNTIME)
        function.opset_import.extend([helper.make_opsetid("", known), helper.make_opsetid("specification", 1)])
        function.name, function.domain, node.domain = node.op_type, "specification", "specification"
        model.functions.append(function)
        # Functions within functions, of which ONNX Runtime has no implementation of its own.
        pending += [(inner, opset) for inner in model.functions[-1].node if inner.op_type == "Swish"]
    model.opset_import[0].version = known


def history(op_type: str, first: int = 7) -> list[int]:
    """The opsets, from `first` to NEWEST, in which an operator of the default domain changed, and NEWEST itself."""
    versions = {s.since_version for s in defs.get_all_schemas_with_history() if s.domain == "" and s.name == op_type}
    oldest = max(first, min(versions))
    return sorted({oldest, NEWEST} | {version for version in versions if oldest <= version <= NEWEST})


def value_info(name: str, value, is_batched: bool = False) -> onnx.ValueInfoProto:
    if isinstance(value, dict):
        key_type, value_type = test_set.map_types(value)
        scalar = helper.make_tensor_type_proto(value_type, [])
        return helper.make_value_info(name, helper.make_map_type_proto(key_type, scalar))
    if isinstance(value, list) and not test_set.is_list_of_maps(value):
        # A sequence of tensors; one without elements is taken for floats.
        element_type = numpy_helper.from_array(np.asarray(value[0])).data_type if value else TensorProto.FLOAT
        return helper.make_tensor_sequence_value_info(name, element_type, None)
    if isinstance(value, list):
        # What ZipMap makes: a sequence of maps from labels to float32.
        key_type = TensorProto.STRING if isinstance(next(iter(value[0])), str) else TensorProto.INT64
        scalar = helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        scalar.tensor_type.ClearField("shape")
        return helper.make_value_info(name, helper.make_sequence_type_proto(helper.make_map_type_proto(key_type, scalar)))
    value = np.asarray(value)
    shape = list(value.shape)
    if is_batched and shape:
        shape[0] = "N"
    return helper.make_tensor_value_info(name, numpy_helper.from_array(value).data_type, shape)


def snake(op_type: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", op_type).lower()

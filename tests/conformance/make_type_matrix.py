# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy==2.4.6",
#     "onnx==1.23.2",
# ]
# ///
"""Writes the type matrix: `uv run tests/conformance/make_type_matrix.py FOLDER`.

One model of a single node for each operator, each element type that the specification lets it have, and its oldest and newest definition. Each becomes
a folder with `model.onnx` and `test_data_set_0/{input,output}_K.pb`. The expected outputs are the reference implementation's, computed in float32 where
the type is of 16 bits; `overruled.json` beside this script has those that are ONNX Runtime's (`overrule.py` writes that file, and says why).
Nothing else of it is kept in the repository; `--unanswered` lists the cases that neither has an answer to. Run the test on it with `DRYDOCK_TYPE_MATRIX=FOLDER cargo test --workspace`.
"""

import base64
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import onnx
from make_node_suite import to_proto
from onnx import defs, helper
from onnx.reference import ReferenceEvaluator
from type_matrix import arithmetic, movement, networks  # noqa: F401: they fill the table of recipes.
from type_matrix.recipe import RECIPES, Binding, Variant
from type_matrix.values import HALVES, TYPES, dtype, number

HOME = Path(__file__).parent

# Definitions that nobody's models ask for any more are left out.
OLDEST_OPSET = 7

# Operators of several types that have nothing to do with each other; elsewhere, all but one have a type that any operator takes.
WITH_EACH_OTHER = ("BitCast", "Cast", "Pow")

# A type parameter that another decides: a sequence and its items.
FOLLOWS = {"ConcatFromSequence": "T", "SequenceAt": "T", "SequenceConstruct": "S", "SequenceInsert": "S", "SplitToSequence": "S"}

# Operators to which the type's own rounding is the point. Elsewhere 16 bits are computed in float32 and rounded once.
ROUND_AS_THEY_SAY = ("BitCast", "Cast", "CastLike", "Constant", "ConstantOfShape", "DequantizeLinear", "EyeLike", "QuantizeLinear", "Range")


@dataclass
class Case:
    name: str
    model: onnx.ModelProto
    inputs: dict

    def expected(self) -> list:
        """What the reference implementation answers, in the types that the specification gives the outputs."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if self.is_wide_enough():
                values = ReferenceEvaluator(self.model).run(None, self.inputs)
            else:
                wider = {name: widen(value) for name, value in self.inputs.items()}
                values = ReferenceEvaluator(with_inputs(self.model, wider)).run(None, wider)
            return [in_type(value, output.type) for value, output in zip(values, self.model.graph.output, strict=True)]

    def is_wide_enough(self) -> bool:
        is_half = any(array.dtype == dtype(half) for value in self.inputs.values() for array in arrays(value) for half in HALVES)
        return not is_half or self.model.graph.node[0].op_type in ROUND_AS_THEY_SAY


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    home = Path(sys.argv[1])
    overruled = {name: case["outputs"] for name, case in json.loads((HOME / "overruled.json").read_text())["cases"].items()}
    n_cases, unanswered = 0, []
    for case in cases():
        if case.name in overruled:
            outputs = [base64.b64decode(output) for output in overruled.pop(case.name)]
        else:
            try:
                outputs = [to_proto(value, output).SerializeToString() for value, output in zip(case.expected(), case.model.graph.output, strict=True)]
            except Exception as error:
                unanswered.append(f"{case.name}: {str(error)[:100]}")
                continue
        write(home / case.name, case, outputs)
        n_cases += 1
    if overruled:
        sys.exit(f"overruled.json has cases that are no longer made: {', '.join(overruled)}")
    print(f"{n_cases} cases of onnx {onnx.__version__} in {home}; {len(unanswered)} more have no expected outputs")
    if "--unanswered" in sys.argv:
        print(*unanswered, sep="\n")


def write(folder: Path, case: Case, outputs: list[bytes]) -> None:
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for index, info in enumerate(case.model.graph.input):
        (data / f"input_{index}.pb").write_bytes(to_proto(case.inputs[info.name], info).SerializeToString())
    for index, output in enumerate(outputs):
        (data / f"output_{index}.pb").write_bytes(output)


def cases() -> Iterator[Case]:
    for op_type, recipe in sorted(RECIPES.items()):
        for schema in definitions(op_type):
            opset = max(schema.since_version, OLDEST_OPSET)
            for types in bindings(schema):
                for variant in recipe(Binding(op_type, opset, types)):
                    yield make(schema, opset, types, variant)


def definitions(op_type: str) -> list[defs.OpSchema]:
    """The newest, and the oldest that counts if it takes other types or is written otherwise."""
    history = [schema for schema in defs.get_all_schemas_with_history() if schema.name == op_type and schema.domain == "" and not schema.deprecated]
    history.sort(key=lambda schema: schema.since_version)
    first = max((index for index, schema in enumerate(history) if schema.since_version <= OLDEST_OPSET), default=0)
    oldest, newest = history[first], history[-1]
    return [newest] if signature(oldest) == signature(newest) else [oldest, newest]


def signature(schema: defs.OpSchema) -> tuple:
    return parameters(schema), len(schema.inputs), sorted(schema.attributes)


def parameters(schema: defs.OpSchema) -> dict[str, list[str]]:
    """The element types that each type parameter may have."""
    allowed = {}
    for constraint in schema.type_constraints:
        names = [text.removeprefix("seq(").removeprefix("tensor(").rstrip(")") for text in constraint.allowed_type_strs if "optional" not in text]
        allowed[constraint.type_param_str] = [name for name in TYPES if name in names]
    return {parameter: types for parameter, types in allowed.items() if types and parameter != FOLLOWS.get(schema.name)}


def bindings(schema: defs.OpSchema) -> Iterator[dict[str, str]]:
    allowed = parameters(schema)
    if schema.name in WITH_EACH_OTHER:
        yield from (dict(zip(allowed, types)) for types in product(*allowed.values()))
        return
    usual = {parameter: next((name for name in ("float", "int64", "int32") if name in types), types[0]) for parameter, types in allowed.items()}
    yield usual
    for parameter, types in allowed.items():
        yield from (usual | {parameter: name} for name in types if name != usual[parameter])


def make(schema: defs.OpSchema, opset: int, types: dict[str, str], variant: Variant) -> Case:
    names = ["" if value is None else f"x{index}" for index, value in enumerate(variant.inputs)]
    given = {name: value if isinstance(value, list) else np.asarray(value) for name, value in zip(names, variant.inputs, strict=True) if name}
    outputs = [f"y{index}" for index in range(variant.n_outputs)]
    node = helper.make_node(schema.name, names, outputs, name=schema.name.lower(), **variant.attributes)
    graph = helper.make_graph([node], schema.name, [value_info(name, value) for name, value in given.items()], [onnx.ValueInfoProto(name=name) for name in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10, producer_name="drydock tests/conformance")
    inferred = {value.name: value.type for value in onnx.shape_inference.infer_shapes(model).graph.output}
    for index, output in enumerate(model.graph.output):
        output.type.CopyFrom(inferred[output.name])
        # What the signature says; inference may think of another input's type.
        parameter = schema.outputs[min(index, len(schema.outputs) - 1)].type_str
        is_input = parameter in [value.type_str for value in schema.inputs]
        if is_input and parameter in types and output.type.WhichOneof("value") == "tensor_type":
            output.type.tensor_type.elem_type = number(types[parameter])
    return Case("_".join([schema.name, f"opset{opset}", *named(types), variant.name]), model, given)


def named(types: dict[str, str]) -> list[str]:
    names = {"float": "float32", "double": "float64"}
    return [names.get(name, name) if len(types) == 1 else f"{parameter}.{names.get(name, name)}" for parameter, name in types.items()]


def value_info(name: str, value) -> onnx.ValueInfoProto:
    if isinstance(value, list):
        return helper.make_tensor_sequence_value_info(name, helper.np_dtype_to_tensor_dtype(value[0].dtype), None)
    return helper.make_tensor_value_info(name, onnx.TensorProto.STRING if value.dtype == object else helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)


def arrays(value) -> list[np.ndarray]:
    return value if isinstance(value, list) else [value]


def widen(value):
    if isinstance(value, list):
        return [widen(item) for item in value]
    return value.astype(np.float32) if value.dtype in [dtype(half) for half in HALVES] else value


def with_inputs(model: onnx.ModelProto, inputs: dict) -> onnx.ModelProto:
    """The model with inputs of other types, and outputs of any."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    del copy.graph.input[:], copy.graph.output[:]
    copy.graph.input.extend(value_info(name, value) for name, value in inputs.items())
    copy.graph.output.extend(onnx.ValueInfoProto(name=output.name) for output in model.graph.output)
    return copy


def in_type(value, declared: onnx.TypeProto):
    if declared.WhichOneof("value") == "sequence_type":
        return [in_type(item, declared.sequence_type.elem_type) for item in value]
    wanted = helper.tensor_dtype_to_np_dtype(declared.tensor_type.elem_type)
    return np.asarray(value, wanted) if np.asarray(value).dtype != wanted else np.asarray(value)


if __name__ == "__main__":
    main()

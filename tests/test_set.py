"""Test sets in ONNX's own format, and what ONNX Runtime answers. Shared by the scripts that write golden cases, the corpus and the sample models."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

NO_OPTIMIZATION = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL


def session(model: bytes, level=NO_OPTIMIZATION, optimized: Path | None = None) -> onnxruntime.InferenceSession:
    """A quiet session on the CPU; `optimized` is where it leaves the model that its optimiser made."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 4
    if optimized:
        options.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def write_case(folder: Path, model: onnx.ModelProto, inputs: dict, outputs: dict) -> int:
    """Writes a folder with a model and its first test set; returns its size in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    write(folder / "test_data_set_0", inputs, outputs)
    return n_bytes(folder)


def write(folder: Path, inputs: dict, outputs: dict) -> None:
    """Writes `input_K.pb` and `output_K.pb` for values by name, in their order."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, values in (("input", inputs), ("output", outputs)):
        for index, (name, value) in enumerate(values.items()):
            (folder / f"{kind}_{index}.pb").write_bytes(to_proto(value, name).SerializeToString(deterministic=True))


def n_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def to_proto(value, name: str):
    """The message of a tensor, a map, or a sequence of tensors or maps."""
    if isinstance(value, dict):
        return fill_map(onnx.MapProto(name=name), value)
    if not isinstance(value, list):
        return numpy_helper.from_array(np.asarray(value), name)
    if is_list_of_maps(value):
        sequence = onnx.SequenceProto(name=name, elem_type=onnx.SequenceProto.MAP)
        for item in value:
            fill_map(sequence.map_values.add(), item)
        return sequence
    tensors = [numpy_helper.from_array(np.asarray(item)) for item in value]
    return onnx.SequenceProto(name=name, elem_type=onnx.SequenceProto.TENSOR, tensor_values=tensors)


def fill_map(proto: onnx.MapProto, value: dict) -> onnx.MapProto:
    proto.key_type, value_type = map_types(value)
    if proto.key_type == TensorProto.STRING:
        proto.string_keys.extend(key.encode() for key in value)
    else:
        proto.keys.extend(value)
    proto.values.elem_type = onnx.SequenceProto.TENSOR
    dtype = helper.tensor_dtype_to_np_dtype(value_type)
    proto.values.tensor_values.extend(numpy_helper.from_array(np.array(number, dtype=dtype)) for number in value.values())
    return proto


def map_types(value: dict) -> tuple[int, int]:
    """Element types of a map's keys and values."""
    key, number = next(iter(value.items()))
    types = {str: TensorProto.STRING, int: TensorProto.INT64, float: TensorProto.FLOAT}
    return types[type(key)], types[type(number)]


def is_list_of_maps(value: list) -> bool:
    return bool(value) and isinstance(value[0], dict)

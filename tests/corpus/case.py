"""One case of the corpus: a folder with a model, its inputs, and what ONNX Runtime answers."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

HOME = Path(__file__).parent


def write_case(group: str, name: str, model: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> int:
    """Writes `<group>/<name>/`; returns its size in bytes. Expected outputs come from ONNX Runtime without its graph optimisations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    content = model.SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    expected = session.run(None, inputs)
    folder = HOME / group / name
    shutil.rmtree(folder, ignore_errors=True)
    test_set = folder / "test_data_set_0"
    test_set.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(content)
    for index, declared in enumerate(session.get_inputs()):
        (test_set / f"input_{index}.pb").write_bytes(to_proto(inputs[declared.name], declared.name))
    for index, (declared, value) in enumerate(zip(session.get_outputs(), expected, strict=True)):
        (test_set / f"output_{index}.pb").write_bytes(to_proto(value, declared.name))
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def to_proto(value, name: str) -> bytes:
    """A tensor, a map, or a sequence of maps or tensors, as the bytes of its file."""
    if isinstance(value, dict):
        proto = map_proto(value, name)
    elif isinstance(value, list):
        proto = onnx.SequenceProto(name=name)
        for item in value:
            if isinstance(item, dict):
                proto.elem_type = onnx.SequenceProto.MAP
                proto.map_values.append(map_proto(item, ""))
            else:
                proto.elem_type = onnx.SequenceProto.TENSOR
                proto.tensor_values.append(numpy_helper.from_array(np.asarray(item)))
    else:
        proto = numpy_helper.from_array(np.asarray(value), name)
    return proto.SerializeToString(deterministic=True)


def map_proto(value: dict, name: str) -> onnx.MapProto:
    is_text = isinstance(next(iter(value)), str)
    proto = onnx.MapProto(name=name, key_type=TensorProto.STRING if is_text else TensorProto.INT64)
    if is_text:
        proto.string_keys.extend(key.encode() for key in value)
    else:
        proto.keys.extend(value)
    proto.values.elem_type = onnx.SequenceProto.TENSOR
    proto.values.tensor_values.extend(numpy_helper.from_array(np.array(number, dtype=np.float32)) for number in value.values())
    return proto


def report(group: str, sizes: dict[str, int]) -> None:
    """Removes cases that are no longer made, and says what there is."""
    for folder in (HOME / group).iterdir():
        if folder.is_dir() and folder.name not in sizes:
            shutil.rmtree(folder)
    print(f"{group}: {len(sizes)} cases, {sum(sizes.values()) / 1e3:.0f} kB; largest:")
    for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:5]:
        print(f"  {name}: {size / 1e3:.0f} kB")

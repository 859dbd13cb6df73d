"""One initializer per element type, written twice by the onnx package: in the field for its kind of number, and as raw data.

Run `python tests/golden/generator/tensors.py` from the repository's root; it writes `tests/golden/tensors/model.onnx`.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = [5]
NUMBERS = [0, 1, -1, 1.5, 3]


def values(data_type: int) -> np.ndarray:
    dtype = helper.tensor_dtype_to_np_dtype(data_type)
    if data_type == TensorProto.BOOL:
        return np.array([True, False, True, True, False])
    if data_type in (TensorProto.COMPLEX64, TensorProto.COMPLEX128):
        return np.array([1 + 2j, -0.5j, 3, 0, 1.25], dtype=dtype)
    signed = [abs(number) for number in NUMBERS] if "UINT" in TensorProto.DataType.Name(data_type) else NUMBERS
    if data_type == TensorProto.FLOAT8E8M0:
        signed = [1, 2, 4, 0.5, 1]
    if "UINT2" in TensorProto.DataType.Name(data_type) or "INT2" == TensorProto.DataType.Name(data_type):
        signed = [0, 1, 1, 1, 0]
    return np.array(signed, dtype=np.float32).astype(dtype)


def model() -> onnx.ModelProto:
    initializers = []
    for name, data_type in sorted(TensorProto.DataType.items(), key=lambda item: item[1]):
        if data_type in (TensorProto.UNDEFINED, TensorProto.STRING):
            continue
        array = values(data_type)
        raw = numpy_helper.from_array(array, f"raw_{name.lower()}")
        assert raw.HasField("raw_data") and raw.data_type == data_type, name
        typed = helper.make_tensor(f"typed_{name.lower()}", data_type, SHAPE, array)
        assert not typed.HasField("raw_data"), name
        initializers += [raw, typed]
    output = helper.make_tensor_value_info("raw_float", TensorProto.FLOAT, SHAPE)
    graph = helper.make_graph([], "tensors", [], [output], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=14)


if __name__ == "__main__":
    onnx.save(model(), "tests/golden/tensors/model.onnx")

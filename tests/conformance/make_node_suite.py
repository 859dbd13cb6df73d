# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "onnx==1.23.2",
# ]
# ///
"""Writes the standard's node suite: `uv run tests/conformance/make_node_suite.py FOLDER`.

Each case becomes a folder with `model.onnx` and `test_data_set_N/{input,output}_K.pb`, made by the Python package `onnx` from its own test
definitions. Nothing of it is kept in the repository. Run the tests on it with `DRYDOCK_NODE_SUITE=FOLDER cargo test --workspace`.
"""

import sys
from pathlib import Path

import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    home = Path(sys.argv[1])
    cases = collect_testcases(None)
    for case in cases:
        write(home / case.name, case)
    print(f"{len(cases)} cases of onnx {onnx.__version__} in {home}")


def write(folder: Path, case) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir(exist_ok=True)
        for kind, values, declared in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
            for index, (value, info) in enumerate(zip(values, declared)):
                (data / f"{kind}_{index}.pb").write_bytes(to_proto(value, info).SerializeToString())


def to_proto(value, info: onnx.ValueInfoProto):
    """A value in the message that its declared type calls for."""
    if isinstance(value, onnx.TensorProto):
        return value
    kind = info.type.WhichOneof("value")
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name)
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name)
    if kind == "map_type":
        return numpy_helper.from_dict(value, info.name)
    return numpy_helper.from_array(value, info.name)


if __name__ == "__main__":
    main()

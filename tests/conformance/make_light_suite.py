# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "onnx==1.23.2",
# ]
# ///
"""Writes the standard's networks for images: `uv run tests/conformance/make_light_suite.py FOLDER`.

The Python package `onnx` ships nine of them as "light" models, whose weights are constants that the model makes itself, with the outputs for one
picture. Each becomes a folder with `model.onnx` and `test_data_set_0/{input,output}_0.pb`, as `drydock verify` takes it; the picture is the one that
the package's own runner makes. Nothing of it is kept in the repository. Run the tests on it with `DRYDOCK_LIGHT_SUITE=FOLDER cargo test --workspace`.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test
from onnx import numpy_helper

DATA = Path(onnx.backend.test.__file__).parent / "data" / "light"


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    home = Path(sys.argv[1])
    paths = sorted(DATA.glob("light_*.onnx"))
    for path in paths:
        write(home / path.stem.removeprefix("light_"), path)
    print(f"{len(paths)} networks of onnx {onnx.__version__} in {home}")


def write(folder: Path, path: Path) -> None:
    model = onnx.load(path)
    data = folder / "test_data_set_0"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(path.read_bytes())
    initializers = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initializers]
    for index, value in enumerate(inputs):
        (data / f"input_{index}.pb").write_bytes(numpy_helper.from_array(picture(value), value.name).SerializeToString())
    for index, value in enumerate(model.graph.output):
        expected = onnx.load_tensor(str(path.with_name(f"{path.stem}_output_{index}.pb")))
        expected.name = value.name
        (data / f"output_{index}.pb").write_bytes(expected.SerializeToString())


def picture(value: onnx.ValueInfoProto) -> np.ndarray:
    """Numbers that rise from 0 to 1; a symbolic dimension is 1."""
    shape = [dim.dim_value if dim.HasField("dim_value") else 1 for dim in value.type.tensor_type.shape.dim]
    n = int(np.prod(shape))
    return (np.arange(n).reshape(shape) / n).astype(np.float32)


if __name__ == "__main__":
    main()

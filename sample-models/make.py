# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy==2.4.6",
#     "onnx==1.23.2",
#     "onnxmltools==1.16.0",
#     "onnxruntime==1.31.1",
#     "pandas==3.1.1",
#     "pillow==12.3.0",
#     "scikit-learn==1.9.1",
#     "skl2onnx==1.20.0",
#     "xgboost==3.2.0",
# ]
# ///
"""Trains the sample models and writes everything in their folders: run `uv run sample-models/make.py` from the repository's root.

Each folder gets `model.onnx`, its contract `model.drydock.toml`, three tables (`reference.csv`, `new.csv`, `drifted.csv`), `LICENSE`,
`README.md`, and `test_data_set_0` with what ONNX Runtime answers for the first rows of the reference table.
Seeds are fixed and versions pinned above, so a second run on the same machine writes the same files.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from making import digits, payment_fraud, tables

FAMILIES = [tables, digits, payment_fraud]


def main() -> None:
    home = Path(__file__).parent
    wanted = set(sys.argv[1:])
    for family in FAMILIES:
        for name, make in family.SAMPLES.items():
            if not wanted or name in wanted:
                make().write(home / name)


if __name__ == "__main__":
    main()

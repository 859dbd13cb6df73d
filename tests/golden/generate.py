# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy==2.4.6",
#     "onnx==1.23.2",
#     "onnxruntime==1.31.1",
# ]
# ///
"""Writes the golden cases: run `uv run tests/golden/generate.py` from the repository's root.

A case is a folder below `cases/` in the format of ONNX's own test sets: `model.onnx` and `test_data_set_0/{input,output}_K.pb`.
Inputs are random with fixed seeds; expected outputs come from ONNX Runtime without its graph optimisations.

`broken/` gets model files that are wrong in one way each.
"""

import shutil
import sys
from pathlib import Path

# What several scripts share stands beside this one's folder.
sys.path.append(str(Path(__file__).parents[1]))

from generator import FAMILIES, broken


def main() -> None:
    write_cases(Path(__file__).parent / "cases")
    write_broken(Path(__file__).parent / "broken")


def write_cases(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    names, n_bytes = set(), 0
    for family in FAMILIES:
        for case in family.cases():
            if case.name in names:
                sys.exit(f"two cases are called {case.name}")
            names.add(case.name)
            case.write(home / case.name)
            n_bytes += sum(file.stat().st_size for file in (home / case.name).rglob("*") if file.is_file())
    print(f"{len(names)} cases, {n_bytes / 1e3:.0f} kB")


def write_broken(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    for name, content in broken.files():
        (home / f"{name}.onnx").write_bytes(content)


if __name__ == "__main__":
    main()

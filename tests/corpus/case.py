"""One case of the corpus: a folder with a model, its inputs, and what ONNX Runtime answers."""

import shutil
import sys
from pathlib import Path

import numpy as np
import onnx

sys.path.append(str(Path(__file__).parents[1]))

import test_set

HOME = Path(__file__).parent


def write_case(group: str, name: str, model: onnx.ModelProto, inputs: dict[str, np.ndarray]) -> int:
    """Writes `<group>/<name>/`; returns its size in bytes. Expected outputs come from ONNX Runtime without its graph optimisations."""
    session = test_set.session(model.SerializeToString(deterministic=True))
    expected = dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs), strict=True))
    folder = HOME / group / name
    shutil.rmtree(folder, ignore_errors=True)
    return test_set.write_case(folder, model, {given.name: inputs[given.name] for given in session.get_inputs()}, expected)


def report(group: str, sizes: dict[str, int]) -> None:
    """Removes cases that are no longer made, and says what there is."""
    for folder in (HOME / group).iterdir():
        if folder.is_dir() and folder.name not in sizes:
            shutil.rmtree(folder)
    print(f"{group}: {len(sizes)} cases, {sum(sizes.values()) / 1e3:.0f} kB; largest:")
    for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:5]:
        print(f"  {name}: {size / 1e3:.0f} kB")

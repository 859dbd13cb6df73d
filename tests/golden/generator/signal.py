"""Signals and their spectra."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case


def cases() -> Iterator[Case]:
    n = Numbers("DFT")
    length = lambda value: np.array(value)
    for opset, axis in ((17, None), (20, np.array(1))):
        given = [] if axis is None else [axis]
        # Lengths with a large prime factor are held to the definition in unit tests: ONNX Runtime loses digits there.
        for samples in (8, 6):
            yield case("DFT", f"real_{samples}", [n.floats(2, samples, 1)], opset=opset)
            yield case("DFT", f"complex_{samples}", [n.floats(2, samples, 2), None, *given] if given else [n.floats(2, samples, 2)], opset=opset)
        yield case("DFT", "inverse", [n.floats(2, 6, 2)], opset=opset, inverse=1)
        yield case("DFT", "onesided", [n.floats(1, 9, 1)], opset=opset, onesided=1)
        yield case("DFT", "padded", [n.floats(2, 5, 1), length(8)], opset=opset, constants=(1,))
        yield case("DFT", "cut", [n.floats(2, 9, 2), length(6)], opset=opset)
    yield case("DFT", "first_axis", [n.floats(6, 3, 1), None, np.array(0)], opset=20)
    yield case("DFT", "axis_attribute", [n.floats(2, 3, 6, 1)], opset=17, axis=2)
    n = Numbers("STFT")
    yield case("STFT", "window", [n.floats(2, 24, 1), np.array(4), n.floats(8)], opset=17)
    yield case("STFT", "length", [n.floats(1, 21, 1), np.array(5), None, np.array(6)], opset=17, constants=(1, 3))
    yield case("STFT", "complex", [n.floats(1, 16, 2), np.array(4), n.floats(8), np.array(8)], opset=17, onesided=0)
    for op_type in ("HannWindow", "HammingWindow", "BlackmanWindow"):
        yield case(op_type, "periodic", [np.array(10)], opset=17)
        yield case(op_type, "symmetric", [np.array(9, np.int32)], opset=17, periodic=0, constants=(0,))
        yield case(op_type, "double", [np.array(7)], opset=17, output_datatype=11)
    edges = [np.float32(80), np.float32(3800)]
    yield case("MelWeightMatrix", "speech", [np.array(10), np.array(64), np.array(8000), *map(np.array, edges)], opset=17)
    yield case("MelWeightMatrix", "double", [np.array(4), np.array(16), np.array(8192), *map(np.array, edges)], opset=17, output_datatype=11)

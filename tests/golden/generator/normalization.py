"""Normalisation layers."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    n = Numbers("BatchNormalization")
    statistics = [n.floats(3), n.floats(3), n.floats(3), n.floats(3, low=0.2)]
    for opset in history("BatchNormalization"):
        yield case("BatchNormalization", "image", [n.floats(2, 3, 4, 5), *statistics], opset=opset)
    yield case("BatchNormalization", "constants", [n.floats(2, 3, 4, 5), *statistics], constants=(1, 2, 3, 4), is_batched=True)
    yield case("BatchNormalization", "epsilon", [n.floats(2, 3, 4), *statistics], epsilon=0.1)
    yield case("BatchNormalization", "matrix", [n.floats(5, 3), *statistics])
    n = Numbers("InstanceNormalization")
    for opset in history("InstanceNormalization"):
        yield case("InstanceNormalization", "image", [n.floats(2, 3, 4, 5), n.floats(3), n.floats(3)], opset=opset)
    yield case("InstanceNormalization", "one_dimension", [n.floats(2, 3, 7), n.floats(3), n.floats(3)], epsilon=0.01, constants=(1, 2))
    n = Numbers("LayerNormalization")
    for opset in history("LayerNormalization"):
        yield case("LayerNormalization", "last_axis", [n.floats(2, 3, 8), n.floats(8), n.floats(8)], opset=opset)
    yield case("LayerNormalization", "no_bias", [n.floats(4, 6), n.floats(6)], epsilon=0.01)
    yield case("LayerNormalization", "two_axes", [n.floats(2, 3, 4), n.floats(3, 4), n.floats(3, 4)], axis=1)
    yield case("LayerNormalization", "negative_axis", [n.floats(2, 3, 4), n.floats(3, 4), n.floats(3, 4)], axis=-2, constants=(1, 2), is_batched=True)
    yield case("LayerNormalization", "statistics", [n.floats(2, 3, 4), n.floats(4), n.floats(4)], n_outputs=3)
    yield case("LayerNormalization", "far_from_zero", [n.floats(2, 16) + np.float32(1000), n.floats(16), n.floats(16)])
    n = Numbers("LRN")
    for opset in history("LRN"):
        yield case("LRN", "image", [n.floats(2, 5, 3, 4)], opset=opset, size=3)
    yield case("LRN", "attributes", [n.floats(1, 7, 2, 2)], size=5, alpha=0.02, beta=0.6, bias=2.0)
    n = Numbers("GroupNormalization")
    yield case("GroupNormalization", "per_channel", [n.floats(2, 6, 3, 2), n.floats(6), n.floats(6)], opset=21, num_groups=3)
    yield case("GroupNormalization", "epsilon", [n.floats(2, 6, 3), n.floats(6), n.floats(6)], opset=21, num_groups=2, epsilon=0.1)
    n = Numbers("RMSNormalization")
    yield case("RMSNormalization", "last_axis", [n.floats(2, 3, 8), n.floats(8)])
    yield case("RMSNormalization", "two_axes", [n.floats(2, 3, 4), n.floats(3, 4)], axis=1, epsilon=0.1)
    yield case("RMSNormalization", "one_scale", [n.floats(2, 3, 4), n.floats(1)], axis=-2, constants=(1,), is_batched=True)
    n = Numbers("LpNormalization")
    for opset in history("LpNormalization"):
        yield case("LpNormalization", "euclidean", [n.floats(2, 3, 4)], opset=opset)
    yield case("LpNormalization", "magnitudes", [n.floats(2, 3, 4)], axis=1, p=1)
    yield case("LpNormalization", "zeros", [np.zeros((2, 3), np.float32)])
    n = Numbers("MeanVarianceNormalization")
    for opset in history("MeanVarianceNormalization"):
        yield case("MeanVarianceNormalization", "image", [n.floats(2, 3, 4, 5)], opset=opset)
    yield case("MeanVarianceNormalization", "one_axis", [n.floats(2, 3, 4)], axes=[-1])

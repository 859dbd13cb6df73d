"""Operators that draw random numbers, asked in such a way that there is only one answer: the generator itself is each runtime's own."""

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto

from .case import Case, case

# ONNX Runtime does not have the versions of opset 22, which differ in taking bfloat16.
NEWEST_WITH_KERNELS = 21


def cases() -> Iterator[Case]:
    like = np.zeros((2, 3), np.float32)
    for opset in (7, NEWEST_WITH_KERNELS):
        yield case("RandomNormal", "no_deviation", [], opset=opset, shape=[2, 3], mean=1.5, scale=1e-30)
        yield case("RandomNormalLike", "no_deviation", [like], opset=opset, mean=1.5, scale=1e-30)
        yield case("RandomUniform", "one_point", [], opset=opset, shape=[4], low=2.5, high=2.5, dtype=TensorProto.DOUBLE)
        yield case("RandomUniformLike", "one_point", [like], opset=opset, low=2.5, high=2.5)
    # Where the specification says 1, ONNX Runtime 1.31 gives 0, and the other way round: there is nothing to learn from it but types.
    nothing = np.zeros((0, 2), np.float32)
    for opset in (15, NEWEST_WITH_KERNELS):
        yield case("Bernoulli", "empty", [nothing], opset=opset)
    yield case("Bernoulli", "bool", [nothing], opset=NEWEST_WITH_KERNELS, dtype=TensorProto.BOOL)
    for opset in (7, NEWEST_WITH_KERNELS):
        yield case("Multinomial", "one_outcome", [np.array([[0.5], [-2]], np.float32)], opset=opset, sample_size=3)
    yield case("Multinomial", "int64", [np.array([[0.5]], np.float32)], opset=NEWEST_WITH_KERNELS, sample_size=2, dtype=TensorProto.INT64)

"""Numbers, truth values and words of every element type, that depend on a word alone: a new case leaves the others as they are."""

import zlib

import numpy as np
from onnx import TensorProto, helper

FLOATS = ("float", "double", "float16", "bfloat16")
HALVES = ("float16", "bfloat16")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")
INTEGERS = SIGNED + UNSIGNED
# What is computed with. The types of two to eight bits are in the standard's own node suite.
TYPES = FLOATS + INTEGERS + ("bool", "string")

WORDS = ("red", "Green", "blue", "", "été")


def dtype(name: str) -> np.dtype:
    """numpy's type for a type as the specification spells it."""
    return helper.tensor_dtype_to_np_dtype(number(name))


def number(name: str) -> int:
    """The number of a type in a file."""
    return TensorProto.DataType.Value(name.upper())


class Values:
    """Tensors of one element type."""

    def __init__(self, name: str, seed: str) -> None:
        self.name = name
        self.dtype = dtype(name)
        self.rng = np.random.default_rng(zlib.crc32(seed.encode()))

    def plain(self, *shape: int) -> np.ndarray:
        """Small values of both signs, which every floating-point type holds exactly."""
        if self.name in FLOATS:
            return (self.rng.integers(-16, 17, shape) / 8).astype(self.dtype)
        if self.name in INTEGERS:
            return self.rng.integers(-9 if self.name in SIGNED else 0, 10, shape).astype(self.dtype)
        return self._choices(shape)

    def positive(self, *shape: int) -> np.ndarray:
        """Small values above zero."""
        if self.name in FLOATS:
            return (self.rng.integers(1, 17, shape) / 8).astype(self.dtype)
        return self.rng.integers(1, 10, shape).astype(self.dtype) if self.name in INTEGERS else self._choices(shape)

    def _choices(self, shape: tuple[int, ...]) -> np.ndarray:
        if self.name == "bool":
            return np.asarray(self.rng.random(shape) < 0.5)
        return np.asarray(self.rng.choice(np.array(WORDS, dtype=object), shape), dtype=object)

    def distinct(self, *shape: int) -> np.ndarray:
        """Values in no order, none twice: as far as the type has so many."""
        n = int(np.prod(shape))
        if self.name not in FLOATS + INTEGERS:
            return self.plain(*shape)
        values = self.rng.permutation(n) - (0 if self.name in UNSIGNED else n // 2)
        return values.astype(self.dtype).reshape(shape)

    def edges(self) -> np.ndarray:
        """What goes wrong first: the ends of the type, what lies about zero, and what isn't a number."""
        if self.name in FLOATS:
            import ml_dtypes

            info = ml_dtypes.finfo(self.dtype)
            ends = [info.max, info.min, info.smallest_normal, -info.smallest_subnormal]
            values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 7, -100.75]
            return np.array([self.dtype.type(value) for value in values] + [self.dtype.type(end) for end in ends], self.dtype)
        if self.name in INTEGERS:
            info = np.iinfo(self.dtype)
            values = {info.min, info.min + 1, info.max, info.max - 1, info.max // 2, 0, 1, 2, 7, 100}
            return np.array(sorted(values | ({-1, -2, -7} if info.min else set())), self.dtype)
        return np.array([False, True]) if self.name == "bool" else np.array(WORDS, dtype=object)

    def finite_edges(self) -> np.ndarray:
        edges = self.edges()
        return edges[np.isfinite(edges.astype(np.float64))] if self.name in FLOATS else edges

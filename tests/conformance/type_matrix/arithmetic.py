"""Operators that work element by element, and those that reduce."""

from collections.abc import Iterator

import numpy as np

from .recipe import Binding, Variant, ints, pairs, recipe
from .values import FLOATS, INTEGERS, UNSIGNED, Values, number


@recipe(
    *("Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BitwiseNot", "Ceil", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp", "Floor"),
    *("Gelu", "HardSigmoid", "HardSwish", "Identity", "IsInf", "IsNaN", "LeakyRelu", "Log", "Mish", "Neg", "NonZero", "Not", "Reciprocal"),
    *("Relu", "Round", "Selu", "Shape", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Size", "Softplus", "Softsign", "Sqrt", "Swish", "Tan"),
    *("Tanh", "ThresholdedRelu"),
)
def unary(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(3, 4)])
    yield Variant("edges", [b.t.edges()])
    yield Variant("empty", [b.t.plain(0, 3)])


@recipe("Add", "Sub", "Mul", "Max", "Min", "And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "StringConcat")
@recipe("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual")
def binary(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 1, 4), b.t.plain(3, 1)])
    yield Variant("edges", pairs(b.t.edges(), b.t.edges()))
    yield Variant("empty", [b.t.plain(0, 3), b.t.plain(3)])


@recipe("Sum", "Mean")
def variadic(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 4), b.t.positive(4), b.t.positive(2, 1)])
    # The reference adds to the first.
    left, right = np.broadcast_arrays(*pairs(b.t.edges(), b.t.edges()))
    yield Variant("edges", [left, right[:1], b.t.positive(1, 1)])
    yield Variant("empty", [b.t.plain(0, 3), b.t.plain(3)])


@recipe("SwiGLU")
def gated(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(3, 4), b.t.plain(3, 4)])
    yield Variant("edges", [b.t.edges(), b.t.edges()[::-1]])


@recipe("Div")
def division(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 1, 4), b.t.positive(3, 1)])
    yield Variant("edges", pairs(dividends(b), divisors(b)))
    yield Variant("empty", [b.t.plain(0, 3), b.t.positive(3)])


@recipe("Mod")
def modulo(b: Binding) -> Iterator[Variant]:
    for fmod in (0, 1):
        if fmod or not b.is_float:
            name = "fmod" if fmod else "mod"
            yield Variant(f"{name}_plain", [b.t.plain(2, 1, 4), b.t.positive(3, 1)], {"fmod": fmod})
            yield Variant(f"{name}_edges", pairs(dividends(b), divisors(b)), {"fmod": fmod})


def dividends(b: Binding) -> np.ndarray:
    """Without the lowest number, whose quotient by -1 has no place in its type: a processor may end the process over it."""
    edges = b.t.edges()
    return edges[1:] if b.is_signed else edges


def divisors(b: Binding) -> np.ndarray:
    edges = b.t.edges()
    return edges if b.is_float else edges[edges != 0]


@recipe("Pow")
def power(b: Binding) -> Iterator[Variant]:
    exponents = b.of("T1") if "T1" in b.types else b.t
    has_int_base = b.t.name in INTEGERS
    # What an integer's negative or fractional power is, the specification does not say.
    whole = np.array([0, 1, 2, 3, 4]).astype(exponents.dtype)
    yield Variant("plain", pairs(b.t.plain(5), whole))
    if not has_int_base:
        small = np.array([-2, -1, -0.5, 0.5, 1.5, 2.5], np.float64) if exponents.name in FLOATS else np.array([0, 5, 9])
        yield Variant("roots", pairs(b.t.positive(4), small.astype(exponents.dtype)))
        if exponents.name in FLOATS:
            yield Variant("edges", pairs(b.t.edges(), exponents.edges()))


@recipe("BitShift")
def bit_shift(b: Binding) -> Iterator[Variant]:
    n_bits = 8 * b.t.dtype.itemsize
    shifts = np.array([0, 1, 3, n_bits - 1]).astype(b.t.dtype)
    for direction in ("LEFT", "RIGHT"):
        yield Variant(direction.lower(), pairs(b.t.edges(), shifts), {"direction": direction})


@recipe("PRelu")
def prelu(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 4), b.t.plain(3, 1)])
    yield Variant("edges", [b.t.edges(), b.t.positive(1)])
    yield Variant("empty", [b.t.plain(0, 3), b.t.plain(3)])


@recipe("Clip")
def clip(b: Binding) -> Iterator[Variant]:
    if b.opset < 11:
        yield Variant("plain", [b.t.plain(3, 4)], {"min": -0.5, "max": 1.25})
        yield Variant("edges", [b.t.edges()], {"min": -0.5, "max": 1.25})
        return
    low, high = np.asarray(b.t.dtype.type(1)), np.asarray(b.t.dtype.type(5))
    yield Variant("plain", [b.t.plain(3, 4), low, high])
    yield Variant("edges", [b.t.edges(), low, high])
    yield Variant("only_max", [b.t.edges(), None, high])
    yield Variant("no_bounds", [b.t.edges()])
    yield Variant("empty", [b.t.plain(0, 3), low, high])


@recipe("Where")
def where(b: Binding) -> Iterator[Variant]:
    values = b.of("T")
    yield Variant("plain", [np.array([[True], [False]]), values.plain(2, 3), values.plain(3)])
    yield Variant("edges", [np.array([[True], [False]]), values.edges(), values.plain(1)])
    yield Variant("empty", [np.array([True]), values.plain(0), values.plain(1)])


@recipe("Cast")
def cast(b: Binding) -> Iterator[Variant]:
    attributes = {"to": number(b.types["T2"])}
    yield Variant("edges", [castable(b.of("T1"), b.types["T2"])], attributes)
    yield Variant("empty", [b.of("T1").plain(2, 0)], attributes)


@recipe("CastLike")
def cast_like(b: Binding) -> Iterator[Variant]:
    yield Variant("edges", [castable(b.of("T1"), b.types["T2"]), b.of("T2").plain(2)])


def castable(values: Values, to: str) -> np.ndarray:
    """The edges, but for what the specification leaves open: numbers with a fraction, or not finite, beyond an integer type."""
    if values.name == "string":
        words = ["0", "1", "7", "100"] + (["-7", "1.5", "-2e3", "NaN", "INF", "-INF"] if to in FLOATS else [])
        return np.array(words + (["-7"] if to not in (*FLOATS, *UNSIGNED, "bool") else []), dtype=object)
    edges = values.edges()
    if values.name not in FLOATS or to in FLOATS + ("bool",):
        return edges
    if to == "string":
        return values.plain(6)
    info = np.iinfo(Values(to, "").dtype)
    # Some way from the ends, which a float may not hold.
    numbers = edges.astype(np.float64)
    return edges[np.isfinite(numbers) & (numbers > max(info.min, -(2**40)) - 0.5) & (numbers < min(info.max, 2**40) + 0.5)]


@recipe(*(f"Reduce{kind}" for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")))
def reduction(b: Binding) -> Iterator[Variant]:
    has_input = b.opset >= (13 if b.op_type == "ReduceSum" else 18)
    make = b.t.positive if b.op_type == "ReduceLogSum" else b.t.plain

    def variant(name: str, data: np.ndarray, axes: list[int], **attributes) -> Variant:
        return Variant(name, [data, ints(*axes)], attributes) if has_input else Variant(name, [data], {"axes": axes, **attributes})

    yield variant("plain", make(2, 3, 4), [1])
    yield variant("flat", make(2, 3, 4), [-1, 0], keepdims=0)
    yield Variant("all", [make(3, 4)])
    yield variant("edges", np.stack([b.t.edges(), b.t.edges()[::-1]]), [0])
    yield variant("empty", make(2, 0, 3), [2])
    if b.opset >= 18:
        # A mean of nothing is undefined.
        if b.op_type != "ReduceMean":
            yield variant("of_nothing", make(2, 0, 3), [1])
        yield Variant("no_axes", [make(2, 3)], {"noop_with_empty_axes": 1})


@recipe("ArgMax", "ArgMin")
def extreme_index(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(3, 4)], {"axis": 1})
    yield Variant("flat", [b.t.plain(3, 4)], {"axis": 0, "keepdims": 0})
    edges = b.t.edges()
    # Which of several NaN wins, nobody says.
    edges = edges[~np.isnan(edges.astype(np.float64))]
    yield Variant("edges", [np.stack([edges, edges[::-1], np.roll(edges, 3)])], {"axis": 0})
    if b.opset >= 12:
        yield Variant("last", [b.t.plain(4, 12)], {"axis": -1, "select_last_index": 1})


@recipe("CumSum", "CumProd")
def cumulative(b: Binding) -> Iterator[Variant]:
    values = b.of("T") if "T" in b.types else b.t
    axis = np.asarray(1, Values(b.types.get("T2", "int32"), "").dtype)
    yield Variant("plain", [values.plain(2, 5), axis])
    yield Variant("reverse", [values.plain(2, 5), axis], {"reverse": 1, "exclusive": 1})
    yield Variant("edges", [values.edges().reshape(1, -1), axis])
    yield Variant("empty", [values.plain(2, 0), axis])


@recipe("Softmax", "LogSoftmax", "Hardmax")
def normalized(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 4)])
    yield Variant("axis", [b.t.plain(2, 3, 4)], {"axis": 1})
    yield Variant("empty", [b.t.plain(2, 0, 3)], {"axis": 2})


@recipe("Range")
def arithmetic_range(b: Binding) -> Iterator[Variant]:
    scalar = lambda value: np.asarray(b.t.dtype.type(value))
    yield Variant("up", [scalar(1), scalar(10), scalar(3)])
    if b.is_float or b.is_signed:
        yield Variant("down", [scalar(3), scalar(-8), scalar(-2)])
    yield Variant("nothing", [scalar(5), scalar(5), scalar(1)])


@recipe("Dropout")
def dropout(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(3, 4)], n_outputs=2)



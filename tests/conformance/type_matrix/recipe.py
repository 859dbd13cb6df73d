"""What the recipes are made of: types bound to the parameters of an operator, and the inputs that a recipe makes for them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .values import FLOATS, INTEGERS, SIGNED, Values


@dataclass
class Variant:
    """Inputs and attributes for one model of an operator. `None` leaves an optional input out."""

    name: str
    inputs: list
    attributes: dict = field(default_factory=dict)
    n_outputs: int = 1


@dataclass
class Binding:
    """An operator at one opset, with an element type for each of its type parameters."""

    op_type: str
    opset: int
    types: dict[str, str]

    def of(self, parameter: str) -> Values:
        return Values(self.types[parameter], f"{self.op_type} {parameter} {self.types[parameter]}")

    @property
    def t(self) -> Values:
        """Values of the first type parameter, which is the only one more often than not."""
        return self.of(next(iter(self.types)))

    @property
    def is_float(self) -> bool:
        return self.t.name in FLOATS

    @property
    def is_int(self) -> bool:
        return self.t.name in INTEGERS

    @property
    def is_signed(self) -> bool:
        return self.t.name in SIGNED


Recipe = Callable[[Binding], Iterator[Variant]]
RECIPES: dict[str, Recipe] = {}


def recipe(*operators: str) -> Callable[[Recipe], Recipe]:
    """Says which operators a function makes inputs for."""

    def register(function: Recipe) -> Recipe:
        for operator in operators:
            assert operator not in RECIPES, operator
            RECIPES[operator] = function
        return function

    return register


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def pairs(left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
    """Each with each, by broadcasting."""
    return [left.reshape(-1, 1), right.reshape(1, -1)]

"""Running totals along an axis."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    n = Numbers("CumSum")
    for opset in history("CumSum"):
        yield case("CumSum", "last_axis", [n.floats(2, 3, 4), np.array(-1)], opset=opset)
    yield case("CumSum", "reverse_exclusive", [n.floats(2, 3, 4), np.array(1, np.int32)], constants=(1,), reverse=1, exclusive=1)
    yield case("CumSum", "int64", [n.ints(5), np.array(0)], exclusive=1)
    n = Numbers("CumProd")
    yield case("CumProd", "last_axis", [n.floats(2, 3, 4), np.array(2)], opset=26)
    yield case("CumProd", "reverse_exclusive", [n.ints(2, 5), np.array(-1)], opset=26, reverse=1, exclusive=1)

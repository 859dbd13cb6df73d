"""The last two axes as matrices: EyeLike, Trilu, Det."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    n = Numbers("EyeLike")
    for opset in [version for version in history("EyeLike") if version < 22]:
        yield case("EyeLike", "main_diagonal", [n.floats(3, 4)], opset=opset)
    yield case("EyeLike", "above", [n.floats(3, 4)], opset=21, k=2, dtype=7)
    yield case("EyeLike", "below", [n.ints(4, 2, dtype=np.int32)], opset=21, k=-2)
    n = Numbers("Trilu")
    for opset in history("Trilu"):
        yield case("Trilu", "upper", [n.floats(2, 3, 4)], opset=opset)
    for k in (-9, -1, 1, 3, 9):
        yield case("Trilu", f"upper_k{k}", [n.ints(3, 4), np.array(k)])
        yield case("Trilu", f"lower_k{k}", [n.floats(4, 3), np.array(k)], constants=(1,), upper=0)
    yield case("Trilu", "bools", [n.bools(3, 3)], upper=0)
    n = Numbers("Det")
    yield case("Det", "one", [n.floats(4, 4)], opset=11)
    yield case("Det", "batch", [n.floats(2, 3, 3, 3)], opset=21)

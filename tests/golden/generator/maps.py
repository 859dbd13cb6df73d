"""Maps: into rows of tensors, and between categories."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case


def cases() -> Iterator[Case]:
    yield case("DictVectorizer", "strings_to_floats", [{"b": 1.5, "a": -2.0, "z": 4.0}], ml_opset=1, string_vocabulary=["a", "b", "c", "a"])
    yield case("DictVectorizer", "ints_to_floats", [{4: 1.5, 2: -2.0}], ml_opset=3, int64_vocabulary=[1, 2, 3, 4])
    numbers = {3: 1.75, 0: -2.5, 1: 40.125}
    for to in ("TO_FLOAT", "TO_INT64", "TO_STRING"):
        yield case("CastMap", f"{to.lower()}_dense", [numbers], ml_opset=1, cast_to=to)
        yield case("CastMap", f"{to.lower()}_sparse", [numbers], ml_opset=1, cast_to=to, map_form="SPARSE", max_map=5)
    categories = {"cats_strings": ["red", "green", "blue", "red"], "cats_int64s": [4, 7, 9, 11]}
    yield case("CategoryMapper", "to_ints", [Numbers("categories").words(2, 3)], ml_opset=1, default_int64=-5, **categories)
    yield case("CategoryMapper", "to_strings", [np.array([4, 7, 8, 11], dtype=np.int64)], ml_opset=1, default_string="none", **categories)

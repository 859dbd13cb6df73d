"""Sums of products over labelled axes."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case

# Equations with the shapes of their operands.
EQUATIONS = {
    "transpose": ("ij->ji", [(2, 3)]),
    "sum": ("ijk->j", [(2, 3, 4)]),
    "diagonal": ("bii->bi", [(2, 3, 3)]),
    "trace": ("ii", [(3, 3)]),
    "matrix_product": ("ij,jk", [(2, 3), (3, 4)]),
    "scores": ("bqhd,bkhd->bhqk", [(2, 3, 2, 4), (2, 5, 2, 4)]),
    "values": ("bhqk,bkhd->bqhd", [(2, 2, 3, 5), (2, 5, 2, 4)]),
    "ellipsis": ("...ij,jk->...ik", [(2, 3, 2, 4), (4, 5)]),
    "ellipsis_implicit": ("a...,...b", [(2, 3, 1), (3, 4, 5)]),
    "outer": ("i,j->ji", [(3,), (4,)]),
    "inner": ("i,i", [(5,), (5,)]),
    "elementwise": ("ij, ij -> ij", [(2, 3), (2, 3)]),
    "own_sums": ("ijk,jlm->il", [(2, 3, 4), (3, 5, 2)]),
    "bilinear": ("bn,anm,bm->ba", [(2, 3), (4, 3, 5), (2, 5)]),
    "upper_case": ("aB,Bc->ca", [(2, 3), (3, 4)]),
    "chain": ("ij,jk,kl,lm->im", [(2, 3), (3, 4), (4, 2), (2, 5)]),
    "repeated_in_both": ("iij,ijj->i", [(2, 2, 3), (2, 3, 3)]),
}


def cases() -> Iterator[Case]:
    n = Numbers("Einsum")
    for name, (equation, shapes) in EQUATIONS.items():
        yield case("Einsum", name, [n.floats(*shape) for shape in shapes], equation=equation)
    yield case("Einsum", "int32", [n.ints(2, 3, dtype=np.int32), n.ints(3, 4, dtype=np.int32)], equation="ij,jk->ki", opset=12)

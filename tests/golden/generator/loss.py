"""Losses of a classification."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    for op_type in ("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"):
        n = Numbers(op_type)
        labels = n.ints(4, low=0, high=3)
        for opset in history(op_type):
            yield case(op_type, "mean", [n.floats(4, 3), labels], opset=opset)
        weights = n.floats(3, low=0.1)
        places = n.ints(2, 3, 2, low=0, high=3, dtype=np.int32)
        for reduction in ("none", "sum", "mean"):
            yield case(op_type, f"weighted_{reduction}", [n.floats(2, 3, 3, 2), places, weights], reduction=reduction)
            ignored = np.array([0, -1, 2, -1])
            yield case(op_type, f"ignored_{reduction}", [n.floats(4, 3), ignored, weights], reduction=reduction, ignore_index=-1)
        yield case(op_type, "ignored_unweighted", [n.floats(4, 3), np.array([0, 1, 2, 1])], ignore_index=1)
    n = Numbers("log_prob")
    yield case("SoftmaxCrossEntropyLoss", "log_prob", [n.floats(2, 3, 2), n.ints(2, 2, low=0, high=3)], n_outputs=2)

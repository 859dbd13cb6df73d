"""Boxes: NonMaxSuppression."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    n = Numbers("NonMaxSuppression")
    corners = n.floats(2, 20, 4, low=0, high=4)
    scores = n.floats(2, 3, 20, low=0, high=1)
    limits = [np.array([6]), np.array([0.3], np.float32), np.array([0.2], np.float32)]
    for opset in history("NonMaxSuppression"):
        yield case("NonMaxSuppression", "corners", [corners, scores, *limits], opset=opset)
    yield case("NonMaxSuppression", "centers", [np.abs(corners), scores, *limits], center_point_box=1)
    # Equal scores come with the smaller index first.
    ties = np.repeat(np.array([0.5, 0.9], np.float32), 10).reshape(1, 1, 20)
    yield case("NonMaxSuppression", "ties", [corners[:1], ties, *limits[:2]])
    yield case("NonMaxSuppression", "flat_boxes", [np.zeros((1, 3, 4), np.float32), n.floats(1, 1, 3), *limits[:1]])
    yield case("NonMaxSuppression", "no_limits", [corners, scores])
    yield case("NonMaxSuppression", "nothing_good_enough", [corners, scores, limits[0], limits[1], np.array(2, np.float32)])
    yield case("NonMaxSuppression", "no_boxes", [n.floats(1, 0, 4), n.floats(1, 2, 0), *limits])

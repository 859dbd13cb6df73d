"""Pools beside the maximum and the mean: LpPool, GlobalLpPool, MaxUnpool."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case


def cases() -> Iterator[Case]:
    n = Numbers("LpPool")
    image = n.floats(2, 2, 5, 6)
    for opset in (7, 11, 18):
        yield case("LpPool", "strided", [image], opset=opset, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])
    yield case("LpPool", "p1", [image], opset=18, kernel_shape=[2, 2], p=1)
    yield case("LpPool", "p3", [image], opset=18, kernel_shape=[2, 3], p=3, auto_pad="SAME_UPPER")
    yield case("LpPool", "dilated", [image], opset=18, kernel_shape=[2, 2], dilations=[2, 3])
    yield case("LpPool", "line", [n.floats(1, 2, 7)], opset=18, kernel_shape=[3], strides=[2])
    for p in (1, 2, 3):
        yield case("GlobalLpPool", f"p{p}", [image], opset=21, p=p)
    yield case("MaxUnpool", "squares", [n.floats(1, 2, 2, 2), np.array([[[[5, 7], [13, 15]], [[16, 19], [24, 26]]]])], opset=11, kernel_shape=[2, 2], strides=[2, 2])
    yield case("MaxUnpool", "line", [n.floats(1, 1, 3), np.array([[[4, 0, 4]]])], opset=9, kernel_shape=[3], pads=[1, 1], strides=[2])

"""Reading between elements: GridSample, AffineGrid, RoiAlign, MaxRoiPool, DeformConv."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    n = Numbers("GridSample")
    image, grid = n.floats(2, 2, 4, 5), n.floats(2, 3, 3, 2, low=-1.6, high=1.6)
    for padding in ("zeros", "border", "reflection"):
        for corners in (0, 1):
            for mode in ("bilinear", "nearest", "bicubic"):
                variant = f"{mode}_{padding}_corners{corners}"
                yield case("GridSample", variant, [image, grid], opset=16, mode=mode, padding_mode=padding, align_corners=corners)
            volume = [n.floats(1, 2, 3, 4, 2), n.floats(1, 2, 3, 2, 3, low=-1.6, high=1.6)]
            variant = f"volume_{padding}_corners{corners}"
            yield case("GridSample", f"{variant}_linear", volume, opset=20, padding_mode=padding, align_corners=corners)
            yield case("GridSample", f"{variant}_nearest", volume, opset=20, mode="nearest", padding_mode=padding, align_corners=corners)
    yield case("GridSample", "far_away", [image, 50 * grid], opset=20, mode="cubic", padding_mode="reflection")
    yield case("GridSample", "one_pixel", [n.floats(1, 1, 1, 1), n.floats(1, 2, 2, 2)], opset=20, padding_mode="border", align_corners=1)
    n = Numbers("AffineGrid")
    for corners in (0, 1):
        yield case("AffineGrid", f"image_corners{corners}", [n.floats(2, 2, 3), np.array([2, 1, 3, 4])], opset=20, align_corners=corners)
        yield case("AffineGrid", f"volume_corners{corners}", [n.floats(1, 3, 4), np.array([1, 1, 2, 3, 2])], opset=20, align_corners=corners)
    yield from regions()
    yield from deformed()


def regions() -> Iterator[Case]:
    n = Numbers("RoiAlign")
    image = n.floats(2, 2, 6, 7)
    rois = np.array([[0, 0, 6, 5], [2.3, 1.1, 4.9, 5.2], [-3, -2, 2, 1], [5, 4, 9, 9], [3, 3, 3, 3]], np.float32)
    images = np.array([0, 1, 1, 0, 1])
    size = {"output_height": 2, "output_width": 3}
    for opset in (10, 16):
        yield case("RoiAlign", "average", [image, rois, images], opset=opset, sampling_ratio=2, **size)
        yield case("RoiAlign", "adaptive", [image, 2 * rois, images], opset=opset, spatial_scale=0.5, **size)
        yield case("RoiAlign", "maximum", [image, rois, images], opset=opset, mode="max", sampling_ratio=2, **size)
    unaligned = {"coordinate_transformation_mode": "output_half_pixel"}
    yield case("RoiAlign", "output_half_pixel", [image, rois, images], opset=16, sampling_ratio=1, **size, **unaligned)
    yield case("RoiAlign", "float64", [a.astype(np.float64) for a in (image, rois)] + [images], opset=16, **size)
    n = Numbers("MaxRoiPool")
    whole = np.array([[0, 0, 0, 6, 5], [1, 2, 1, 4, 5], [1, -3, -2, 2, 1], [0, 5, 4, 9, 9], [1, 20, 20, 30, 30]], np.float32)
    yield case("MaxRoiPool", "bins", [image, whole], opset=7, pooled_shape=[2, 3])
    yield case("MaxRoiPool", "scaled", [image, whole], opset=21, pooled_shape=[3, 2], spatial_scale=0.4)


def deformed() -> Iterator[Case]:
    n = Numbers("DeformConv")
    image = n.floats(2, 4, 5, 6)
    yield case("DeformConv", "plain", [image, n.floats(3, 4, 2, 3), n.floats(2, 12, 4, 4)], opset=19)
    strided = [image, n.floats(2, 4, 3, 3), n.floats(2, 18, 3, 3), n.floats(2), n.floats(2, 9, 3, 3)]
    yield case("DeformConv", "mask_and_bias", strided, opset=19, pads=[1, 1, 1, 1], strides=[2, 2], kernel_shape=[3, 3])
    grouped = [image, n.floats(4, 2, 2, 2), n.floats(2, 16, 3, 4), None, n.floats(2, 8, 3, 4)]
    yield case("DeformConv", "groups", grouped, opset=19, group=2, offset_group=2, dilations=[2, 2])

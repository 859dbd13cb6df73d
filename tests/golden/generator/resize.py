"""Resize and Upsample: every way to find coordinates with every way to interpolate."""

from collections.abc import Iterator

import numpy as np
from onnx import helper

from .case import NEWEST, Case, Numbers, case, history

NEAREST = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
COORDINATES = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric")


def cases() -> Iterator[Case]:
    n = Numbers("Resize")
    image = n.floats(1, 1, 4, 7)
    yield case("Upsample", "nearest", [image], opset=7, scales=[1.0, 1.0, 1.7, 2.0])
    yield case("Upsample", "linear", [image], opset=7, mode="linear", scales=[1.0, 1.0, 1.7, 2.0])
    yield case("Upsample", "nearest", [image, f32(1, 1, 2, 1.3)], opset=9, constants=(1,))
    yield case("Upsample", "linear", [n.floats(2, 3), f32(2, 3)], opset=9, mode="linear")
    for mode in ("nearest", "linear"):
        yield case("Resize", f"{mode}_up", [image, f32(1, 1, 1.7, 2)], opset=10, constants=(1,), mode=mode)
        yield case("Resize", f"{mode}_down", [image, f32(1, 1, 0.6, 0.45)], opset=10, constants=(1,), mode=mode)
        for opset in history("Resize", first=11):
            yield case("Resize", f"{mode}_scales", [image, f32(), f32(1, 1, 2, 0.6)], opset=opset, constants=(1, 2), mode=mode)
            yield case("Resize", f"{mode}_sizes", [image, f32(), f32(), i64(1, 1, 3, 9)], opset=opset, constants=(1, 2, 3), mode=mode)
    # ONNX Runtime takes the rounded length to align corners, and the specification the exact one: here they are equal.
    for coordinates in COORDINATES:
        yield every_mode(f"{coordinates}_sizes", image, None, i64(1, 1, 9, 5), coordinates)
        yield every_mode(f"{coordinates}_smaller", image, None, i64(1, 1, 3, 3), coordinates)
        yield every_mode(f"{coordinates}_to_one", image, None, i64(1, 1, 1, 1), coordinates)
        if coordinates != "align_corners":
            yield every_mode(f"{coordinates}_scales", image, f32(1, 1, 2.3, 0.7), None, coordinates)
    yield case("Resize", "tf_half_pixel_for_nn", [image, f32(), f32(1, 1, 1.4, 0.6)], opset=11, coordinate_transformation_mode="tf_half_pixel_for_nn")
    yield from crops(image)
    yield from antialiased(n)
    yield from policies(n)
    yield from element_types(n)
    yield case("Resize", "three_axes", [n.floats(1, 1, 2, 3, 2), None, f32(1, 1, 2, 1.5, 3)], constants=(2,), mode="linear")
    yield case("Resize", "channels_last", [n.floats(1, 3, 4, 2), None, f32(1, 2, 2, 1)], constants=(2,), mode="linear")
    yield case("Resize", "run_time_sizes", [image, None, None, i64(1, 1, 5, 5)], mode="linear")
    yield case("Resize", "nearest_every_axis", [n.floats(2, 3, 2), None, f32(2, 0.7, 1.5)])


def every_mode(variant: str, image: np.ndarray, scales: np.ndarray | None, sizes: np.ndarray | None, coordinates: str) -> Case:
    """One image, resized in every mode."""
    names = ["x", "", "scales" if scales is not None else "", "sizes" if sizes is not None else ""]
    modes = [(f"nearest_{nearest}", {"mode": "nearest", "nearest_mode": nearest}) for nearest in NEAREST]
    modes += [("linear", {"mode": "linear"}), ("cubic", {"mode": "cubic"})]
    modes += [("cubic_inside", {"mode": "cubic", "exclude_outside": 1, "cubic_coeff_a": -0.5})]
    nodes = [
        helper.make_node("Resize", names, [output], name=output, coordinate_transformation_mode=coordinates, **attributes)
        for output, attributes in modes
    ]
    fixed = {"scales": scales, "sizes": sizes}
    return Case(
        name=f"resize_{variant}_opset{NEWEST}",
        nodes=nodes,
        inputs={"x": image},
        outputs=[output for output, _ in modes],
        initializers={name: value for name, value in fixed.items() if value is not None},
    )


def crops(image: np.ndarray) -> Iterator[Case]:
    crop = {"coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 9.5}
    for mode in ("nearest", "linear", "cubic"):
        inside, beyond = f32(0, 0, 0.2, 0.3, 1, 1, 0.9, 0.7), f32(0, 0, -0.2, 0.3, 1, 1, 0.6, 1.4)
        yield case("Resize", f"crop_{mode}", [image, inside, None, i64(1, 1, 3, 4)], constants=(1, 3), mode=mode, **crop)
        yield case("Resize", f"crop_beyond_{mode}", [image, beyond, None, i64(1, 1, 5, 6)], constants=(1, 3), mode=mode, **crop)
    flipped = f32(0, 0, 1, 1, 1, 1, 0, 0)
    yield case("Resize", "crop_flipped", [image, flipped, None, i64(1, 1, 5, 6)], mode="linear", **crop)
    yield case("Resize", "crop_to_one", [image, f32(0, 0, 0.2, 0.3, 1, 1, 0.9, 0.7), None, i64(1, 1, 1, 1)], mode="linear", **crop)


def antialiased(n: Numbers) -> Iterator[Case]:
    image = n.floats(1, 2, 9, 11)
    for mode in ("linear", "cubic"):
        for outside in (0, 1):
            scales = [image, None, f32(1, 1, 0.3, 0.55)]
            yield case("Resize", f"antialias_{mode}_outside{outside}", scales, constants=(2,), mode=mode, antialias=1, exclude_outside=outside)
        up_and_down = [image, None, None, i64(1, 2, 4, 20)]
        yield case("Resize", f"antialias_{mode}_up_and_down", up_and_down, constants=(3,), mode=mode, antialias=1)


def policies(n: Numbers) -> Iterator[Case]:
    image = n.floats(2, 3, 5)
    for policy in ("not_larger", "not_smaller"):
        sizes = [image, None, None, i64(7, 8)]
        yield case("Resize", policy, sizes, mode="linear", axes=[1, 2], keep_aspect_ratio_policy=policy)
        yield case("Resize", f"{policy}_nearest", sizes, axes=[2, 1], keep_aspect_ratio_policy=policy)


def element_types(n: Numbers) -> Iterator[Case]:
    bytes_ = n.ints(1, 1, 3, 4, low=0, high=256, dtype=np.uint8)
    words = n.ints(1, 1, 3, 4, low=-100, high=100, dtype=np.int32)
    for name, image in (("uint8", bytes_), ("int8", n.ints(1, 1, 3, 4, dtype=np.int8)), ("int32", words)):
        yield case("Resize", f"nearest_{name}", [image, None, f32(1, 1, 1.4, 2)], constants=(2,))
        yield case("Resize", f"linear_{name}", [image, None, f32(1, 1, 2, 2)], constants=(2,), mode="linear")
    yield case("Resize", "linear_uint8_odd", [bytes_, None, f32(1, 1, 1.4, 0.7)], constants=(2,), mode="linear")
    yield case("Resize", "antialias_uint8", [bytes_, None, f32(1, 1, 0.6, 0.7)], constants=(2,), mode="linear", antialias=1)


def f32(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def i64(*values: int) -> np.ndarray:
    return np.array(values, np.int64)

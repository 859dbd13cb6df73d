"""Convolutions and pooling."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    yield from convolutions()
    yield from transposed()
    yield from pooling()


def convolutions() -> Iterator[Case]:
    n = Numbers("Conv")
    x, w, b = n.floats(1, 3, 6, 7), n.floats(4, 3, 3, 3, low=-1, high=1), n.floats(4)
    for opset in history("Conv"):
        yield case("Conv", "plain", [x, w, b], opset=opset)
    yield case("Conv", "constant_weights", [n.floats(2, 3, 5, 5), w, b], constants=(1, 2), is_batched=True, pads=[1, 1, 1, 1])
    yield case("Conv", "no_bias", [x, w])
    yield case("Conv", "strides", [x, w, b], strides=[2, 1], pads=[1, 0, 1, 2])
    yield case("Conv", "dilations", [x, w, b], dilations=[2, 2], pads=[2, 2, 2, 2])
    yield case("Conv", "asymmetric_pads", [x, w, b], pads=[0, 1, 2, 3])
    for auto_pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        yield case("Conv", auto_pad.lower(), [x, w, b], auto_pad=auto_pad, strides=[2, 2])
    yield case("Conv", "same_upper_even_kernel", [x, n.floats(4, 3, 2, 4)], auto_pad="SAME_UPPER")
    yield case("Conv", "pointwise", [x, n.floats(5, 3, 1, 1), n.floats(5)], constants=(1, 2))
    yield case("Conv", "pointwise_strided", [x, n.floats(5, 3, 1, 1)], strides=[2, 2])
    yield case("Conv", "groups", [n.floats(2, 4, 5, 5), n.floats(6, 2, 3, 3), n.floats(6)], group=2, pads=[1, 1, 1, 1])
    yield case("Conv", "depthwise", [n.floats(1, 4, 5, 6), n.floats(4, 1, 3, 3), n.floats(4)], constants=(1, 2), group=4, pads=[1, 1, 1, 1])
    yield case("Conv", "depthwise_multiplier", [n.floats(1, 3, 5, 5), n.floats(6, 1, 3, 3)], group=3)
    yield case("Conv", "one_dimension", [n.floats(2, 3, 9), n.floats(4, 3, 3), n.floats(4)], strides=[2], pads=[1, 1], dilations=[2])
    yield case("Conv", "one_dimension_same_upper", [n.floats(1, 2, 8), n.floats(3, 2, 4)], auto_pad="SAME_UPPER", strides=[3])
    yield case("Conv", "one_dimension_groups", [n.floats(1, 4, 8), n.floats(4, 2, 3)], opset=11, group=2)
    yield case("Conv", "wide", [n.floats(1, 16, 12, 12), n.floats(24, 16, 3, 3, low=-0.2, high=0.2), n.floats(24)], constants=(1, 2), pads=[1, 1, 1, 1])


def transposed() -> Iterator[Case]:
    n = Numbers("ConvTranspose")
    x, w, b = n.floats(1, 3, 4, 5), n.floats(3, 2, 3, 3, low=-1, high=1), n.floats(2)
    for opset in history("ConvTranspose"):
        yield case("ConvTranspose", "plain", [x, w, b], opset=opset)
    yield case("ConvTranspose", "strides", [x, w, b], strides=[2, 3])
    yield case("ConvTranspose", "output_padding", [x, w], strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    yield case("ConvTranspose", "asymmetric_pads", [x, w, b], strides=[2, 2], pads=[0, 1, 2, 1])
    yield case("ConvTranspose", "dilations", [x, w], dilations=[2, 1])
    yield case("ConvTranspose", "output_shape", [x, w, b], strides=[2, 2], output_shape=[10, 11])
    yield case("ConvTranspose", "same_upper", [x, w, b], strides=[2, 2], auto_pad="SAME_UPPER")
    yield case("ConvTranspose", "same_lower", [x, w, b], strides=[2, 2], auto_pad="SAME_LOWER")
    yield case("ConvTranspose", "groups", [n.floats(2, 4, 3, 3), n.floats(4, 3, 2, 2), n.floats(6)], group=2, strides=[2, 2])
    yield case("ConvTranspose", "one_dimension", [n.floats(2, 3, 5), n.floats(3, 2, 4), n.floats(2)], strides=[2], pads=[1, 1])
    yield case("ConvTranspose", "constant_weights", [n.floats(2, 3, 4, 4), w, b], constants=(1, 2), is_batched=True, strides=[2, 2])


def pooling() -> Iterator[Case]:
    for op_type in ("MaxPool", "AveragePool"):
        n = Numbers(op_type)
        x = n.floats(2, 3, 6, 7)
        for opset in history(op_type):
            yield case(op_type, "plain", [x], opset=opset, kernel_shape=[2, 3])
        yield case(op_type, "strides", [x], kernel_shape=[3, 3], strides=[2, 2])
        yield case(op_type, "pads", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], is_batched=True)
        yield case(op_type, "asymmetric_pads", [x], kernel_shape=[3, 3], pads=[0, 1, 1, 0])
        # The attribute's rounding loses a window that would start in the padding: not everybody agrees on it, ONNX does.
        yield case(op_type, "ceil_mode", [x], opset=11, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        yield case(op_type, "ceil_mode_pads", [x], kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 1, 1], ceil_mode=1)
        for auto_pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
            yield case(op_type, auto_pad.lower(), [x], kernel_shape=[2, 2], strides=[2, 2], auto_pad=auto_pad)
        yield case(op_type, "one_dimension", [n.floats(2, 3, 9)], kernel_shape=[3], strides=[2], pads=[1, 1])
        yield case(op_type, "negative", [n.floats(1, 1, 4, 4, low=-9, high=-1)], kernel_shape=[2, 2], pads=[1, 1, 1, 1])
    n = Numbers("pool attributes")
    x = n.floats(1, 2, 6, 6)
    yield case("MaxPool", "dilations", [x], opset=12, kernel_shape=[2, 2], dilations=[2, 2])
    yield case("MaxPool", "dilations_ceil", [x], kernel_shape=[3, 3], dilations=[2, 2], strides=[2, 2], ceil_mode=1)
    yield case("MaxPool", "indices", [x], opset=12, kernel_shape=[2, 2], strides=[2, 2], n_outputs=2)
    yield case("AveragePool", "count_include_pad", [x], opset=11, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    yield case("AveragePool", "count_include_pad_ceil", [n.floats(1, 1, 5, 5)], kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1, ceil_mode=1)
    yield case("AveragePool", "dilations", [x], opset=19, kernel_shape=[2, 2], dilations=[2, 2])
    for op_type in ("GlobalAveragePool", "GlobalMaxPool"):
        n = Numbers(op_type)
        for opset in history(op_type):
            yield case(op_type, "image", [n.floats(2, 3, 4, 5)], opset=opset)
        yield case(op_type, "one_dimension", [n.floats(2, 3, 5)], opset=13, is_batched=True)
        yield case(op_type, "negative", [n.floats(1, 2, 3, 3, low=-9, high=-1)], opset=13)

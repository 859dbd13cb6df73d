"""Pictures: Col2Im, ImageDecoder."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from .case import Case, Numbers, case


def cases() -> Iterator[Case]:
    n = Numbers("Col2Im")
    yield case("Col2Im", "overlapping", [n.floats(2, 8, 12), np.array([4, 5]), np.array([2, 2])], opset=18)
    strided = {"strides": [2, 1], "pads": [1, 0, 0, 1], "dilations": [1, 2]}
    yield case("Col2Im", "strided", [n.floats(1, 12, 8), np.array([4, 5]), np.array([3, 2])], opset=18, **strided)
    yield case("Col2Im", "volume", [n.floats(1, 8, 4), np.array([3, 3, 2]), np.array([2, 2, 2])], opset=18)
    pixels = n.ints(3, 5, 3, low=0, high=256, dtype=np.uint8)
    for name, file in (("ppm", ppm(pixels)), ("bmp", bmp(pixels)), ("png", png(pixels)), ("png_with_alpha", png(with_alpha(pixels)))):
        yield decoded(f"{name}_rgb", file, pixels)
    yield decoded("png_bgr", png(pixels), pixels[:, :, ::-1], pixel_format="BGR")
    gray = n.ints(3, 5, 1, low=0, high=256, dtype=np.uint8)
    yield decoded("png_gray", png(gray), gray, pixel_format="Grayscale")
    yield decoded("png_gray_as_rgb", png(gray), np.repeat(gray, 3, axis=2))


def decoded(variant: str, file: bytes, pixels: np.ndarray, **attributes) -> Case:
    """ONNX Runtime decodes no images, but these formats lose nothing: the pixels are those that went in."""
    made = case("ImageDecoder", variant, [np.frombuffer(file, np.uint8)], opset=20, **attributes)
    return replace(made, known=[np.ascontiguousarray(pixels)])


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    alpha = np.arange(pixels.shape[0] * pixels.shape[1], dtype=np.uint8).reshape(*pixels.shape[:2], 1)
    return np.concatenate([pixels, alpha], axis=2)


def ppm(pixels: np.ndarray) -> bytes:
    height, width, _ = pixels.shape
    return f"P6\n{width} {height}\n255\n".encode() + pixels.tobytes()


def bmp(pixels: np.ndarray) -> bytes:
    """Rows from the bottom up, blue first, each padded to four bytes."""
    height, width, _ = pixels.shape
    padding = bytes(-3 * width % 4)
    rows = b"".join(row[:, ::-1].tobytes() + padding for row in pixels[::-1])
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(rows), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(rows), 0, 0, 14 + len(header)) + header + rows


def png(pixels: np.ndarray) -> bytes:
    height, width, channels = pixels.shape
    color_type = {1: 0, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

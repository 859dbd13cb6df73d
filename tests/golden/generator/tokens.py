"""Tokenizer (characters, patterns, separators) and MurmurHash3 of com.microsoft."""

from collections.abc import Iterator

import numpy as np
from onnx import helper

from .case import Case

TEXTS = np.array(["The ship, at dawn;  sails", "naïve café", "", "a1 b22 c333"], dtype=object)


def cases() -> Iterator[Case]:
    def tokenizer(variant: str, x: np.ndarray = TEXTS, mark: int = 0, min_chars: int = 1, **attributes) -> Case:
        node = helper.make_node("Tokenizer", ["x"], ["y"], name="tokenizer", domain="com.microsoft", mark=mark, pad_value="#", mincharnum=min_chars, **attributes)
        return Case(name=f"tokenizer_{variant}", nodes=[node], inputs={"x": x}, outputs=["y"], opset=21)

    yield tokenizer("characters", separators=[""])
    yield tokenizer("characters_marked", x=TEXTS.reshape(2, 2), mark=1, tokenexp=".")
    yield tokenizer("words", tokenexp="[a-zA-Z0-9_]+")
    yield tokenizer("words_of_two", x=TEXTS.reshape(2, 2), min_chars=2, tokenexp="\\w+")
    yield tokenizer("longest", tokenexp="a|at|sa|sail|c3|c333", mark=1)
    yield tokenizer("separators", separators=[" ", ",", ";"])
    yield tokenizer("separators_of_two", min_chars=2, separators=["[ ,;]+", "\\d"])
    yield tokenizer("nothing_left", x=np.array(["  ", " "], dtype=object), separators=[" "])
    yield tokenizer("no_strings", x=np.array([], dtype=object).reshape(0, 2), separators=[" "])

    for dtype in (np.int32, np.int64, np.float32, np.float64):
        yield hashed(np.dtype(dtype).name, np.array([0, 1, -7, 123456], dtype=dtype))
    yield hashed("strings", np.array(["", "a", "abcd", "naïve words"], dtype=object))
    yield hashed("signed_seed", np.array(["", "a", "abcd", "naïve words"], dtype=object), seed=42, positive=0)


def hashed(variant: str, x: np.ndarray, **attributes) -> Case:
    node = helper.make_node("MurmurHash3", ["x"], ["y"], name="hash", domain="com.microsoft", **attributes)
    return Case(name=f"murmur_hash3_{variant}", nodes=[node], inputs={"x": x}, outputs=["y"], opset=21)

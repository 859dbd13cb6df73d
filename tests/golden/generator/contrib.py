"""Operators of the domain com.microsoft that ONNX Runtime's optimiser makes of several standard ones."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from .case import Case, Numbers, case

standard_case = case
case = partial(case, domain="com.microsoft", opset=21)


def cases() -> Iterator[Case]:
    yield from activations()
    yield from products()
    yield from normalizations()
    yield from embeddings()
    yield from attention()
    yield from multi_head_attention()


def activations() -> Iterator[Case]:
    n = Numbers("Gelu")
    x = n.floats(3, 4, 8, low=-4, high=4)
    yield case("Gelu", "plain", [x])
    yield case("BiasGelu", "plain", [x, n.floats(8)])
    yield case("FastGelu", "bias", [x, n.floats(8)])
    yield case("FastGelu", "no_bias", [x])
    yield case("QuickGelu", "plain", [x])
    yield case("QuickGelu", "silu", [x], alpha=1.0)


def products() -> Iterator[Case]:
    n = Numbers("FusedMatMul")
    yield case("FusedMatMul", "alpha", [n.floats(3, 4), n.floats(4, 5)], alpha=0.25)
    yield case("FusedMatMul", "trans_b", [n.floats(2, 3, 4), n.floats(2, 5, 4)], transB=1, alpha=-2.0)
    yield case("FusedMatMul", "trans_a_constant", [n.floats(4, 3), n.floats(4, 5)], constants=(1,), transA=1)
    yield case("FusedMatMul", "trans_batch_a", [n.floats(3, 2, 4), n.floats(2, 4, 5)], transBatchA=1)
    yield case("FusedMatMul", "trans_batch_both", [n.floats(4, 2, 3), n.floats(5, 2, 4)], transA=1, transB=1, transBatchA=1, transBatchB=1)

    n = Numbers("FusedGemm")
    for activation, parameters in (
        ("Relu", {}),
        ("Tanh", {}),
        ("Sigmoid", {}),
        ("LeakyRelu", {"activation_alpha": 0.2}),
        ("Elu", {"activation_alpha": 0.7}),
        ("HardSigmoid", {"activation_alpha": 0.3, "activation_beta": 0.4}),
        ("Softplus", {}),
    ):
        inputs = [n.floats(3, 4), n.floats(5, 4), n.floats(5)]
        yield case("FusedGemm", activation.lower(), inputs, constants=(1, 2), transB=1, activation=activation, **parameters)

    n = Numbers("FusedConv")
    x, w, b = n.floats(2, 3, 6, 5), n.floats(4, 3, 3, 3), n.floats(4)
    window = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [1, 1], "dilations": [1, 1], "group": 1}
    for activation, params in (("Relu", None), ("LeakyRelu", [0.1]), ("Clip", [-0.5, 1.5]), ("HardSigmoid", [0.2, 0.5]), ("Tanh", None), ("Sigmoid", None)):
        attributes = {"activation": activation} | ({"activation_params": params} if params else {})
        yield case("FusedConv", activation.lower(), [x, w, b], constants=(1, 2), **attributes, **window)
    yield case("FusedConv", "addend", [x, w, b, n.floats(2, 4, 6, 5)], constants=(1, 2), activation="Relu", **window)


def normalizations() -> Iterator[Case]:
    n = Numbers("SkipLayerNormalization")
    x, skip, gamma, beta, bias = n.floats(2, 3, 8), n.floats(2, 3, 8), n.floats(8), n.floats(8), n.floats(8)
    yield case("SkipLayerNormalization", "plain", [x, skip, gamma, beta])
    yield case("SkipLayerNormalization", "bias", [x, skip, gamma, beta, bias], epsilon=1e-3)
    yield case("SkipLayerNormalization", "no_beta", [x, skip, gamma])
    yield case("SkipLayerNormalization", "shared_skip", [x, skip[0], gamma, beta])
    sums = {"outputs": ["y", "", "", "sum"]}
    yield case("SkipLayerNormalization", "sum", [x, skip, gamma, beta, bias], **sums)
    half = [value.astype(np.float16) for value in (x[1:], skip[1:], gamma, beta)]
    yield case("SkipLayerNormalization", "float16", half)
    yield case("SkipSimplifiedLayerNormalization", "plain", [x, skip, gamma])
    yield case("SkipSimplifiedLayerNormalization", "sum", [x, skip, gamma, bias], epsilon=1e-3, **sums)
    for name, inputs in (("plain", [x, gamma]), ("float16", [half[0], half[2]])):
        simplified = standard_case("SimplifiedLayerNormalization", name, inputs, opset=17, axis=-1, epsilon=1e-5, stash_type=1)
        yield replace(simplified, is_standard=False)


def embeddings() -> Iterator[Case]:
    n = Numbers("EmbedLayerNormalization")
    batch, length, width = 3, 5, 8
    words, positions, segments = n.floats(20, width), n.floats(7, width), n.floats(2, width)
    gamma, beta = n.floats(width), n.floats(width)
    ids = n.ints(batch, length, low=0, high=20, dtype=np.int32)
    kinds = n.ints(batch, length, low=0, high=2, dtype=np.int32)
    mask = (np.arange(length)[None, :] < np.array([[5], [2], [4]])).astype(np.int32)
    tables = [words, positions, segments, gamma, beta]
    constants = (2, 3, 4, 5, 6)
    yield case("EmbedLayerNormalization", "mask", [ids, kinds, *tables, mask], constants=constants, n_outputs=2)
    yield case("EmbedLayerNormalization", "no_segments", [ids, None, words, positions, None, gamma, beta], n_outputs=2)
    places = n.ints(1, length, low=0, high=7, dtype=np.int32)
    everything = [ids, kinds, *tables, None, places]
    yield case("EmbedLayerNormalization", "sum", everything, constants=constants, outputs=["y", "kept", "sum"], epsilon=1e-5)


def attention() -> Iterator[Case]:
    n = Numbers("Attention")
    batch, length, width, heads = 2, 4, 8, 2
    x, w, b = n.floats(batch, length, width), n.floats(width, 3 * width), n.floats(3 * width)
    plain = {"constants": (1, 2), "num_heads": heads}
    yield case("Attention", "plain", [x, w, b], **plain)
    yield case("Attention", "causal", [x, w, b], unidirectional=1, **plain)
    mask = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], np.int32)
    yield case("Attention", "mask", [x, w, b, mask], **plain)
    yield case("Attention", "mask_per_query", [x, w, b, n.ints(batch, length, length, low=0, high=2, dtype=np.int32)], **plain)
    yield case("Attention", "lengths", [x, w, b, np.array([3, 1], np.int32)], **plain)
    yield case("Attention", "ends_and_starts", [x, w, b, np.array([4, 3, 1, 0], np.int32)], **plain)
    yield case("Attention", "causal_mask", [x, w, b, mask], unidirectional=1, mask_filter_value=-1000.0, **plain)
    bias = n.floats(1, heads, length, length)
    yield case("Attention", "bias_and_scale", [x, w, b, None, None, bias], scale=0.4, **plain)
    past = n.floats(2, batch, heads, 3, width // heads)
    yield case("Attention", "past", [x, w, b, None, past], n_outputs=2, unidirectional=1, **plain)
    sizes = {"qkv_hidden_sizes": [8, 8, 4], "num_heads": heads, "constants": (1, 2)}
    yield case("Attention", "value_width", [x, n.floats(width, 20), n.floats(20)], **sizes)


def multi_head_attention() -> Iterator[Case]:
    n = Numbers("MultiHeadAttention")
    batch, queries, keys, width, heads = 2, 3, 5, 8, 2
    q, k, v = n.floats(batch, queries, width), n.floats(batch, keys, width), n.floats(batch, keys, width)
    bias = n.floats(3 * width)
    yield case("MultiHeadAttention", "plain", [q, k, v], num_heads=heads)
    yield case("MultiHeadAttention", "bias", [q, k, v, bias], num_heads=heads)
    yield case("MultiHeadAttention", "value_width", [q, k, n.floats(batch, keys, 4)], num_heads=heads)
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32)
    yield case("MultiHeadAttention", "mask", [q, k, v, None, mask], num_heads=heads)
    yield case("MultiHeadAttention", "lengths", [q, k, v, None, np.array([2, 5], np.int32)], num_heads=heads)
    scores = n.floats(batch, heads, queries, keys)
    yield case("MultiHeadAttention", "attention_bias", [q, k, v, None, None, scores], num_heads=heads, scale=0.3)
    pasts = [n.floats(batch, heads, 4, width // heads) for _ in range(2)]
    step = n.floats(batch, queries, width)
    inputs = [q, step, step, None, None, None, *pasts]
    yield case("MultiHeadAttention", "past", inputs, num_heads=heads, n_outputs=3, unidirectional=1)
    cross = [n.floats(batch, heads, keys, width // heads) for _ in range(2)]
    yield case("MultiHeadAttention", "keys_by_head", [q, *cross], num_heads=heads)

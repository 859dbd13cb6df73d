"""Attention and what goes with it in a transformer."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case

BATCH, HEADS, QUERIES, KEYS, SIZE, VALUE_SIZE = 2, 4, 3, 5, 4, 2


def heads(n: Numbers, key_heads: int = HEADS, keys: int = KEYS) -> list[np.ndarray]:
    query = n.floats(BATCH, HEADS, QUERIES, SIZE)
    return [query, n.floats(BATCH, key_heads, keys, SIZE), n.floats(BATCH, key_heads, keys, VALUE_SIZE)]


def cases() -> Iterator[Case]:
    n = Numbers("Attention")
    for opset in (23, 24):
        yield case("Attention", "plain", heads(n), opset=opset)
        yield case("Attention", "causal", heads(n, keys=QUERIES), opset=opset, is_causal=1)
        yield case("Attention", "grouped", heads(n, key_heads=2), opset=opset, scale=0.3)
    for rank, shape in enumerate([(QUERIES, KEYS), (HEADS, QUERIES, KEYS), (BATCH, 1, QUERIES, KEYS)]):
        yield case("Attention", f"mask{rank}", [*heads(n), n.floats(*shape)], opset=24)
        yield case("Attention", f"bool_mask{rank}", [*heads(n), n.rng.random(shape) < 0.8], opset=24)
    yield case("Attention", "softcap", [*heads(n), n.floats(QUERIES, KEYS)], opset=24, softcap=1.5)
    past = [n.floats(BATCH, HEADS, 2, SIZE), n.floats(BATCH, HEADS, 2, VALUE_SIZE)]
    yield case("Attention", "past", [*heads(n), None, *past], opset=24, n_outputs=3)
    for mode in range(4):
        inputs = [*heads(n), n.floats(QUERIES, KEYS)]
        yield case("Attention", f"shown{mode}", inputs, opset=24, outputs=["y", "", "", "scores"], qk_matmul_output_mode=mode)
    merged = [n.floats(BATCH, QUERIES, HEADS * SIZE), n.floats(BATCH, KEYS, 2 * SIZE), n.floats(BATCH, KEYS, 2 * VALUE_SIZE)]
    yield case("Attention", "merged", merged, opset=24, q_num_heads=HEADS, kv_num_heads=2)

    n = Numbers("RotaryEmbedding")
    positions, table = n.ints(2, 3, low=0, high=6), [n.floats(6, 2, low=-1, high=1), n.floats(6, 2, low=-1, high=1)]
    for interleaved in (0, 1):
        yield case("RotaryEmbedding", f"positions{interleaved}", [n.floats(2, 3, 3, 4), *table, positions], interleaved=interleaved)
        partial = [n.floats(2, 2, 3, 6), *table, positions]
        yield case("RotaryEmbedding", f"partial{interleaved}", partial, interleaved=interleaved, rotary_embedding_dim=4, num_heads=2)
    steps = [n.floats(2, 3, 2, low=-1, high=1), n.floats(2, 3, 2, low=-1, high=1)]
    yield case("RotaryEmbedding", "merged", [n.floats(2, 3, 8), *steps], num_heads=2)

    n = Numbers("TensorScatter")
    yield case("TensorScatter", "linear", [n.floats(2, 3, 6, 2), n.floats(2, 3, 2, 2), np.array([1, 4])], opset=24)
    yield case("TensorScatter", "circular", [n.floats(2, 6, 2), n.floats(2, 3, 2), np.array([5, 2])], opset=24, axis=1, mode="circular")
    yield case("TensorScatter", "start", [n.ints(2, 4, 3), n.ints(2, 2, 3)], opset=24)

    n = Numbers("LinearAttention")
    for rule in ("linear", "gated", "delta", "gated_delta"):
        inputs = [n.floats(2, 3, 4 * 2, low=-1, high=1), n.floats(2, 3, 2 * 2, low=-1, high=1), n.floats(2, 3, 2 * 3)]
        gates = [n.floats(2, 3, 2, low=-1, high=0) if "gated" in rule else None, n.floats(2, 3, 2, low=0, high=1) if "delta" in rule else None]
        inputs += [n.floats(2, 2, 2, 3), *gates]
        while inputs[-1] is None:
            inputs.pop()
        yield case("LinearAttention", rule, inputs, opset=27, is_newer=True, n_outputs=2, q_num_heads=4, kv_num_heads=2, update_rule=rule)
    n = Numbers("CausalConvWithState")
    plain = [n.floats(2, 3, 5), n.floats(3, 1, 4)]
    yield case("CausalConvWithState", "plain", plain, opset=27, is_newer=True, n_outputs=2)
    yield case("CausalConvWithState", "silu", [*plain, n.floats(3), n.floats(2, 3, 3)], opset=27, is_newer=True, n_outputs=2, activation="silu")

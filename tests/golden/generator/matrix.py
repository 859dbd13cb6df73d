"""Matrix products."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case, history


def cases() -> Iterator[Case]:
    n = Numbers("MatMul")
    for opset in history("MatMul"):
        yield case("MatMul", "matrices", [n.floats(3, 4), n.floats(4, 5)], opset=opset)
    yield case("MatMul", "constant", [n.floats(6, 20), n.floats(20, 7)], constants=(1,), is_batched=True)
    yield case("MatMul", "vector_matrix", [n.floats(4), n.floats(4, 5)])
    yield case("MatMul", "matrix_vector", [n.floats(3, 4), n.floats(4)])
    yield case("MatMul", "dot", [n.floats(4), n.floats(4)])
    yield case("MatMul", "batches", [n.floats(2, 3, 4), n.floats(2, 4, 5)])
    yield case("MatMul", "broadcast_batches", [n.floats(2, 1, 3, 4), n.floats(3, 4, 2)])
    yield case("MatMul", "batch_constant", [n.floats(2, 3, 4), n.floats(4, 5)], constants=(1,))
    yield case("MatMul", "empty_batch", [n.floats(0, 4), n.floats(4, 5)])
    yield case("MatMul", "empty_inner", [n.floats(3, 0), n.floats(0, 5)])
    yield case("MatMul", "large", [n.floats(37, 65), n.floats(65, 33)])
    n = Numbers("Gemm")
    for opset in history("Gemm"):
        yield case("Gemm", "plain", [n.floats(3, 4), n.floats(4, 5), n.floats(5)], opset=opset)
        yield case("Gemm", "trans_b", [n.floats(3, 4), n.floats(5, 4), n.floats(1, 5)], opset=opset, transB=1)
    yield case("Gemm", "constant_weights", [n.floats(6, 20), n.floats(9, 20), n.floats(9)], constants=(1, 2), is_batched=True, transB=1)
    yield case("Gemm", "alpha_beta", [n.floats(3, 4), n.floats(4, 5), n.floats(3, 5)], alpha=0.5, beta=-2.0)
    yield case("Gemm", "trans_a", [n.floats(4, 3), n.floats(4, 5), n.floats(3, 1)], transA=1)
    yield case("Gemm", "trans_both", [n.floats(4, 3), n.floats(5, 4), n.floats()], transA=1, transB=1)
    yield case("Gemm", "no_bias", [n.floats(3, 4), n.floats(4, 5)], opset=11)
    yield case("Gemm", "beta_zero", [n.floats(3, 4), n.floats(4, 5), n.floats(5)], beta=0.0)
    yield case("Gemm", "empty_batch", [n.floats(0, 4), n.floats(4, 5), n.floats(5)])
    yield case("Gemm", "float64", [n.floats(3, 4, dtype=np.float64), n.floats(4, 2, dtype=np.float64), n.floats(2, dtype=np.float64)])
    # ONNX Runtime has no Gemm of integers.
    n = Numbers("Gemm of integers")
    for dtype in (np.int32, np.int64, np.uint32, np.uint64):
        a, b, c = (n.ints(*shape, low=0, high=20, dtype=dtype) for shape in ((3, 4), (4, 5), (5,)))
        yield case("Gemm", np.dtype(dtype).name, [a, b, c], is_by_reference=True)
    a, b, c = (n.ints(*shape, low=0, dtype=np.int32) for shape in ((4, 3), (5, 4), (3, 1)))
    yield case("Gemm", "int32_scaled", [a, b, c], is_by_reference=True, alpha=0.5, beta=2.0, transA=1, transB=1)
    yield case("Gemm", "int32_without_c", [a, b], is_by_reference=True, transA=1, transB=1)

"""Operators of neural networks, images, signals and text."""

from collections.abc import Iterator

import numpy as np

from .recipe import Binding, Variant, ints, recipe
from .values import FLOATS, Values, number


@recipe("MatMul")
def matmul(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 4), b.t.plain(4, 5)])
    yield Variant("vector", [b.t.plain(4), b.t.plain(4, 2)])
    yield Variant("empty", [b.t.plain(2, 0), b.t.plain(0, 3)])
    if b.is_int:
        yield Variant("overflow", [np.full((2, 3), np.iinfo(b.t.dtype).max, b.t.dtype), b.t.positive(3, 2)])


@recipe("Gemm")
def gemm(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3), b.t.plain(3, 4), b.t.plain(4)])
    yield Variant("scaled", [b.t.plain(3, 2), b.t.plain(4, 3), b.t.plain(2, 1)], {"transA": 1, "transB": 1, "alpha": 2.0, "beta": 3.0})
    if b.opset >= 11:
        yield Variant("no_bias", [b.t.plain(2, 3), b.t.plain(3, 4)])


@recipe("Einsum")
def einsum(b: Binding) -> Iterator[Variant]:
    yield Variant("product", [b.t.plain(2, 3), b.t.plain(3, 4)], {"equation": "ij,jk->ik"})
    yield Variant("trace", [b.t.plain(3, 3)], {"equation": "ii->i"})
    yield Variant("sum", [b.t.plain(2, 3, 2)], {"equation": "bij->b"})


@recipe("MatMulInteger")
def matmul_integer(b: Binding) -> Iterator[Variant]:
    left, right = b.of("T1"), b.of("T2")
    yield Variant("plain", [left.plain(2, 3), right.plain(3, 4), np.asarray(left.dtype.type(3)), np.asarray(right.dtype.type(2))])
    yield Variant("edges", [left.edges().reshape(1, -1)[:, :8], right.edges().reshape(-1, 1)[:8]])


@recipe("ConvInteger")
def conv_integer(b: Binding) -> Iterator[Variant]:
    x, w = b.of("T1"), b.of("T2")
    yield Variant("plain", [x.plain(1, 2, 4, 4), w.plain(3, 2, 3, 3), np.asarray(x.dtype.type(1)), np.asarray(w.dtype.type(2))], {"pads": [1] * 4})


@recipe("Conv")
def conv(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 2, 5, 5), b.t.plain(3, 2, 3, 3), b.t.plain(3)], {"pads": [1] * 4})
    yield Variant("depthwise", [b.t.plain(1, 4, 6), b.t.plain(4, 1, 3)], {"group": 4, "strides": [2], "dilations": [2]})


@recipe("ConvTranspose")
def conv_transpose(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 2, 3, 3), b.t.plain(2, 3, 3, 3), b.t.plain(3)], {"strides": [2, 2]})


@recipe("DeformConv")
def deform_conv(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 1, 3, 3), b.t.plain(1, 1, 2, 2), b.t.plain(1, 8, 2, 2)], {"kernel_shape": [2, 2]})


@recipe("MaxPool", "AveragePool")
def pool(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 2, 5, 5)], {"kernel_shape": [3, 3], "pads": [1] * 4, "strides": [2, 2]})
    yield Variant("line", [b.t.plain(1, 2, 7)], {"kernel_shape": [3]} | ({"ceil_mode": 1, "strides": [2]} if b.opset >= 10 else {}))


@recipe("LpPool")
def lp_pool(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 2, 5, 5)], {"kernel_shape": [3, 3], "strides": [2, 2]})


@recipe("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 4, 4)])


@recipe("MaxUnpool")
def max_unpool(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T1").plain(1, 1, 2, 2), ints(5, 7, 13, 15).reshape(1, 1, 2, 2)], {"kernel_shape": [2, 2], "strides": [2, 2]})


@recipe("MaxRoiPool")
def max_roi_pool(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 1, 6, 6), np.array([[0, 1, 1, 4, 4]]).astype(b.t.dtype)], {"pooled_shape": [2, 2]})


@recipe("RoiAlign")
def roi_align(b: Binding) -> Iterator[Variant]:
    boxes = np.array([[0.5, 0.5, 4, 4]]).astype(b.of("T1").dtype)
    yield Variant("plain", [b.of("T1").plain(1, 1, 6, 6), boxes, ints(0)], {"output_height": 2, "output_width": 2, "sampling_ratio": 2})


@recipe("BatchNormalization")
def batch_normalization(b: Binding) -> Iterator[Variant]:
    x, scale, mean = b.of("T"), b.of("T1" if "T1" in b.types else "T"), b.of("T2" if "T2" in b.types else "U" if "U" in b.types else "T")
    yield Variant("plain", [x.plain(2, 3, 4), scale.plain(3), scale.plain(3), mean.plain(3), mean.positive(3)])


@recipe("InstanceNormalization")
def instance_normalization(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 6), b.t.plain(3), b.t.plain(3)])


@recipe("GroupNormalization")
def group_normalization(b: Binding) -> Iterator[Variant]:
    n = 4 if b.opset >= 21 else 2
    yield Variant("plain", [b.t.plain(2, 4, 5), b.t.plain(n), b.t.plain(n)], {"num_groups": 2})


@recipe("LayerNormalization")
def layer_normalization(b: Binding) -> Iterator[Variant]:
    if b.types["U"] == "float":
        yield Variant("plain", [b.of("T").plain(2, 6), b.of("T").plain(6), b.of("T").plain(6)], {}, 3)


@recipe("RMSNormalization")
def rms_normalization(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T").plain(2, 6), b.of("V").plain(6)])


@recipe("LRN")
def local_response_normalization(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 5, 3, 3)], {"size": 3, "alpha": 0.1})


@recipe("LpNormalization")
def lp_normalization(b: Binding) -> Iterator[Variant]:
    for p in (1, 2):
        yield Variant(f"p{p}", [b.t.positive(3, 4)], {"p": p, "axis": 1})


@recipe("MeanVarianceNormalization")
def mean_variance_normalization(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 4, 2)])


@recipe("RNN", "GRU", "LSTM")
def recurrent(b: Binding) -> Iterator[Variant]:
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[b.op_type]
    hidden = 2
    weights = [b.of("T").plain(1, gates * hidden, 3), b.of("T").plain(1, gates * hidden, hidden), b.of("T").plain(1, 2 * gates * hidden)]
    yield Variant("plain", [b.of("T").plain(4, 2, 3), *weights], {"hidden_size": hidden}, 3 if b.op_type == "LSTM" else 2)


@recipe("Attention")
def attention(b: Binding) -> Iterator[Variant]:
    key, value = b.of("T1"), b.of("T2")
    given = [key.plain(1, 2, 3, 4), key.plain(1, 2, 5, 4), value.plain(1, 2, 5, 4)]
    yield Variant("plain", given)
    mask = b.of("U")
    yield Variant("mask", [*given, mask.plain(3, 5)])


@recipe("RotaryEmbedding")
def rotary_embedding(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T").plain(1, 2, 3, 4), b.of("T").plain(3, 2)[None], b.of("T").plain(1, 3, 2)])


@recipe("CausalConvWithState")
def causal_conv(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(1, 2, 5), b.t.plain(2, 1, 3), b.t.plain(2), b.t.plain(1, 2, 2)], {}, 2)


@recipe("Resize")
def resize(b: Binding) -> Iterator[Variant]:
    x = b.of("T1" if "T1" in b.types else "T").plain(1, 1, 3, 4)
    scales = np.array([1, 1, 2, 1.5], np.float32)
    modes = ["nearest"] if x.dtype.kind in "bO" else ["nearest", "linear"]
    for mode in modes:
        if b.opset < 11:
            yield Variant(mode, [x, scales], {"mode": mode})
        else:
            yield Variant(mode, [x, b.of("T2").plain(0) if b.opset < 13 else None, scales], {"mode": mode})


@recipe("Upsample")
def upsample(b: Binding) -> Iterator[Variant]:
    x, scales = b.of("T").plain(1, 1, 3, 4), [1.0, 1.0, 2.0, 2.0]
    if b.opset < 9:
        yield Variant("nearest", [x], {"scales": scales})
    else:
        yield Variant("nearest", [x, np.array(scales, np.float32)])


@recipe("GridSample")
def grid_sample(b: Binding) -> Iterator[Variant]:
    x, grid = b.of("T1"), (np.array([[-1, -0.5], [0.25, 0.5], [0.75, -0.25], [1.5, 0]]).reshape(1, 2, 2, 2)).astype(b.of("T2").dtype)
    linear = "bilinear" if b.opset < 20 else "linear"
    for mode in ["nearest"] + ([linear] if x.name in FLOATS else []):
        yield Variant(mode, [x.plain(1, 1, 4, 4), grid], {"mode": mode})


@recipe("AffineGrid")
def affine_grid(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T1").plain(1, 2, 3), ints(1, 1, 3, 4)])


@recipe("Det")
def determinant(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.t.plain(2, 3, 3)])


@recipe("DFT")
def discrete_fourier_transform(b: Binding) -> Iterator[Variant]:
    length = np.asarray(6, Values(b.types["T2"], "").dtype)
    if b.opset >= 20:
        yield Variant("plain", [b.of("T1").plain(1, 6, 1), length, np.asarray(1)])
    else:
        yield Variant("plain", [b.of("T1").plain(1, 6, 1), length], {"axis": 1})


@recipe("STFT")
def short_time_fourier_transform(b: Binding) -> Iterator[Variant]:
    index = Values(b.types["T2"], "").dtype
    yield Variant("plain", [b.of("T1").plain(1, 16, 1), np.asarray(4, index), b.of("T1").positive(8), np.asarray(8, index)])


@recipe("BlackmanWindow", "HammingWindow", "HannWindow")
def window(b: Binding) -> Iterator[Variant]:
    size = np.asarray(8, Values(b.types["T1"], "").dtype)
    yield Variant("plain", [size], {"output_datatype": number(b.types["T2"])})
    yield Variant("symmetric", [size], {"output_datatype": number(b.types["T2"]), "periodic": 0})


@recipe("MelWeightMatrix")
def mel_weight_matrix(b: Binding) -> Iterator[Variant]:
    index, hertz = Values(b.types["T1"], "").dtype, b.of("T2").dtype
    sizes = [np.asarray(value, index) for value in (4, 16, 8000)]
    bounds = [np.asarray(hertz.type(value)) for value in (0, 4000)]
    yield Variant("plain", [*sizes, *bounds], {"output_datatype": number(b.types["T3"])})


@recipe("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def loss(b: Binding) -> Iterator[Variant]:
    target = np.array([0, 2, 1, 2], Values(b.types["Tind"], "").dtype)
    for reduction in ("mean", "sum", "none"):
        yield Variant(reduction, [b.of("T").plain(4, 3), target, b.of("T").positive(3)], {"reduction": reduction})


@recipe("QuantizeLinear")
def quantize_linear(b: Binding) -> Iterator[Variant]:
    x, scale, zero = b.of("T1"), b.of("T2" if b.opset >= 23 else "T1"), b.of("T3" if b.opset >= 23 else "T2")
    if b.opset < 19:
        scale = Values("float", "scale")
    if b.opset >= 23 and (b.types["T1"] != b.types["T2"] or zero.name not in ("uint8", "int8", "uint16", "int16")):
        return
    given = (np.arange(-8, 8) / 2).astype(x.dtype) if x.name in FLOATS else x.plain(12)
    yield Variant("plain", [given, np.asarray(scale.dtype.type(0.25)), np.asarray(zero.dtype.type(3))])
    big = np.array([-60000, -300, 300, 60000]).astype(x.dtype)
    yield Variant("saturated", [big, np.asarray(scale.dtype.type(0.25)), np.asarray(zero.dtype.type(3))])


@recipe("DequantizeLinear")
def dequantize_linear(b: Binding) -> Iterator[Variant]:
    x, scale = b.of("T1" if "T1" in b.types else "T"), b.of("T2") if b.opset >= 19 else Values("float", "scale")
    zero = np.asarray(x.dtype.type(0 if x.name == "int32" else 3))
    yield Variant("plain", [x.plain(3, 4), np.asarray(scale.dtype.type(0.25)), zero])
    yield Variant("edges", [x.edges(), np.asarray(scale.dtype.type(0.25)), zero])


@recipe("QLinearMatMul")
def qlinear_matmul(b: Binding) -> Iterator[Variant]:
    a, w, y = b.of("T1"), b.of("T2"), b.of("T3")
    scale = (b.of("TS") if "TS" in b.types else Values("float", "")).dtype.type
    if {a.name, w.name, y.name} <= {"int8", "uint8"}:
        quantized = lambda values, *shape: [values.plain(*shape), np.asarray(scale(0.25)), np.asarray(values.dtype.type(2))]
        yield Variant("plain", [*quantized(a, 2, 3), *quantized(w, 3, 4), np.asarray(scale(0.5)), np.asarray(y.dtype.type(1))])


@recipe("QLinearConv")
def qlinear_conv(b: Binding) -> Iterator[Variant]:
    x, w, y = b.of("T1"), b.of("T2"), b.of("T3")
    scale = lambda value: np.asarray(np.float32(value))
    quantized = lambda values, *shape: [values.plain(*shape), scale(0.25), np.asarray(values.dtype.type(2))]
    yield Variant("plain", [*quantized(x, 1, 2, 4, 4), *quantized(w, 3, 2, 3, 3), scale(0.5), np.asarray(y.dtype.type(1))])


@recipe("DynamicQuantizeLinear")
def dynamic_quantize_linear(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T1").plain(3, 4)], {}, 3)


@recipe("NonMaxSuppression")
def non_max_suppression(b: Binding) -> Iterator[Variant]:
    boxes = np.array([[[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 10, 1, 11]]], np.float32)
    scores = np.array([[[0.9, 0.75, 0.6]]], np.float32)
    yield Variant("plain", [boxes, scores, ints(2), np.array([0.5], np.float32), np.array([0.0], np.float32)])


@recipe("RegexFullMatch")
def regex_full_match(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [b.of("T1").plain(6)], {"pattern": "[A-Z]?[a-z]+"})


@recipe("StringNormalizer")
def string_normalizer(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [np.array(["red", "Green", "sky", "red", "blue"], dtype=object)], {"case_change_action": "UPPER", "is_case_sensitive": 1, "stopwords": ["red"]})


@recipe("StringSplit")
def string_split(b: Binding) -> Iterator[Variant]:
    yield Variant("plain", [np.array(["a b", " c  d e", ""], dtype=object)], {}, 2)


@recipe("TfIdfVectorizer")
def tf_idf_vectorizer(b: Binding) -> Iterator[Variant]:
    pool = {"pool_strings": ["red", "blue"]} if b.t.name == "string" else {"pool_int64s": [1, 5]}
    counts = {"mode": "TF", "min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0, "ngram_counts": [0], "ngram_indexes": [0, 1]}
    yield Variant("plain", [b.t.plain(12)], counts | pool)

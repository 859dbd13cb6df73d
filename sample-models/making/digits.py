"""A small convolutional network that reads handwritten digits, trained here in plain numpy."""

import numpy as np
import onnx
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits

from .sample import Column, Sample, finish

EPOCHS = 30
BATCH = 50
LEARNING_RATE = 2e-3
PIXELS = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]


class Network:
    """Two 3×3 convolutions with batch normalisation, a 2×2 maximum, two dense layers. Activations are [N, C, H, W]."""

    def __init__(self, rng: np.random.Generator) -> None:
        def he(*shape: int) -> np.ndarray:
            return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)

        self.weights = {
            "conv1.weight": he(12, 1, 3, 3),
            "norm1.scale": np.ones(12),
            "norm1.bias": np.zeros(12),
            "conv2.weight": he(24, 12, 3, 3),
            "norm2.scale": np.ones(24),
            "norm2.bias": np.zeros(24),
            "dense1.weight": he(32, 24 * 4 * 4),
            "dense1.bias": np.zeros(32),
            "dense2.weight": he(10, 32),
            "dense2.bias": np.zeros(10),
        }
        self.running = {"norm1.mean": np.zeros(12), "norm1.variance": np.ones(12), "norm2.mean": np.zeros(24), "norm2.variance": np.ones(24)}

    def gradients(self, images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        """Gradients of the mean cross-entropy over one batch; updates the running statistics on the way."""
        w, grads = self.weights, {}
        c1, cache_c1 = convolve(images, w["conv1.weight"])
        n1, cache_n1 = self.normalise("norm1", c1)
        a1 = np.maximum(n1, 0)
        c2, cache_c2 = convolve(a1, w["conv2.weight"])
        n2, cache_n2 = self.normalise("norm2", c2)
        a2 = np.maximum(n2, 0)
        n, c, h, wd = a2.shape
        windows = a2.reshape(n, c, h // 2, 2, wd // 2, 2)
        pooled = windows.max(axis=(3, 5))
        flat = pooled.reshape(n, -1)
        hidden = np.maximum(flat @ w["dense1.weight"].T + w["dense1.bias"], 0)
        logits = hidden @ w["dense2.weight"].T + w["dense2.bias"]
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        d_logits = exponents / exponents.sum(axis=1, keepdims=True)
        d_logits[np.arange(n), labels] -= 1
        d_logits /= n

        grads["dense2.weight"], grads["dense2.bias"] = d_logits.T @ hidden, d_logits.sum(axis=0)
        d_hidden = (d_logits @ w["dense2.weight"]) * (hidden > 0)
        grads["dense1.weight"], grads["dense1.bias"] = d_hidden.T @ flat, d_hidden.sum(axis=0)
        d_pooled = (d_hidden @ w["dense1.weight"]).reshape(pooled.shape)
        is_maximum = windows == pooled[:, :, :, None, :, None]
        d_a2 = (is_maximum * d_pooled[:, :, :, None, :, None] / is_maximum.sum(axis=(3, 5), keepdims=True)).reshape(a2.shape)
        d_c2, grads["norm2.scale"], grads["norm2.bias"] = self.normalise_backward("norm2", d_a2 * (n2 > 0), cache_n2)
        d_a1, grads["conv2.weight"] = convolve_backward(d_c2, w["conv2.weight"], cache_c2)
        d_c1, grads["norm1.scale"], grads["norm1.bias"] = self.normalise_backward("norm1", d_a1 * (n1 > 0), cache_n1)
        _, grads["conv1.weight"] = convolve_backward(d_c1, w["conv1.weight"], cache_c1)
        return grads

    def normalise(self, layer: str, x: np.ndarray) -> tuple[np.ndarray, tuple]:
        mean, variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
        for statistic, value in (("mean", mean), ("variance", variance)):
            self.running[f"{layer}.{statistic}"] = 0.9 * self.running[f"{layer}.{statistic}"] + 0.1 * value
        deviation = np.sqrt(variance + 1e-5)
        unit = (x - per_channel(mean)) / per_channel(deviation)
        return unit * per_channel(self.weights[f"{layer}.scale"]) + per_channel(self.weights[f"{layer}.bias"]), (unit, deviation)

    def normalise_backward(self, layer: str, d_out: np.ndarray, cache: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        unit, deviation = cache
        axes = (0, 2, 3)
        d_scale, d_bias = (d_out * unit).sum(axis=axes), d_out.sum(axis=axes)
        d_unit = d_out * per_channel(self.weights[f"{layer}.scale"])
        centred = d_unit - per_channel(d_unit.mean(axis=axes)) - unit * per_channel((d_unit * unit).mean(axis=axes))
        return centred / per_channel(deviation), d_scale, d_bias


def per_channel(values: np.ndarray) -> np.ndarray:
    return values[None, :, None, None]


def convolve(x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A 3×3 convolution that keeps height and width; also returns the patches that it multiplied."""
    patches = sliding_window_view(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", patches, weight, optimize=True), patches


def convolve_backward(d_out: np.ndarray, weight: np.ndarray, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    d_weight = np.einsum("nohw,nchwij->ocij", d_out, patches, optimize=True)
    # The gradient of a convolution is a convolution with the kernel turned by half a turn.
    d_x, _ = convolve(d_out, weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3))
    return d_x, d_weight


def train(images: np.ndarray, labels: np.ndarray) -> Network:
    """Adam on shuffled batches of the images, each moved by at most one pixel."""
    rng = np.random.default_rng(2026)
    network = Network(rng)
    first = {name: np.zeros_like(weight) for name, weight in network.weights.items()}
    second = {name: np.zeros_like(weight) for name, weight in network.weights.items()}
    step = 0
    for epoch in range(EPOCHS):
        rate = LEARNING_RATE * (1 - epoch / EPOCHS)
        for batch in np.array_split(rng.permutation(len(images)), len(images) // BATCH):
            step += 1
            shift = tuple(rng.integers(-1, 2, 2)) if rng.random() < 0.5 else (0, 0)
            for name, gradient in network.gradients(np.roll(images[batch], shift, axis=(2, 3)), labels[batch]).items():
                first[name] = 0.9 * first[name] + 0.1 * gradient
                second[name] = 0.999 * second[name] + 0.001 * gradient**2
                network.weights[name] -= rate * (first[name] / (1 - 0.9**step)) / (np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
    return network


def export(network: Network) -> onnx.ModelProto:
    """The trained network as PyTorch would export it: BatchNormalization stands after each convolution, for Drydock to fold."""
    nodes = [
        helper.make_node("Conv", ["image", "conv1.weight"], ["conv1"], name="conv1", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        batch_norm("norm1", "conv1"),
        helper.make_node("Relu", ["norm1"], ["relu1"], name="relu1"),
        helper.make_node("Conv", ["relu1", "conv2.weight"], ["conv2"], name="conv2", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        batch_norm("norm2", "conv2"),
        helper.make_node("Relu", ["norm2"], ["relu2"], name="relu2"),
        helper.make_node("MaxPool", ["relu2"], ["pool"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["pool"], ["flat"], name="flatten"),
        helper.make_node("Gemm", ["flat", "dense1.weight", "dense1.bias"], ["dense1"], name="dense1", transB=1),
        helper.make_node("Relu", ["dense1"], ["relu3"], name="relu3"),
        helper.make_node("Gemm", ["relu3", "dense2.weight", "dense2.bias"], ["logits"], name="dense2", transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], name="softmax", axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["digit"], name="argmax", axis=1, keepdims=0),
    ]
    initializers = [
        numpy_helper.from_array(value.astype(np.float32), name) for name, value in {**network.weights, **network.running}.items()
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [
            helper.make_tensor_value_info("digit", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 10]),
        ],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def batch_norm(name: str, source: str) -> onnx.NodeProto:
    inputs = [source, f"{name}.scale", f"{name}.bias", f"{name}.mean", f"{name}.variance"]
    return helper.make_node("BatchNormalization", inputs, [name], name=name, epsilon=1e-5)


def digits() -> Sample:
    data = load_digits()
    images = data.images.astype(np.int64)
    # As scikit-learn's own example splits it: the writers of the last third wrote none of the first two.
    reference, new, drifted = slice(0, 1000), slice(1000, 1400), slice(1400, 1797)
    network = train(images[reference, None].astype(np.float64), data.target[reference])
    description = "Reads a handwritten digit from a picture of 8 × 8 pixels."
    # A scanner with a weak lamp: strokes keep 60 % of their ink, and everything slides down by one pixel.
    faded = np.roll((images[drifted] * 0.6).round().astype(np.int64), 1, axis=1)
    faded[:, 0] = 0
    return Sample(
        model=finish(export(network), "digits", description),
        contract={
            "name": "digits",
            "version": 1,
            "description": description,
            "task": "classification",
            "target": "digit",
            "labels": [str(digit) for digit in range(10)],
            "prediction_output": "digit",
            "probability_output": "probabilities",
        },
        image={"input": "image", "width": 8, "height": 8, "channels": 1, "channels_first": True, "scale": 16 / 255, "invert": True},
        columns=[Column(name, "image", position, "integer", min=0, max=16, default="0") for position, name in enumerate(PIXELS)],
        reference=as_table(images[reference], data.target[reference]),
        new=as_table(images[new], data.target[new]),
        drifted=as_table(faded, data.target[drifted]),
        title="Digits",
        story=f"{description} A convolutional network (`Conv`, `BatchNormalization`, `Relu`, `MaxPool`, `Gemm`, `Softmax`), trained in numpy by "
        "the script. It takes tables with one column per pixel (0 = paper, 16 = ink) and pictures: `three.png` and `eight.png` are digits that "
        "it has not seen.",
        origin="Optical Recognition of Handwritten Digits: E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998, "
        "as scikit-learn ships it (`load_digits`).",
        drift="Strokes keep 60 % of their ink, and every digit sits one pixel lower: another scanner.",
        uses_scikit_learn_data=True,
        pictures={
            "three.png": picture(images[new], data.target[new], 3),
            "eight.png": picture(images[new], data.target[new], 8),
        },
        test_set_rows=60,
    )


def as_table(images: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame(images.reshape(len(images), 64), columns=PIXELS)
    table["digit"] = labels
    return table


def picture(images: np.ndarray, labels: np.ndarray, digit: int) -> Image.Image:
    """The first picture of a digit, dark on light, each pixel a square of 8 × 8."""
    ink = images[np.argmax(labels == digit)]
    grey = (255 - ink * 255 / 16).round().astype(np.uint8)
    return Image.fromarray(grey.repeat(8, axis=0).repeat(8, axis=1))


SAMPLES = {"digits": digits}

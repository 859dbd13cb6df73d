"""Support vector machines: every kernel, votes, probabilities and transformations of scores."""

from collections.abc import Iterator

import numpy as np

from .case import Case, Numbers, case

N_FEATURES = 3


def machine(seed: str, vectors_per_class: list[int], kernel: str, *, probabilities: bool = False) -> dict:
    """Attributes of a random classifier."""
    n = Numbers(seed)
    n_classes, n_vectors = len(vectors_per_class), sum(vectors_per_class)
    n_pairs = n_classes * (n_classes - 1) // 2
    attributes = {
        "kernel_type": kernel,
        "kernel_params": [0.5, 0.25, 3.0],
        "vectors_per_class": vectors_per_class,
        "support_vectors": n.floats(n_vectors * N_FEATURES).tolist(),
        "coefficients": n.floats((n_classes - 1) * n_vectors, low=-1, high=1).tolist(),
        "rho": n.floats(n_pairs, low=-0.3, high=0.3).tolist(),
        "classlabels_ints": list(range(3, 3 + n_classes)),
    }
    if probabilities:
        attributes |= {"prob_a": n.floats(n_pairs, low=-2, high=-0.5).tolist(), "prob_b": n.floats(n_pairs, low=-0.2, high=0.2).tolist()}
    return attributes


def cases() -> Iterator[Case]:
    x = Numbers("vectors").floats(7, N_FEATURES)
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
        yield case("SVMClassifier", f"{kernel.lower()}_three", [x], ml_opset=1, n_outputs=2, **machine(kernel, [3, 2, 4], kernel))
        yield case("SVMClassifier", f"{kernel.lower()}_two", [x], ml_opset=1, n_outputs=2, **machine(kernel + "2", [3, 4], kernel))
        yield case("SVMRegressor", kernel.lower(), [x], ml_opset=1, **regressor(kernel, 5, kernel))
    for transform in ("LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        yield case("SVMClassifier", f"{transform.lower()}_two", [x], ml_opset=1, n_outputs=2, post_transform=transform, **machine(transform, [3, 4], "RBF"))
        yield case("SVMClassifier", f"{transform.lower()}_four", [x], ml_opset=1, n_outputs=2, post_transform=transform, **machine(transform, [3, 1, 2, 2], "RBF"))
    for classes, name in (([3, 4], "two"), ([2, 3, 2, 4], "four")):
        yield case("SVMClassifier", f"probabilities_{name}", [x], ml_opset=1, n_outputs=2, **machine(name, classes, "RBF", probabilities=True))
    probit = machine("probit", [2, 2, 2], "RBF", probabilities=True)
    yield case("SVMClassifier", "probabilities_probit", [x], ml_opset=1, n_outputs=2, post_transform="PROBIT", **probit)
    texts = machine("texts", [2, 3], "LINEAR")
    del texts["classlabels_ints"]
    yield case("SVMClassifier", "strings_float64", [x.astype(np.float64)], ml_opset=1, n_outputs=2, classlabels_strings=["no", "yes"], **texts)
    for n_classes in (2, 3):
        for sign in ("mixed", "positive"):
            n = Numbers(f"{n_classes}{sign}")
            coefficients = n.floats(n_classes * N_FEATURES)
            coefficients = np.abs(coefficients) / 4 if sign == "positive" else coefficients
            attributes = {"coefficients": coefficients.tolist(), "rho": [0.1], "classlabels_ints": list(range(n_classes)), "kernel_type": "LINEAR", "kernel_params": [0.0, 0.0, 3.0]}
            yield case("SVMClassifier", f"no_vectors_{n_classes}_{sign}", [x], ml_opset=1, n_outputs=2, **attributes)
    yield case("SVMClassifier", "no_vectors_softmax", [x], ml_opset=1, n_outputs=2, post_transform="SOFTMAX", **attributes)
    yield case("SVMRegressor", "one_class", [x], ml_opset=1, one_class=1, **regressor("one", 4, "RBF"))
    yield case("SVMRegressor", "square", [x], ml_opset=1, **(regressor("square", 4, "POLY") | {"kernel_params": [0.5, 0.25, 2.0]}))
    yield case("SVMRegressor", "no_vectors", [x], ml_opset=1, n_supports=0, coefficients=[0.5, -1.0, 2.0], rho=[0.25], kernel_type="LINEAR", kernel_params=[0.0, 0.0, 3.0])


def regressor(seed: str, n_vectors: int, kernel: str) -> dict:
    n = Numbers("regressor" + seed)
    return {
        "kernel_type": kernel,
        "kernel_params": [0.5, 0.25, 3.0],
        "n_supports": n_vectors,
        "support_vectors": n.floats(n_vectors * N_FEATURES).tolist(),
        "coefficients": n.floats(n_vectors, low=-1, high=1).tolist(),
        "rho": [0.125],
    }

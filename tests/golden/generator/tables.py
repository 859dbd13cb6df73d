"""The operators of `ai.onnx.ml` that prepare tables, and linear models."""

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto, helper

from .case import Case, Numbers, case


def cases() -> Iterator[Case]:
    n = Numbers("Scaler")
    x = n.floats(4, 3)
    yield case("Scaler", "per_column", [x], ml_opset=1, offset=[0.5, -1.0, 0.0], scale=[2.0, 0.1, 1.0], is_batched=True)
    yield case("Scaler", "one_for_all", [x], ml_opset=3, offset=[0.5], scale=[2.0])
    yield case("Scaler", "int64", [n.ints(4, 3)], ml_opset=3, offset=[0.5, -1.0, 0.0], scale=[2.0, 0.1, 1.0])
    yield case("Scaler", "float64", [n.floats(4, 3, dtype=np.float64)], ml_opset=3, offset=[0.5, -1.0, 0.0], scale=[2.0, 0.1, 1.0])
    holes = x.copy()
    holes[0, 1] = holes[2, 0] = np.nan
    yield case("Imputer", "per_column", [holes], ml_opset=1, imputed_value_floats=[0.5, -1.0, 9.0], replaced_value_float=float("nan"), is_batched=True)
    yield case("Imputer", "one_for_all", [holes], ml_opset=3, imputed_value_floats=[0.5], replaced_value_float=float("nan"))
    yield case("Imputer", "a_number", [np.array([[-1, 2], [3, -1]], np.float32)], ml_opset=3, imputed_value_floats=[7.0, 8.0], replaced_value_float=-1.0)
    yield case("Imputer", "int64", [np.array([[-1, 2], [3, -1]])], ml_opset=3, imputed_value_int64s=[7, 8], replaced_value_int64=-1)
    for norm in ("MAX", "L1", "L2"):
        yield case("Normalizer", norm.lower(), [x], ml_opset=1, norm=norm)
        yield case("Normalizer", f"{norm.lower()}_zero_row", [np.array([[0, 0], [3, -4]], np.float32)], ml_opset=3, norm=norm)
    yield case("Normalizer", "int64", [n.ints(3, 2, low=1)], ml_opset=3, norm="L2")
    yield case("Binarizer", "default", [x], ml_opset=1)
    yield case("Binarizer", "threshold", [x], ml_opset=3, threshold=0.5, is_batched=True)
    yield from encoders()
    n = Numbers("FeatureVectorizer")
    yield case("FeatureVectorizer", "two", [n.floats(3, 2), n.floats(3, 3)], ml_opset=1, inputdimensions=[2, 3])
    yield case("FeatureVectorizer", "ints", [n.ints(3, 1), n.ints(3, 2)], ml_opset=3, inputdimensions=[1, 2])
    n = Numbers("ArrayFeatureExtractor")
    yield case("ArrayFeatureExtractor", "columns", [n.floats(3, 4), np.array([2, 0])], ml_opset=1)
    yield case("ArrayFeatureExtractor", "constant", [n.floats(3, 4), np.array([[3]])], ml_opset=3, constants=(1,), is_batched=True)
    yield case("ArrayFeatureExtractor", "int64", [n.ints(3, 4), np.array([1, 1])], ml_opset=3)
    yield case("ArrayFeatureExtractor", "strings", [n.words(1, 4), np.array([3, 1])], ml_opset=3)
    yield from linear()
    n = Numbers("ZipMap")
    yield case("ZipMap", "strings", [n.floats(3, 2)], ml_opset=1, classlabels_strings=["no", "yes"])
    yield case("ZipMap", "int64s", [n.floats(2, 3)], ml_opset=3, classlabels_int64s=[0, 1, 5])


def encoders() -> Iterator[Case]:
    n = Numbers("encoders")
    words = n.words(5, 1, choices=("red", "green", "blue"))
    yield case("OneHotEncoder", "strings", [words], ml_opset=1, cats_strings=["red", "green", "blue"], zeros=1, is_batched=True)
    yield case("OneHotEncoder", "unknown_strings", [np.array([["red"], ["mauve"], [""]], dtype=object)], ml_opset=3, cats_strings=["red", "green"], zeros=1)
    yield case("OneHotEncoder", "int64s", [n.ints(4, 2, low=0, high=4)], ml_opset=3, cats_int64s=[0, 1, 2], zeros=1)
    yield case("OneHotEncoder", "vector", [n.ints(4, low=0, high=3)], ml_opset=3, cats_int64s=[0, 1, 2])
    yield case("OneHotEncoder", "floats", [np.array([[1.0], [2.0], [7.0]], np.float32)], ml_opset=3, cats_int64s=[1, 2], zeros=1)
    for ml_opset in (2, 4):
        known = {"keys_strings": ["red", "green", "blue"]}
        yield case("LabelEncoder", "string_to_int", [words], ml_opset=ml_opset, **known, values_int64s=[10, 20, 30])
        yield case("LabelEncoder", "string_to_float", [words], ml_opset=ml_opset, **known, values_floats=[0.5, 1.5, -2.0])
        yield case("LabelEncoder", "string_to_string", [words], ml_opset=ml_opset, **known, values_strings=["r", "g", "b"])
        yield case("LabelEncoder", "int_to_string", [n.ints(5, low=0, high=4)], ml_opset=ml_opset, keys_int64s=[0, 1, 2], values_strings=["a", "b", "c"], default_string="?")
        yield case("LabelEncoder", "int_to_float", [n.ints(5, low=0, high=4)], ml_opset=ml_opset, keys_int64s=[0, 1, 2], values_floats=[0.1, 0.2, 0.3], default_float=-1.0)
        yield case("LabelEncoder", "float_to_int", [np.array([1, np.nan, 2.5, 9], np.float32)], ml_opset=ml_opset, keys_floats=[1.0, 2.5, float("nan")], values_int64s=[1, 2, 3])
        yield case("LabelEncoder", "unknown", [np.array(["mauve", "red"], dtype=object)], ml_opset=ml_opset, **known, values_int64s=[10, 20, 30], default_int64=-7)
    keys, values = helper.make_tensor("k", TensorProto.STRING, [2], [b"red", b"green"]), helper.make_tensor("v", TensorProto.DOUBLE, [2], [1.0, 2.0])
    default = helper.make_tensor("d", TensorProto.DOUBLE, [1], [-0.5])
    yield case("LabelEncoder", "tensors", [words], ml_opset=4, keys_tensor=keys, values_tensor=values, default_tensor=default)
    # The first version had one list of words, and went both ways.
    yield case("LabelEncoder", "classes_to_int", [words.reshape(-1)], ml_opset=1, classes_strings=["red", "green"], default_int64=-1)
    yield case("LabelEncoder", "int_to_classes", [np.array([1, 0, 5])], ml_opset=1, classes_strings=["red", "green"], default_string="none")


def linear() -> Iterator[Case]:
    n = Numbers("linear")
    x, weights = n.floats(5, 3), n.floats(2, 3)
    two, four = weights.reshape(-1).tolist(), n.floats(4 * 3).tolist()
    for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"):
        # The inverse of the normal distribution wants numbers between 0 and 1.
        given = n.floats(4, 1, low=0.1, high=0.9) if transform == "PROBIT" else x
        coefficients, intercepts, targets = ([1.0], [0.0], 1) if transform == "PROBIT" else (two, [0.5, -0.25], 2)
        yield case("LinearRegressor", f"{transform.lower()}", [given], ml_opset=1, coefficients=coefficients, intercepts=intercepts, targets=targets, post_transform=transform)
    yield case("LinearRegressor", "one_target", [x], ml_opset=3, coefficients=two[:3], intercepts=[7.0], is_batched=True)
    yield case("LinearRegressor", "no_intercept", [x], ml_opset=3, coefficients=two[:3])
    for transform in ("NONE", "LOGISTIC", "SOFTMAX"):
        yield case(
            "LinearClassifier",
            f"four_classes_{transform.lower()}",
            [x],
            ml_opset=1,
            n_outputs=2,
            coefficients=four,
            intercepts=[0.1, -0.2, 0.3, 0.0],
            classlabels_strings=["a", "b", "c", "d"],
            post_transform=transform,
            multi_class=0,
        )
        yield case(
            "LinearClassifier",
            f"two_classes_{transform.lower()}",
            [x],
            ml_opset=1,
            n_outputs=2,
            coefficients=[-value for value in two[:3]] + two[:3],
            intercepts=[-0.4, 0.4],
            classlabels_ints=[0, 1],
            post_transform=transform,
            multi_class=1,
        )
    # One row of coefficients for two classes: the other score is made up, in a way that depends on the labels.
    for transform in ("NONE", "LOGISTIC"):
        yield case("LinearClassifier", f"one_score_ints_{transform.lower()}", [x], ml_opset=1, n_outputs=2, coefficients=two[:3], intercepts=[0.4], classlabels_ints=[0, 1], post_transform=transform)
        yield case(
            "LinearClassifier", f"one_score_strings_{transform.lower()}", [x], ml_opset=1, n_outputs=2, coefficients=two[:3], intercepts=[0.4], classlabels_strings=["no", "yes"], post_transform=transform
        )
    yield case("LinearClassifier", "int64_input", [n.ints(3, 3)], ml_opset=3, n_outputs=2, coefficients=two, intercepts=[0.5, -0.5], classlabels_ints=[3, 8], post_transform="SOFTMAX")

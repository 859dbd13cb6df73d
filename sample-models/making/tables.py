"""Samples on the tables of measurements that scikit-learn ships: breast cancer, wine, diabetes."""

import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .sample import Sample, finish, number_columns

TARGET_OPSET = {"": 17, "ai.onnx.ml": 3}


def breast_cancer() -> Sample:
    data = load_breast_cancer()
    names = [name.replace(" ", "_") for name in data.feature_names]
    table = pd.DataFrame(data.data, columns=names)
    # scikit-learn has 0 = malignant; words are clearer, and `malignant` comes last as the class one looks for.
    table["diagnosis"] = np.where(data.target == 0, "malignant", "benign")
    reference, new, drifted = split(table, "diagnosis")
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=1000))
    classifier.fit(reference[names].to_numpy(np.float32), reference["diagnosis"])
    model = to_onnx(classifier, initial_types=[("measurements", FloatTensorType([None, 30]))], target_opset=TARGET_OPSET)
    description = "Says from thirty measurements of cell nuclei whether a breast mass is benign or malignant."
    # A microscope that magnifies more than it says: every length grows, and areas with its square.
    for name in names:
        if any(word in name for word in ("radius", "perimeter")):
            drifted[name] = (drifted[name] * 1.12).round(4)
        elif "area" in name:
            drifted[name] = (drifted[name] * 1.12**2).round(3)
    return Sample(
        model=finish(model, "breast-cancer", description),
        contract=classification("breast-cancer", description, "diagnosis", ["benign", "malignant"]),
        columns=number_columns(reference, names, "measurements", {}),
        reference=reference,
        new=new,
        drifted=drifted,
        title="Breast cancer",
        story=f"{description} A standard scaler and a logistic regression from scikit-learn (`Scaler`, `LinearClassifier`); "
        "ZipMap turns the probabilities into one map per row. A sample to try Drydock on, not a medical device.",
        origin="Breast Cancer Wisconsin (Diagnostic): W. Wolberg, O. Mangasarian, N. Street, W. Street, UCI Machine Learning Repository, 1995, "
        "as scikit-learn ships it (`load_breast_cancer`).",
        drift="Radii and perimeters are 12 % larger, areas 25 %: a microscope that magnifies more than it says.",
        uses_scikit_learn_data=True,
    )


def wine() -> Sample:
    data = load_wine()
    names = [name.replace("/", "_") for name in data.feature_names]
    table = pd.DataFrame(data.data, columns=names)
    table["cultivar"] = data.target
    reference, new, drifted = split(table, "cultivar")
    forest = RandomForestClassifier(n_estimators=60, max_depth=6, random_state=7)
    forest.fit(reference[names].to_numpy(np.float32), reference["cultivar"])
    model = to_onnx(forest, initial_types=[("analysis", FloatTensorType([None, 13]))], target_opset=TARGET_OPSET)
    description = "Tells from a chemical analysis which of three cultivars a wine was made of."
    drifted["proline"] = (drifted["proline"] * 0.6).round(0)
    drifted["color_intensity"] = (drifted["color_intensity"] + 2.5).round(2)
    return Sample(
        model=finish(model, "wine", description),
        contract=classification("wine", description, "cultivar", ["0", "1", "2"]),
        columns=number_columns(reference, names, "analysis", {"alcohol": "% vol", "magnesium": "mg/l", "proline": "mg/l"}),
        reference=reference,
        new=new,
        drifted=drifted,
        title="Wine",
        story=f"{description} A random forest of 60 trees from scikit-learn (`TreeEnsembleClassifier`) with whole numbers as labels; "
        "ZipMap turns the probabilities into one map per row.",
        origin="Wine: S. Aeberhard, M. Forina, UCI Machine Learning Repository, 1991, as scikit-learn ships it (`load_wine`).",
        drift="Proline is 40 % lower and the colour 2.5 units stronger: another vintage.",
        uses_scikit_learn_data=True,
    )


def diabetes() -> Sample:
    data = load_diabetes(scaled=False)
    words = {"bp": "blood_pressure", "s1": "total_cholesterol", "s2": "ldl", "s3": "hdl", "s4": "cholesterol_hdl_ratio", "s5": "log_triglycerides", "s6": "glucose"}
    names = [words.get(name, name) for name in data.feature_names]
    table = pd.DataFrame(data.data, columns=names)
    table["progression"] = data.target
    reference, new, drifted = split(table, None)
    # Scaled targets keep the small network's training tame; its last layer scales them back.
    mean, deviation = reference["progression"].mean(), reference["progression"].std()
    regressor = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(16, 8), alpha=30.0, solver="lbfgs", max_iter=2000, random_state=3))
    regressor.fit(reference[names].to_numpy(np.float32), (reference["progression"] - mean) / deviation)
    network = regressor[-1]
    network.coefs_[-1] = network.coefs_[-1] * deviation
    network.intercepts_[-1] = network.intercepts_[-1] * deviation + mean
    model = to_onnx(regressor, initial_types=[("patient", FloatTensorType([None, 10]))], target_opset=TARGET_OPSET)
    description = "Estimates how far diabetes will have progressed a year from now."
    drifted["age"] = (drifted["age"] + 12).round(0)
    drifted["bmi"] = (drifted["bmi"] + 3.0).round(1)
    return Sample(
        model=finish(model, "diabetes", description),
        contract={
            "name": "diabetes",
            "version": 1,
            "description": description,
            "task": "regression",
            "target": "progression",
            "unit": "points",
            "prediction_output": "variable",
        },
        columns=number_columns(
            reference,
            names,
            "patient",
            {"age": "years", "bmi": "kg/m²", "blood_pressure": "mmHg", "total_cholesterol": "mg/dl", "ldl": "mg/dl", "hdl": "mg/dl", "glucose": "mg/dl"},
        ),
        reference=reference,
        new=new,
        drifted=drifted,
        title="Diabetes",
        story=f"{description} The answer is a number between about 25 and 350. A standard scaler and a small multilayer perceptron from "
        "scikit-learn (`Scaler`, `MatMul`, `Add`, `Relu`). A sample to try Drydock on, not a medical device.",
        origin="B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least Angle Regression, Annals of Statistics, 2004, "
        "as scikit-learn ships it (`load_diabetes`), unscaled. Sex is coded 1 and 2 there.",
        drift="Patients are twelve years older, and their body mass index is 3 higher: another clinic.",
        uses_scikit_learn_data=True,
    )


def classification(name: str, description: str, target: str, labels: list[str]) -> dict:
    return {
        "name": name,
        "version": 1,
        "description": description,
        "task": "classification",
        "target": target,
        "labels": labels,
        "prediction_output": "output_label",
        "probability_output": "output_probability",
    }


def split(table: pd.DataFrame, label: str | None) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Reference (also the training set), new, and rows that are yet to drift: 60, 20 and 20 %."""
    reference, rest = train_test_split(table, test_size=0.4, random_state=11, stratify=table[label] if label else None)
    new, drifted = train_test_split(rest, test_size=0.5, random_state=12, stratify=rest[label] if label else None)
    return tuple(part.reset_index(drop=True) for part in (reference, new, drifted))


SAMPLES = {"breast-cancer": breast_cancer, "wine": wine, "diabetes": diabetes}

# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "lightgbm==4.6.0",
#     "numpy==2.4.6",
#     "onnx==1.23.2",
#     "onnxmltools==1.16.0",
#     "onnxruntime==1.31.1",
#     "pandas==3.1.1",
#     "scikit-learn==1.9.1",
#     "skl2onnx==1.20.0",
#     "xgboost==3.2.0",
# ]
# ///
"""Boosted trees of XGBoost and LightGBM as onnxmltools converts them: `uv run tests/corpus/boosting.py` writes `boosting/<case>/`.

Binary and many classes, regression of one and of several kinds, missing values, categorical features, and the boosters that differ
from gradient-boosted trees. The rows that are asked hold thresholds themselves and their neighbours, where rounding shows.
"""

import sys
import warnings

import lightgbm
import numpy as np
import onnxmltools
import xgboost
from case import report, write_case
from onnxmltools.convert.common.data_types import FloatTensorType

GROUP = "boosting"
ROWS, FEATURES, PREDICTED = 300, 5, 20

rng = np.random.default_rng(0)
X = rng.normal(size=(ROWS, FEATURES)).round(3).astype(np.float32)
HOLES = X.copy()
HOLES[rng.random(X.shape) < 0.2] = np.nan
MIXED = X.copy()
MIXED[:, 0] = rng.integers(0, 8, ROWS)
MIXED[:, 1] = rng.integers(0, 40, ROWS)
Y = (X[:, 0] - 2 * X[:, 1] + X[:, 2] * X[:, 3] + rng.normal(scale=0.2, size=ROWS)).astype(np.float32)
MIXED_Y = np.isin(MIXED[:, 0], [1, 3, 6]) * 2.0 + np.isin(MIXED[:, 1], [0, 5, 7, 31, 32, 39]) + 0.3 * MIXED[:, 2]
BINARY = (Y > 0).astype(int)
CLASSES = np.digitize(Y, [-1.5, 0.0, 1.5])
POSITIVE = np.abs(Y) + 0.1

xgb = {"n_estimators": 8, "max_depth": 4, "random_state": 0, "n_jobs": 1}
lgb = {"n_estimators": 8, "num_leaves": 12, "min_child_samples": 5, "random_state": 0, "n_jobs": 1, "verbose": -1}


def cases():
    """Name, untrained model, rows, answers, and keywords of its training."""
    for prefix, regressor, classifier, options in (
        ("xgboost", xgboost.XGBRegressor, xgboost.XGBClassifier, xgb),
        ("lightgbm", lightgbm.LGBMRegressor, lightgbm.LGBMClassifier, lgb),
    ):
        yield f"{prefix}_regression", regressor(**options), X, Y, {}
        yield f"{prefix}_regression_holes", regressor(**options), HOLES, Y, {}
        yield f"{prefix}_binary", classifier(**options), X, BINARY, {}
        yield f"{prefix}_binary_holes", classifier(**options), HOLES, BINARY, {}
        yield f"{prefix}_classes", classifier(**options), X, CLASSES, {}
        yield f"{prefix}_classes_holes", classifier(**options), HOLES, CLASSES, {}
    yield "xgboost_poisson", xgboost.XGBRegressor(objective="count:poisson", **xgb), X, np.round(POSITIVE), {}
    yield "xgboost_gamma", xgboost.XGBRegressor(objective="reg:gamma", **xgb), X, POSITIVE, {}
    yield "xgboost_logistic_regression", xgboost.XGBRegressor(objective="reg:logistic", **xgb), X, BINARY, {}
    yield "xgboost_deep", xgboost.XGBRegressor(**(xgb | {"max_depth": 9})), X, Y, {}
    yield "xgboost_many", xgboost.XGBRegressor(**(xgb | {"n_estimators": 60, "max_depth": 3})), X, Y, {}
    yield "xgboost_random_forest", xgboost.XGBRFClassifier(**xgb), X, BINARY, {}
    yield "xgboost_softmax", xgboost.XGBClassifier(objective="multi:softmax", **xgb), X, CLASSES, {}
    yield "xgboost_base_score", xgboost.XGBClassifier(base_score=0.3, **xgb), X, BINARY, {}
    yield "xgboost_dart", xgboost.XGBRegressor(booster="dart", **xgb), X, Y, {}
    yield "xgboost_early_stopping", xgboost.XGBClassifier(early_stopping_rounds=2, eval_metric="logloss", **(xgb | {"n_estimators": 40})), X, BINARY, {"eval_set": [(X, BINARY)], "verbose": False}
    yield "lightgbm_categorical", lightgbm.LGBMRegressor(**lgb), MIXED, MIXED_Y, {"categorical_feature": [0, 1]}
    yield "lightgbm_categorical_binary", lightgbm.LGBMClassifier(**lgb), MIXED, (MIXED_Y > 1.5).astype(int), {"categorical_feature": [0, 1]}
    yield "lightgbm_deep", lightgbm.LGBMRegressor(**(lgb | {"num_leaves": 31, "min_child_samples": 2})), X, Y, {}
    yield "lightgbm_many", lightgbm.LGBMRegressor(**(lgb | {"n_estimators": 40})), X, Y, {}
    yield "lightgbm_random_forest", lightgbm.LGBMClassifier(boosting_type="rf", bagging_freq=1, bagging_fraction=0.7, **lgb), X, BINARY, {}
    yield "lightgbm_dart", lightgbm.LGBMRegressor(boosting_type="dart", **lgb), X, Y, {}
    yield "lightgbm_poisson", lightgbm.LGBMRegressor(objective="poisson", **lgb), X, np.round(POSITIVE), {}
    yield "lightgbm_quantile", lightgbm.LGBMRegressor(objective="quantile", alpha=0.8, **lgb), X, Y, {}
    yield "lightgbm_one_versus_all", lightgbm.LGBMClassifier(objective="multiclassova", **lgb), X, CLASSES, {}


def asked(model, x: np.ndarray) -> np.ndarray:
    """Some of the rows, and some with values at and beside a threshold."""
    rows = x[:PREDICTED].copy()
    thresholds = np.unique(np.array([value for value in tree_thresholds(model) if np.isfinite(value)], dtype=np.float32))
    for row, threshold in enumerate(thresholds[:: max(1, len(thresholds) // 9)][:9]):
        rows[row, 2] = np.nextafter(threshold, np.float32(np.inf if row % 3 == 0 else -np.inf)) if row % 3 else threshold
    return rows


def tree_thresholds(model) -> list[float]:
    if isinstance(model, xgboost.XGBModel):
        table = model.get_booster().trees_to_dataframe()
        return table.loc[table["Feature"] == "f2", "Split"].tolist()
    table = model.booster_.trees_to_dataframe()
    return [float(value) for value in table.loc[table["split_feature"] == "Column_2", "threshold"]]


def main() -> None:
    warnings.simplefilter("ignore")
    sizes, failures = {}, {}
    for name, model, x, y, keywords in cases():
        try:
            model.fit(x, y, **keywords)
            convert = onnxmltools.convert_xgboost if name.startswith("xgboost") else onnxmltools.convert_lightgbm
            options = {} if name.startswith("xgboost") else {"zipmap": False}
            onnx_model = convert(model, initial_types=[("X", FloatTensorType([None, FEATURES]))], target_opset=15, **options)
            sizes[name] = write_case(GROUP, name, onnx_model, {"X": asked(model, x)})
        except Exception as error:  # noqa: BLE001: whatever the converter or the runtime says
            failures[name] = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
    for name, reason in failures.items():
        print(f"{name}: {reason}")
    report(GROUP, sizes)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

"""Payments, some of them fraud: a made-up table with text columns and missing values, and two versions of a model for it."""

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier

from .sample import Column, Sample, finish, rename_classes

LABELS = ["genuine", "fraud"]
MERCHANTS = {"grocery": 0.30, "restaurant": 0.20, "fuel": 0.12, "electronics": 0.10, "travel": 0.08, "fashion": 0.10, "gambling": 0.03, "gift_cards": 0.07}
COUNTRIES = {"PT": 0.30, "ES": 0.18, "DE": 0.14, "FR": 0.12, "GB": 0.10, "US": 0.07, "BR": 0.05, "NG": 0.02, "SG": 0.02}
CHANNELS = {"chip": 0.45, "contactless": 0.25, "online": 0.27, "phone": 0.03}
RISK = {"electronics": 1.8, "gambling": 2.6, "gift_cards": 3.2, "travel": 1.0, "US": 0.6, "BR": 1.2, "NG": 1.8, "SG": 1.0, "online": 2.6, "phone": 3.2}

TRAINING_ROWS = 20_000


def payments(n_rows: int, seed: int, first_id: int, *, drifted: bool = False) -> pd.DataFrame:
    """Payments with their outcome. Drifted ones are larger, more often online and abroad, and thieves have turned to fashion shops."""
    rng = np.random.default_rng(seed)
    risk = dict(RISK)
    merchants, countries, channels = dict(MERCHANTS), dict(COUNTRIES), dict(CHANNELS)
    if drifted:
        merchants["gift_cards"], merchants["grocery"] = 0.15, 0.22
        countries["BR"], countries["PT"], countries["MX"] = 0.12, 0.20, 0.03
        channels["online"], channels["chip"] = 0.45, 0.27
        risk["fashion"] = 3.0
    merchant = choose(rng, merchants, n_rows)
    country = choose(rng, countries, n_rows)
    channel = choose(rng, channels, n_rows)
    typical = pd.Series(merchant).map({"electronics": 5.0, "travel": 5.4, "gift_cards": 4.2, "gambling": 4.0}).fillna(3.4).to_numpy()
    amount = np.exp(rng.normal(typical + (0.35 if drifted else 0.0), 0.9)).round(2)
    hour = np.where(rng.random(n_rows) < 0.85, rng.normal(14.5, 4.0, n_rows), rng.uniform(0, 24, n_rows)).astype(int) % 24
    card_age = rng.gamma(1.6, 420, n_rows).round()
    n_transactions = rng.poisson(np.where(rng.random(n_rows) < 0.06, 9, 1.8))
    is_foreign = (country != "PT").astype(int)
    words = [pd.Series(column).map(risk).fillna(0).to_numpy() for column in (merchant, country, channel)]
    logit = -14.0 + sum(words) + 1.2 * np.log1p(amount) + 0.55 * n_transactions + 1.0 * is_foreign
    logit += 3.0 * ((hour < 6) & (channel == "online")) + 3.5 * (card_age < 60) + 2.5 * ((amount > 400) & (n_transactions > 5))
    outcome = np.where(rng.random(n_rows) < 1 / (1 + np.exp(-logit)), "fraud", "genuine")
    card_age[rng.random(n_rows) < 0.12] = np.nan
    merchant[rng.random(n_rows) < 0.02] = None
    return pd.DataFrame(
        {
            "payment_id": np.arange(first_id, first_id + n_rows),
            "amount": amount,
            "merchant": merchant,
            "country": country,
            "channel": channel,
            "hour": hour,
            "card_age_days": pd.array(card_age, dtype="Int64"),
            "n_transactions_24h": n_transactions,
            "is_foreign": is_foreign,
            "outcome": outcome,
        }
    )


def choose(rng: np.random.Generator, shares: dict[str, float], n_rows: int) -> np.ndarray:
    weights = np.array(list(shares.values()))
    return rng.choice(np.array(list(shares), dtype=object), n_rows, p=weights / weights.sum())


def training_features(table: pd.DataFrame, numbers: list[str], words: list[str]) -> pd.DataFrame:
    """The cells as the ONNX model will see them: float32 with NaN, and text that is empty where it is missing."""
    return pd.concat([table[numbers].astype("float64").astype(np.float32), table[words].fillna("").astype(object)], axis=1)


def convert(classifier, numbers: list[str], words: list[str], options: dict) -> onnx.ModelProto:
    types = [(name, FloatTensorType([None, 1])) for name in numbers] + [(name, StringTensorType([None, 1])) for name in words]
    return to_onnx(classifier, initial_types=types, options=options, target_opset={"": 17, "ai.onnx.ml": 3})


def version_1() -> Sample:
    numbers = ["amount", "card_age_days", "is_foreign"]
    words = ["merchant", "country", "channel"]
    classifier = make_pipeline(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
                ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
            ]
        ),
        GradientBoostingClassifier(n_estimators=60, max_depth=3, random_state=5),
    )
    train(classifier, numbers, words)
    model = convert(classifier, numbers, words, {})
    rename_classes(model, LABELS)
    return sample(1, model, numbers, words, "Six columns go through imputation, scaling and one-hot encoding into 60 boosted trees from scikit-learn "
                  "(`Imputer`, `Scaler`, `OneHotEncoder`, `TreeEnsembleClassifier`), and ZipMap turns the probabilities into one map per row.")


def version_2() -> Sample:
    update_registered_converter(
        XGBClassifier, "XGBoostXGBClassifier", calculate_linear_classifier_output_shapes, convert_xgboost, options={"nocl": [True, False], "zipmap": [True, False, "columns"]}
    )
    numbers = ["amount", "hour", "card_age_days", "n_transactions_24h", "is_foreign"]
    words = ["merchant", "country", "channel"]
    classifier = make_pipeline(
        ColumnTransformer(
            [
                ("numbers", SimpleImputer(strategy="median"), numbers),
                ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), words),
            ]
        ),
        XGBClassifier(n_estimators=160, max_depth=4, learning_rate=0.08, subsample=0.8, random_state=5, n_jobs=1),
    )
    train(classifier, numbers, words)
    model = convert(classifier, numbers, words, {id(classifier[-1]): {"zipmap": False}})
    rename_classes(model, LABELS)
    for name, element_type in {"hour": TensorProto.INT64, "n_transactions_24h": TensorProto.INT64, "is_foreign": TensorProto.BOOL}.items():
        take_as(model, name, element_type)
    return sample(2, model, numbers, words, "All eight columns go through imputation and one-hot encoding into 160 boosted trees from XGBoost; "
                  "the probabilities are a plain tensor. Counts are int64 and flags booleans.")


def train(classifier, numbers: list[str], words: list[str]) -> None:
    table = payments(TRAINING_ROWS, seed=1, first_id=1)
    classifier.fit(training_features(table, numbers, words), (table["outcome"] == "fraud").astype(int))


def take_as(model: onnx.ModelProto, name: str, element_type: int) -> None:
    """Makes input `name` one of another element type, cast to float32 before its first use."""
    value = next(value for value in model.graph.input if value.name == name)
    value.type.tensor_type.elem_type = element_type
    for node in model.graph.node:
        node.input[:] = [f"{name}_float" if source == name else source for source in node.input]
    model.graph.node.insert(0, helper.make_node("Cast", [name], [f"{name}_float"], name=f"cast_{name}", to=TensorProto.FLOAT))


def sample(version: int, model: onnx.ModelProto, numbers: list[str], words: list[str], story: str) -> Sample:
    description = "Says how likely a card payment is fraud."
    columns = {
        "amount": Column("amount", "amount", unit="EUR", min=0, max=2000, default="42.5"),
        "merchant": Column("merchant", "merchant", kind="text", default="grocery", categories=sorted(MERCHANTS), may_be_missing=True),
        "country": Column("country", "country", kind="text", default="PT", categories=sorted(COUNTRIES)),
        "channel": Column("channel", "channel", kind="text", default="chip", categories=sorted(CHANNELS)),
        "hour": Column("hour", "hour", kind="integer", description="hour of the day, local time", min=0, max=23, default="14"),
        "card_age_days": Column("card_age_days", "card_age_days", unit="days", min=0, max=3000, default="500", may_be_missing=True),
        "n_transactions_24h": Column(
            "n_transactions_24h", "n_transactions_24h", kind="integer", description="payments with this card in the last 24 hours", min=0, max=20, default="2"
        ),
        "is_foreign": Column("is_foreign", "is_foreign", kind="boolean", description="the shop is abroad", default="0"),
    }
    tables = [payments(2_000, seed=2, first_id=100_001), payments(1_000, seed=3, first_id=200_001), payments(1_000, seed=4, first_id=300_001, drifted=True)]
    return Sample(
        model=finish(model, "payment-fraud", description),
        contract={
            "name": "payment-fraud",
            "version": version,
            "description": description,
            "task": "classification",
            "target": "outcome",
            "labels": LABELS,
            "prediction_output": model.graph.output[0].name,
            "probability_output": model.graph.output[1].name,
        },
        columns=[column for name, column in columns.items() if name in numbers + words],
        reference=tables[0],
        new=tables[1],
        drifted=tables[2],
        title=f"Payment fraud, version {version}",
        story=f"{description} {story} Each column is an input of its own; an empty cell in `card_age_days` or `merchant` is the model's own business.",
        origin="Made up by the script, with a fixed seed. No person, card or shop in it is real.",
        drift="Payments are larger, more of them online and abroad, one country is new, and thieves have turned to fashion shops.",
        uses_scikit_learn_data=False,
    )


SAMPLES = {"payment-fraud": version_1, "payment-fraud-v2": version_2}

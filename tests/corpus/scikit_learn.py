# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy==2.4.6",
#     "onnx==1.23.2",
#     "onnxruntime==1.31.1",
#     "scikit-learn==1.9.1",
#     "skl2onnx==1.20.0",
# ]
# ///
"""One small model of every scikit-learn estimator and transformer that skl2onnx converts: `uv run tests/corpus/scikit_learn.py`.

Trains with fixed seeds, converts, and writes `sklearn/<case>/` with ONNX Runtime's answers. `UNCONVERTED` names those that skl2onnx lists but
cannot convert or ONNX Runtime cannot run, each with the reason; the script fails when an estimator is neither there nor in a case.
"""

import sys
import warnings

import numpy as np
import skl2onnx.sklapi as sklapi
import sklearn.calibration as calibration
import sklearn.cluster as cluster
import sklearn.compose as compose
import sklearn.cross_decomposition as cross_decomposition
import sklearn.decomposition as decomposition
import sklearn.discriminant_analysis as discriminant_analysis
import sklearn.ensemble as ensemble
import sklearn.feature_extraction as feature_extraction
import sklearn.feature_extraction.text as text
import sklearn.feature_selection as feature_selection
import sklearn.gaussian_process as gaussian_process
import sklearn.impute as impute
import sklearn.linear_model as linear_model
import sklearn.mixture as mixture
import sklearn.model_selection as model_selection
import sklearn.multiclass as multiclass
import sklearn.multioutput as multioutput
import sklearn.naive_bayes as naive_bayes
import sklearn.neighbors as neighbors
import sklearn.neural_network as neural_network
import sklearn.pipeline as pipeline
import sklearn.preprocessing as preprocessing
import sklearn.random_projection as random_projection
import sklearn.svm as svm
import sklearn.tree as tree
from case import report, write_case
from skl2onnx import to_onnx
from skl2onnx._supported_operators import build_sklearn_operator_name_map
from skl2onnx.common.data_types import DictionaryType, DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn.gaussian_process import kernels

GROUP = "sklearn"
ROWS, FEATURES, PREDICTED = 60, 4, 9

rng = np.random.default_rng(0)
X = rng.normal(size=(ROWS, FEATURES)).round(3).astype(np.float32)
POSITIVE = np.abs(X)
COUNTS = rng.integers(0, 5, (ROWS, FEATURES)).astype(np.float32)
HOLES = X.copy()
HOLES[rng.random(X.shape) < 0.15] = np.nan
LEVELS = rng.integers(0, 3, (ROWS, 2)).astype(np.int64)
WORDS = np.array(["red", "green", "blue"], dtype=object)[LEVELS]
Y = (X[:, 0] - 2 * X[:, 1] + 0.5 * X[:, 2] * X[:, 3] + rng.normal(scale=0.1, size=ROWS)).astype(np.float32)
TARGETS = np.column_stack([Y, X[:, 0] + X[:, 3]])
BINARY = (Y > 0).astype(np.int64)
CLASSES = np.digitize(Y, [-1, 1]).astype(np.int64)
NAMES = np.array(["low", "middle", "high"], dtype=object)[CLASSES]
PAIRS = np.column_stack([BINARY, CLASSES])
SENTENCES = np.array(
    ["the ship sails at dawn", "a ship in dry dock", "dock the ship", "weigh the cargo, weigh it twice", "Sails and masts: a trial", "trial by sea"] * 10, dtype=object
)
QUESTIONS = np.array(["the cargo ship", "a dock at sea", "nothing known here", "ship ship dock"], dtype=object)

small_forest = {"n_estimators": 5, "max_depth": 4, "random_state": 0}
seeded = {"random_state": 0}
logistic = linear_model.LogisticRegression
deep = tree.DecisionTreeClassifier(max_depth=3, **seeded)


def regressors():
    """Name, estimator, and what differs from fitting X to Y."""
    linear = linear_model
    yield from ((type(model).__name__, model, {}) for model in (
        linear.ARDRegression(), linear.BayesianRidge(), linear.ElasticNet(alpha=0.1), linear.ElasticNetCV(cv=3), linear.HuberRegressor(), linear.Lars(),
        linear.LarsCV(cv=3), linear.Lasso(alpha=0.1), linear.LassoCV(cv=3), linear.LassoLars(alpha=0.1), linear.LassoLarsCV(cv=3), linear.LassoLarsIC(),
        linear.LinearRegression(), linear.OrthogonalMatchingPursuit(), linear.OrthogonalMatchingPursuitCV(cv=3), linear.QuantileRegressor(alpha=0.01),
        linear.RANSACRegressor(**seeded), linear.Ridge(), linear.RidgeCV(), linear.SGDRegressor(**seeded), linear.TheilSenRegressor(**seeded),
        linear.PassiveAggressiveRegressor(**seeded),
        ensemble.AdaBoostRegressor(n_estimators=4, **seeded), ensemble.BaggingRegressor(n_estimators=4, **seeded),
        ensemble.ExtraTreesRegressor(**small_forest), ensemble.GradientBoostingRegressor(n_estimators=6, **seeded), ensemble.RandomForestRegressor(**small_forest),
        tree.DecisionTreeRegressor(max_depth=4, **seeded), tree.ExtraTreeRegressor(max_depth=4, **seeded),
        neighbors.KNeighborsRegressor(n_neighbors=3), neural_network.MLPRegressor(hidden_layer_sizes=(6, 5), max_iter=60, **seeded),
        svm.LinearSVR(), svm.NuSVR(), svm.SVR(), cross_decomposition.PLSRegression(2),
        ensemble.StackingRegressor([("ridge", linear.Ridge()), ("tree", tree.DecisionTreeRegressor(max_depth=2, **seeded))], cv=3),
        ensemble.VotingRegressor([("ridge", linear.Ridge()), ("tree", tree.DecisionTreeRegressor(max_depth=2, **seeded))]),
    ))
    for kernel in ("linear", "poly", "sigmoid"):
        yield f"SVR_{kernel}", svm.SVR(kernel=kernel), {}
    yield "GaussianProcessRegressor", gaussian_process.GaussianProcessRegressor(kernels.RBF() + kernels.WhiteKernel(), **seeded), {"type": DoubleTensorType}
    yield "GaussianProcessRegressor_matern", gaussian_process.GaussianProcessRegressor(kernels.ConstantKernel() * kernels.Matern(nu=1.5), **seeded), {"type": DoubleTensorType}
    yield "GaussianProcessRegressor_dot", gaussian_process.GaussianProcessRegressor(kernels.DotProduct() + kernels.RationalQuadratic(), alpha=0.1, **seeded), {"type": DoubleTensorType}
    yield "KNeighborsRegressor_distance", neighbors.KNeighborsRegressor(n_neighbors=3, weights="distance", metric="manhattan"), {}
    yield "MLPRegressor_tanh", neural_network.MLPRegressor(hidden_layer_sizes=(5,), activation="tanh", max_iter=60, **seeded), {}
    yield "RandomForestRegressor_two_targets", ensemble.RandomForestRegressor(**small_forest), {"y": TARGETS}
    yield "LinearRegression_double", linear.LinearRegression(), {"type": DoubleTensorType}
    for model in (linear.GammaRegressor(), linear.PoissonRegressor(), linear.TweedieRegressor(power=1.5)):
        yield type(model).__name__, model, {"y": np.abs(Y) + 0.1}
    for model in (
        linear.MultiTaskElasticNet(alpha=0.1), linear.MultiTaskElasticNetCV(cv=3), linear.MultiTaskLasso(alpha=0.1), linear.MultiTaskLassoCV(cv=3),
        multioutput.MultiOutputRegressor(linear.Ridge()),
    ):
        yield type(model).__name__, model, {"y": TARGETS}
    yield "GridSearchCV", model_selection.GridSearchCV(linear.Ridge(), {"alpha": [0.1, 1.0]}, cv=3), {}


def classifiers():
    linear = linear_model
    yield from ((type(model).__name__, model, {}) for model in (
        ensemble.AdaBoostClassifier(n_estimators=4, **seeded), ensemble.BaggingClassifier(n_estimators=4, **seeded), ensemble.ExtraTreesClassifier(**small_forest),
        ensemble.GradientBoostingClassifier(n_estimators=4, **seeded),
        ensemble.RandomForestClassifier(**small_forest), calibration.CalibratedClassifierCV(logistic(), cv=3), deep, tree.ExtraTreeClassifier(max_depth=4, **seeded),
        discriminant_analysis.LinearDiscriminantAnalysis(), discriminant_analysis.QuadraticDiscriminantAnalysis(), naive_bayes.GaussianNB(),
        naive_bayes.BernoulliNB(), neighbors.KNeighborsClassifier(n_neighbors=3),
        logistic(), linear.LogisticRegressionCV(Cs=3, cv=3), linear.PassiveAggressiveClassifier(**seeded), linear.Perceptron(**seeded), linear.RidgeClassifier(),
        linear.RidgeClassifierCV(), linear.SGDClassifier(loss="log_loss", **seeded), svm.LinearSVC(), svm.NuSVC(), svm.SVC(),
        neural_network.MLPClassifier(hidden_layer_sizes=(6,), max_iter=60, **seeded), multiclass.OneVsOneClassifier(logistic()), multiclass.OneVsRestClassifier(logistic()),
        ensemble.StackingClassifier([("logistic", logistic()), ("tree", deep)], cv=3), ensemble.VotingClassifier([("logistic", logistic()), ("tree", deep)], voting="soft", flatten_transform=False),
    ))
    for kernel in ("linear", "poly", "sigmoid"):
        yield f"SVC_{kernel}", svm.SVC(kernel=kernel), {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield "SVC_probability", svm.SVC(probability=True, **seeded), {}
        yield "SVC_probability_binary", svm.SVC(probability=True, **seeded), {"y": BINARY}
    for model in (
        svm.SVC(), svm.LinearSVC(), logistic(), tree.DecisionTreeClassifier(max_depth=3, **seeded), ensemble.RandomForestClassifier(**small_forest),
        ensemble.GradientBoostingClassifier(n_estimators=4, **seeded),
        neural_network.MLPClassifier(hidden_layer_sizes=(6,), max_iter=60, **seeded), linear.SGDClassifier(**seeded), ensemble.AdaBoostClassifier(n_estimators=4, **seeded),
    ):
        yield f"{type(model).__name__}_binary", model, {"y": BINARY}
    yield "TunedThresholdClassifierCV", model_selection.TunedThresholdClassifierCV(logistic(), cv=3), {"y": BINARY}
    yield "VotingClassifier_hard", ensemble.VotingClassifier([("logistic", logistic()), ("tree", deep)], flatten_transform=False), {}
    for model in (logistic(), ensemble.RandomForestClassifier(**small_forest), svm.SVC(), neighbors.KNeighborsClassifier(3), naive_bayes.GaussianNB()):
        yield f"{type(model).__name__}_names", model, {"y": NAMES}
    yield "LogisticRegression_raw", logistic(), {"options": {"raw_scores": True, "zipmap": False}}
    yield "RandomForestClassifier_columns", ensemble.RandomForestClassifier(**small_forest), {"options": {"zipmap": "columns"}}
    yield "MultinomialNB", naive_bayes.MultinomialNB(), {"x": COUNTS}
    yield "ComplementNB", naive_bayes.ComplementNB(), {"x": COUNTS}
    yield "CategoricalNB", naive_bayes.CategoricalNB(min_categories=5), {"x": COUNTS}
    yield "MultiOutputClassifier", multioutput.MultiOutputClassifier(logistic()), {"y": PAIRS, "options": {"zipmap": False}}


def unsupervised():
    yield from ((type(model).__name__, model, {"y": None}) for model in (
        cluster.KMeans(3, n_init=1, **seeded), cluster.MiniBatchKMeans(3, n_init=1, **seeded), mixture.GaussianMixture(2, **seeded),
        mixture.BayesianGaussianMixture(n_components=2, **seeded), neighbors.LocalOutlierFactor(5, novelty=True), svm.OneClassSVM(), linear_model.SGDOneClassSVM(**seeded), neighbors.NearestNeighbors(n_neighbors=3, radius=None),
    ))
    yield "IsolationForest", ensemble.IsolationForest(n_estimators=5, max_samples=16, **seeded), {"y": None, "target_opset": {"": 21, "ai.onnx.ml": 3}}
    for covariance in ("tied", "diag", "spherical"):
        yield f"GaussianMixture_{covariance}", mixture.GaussianMixture(2, covariance_type=covariance, **seeded), {"y": None}


def transformers():
    yield from ((type(model).__name__, model, {"y": None}) for model in (
        preprocessing.Binarizer(threshold=0.2), preprocessing.MaxAbsScaler(),
        preprocessing.MinMaxScaler(clip=True), preprocessing.Normalizer(),
        preprocessing.PolynomialFeatures(2), preprocessing.PowerTransformer(), preprocessing.QuantileTransformer(n_quantiles=10, **seeded),
        preprocessing.RobustScaler(), preprocessing.StandardScaler(), decomposition.PCA(2), decomposition.IncrementalPCA(2), decomposition.TruncatedSVD(2, **seeded),
        decomposition.KernelPCA(2, kernel="rbf"), random_projection.GaussianRandomProjection(2, **seeded), feature_selection.VarianceThreshold(0.1),
        ensemble.RandomTreesEmbedding(n_estimators=3, max_depth=2, sparse_output=False, **seeded), neighbors.KNeighborsTransformer(n_neighbors=2), preprocessing.FunctionTransformer(),
        sklapi.CastTransformer(), sklapi.ReplaceTransformer(from_value=1.0, to_value=7.0), preprocessing.KernelCenterer(),
    ))
    for norm in ("l1", "max"):
        yield f"Normalizer_{norm}", preprocessing.Normalizer(norm), {"y": None}
    for encode in ("ordinal", "onehot-dense"):
        yield f"KBinsDiscretizer_{encode}", preprocessing.KBinsDiscretizer(3, encode=encode, quantile_method="averaged_inverted_cdf"), {"y": None}
    yield "PowerTransformer_box_cox", preprocessing.PowerTransformer("box-cox"), {"x": POSITIVE + 0.1, "y": None}
    yield "PolynomialFeatures_interactions", preprocessing.PolynomialFeatures(3, interaction_only=True, include_bias=False), {"y": None}
    yield "KNNImputer", impute.KNNImputer(n_neighbors=2), {"x": HOLES, "y": None}
    for strategy in ("mean", "median", "most_frequent", "constant"):
        yield f"SimpleImputer_{strategy}", impute.SimpleImputer(strategy=strategy), {"x": HOLES, "y": None}
    for model in (
        feature_selection.GenericUnivariateSelect(mode="k_best", param=2), feature_selection.RFE(deep, n_features_to_select=2), feature_selection.RFECV(deep, cv=3),
        feature_selection.SelectFdr(alpha=0.3), feature_selection.SelectFpr(alpha=0.3), feature_selection.SelectFromModel(deep), feature_selection.SelectFwe(alpha=0.5),
        feature_selection.SelectKBest(k=2), feature_selection.SelectPercentile(percentile=50), neighbors.NeighborhoodComponentsAnalysis(2, max_iter=10, **seeded),
    ):
        yield type(model).__name__, model, {"y": CLASSES}
    one_hot, ordinal = preprocessing.OneHotEncoder, preprocessing.OrdinalEncoder
    for name, values, value_type in (("strings", WORDS, StringTensorType), ("ints", LEVELS, Int64TensorType)):
        yield f"OneHotEncoder_{name}", one_hot(handle_unknown="ignore", sparse_output=False), {"x": values, "y": None, "type": value_type}
        yield f"OrdinalEncoder_{name}", ordinal(), {"x": values, "y": None, "type": value_type}
        yield f"TargetEncoder_{name}", preprocessing.TargetEncoder(**seeded), {"x": values, "y": Y, "type": value_type}
    yield "OneHotEncoder_drop", one_hot(drop="first", sparse_output=False), {"x": WORDS, "y": None, "type": StringTensorType}
    yield "LabelEncoder", preprocessing.LabelEncoder(), {"x": WORDS[:, 0], "y": None, "type": StringTensorType}
    yield "LabelEncoder_ints", preprocessing.LabelEncoder(), {"x": LEVELS[:, 0] * 7, "y": None, "type": Int64TensorType}
    yield "LabelBinarizer", preprocessing.LabelBinarizer(), {"x": LEVELS[:, 0], "y": None, "type": Int64TensorType}
    yield "DictVectorizer", feature_extraction.DictVectorizer(sparse=False), {"y": None}
    yield "FeatureHasher", feature_extraction.FeatureHasher(8, input_type="string", dtype=np.float32), {"x": WORDS, "y": None, "type": StringTensorType}
    yield "SimpleImputer_strings", impute.SimpleImputer(strategy="most_frequent", missing_values=""), {"x": np.where(WORDS == "red", "", WORDS), "y": None, "type": StringTensorType}


def texts():
    for name, model in (
        ("CountVectorizer", text.CountVectorizer()),
        ("CountVectorizer_bigrams", text.CountVectorizer(ngram_range=(1, 2), binary=True)),
        ("CountVectorizer_characters", text.CountVectorizer(analyzer="char", ngram_range=(2, 2))),
        ("TfidfVectorizer", text.TfidfVectorizer()),
        ("TfidfVectorizer_sublinear", text.TfidfVectorizer(sublinear_tf=True, norm="l1", stop_words=["the", "a"])),
        ("TfidfVectorizer_words", text.TfidfVectorizer(token_pattern="[a-zA-Z]+", lowercase=False)),
        ("TfidfTransformer", pipeline.make_pipeline(text.CountVectorizer(), text.TfidfTransformer())),
        ("text_classifier", pipeline.make_pipeline(text.TfidfVectorizer(), logistic())),
    ):
        yield name, model, {"x": SENTENCES, "y": np.arange(60) % 2, "type": StringTensorType, "asked": QUESTIONS.reshape(-1, 1), "options": {vectorizer(model): {"locale": "C"}}}


def vectorizer(model) -> int:
    """What the converter's options are for: the vectorizer, by its identity."""
    return id(model.steps[0][1] if isinstance(model, pipeline.Pipeline) else model)


def pipelines():
    yield "Pipeline", pipeline.make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(3), logistic()), {}
    yield "FeatureUnion", pipeline.make_union(preprocessing.StandardScaler(), decomposition.PCA(2)), {"y": None}
    yield "ColumnTransformer", compose.ColumnTransformer([("scale", preprocessing.StandardScaler(), [0, 1]), ("range", preprocessing.MinMaxScaler(), [2])], remainder="passthrough"), {"y": None}
    yield "Pipeline_selection", pipeline.make_pipeline(feature_selection.SelectKBest(k=2), ensemble.RandomForestClassifier(**small_forest)), {"y": NAMES}
    yield "Pipeline_polynomial", pipeline.make_pipeline(preprocessing.PolynomialFeatures(2), linear_model.Ridge()), {"y": Y}
    yield "CastRegressor", sklapi.CastRegressor(tree.DecisionTreeRegressor(max_depth=3, **seeded)), {"y": Y}


# What skl2onnx lists and no case has, with the reason.
UNCONVERTED = {
    "GaussianProcessClassifier": "the converted model calls com.microsoft.Solve, which ONNX Runtime does not have",
    "HistGradientBoostingClassifier": "skl2onnx 1.20 cannot write the attributes of the trees of scikit-learn 1.9",
    "HistGradientBoostingRegressor": "skl2onnx 1.20 cannot write the attributes of the trees of scikit-learn 1.9",
    "RadiusNeighborsClassifier": "ONNX Runtime refuses the converted model: an index of ArrayFeatureExtractor is out of range",
    "RadiusNeighborsRegressor": "ONNX Runtime refuses the converted model: an index of ArrayFeatureExtractor is out of range",
    "_ConstantPredictor": "part of OneVsRestClassifier, for a class that all training rows have",
}


def convert(model, y, options):
    """Fits and converts; returns the ONNX model and the inputs that it is asked."""
    if isinstance(model, feature_extraction.DictVectorizer):
        model.fit([{"a": 1.0, "b": 2.0}, {"c": 1.0}])
        return to_onnx(model, initial_types=[("X", DictionaryType(StringTensorType([1]), FloatTensorType([1])))]), {"X": {"a": 3.0, "c": 2.0}}
    x = options.get("x", X)
    kind = options.get("type", FloatTensorType)
    if isinstance(model, preprocessing.KernelCenterer):
        x = X @ X.T
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted_x = x.astype(np.float64) if kind is DoubleTensorType else x
        model.fit(fitted_x, y) if y is not None else model.fit(fitted_x)
        asked = options.get("asked", x[:PREDICTED])
        asked = asked.astype(np.float64) if kind is DoubleTensorType else asked
        shape = [None, *asked.shape[1:]]
        chosen = options.get("options")
        if chosen and not isinstance(next(iter(chosen)), int):
            chosen = {id(model): chosen}
        onnx_model = to_onnx(model, initial_types=[("X", kind(shape))], options=chosen, target_opset=options.get("target_opset"))
    return onnx_model, {"X": asked}


def main() -> None:
    warnings.simplefilter("ignore")
    only = sys.argv[1:]
    sizes, failures, covered = {}, {}, set()
    groups = ((regressors(), Y), (classifiers(), CLASSES), (unsupervised(), None), (transformers(), None), (texts(), None), (pipelines(), CLASSES))
    for cases, y in groups:
        for name, model, options in cases:
            parts = [model] + ([step for _, step in model.steps] if isinstance(model, pipeline.Pipeline) else [])
            covered |= {type(part).__name__ for part in parts}
            if only and name not in only:
                continue
            try:
                sizes[name] = write_case(GROUP, name, *convert(model, options.get("y", y), options))
            except Exception as error:  # noqa: BLE001: whatever the converter or the runtime says
                failures[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
    for name, reason in failures.items():
        print(f"{name}: {reason}")
    missing = {estimator.__name__ for estimator in build_sklearn_operator_name_map()} - covered - set(UNCONVERTED)
    print("in no case:", sorted(missing))
    if not only:
        report(GROUP, sizes)
    sys.exit(1 if failures or missing else 0)


if __name__ == "__main__":
    main()

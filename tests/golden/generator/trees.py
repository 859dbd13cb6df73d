"""Tree ensembles: every comparison, missing values, aggregation and transformation of scores."""

from collections.abc import Iterator

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .case import Case, Numbers, case

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
N_FEATURES = 4


def forest(seed: str, n_trees: int, depth: int, n_targets: int, *, mode: str = "BRANCH_LEQ", whole: bool = False, prefix: str = "target") -> dict:
    """Attributes of a random ensemble of full binary trees, some of whose leaves come early. `prefix` is "target" or "class"."""
    n = Numbers(seed)
    nodes = {key: [] for key in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids", "missing_value_tracks_true")}
    leaves = {key: [] for key in ("treeids", "nodeids", "ids", "weights")}
    for tree in range(n_trees):
        n_nodes = 2 ** (depth + 1) - 1
        open_nodes = {0}
        for node in range(n_nodes):
            if node not in open_nodes:
                continue
            is_leaf = 2 * node + 2 >= n_nodes or (node > 2 and n.rng.random() < 0.2)
            threshold = float(n.ints(low=-2, high=3)) if whole else float(n.floats())
            row = {
                "treeids": tree,
                "nodeids": node,
                "featureids": 0 if is_leaf else int(n.ints(low=0, high=N_FEATURES)),
                "values": 0.0 if is_leaf else threshold,
                "modes": "LEAF" if is_leaf else mode,
                "truenodeids": 0 if is_leaf else 2 * node + 1,
                "falsenodeids": 0 if is_leaf else 2 * node + 2,
                "missing_value_tracks_true": 0 if is_leaf else int(n.rng.random() < 0.5),
            }
            for key, value in row.items():
                nodes[key].append(value)
            if is_leaf:
                for target in range(n_targets):
                    for key, value in {"treeids": tree, "nodeids": node, "ids": target, "weights": float(n.floats(low=-1, high=1))}.items():
                        leaves[key].append(value)
            else:
                open_nodes |= {2 * node + 1, 2 * node + 2}
    return {f"nodes_{key}": value for key, value in nodes.items()} | {f"{prefix}_{key}": value for key, value in leaves.items()}


def cases() -> Iterator[Case]:
    x = Numbers("trees").floats(9, N_FEATURES)
    holes = x.copy()
    holes[::2, 1] = np.nan
    whole = Numbers("whole").ints(9, N_FEATURES, low=-2, high=3)
    for mode in MODES:
        trees = forest(mode, 3, 3, 1, mode=mode, whole=True)
        yield case("TreeEnsembleRegressor", mode.lower(), [whole.astype(np.float32)], ml_opset=1, n_targets=1, **trees)
    yield case("TreeEnsembleRegressor", "missing_values", [holes], ml_opset=3, n_targets=1, **forest("missing", 5, 3, 1))
    yield case("TreeEnsembleRegressor", "float64", [x.astype(np.float64)], ml_opset=1, n_targets=1, **forest("float64", 3, 3, 1))
    for aggregate in ("SUM", "AVERAGE", "MIN", "MAX"):
        yield case("TreeEnsembleRegressor", aggregate.lower(), [x], ml_opset=1, n_targets=2, aggregate_function=aggregate, base_values=[0.5, -1.0], **forest(aggregate, 4, 3, 2))
    for transform in ("LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        yield case("TreeEnsembleRegressor", transform.lower(), [x], ml_opset=3, n_targets=2, post_transform=transform, **forest(transform, 4, 2, 2))
    yield case("TreeEnsembleRegressor", "many_deep_trees", [Numbers("deep").floats(33, N_FEATURES)], ml_opset=3, n_targets=1, is_batched=True, **forest("deep", 40, 6, 1))
    yield case("TreeEnsembleRegressor", "single_leaf", [x], ml_opset=3, n_targets=1, **forest("leaf", 2, 0, 1))

    for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        trees = forest("three" + transform, 4, 3, 3, prefix="class")
        yield case("TreeEnsembleClassifier", f"three_classes_{transform.lower()}", [x], ml_opset=1, n_outputs=2, classlabels_strings=["a", "b", "c"], post_transform=transform, **trees)
        # XGBoost and LightGBM write one score for two classes.
        trees = forest("one" + transform, 4, 3, 1, prefix="class")
        if transform in ("NONE", "LOGISTIC"):
            trees["class_ids"] = [1] * len(trees["class_ids"])
        yield case("TreeEnsembleClassifier", f"one_score_{transform.lower()}", [x], ml_opset=1, n_outputs=2, classlabels_int64s=[0, 1], post_transform=transform, base_values=[0.1], **trees)
        trees = forest("two" + transform, 4, 3, 2, prefix="class")
        yield case("TreeEnsembleClassifier", f"two_classes_{transform.lower()}", [x], ml_opset=3, n_outputs=2, classlabels_int64s=[0, 1], post_transform=transform, base_values=[0.1, -0.1], **trees)
    trees = forest("positive", 4, 3, 1, prefix="class")
    trees["class_weights"] = [abs(weight) / 4 for weight in trees["class_weights"]]
    yield case("TreeEnsembleClassifier", "one_positive_score", [x], ml_opset=3, n_outputs=2, classlabels_strings=["no", "yes"], **trees)
    yield case("TreeEnsembleClassifier", "missing_values", [holes], ml_opset=3, n_outputs=2, classlabels_int64s=[4, 7, 9], **forest("classmissing", 5, 3, 3, prefix="class"))
    yield case("TreeEnsembleClassifier", "many_rows", [Numbers("rows").floats(65, N_FEATURES)], ml_opset=3, n_outputs=2, is_batched=True, classlabels_int64s=[0, 1, 2], **forest("rows", 20, 5, 3, prefix="class"))
    trees = forest("int64", 3, 3, 3, prefix="class")
    yield case("TreeEnsembleClassifier", "int64_input", [whole], ml_opset=3, n_outputs=2, classlabels_int64s=[4, 7, 9], **trees)
    doubles = forest("doubles", 3, 3, 1)
    for key in ("nodes_values", "target_weights"):
        doubles[f"{key}_as_tensor"] = helper.make_tensor(key, TensorProto.DOUBLE, [len(doubles[key])], doubles.pop(key))
    yield case("TreeEnsembleRegressor", "as_tensor", [x.astype(np.float64)], ml_opset=3, n_targets=1, **doubles)
    yield from unified_cases(whole)


def unified_cases(whole: np.ndarray) -> Iterator[Case]:
    """TreeEnsemble, with all modes mixed. Left out: SOFTMAX and LOGISTIC, whose numbers ONNX Runtime exchanges, and fractions, which it rounds
    before it looks for them in a set; the specification and its reference implementation decide there."""
    for aggregate in range(4):
        yield case("TreeEnsemble", f"aggregate_{aggregate}", [whole.astype(np.float32)], ml_opset=5, aggregate_function=aggregate, **unified(f"unified{aggregate}", 4, 3, 2))
    holes = whole.astype(np.float32)
    holes[::2, 1] = np.nan
    yield case("TreeEnsemble", "missing_values", [holes], ml_opset=5, **unified("holes", 5, 3, 1, missing=True))
    yield case("TreeEnsemble", "float64", [whole.astype(np.float64)], ml_opset=5, **unified("wide", 4, 3, 2, dtype=np.float64))
    yield case("TreeEnsemble", "softmax_zero", [whole.astype(np.float32)], ml_opset=5, post_transform=3, **unified("zero", 3, 2, 3))


def unified(seed: str, n_trees: int, depth: int, n_targets: int, *, dtype=np.float32, missing: bool = False) -> dict:
    """Attributes of a random TreeEnsemble of full trees; every mode occurs."""
    n = Numbers(seed)
    rows, leaves, members, roots = [], [], [], []

    def grow(level: int) -> tuple[int, int]:
        if level == depth:
            leaves.append((int(n.ints(low=0, high=n_targets)), float(n.floats(low=-1, high=1))))
            return len(leaves) - 1, 1
        place = len(rows)
        mode = place % 7
        rows.append(None)
        if mode == 6:
            members.extend([*sorted({float(value) for value in n.ints(3, low=-2, high=3)}), np.nan])
        threshold = float(n.ints(low=-2, high=3))
        true, false = grow(level + 1), grow(level + 1)
        rows[place] = (int(n.ints(low=0, high=N_FEATURES)), mode, threshold, *true, *false, int(n.rng.random() < 0.5))
        return place, 0

    for _ in range(n_trees):
        roots.append(grow(0)[0])
    features, modes, splits, true_ids, true_leafs, false_ids, false_leafs, missing_true = (list(column) for column in zip(*rows, strict=True))
    attributes = {
        "n_targets": n_targets,
        "tree_roots": roots,
        "nodes_featureids": features,
        "nodes_modes": numpy_helper.from_array(np.array(modes, dtype=np.uint8), "modes"),
        "nodes_splits": numpy_helper.from_array(np.array(splits, dtype=dtype), "splits"),
        "nodes_truenodeids": true_ids,
        "nodes_trueleafs": true_leafs,
        "nodes_falsenodeids": false_ids,
        "nodes_falseleafs": false_leafs,
        "leaf_targetids": [target for target, _ in leaves],
        "leaf_weights": numpy_helper.from_array(np.array([weight for _, weight in leaves], dtype=dtype), "weights"),
        "membership_values": numpy_helper.from_array(np.array(members or [np.nan], dtype=dtype), "members"),
    }
    return attributes | ({"nodes_missing_value_tracks_true": missing_true} if missing else {})

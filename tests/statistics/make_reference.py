# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.3.5", "scipy==1.16.3", "scikit-learn==1.7.2", "statsmodels==0.14.5"]
# ///
"""Prints the values that the unit tests of `core/src/compare` expect: uv run tests/statistics/make_reference.py

Tests of labels, intervals of proportions, calibration, areas, agreement of numbers, as scipy, statsmodels, scikit-learn and numpy have them.
"""

import numpy as np
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

print("McNemar (only A right, only B right): statistic, p")
for b, c in [(3, 9), (0, 0), (0, 7), (12, 12), (40, 22), (13, 12), (200, 260)]:
    is_exact = b + c < 25
    result = mcnemar([[0, b], [c, 0]], exact=is_exact, correction=True)
    print(f"  ({b}, {c}) exact={is_exact}: {result.statistic!r} {result.pvalue!r}")

print("Wilson (hits, n)")
for hits, n in [(0, 10), (10, 10), (7, 10), (950, 1000)]:
    print(f"  ({hits}, {n}): {proportion_confint(hits, n, alpha=0.05, method='wilson')!r}")

print("Two labels")
truth = np.array([0, 1, 1, 0, 1, 0, 1, 0])
p = np.array([0.1, 0.9, 0.5, 0.5, 0.4, 0.2, 1.0, 0.6], dtype=np.float32).astype(np.float64)
predicted = (p > 0.5).astype(int)
print("  brier", metrics.brier_score_loss(truth, p), "mcc", metrics.matthews_corrcoef(truth, predicted))
print("  roc", metrics.roc_auc_score(truth, p), "pr", metrics.average_precision_score(truth, p))
bins = np.clip(np.ceil(p * 10).astype(int), 1, 10)
print("  ece", sum(abs(p[bins == b].sum() - truth[bins == b].sum()) for b in range(1, 11)) / len(p))

print("Three labels")
truth3 = np.array([0, 1, 2, 0, 1, 2, 0, 0, 2, 1])
p3 = np.array(
    [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6], [0.3, 0.4, 0.3], [0.25, 0.5, 0.25],
     [0.5, 0.25, 0.25], [0.9, 0.05, 0.05], [0.4, 0.35, 0.25], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]], dtype=np.float32).astype(np.float64)
one_hot = np.eye(3)[truth3]
predicted3 = p3.argmax(axis=1)
print("  brier", ((p3 - one_hot) ** 2).sum(axis=1).mean(), "mcc", metrics.matthews_corrcoef(truth3, predicted3))
print("  pr", metrics.average_precision_score(one_hot, p3, average="macro"))
confidence, right = p3.max(axis=1), predicted3 == truth3
bins = np.clip(np.ceil(confidence * 10).astype(int), 1, 10)
print("  ece", sum(abs(confidence[bins == b].sum() - right[bins == b].sum()) for b in range(1, 11)) / len(confidence))

print("Numbers")
y = np.array([3.0, -0.5, 2.0, 7.0, 4.25])
x = np.array([2.5, 0.0, 2.0, 8.0, 4.0])
print("  mape", metrics.mean_absolute_percentage_error(y, x), "r2", metrics.r2_score(y, x), "rmse", metrics.root_mean_squared_error(y, x))
print("  cosine", y @ x / np.linalg.norm(y) / np.linalg.norm(x), "sqnr", 20 * np.log10(np.linalg.norm(y) / np.linalg.norm(y - x)))

print("Paired bootstrap of the difference of accuracies, 200,000 draws")
rng = np.random.default_rng(0)
a = np.arange(1000) % 10 < 8
b = (np.arange(1000) % 10 < 7) | (np.arange(1000) % 50 == 9)
draws = (b.astype(float) - a.astype(float))[rng.integers(0, 1000, size=(20000, 1000))].mean(axis=1)
print("  difference", b.mean() - a.mean(), "2.5 % and 97.5 %", np.percentile(draws, [2.5, 97.5]))

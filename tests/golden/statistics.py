# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6"]
# ///
"""Writes statistics.json: samples of times with what numpy says of them. `uv run tests/golden/statistics.py`."""

import json
from pathlib import Path

import numpy

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def case(name, values):
    values = [float(numpy.float32(value)) for value in values]
    # The inverse of the empirical distribution function is the nearest-rank percentile.
    return {
        "name": name,
        "values": values,
        "n": len(values),
        "min": min(values),
        "max": max(values),
        "mean": float(numpy.mean(values)),
        "std": float(numpy.std(values, ddof=1)) if len(values) > 1 else 0.0,
        "median": float(numpy.median(values)),
        **{key: float(numpy.quantile(values, q, method="inverted_cdf")) for key, q in QUANTILES.items()},
    }


def main():
    random = numpy.random.default_rng(20260102)
    cases = [
        case("one", [0.25]),
        case("even", [4, 1, 3, 2]),
        case("twenty", numpy.arange(20, 0, -1)),
        case("a hundred", random.lognormal(-6, 0.3, 100)),
        case("a hundred and one, with ties", numpy.round(random.lognormal(-1, 0.5, 101), 1)),
        case("a thousand", random.lognormal(-6, 0.5, 1000)),
    ]
    document = {"numpy": numpy.__version__, "cases": cases}
    (Path(__file__).parent / "statistics.json").write_text(json.dumps(document) + "\n")


main()

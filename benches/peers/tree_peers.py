# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy==2.4.6",
#     "onnx==1.23.2",
#     "onnxmltools==1.16.0",
#     "onnxruntime==1.31.1",
#     "xgboost==3.2.0",
# ]
# ///
"""Gradient-boosted trees: Drydock beside ONNX Runtime and XGBoost itself, on the same rows with the same number of threads.

From the repository's root:

    uv run benches/peers/tree_peers.py                    # 300 trees of depth 6, 20 features, 100,000 rows, 2 threads
    uv run benches/peers/tree_peers.py --threads 1

The contestants take turns within each round, in processes of their own; the best time of all rounds counts for each. Drydock runs three
times: with all instructions that the processor has, with AVX2 alone, and with portable code. Model and rows are made once, with fixed
seeds, in `target/peers`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
TREES, DEPTH, FEATURES = 300, 6, 20
DRYDOCK = {"drydock": "avx512", "drydock, AVX2": "avx2", "drydock, portable": "portable"}
PEERS = ("onnxruntime", "xgboost")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each measurement")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=ROOT / "target" / "peers")
    parser.add_argument("--bench", type=Path, help="the compiled benchmark; otherwise cargo builds it")
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    files = fixtures(arguments.folder, arguments.rows)
    if arguments.peer:
        print(json.dumps(peer(arguments.peer, files, arguments)))
        return
    bench = arguments.bench or build()
    best: dict[str, dict[str, float]] = {}
    for _ in range(arguments.rounds):
        for name in (*DRYDOCK, *PEERS):
            times = measure(name, bench, files, arguments)
            known = best.setdefault(name, times)
            best[name] = {key: min(known[key], times[key]) for key in times}
    print(f"{TREES} trees of depth {DEPTH}, {FEATURES} features, {arguments.rows:,} rows, {arguments.threads} threads; best of {arguments.rounds} rounds")
    print(f"{'':20} {'rows/s':>12} {'x onnxruntime':>14} {'x xgboost':>10} {'one row':>10}")
    for name, times in best.items():
        ratios = [best[other]["all_rows_seconds"] / times["all_rows_seconds"] for other in PEERS]
        rows_per_second = arguments.rows / times["all_rows_seconds"]
        print(f"{name:20} {rows_per_second:12,.0f} {ratios[0]:14.2f} {ratios[1]:10.2f} {times['one_row_seconds'] * 1e6:7.1f} us")


def fixtures(folder: Path, n_rows: int) -> dict[str, Path]:
    """The model in both formats, and rows."""
    files = {"model": folder / "boosted.onnx", "booster": folder / "boosted.ubj", "rows": folder / f"boosted_{n_rows}.pb"}
    if all(file.exists() for file in files.values()):
        return files
    import onnxmltools
    import xgboost
    from onnx import numpy_helper
    from onnxmltools.convert.common.data_types import FloatTensorType

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, FEATURES)).astype(np.float32)
    y = x[:, 0] * x[:, 1] + np.sin(3 * x[:, 2]) + x[:, 3:].sum(axis=1) / 4 + rng.normal(scale=0.3, size=len(x))
    booster = xgboost.XGBRegressor(n_estimators=TREES, max_depth=DEPTH, learning_rate=0.1, random_state=0, n_jobs=2).fit(x, y)
    booster.save_model(files["booster"])
    model = onnxmltools.convert_xgboost(booster, initial_types=[("X", FloatTensorType([None, FEATURES]))], target_opset=15)
    files["model"].write_bytes(model.SerializeToString())
    rows = np.random.default_rng(1).normal(size=(n_rows, FEATURES)).astype(np.float32)
    files["rows"].write_bytes(numpy_helper.from_array(rows, "X").SerializeToString())
    return files


def build() -> Path:
    """Builds the benchmark and returns its path."""
    command = ["cargo", "bench", "-p", "drydock-benches", "--bench", "trees", "--no-run", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    messages = (json.loads(line) for line in lines if line.startswith("{"))
    return next(Path(message["executable"]) for message in messages if message.get("executable") and message["target"]["name"] == "trees")


def measure(name: str, bench: Path, files: dict[str, Path], arguments: argparse.Namespace) -> dict[str, float]:
    threads = str(arguments.threads)
    environment = os.environ | {"RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
    if name in DRYDOCK:
        environment["DRYDOCK_INSTRUCTIONS"] = DRYDOCK[name]
        command = [bench, files["model"], files["rows"], str(arguments.seconds)]
    else:
        command = [sys.executable, __file__, "--peer", name, "--rows", str(arguments.rows), "--threads", threads, "--seconds", str(arguments.seconds), "--folder", arguments.folder]
    output = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, env=environment).stdout
    report = json.loads(output.splitlines()[-1])
    return {key: report[key] for key in ("all_rows_seconds", "one_row_seconds")}


def peer(name: str, files: dict[str, Path], arguments: argparse.Namespace) -> dict[str, float]:
    """Times one peer in this process."""
    import onnx
    from onnx import numpy_helper

    rows = numpy_helper.to_array(onnx.load_tensor(str(files["rows"])))
    if name == "onnxruntime":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = arguments.threads
        session = onnxruntime.InferenceSession(str(files["model"]), options, providers=["CPUExecutionProvider"])

        def run(x):
            return session.run(None, {"X": x})
    else:
        import xgboost

        booster = xgboost.Booster({"nthread": arguments.threads}, model_file=str(files["booster"]))
        booster.set_param({"nthread": arguments.threads})
        run = booster.inplace_predict

    def best_of(x, repeats: int) -> float:
        start, best = time.perf_counter(), float("inf")
        while time.perf_counter() - start < arguments.seconds:
            begin = time.perf_counter()
            for _ in range(repeats):
                run(x)
            best = min(best, (time.perf_counter() - begin) / repeats)
        return best

    return {"all_rows_seconds": best_of(rows, 1), "one_row_seconds": best_of(rows[:1].copy(), 50)}


if __name__ == "__main__":
    main()

# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "numpy==2.4.6",
#     "onnx==1.23.2",
#     "onnxmltools==1.16.0",
#     "onnxruntime==1.31.1",
#     "pandas==3.1.1",
#     "polars==2.1.0",
#     "xgboost==3.2.0",
# ]
# ///
"""Drydock beside the scripts that people write instead: polars + ONNX Runtime, pandas + ONNX Runtime.

From the repository's root, after `cargo build --release`:

    uv run benches/peers/score_peers.py              # a million rows, CSV to CSV, three rounds
    uv run benches/peers/score_peers.py --rows 4000000 --rounds 1

All contestants get the same files and the same number of threads, take turns within each round, and run in processes of their own.
"Job" is the time from opening the table to closing the result, as a script would measure it; "process" is everything, start to exit.
Medians over the rounds. Tables and models are made once, with fixed seeds, in `target/peers`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

FEATURES = [f"feature_{index}" for index in range(20)]
ROOT = Path(__file__).resolve().parents[2]
BATCH_ROWS = 65_536
# The limits that Drydock promises to stay under.
MEMORY_LIMIT_MB, TEN_ROWS_LIMIT_MS, INSPECT_LIMIT_MS = 600, 60, 150


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=ROOT / "target" / "peers")
    parser.add_argument("--drydock", type=Path, default=ROOT / "target" / "release" / "drydock")
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--job", nargs=4, metavar=("LIBRARY", "MODEL", "TABLE", "OUTPUT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.prepare:
        return fixtures(arguments)
    if arguments.job:
        return peer_job(*arguments.job, arguments.threads)
    if not arguments.drydock.exists():
        sys.exit(f"{arguments.drydock} is not there; run `cargo build --release` first")
    # In a process of its own: a child's peak memory counts from what its parent held when it was forked.
    subprocess.run([sys.executable, __file__, "--prepare", "--rows", str(arguments.rows), "--folder", arguments.folder], check=True)
    table, ten, trees, mlp, large = fixtures(arguments)
    bench = Bench(arguments)
    for name, model in {"trees": trees, "mlp": mlp}.items():
        bench.compare(name, model, table, arguments.rows)
    bench.compare_start(trees, ten)
    bench.inspect(large)


def fixtures(arguments: argparse.Namespace) -> list[Path]:
    """Tables and models, made where they are not there yet."""
    folder = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    return [make_table(folder, arguments.rows), make_table(folder, 10), make_trees(folder), make_mlp(folder), make_large_model(folder)]


class Bench:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.output = arguments.folder / "scored.csv"

    def contestants(self, model: Path, table: Path) -> dict[str, list[str]]:
        threads = str(self.arguments.threads)
        drydock = [self.arguments.drydock, "score", model, table, "-o", self.output, "--threads", threads, "--json", "--no-progress", "--force"]
        script = [sys.executable, __file__, "--threads", threads, "--job"]
        peers = {f"{library} + ONNX Runtime": [*script, library, model, table, self.output] for library in ("polars", "pandas")}
        return {name: [str(part) for part in command] for name, command in {"drydock": drydock, **peers}.items()}

    def compare(self, name: str, model: Path, table: Path, rows: int) -> None:
        results = {contestant: [] for contestant in self.contestants(model, table)}
        for _ in range(self.arguments.rounds):
            for contestant, command in self.contestants(model, table).items():
                results[contestant].append(run(command, self.arguments.threads))
                check_output(self.output, rows)
        size = table.stat().st_size / 1e6
        print(f"\n{name}: {rows:,} rows x {len(FEATURES)} columns ({size:,.0f} MB), CSV to CSV, {self.arguments.threads} threads")
        print(f"  {'':24} {'job rows/s':>12} {'process rows/s':>15} {'peak memory':>12}")
        speeds = {}
        for contestant, rounds in results.items():
            job, process = median(rounds, "job_seconds"), median(rounds, "process_seconds")
            memory = max(each["peak_mb"] for each in rounds)
            speeds[contestant] = rows / job
            print(f"  {contestant:24} {rows / job:12,.0f} {rows / process:15,.0f} {memory:9,.0f} MB")
        for contestant, speed in speeds.items():
            if contestant != "drydock":
                print(f"  drydock / {contestant}: {speeds['drydock'] / speed:.2f}x")
        verdict("peak memory", max(each["peak_mb"] for each in results["drydock"]), MEMORY_LIMIT_MB, "MB")

    def compare_start(self, model: Path, table: Path) -> None:
        """The whole process for ten rows."""
        results = {contestant: [] for contestant in self.contestants(model, table)}
        for _ in range(max(self.arguments.rounds, 3) * 3):
            for contestant, command in self.contestants(model, table).items():
                results[contestant].append(run(command, self.arguments.threads))
        print("\nten rows, whole process")
        for contestant, rounds in results.items():
            print(f"  {contestant:24} {1e3 * median(rounds, 'process_seconds'):8.1f} ms")
        verdict("ten rows", 1e3 * median(results["drydock"], "process_seconds"), TEN_ROWS_LIMIT_MS, "ms")

    def inspect(self, model: Path) -> None:
        command = [str(self.arguments.drydock), "inspect", str(model), "--json"]
        rounds = [run(command, self.arguments.threads) for _ in range(9)]
        print(f"\ninspect a model of {model.stat().st_size / 1e6:.0f} MB: peak memory {max(each['peak_mb'] for each in rounds):.0f} MB")
        verdict("inspect", 1e3 * median(rounds, "process_seconds"), INSPECT_LIMIT_MS, "ms")


def run(command: list[str], threads: int) -> dict[str, float]:
    """Runs one contestant; every one of them prints JSON with its `seconds` on stdout."""
    environment = os.environ | {"POLARS_MAX_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    answer = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with exit code {process.returncode}")
    return {"job_seconds": json.loads(answer).get("seconds", elapsed), "process_seconds": elapsed, "peak_mb": usage.ru_maxrss / 1024}


def peer_job(library: str, model: str, table: str, output: str, threads: int) -> None:
    """What a careful person's script does: read, predict in batches, write."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if library == "polars":
        import polars as frames
    else:
        import pandas as frames
    started = time.perf_counter()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    frame = frames.read_csv(table)
    features = frame.select(FEATURES).to_numpy() if library == "polars" else frame[FEATURES].to_numpy()
    features = np.ascontiguousarray(features, dtype=np.float32)
    answers = [session.run(None, {name: features[start : start + BATCH_ROWS]}) for start in range(0, len(features), BATCH_ROWS)]
    labels, probabilities = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    columns = {"prediction": labels, "probability_0": probabilities[:, 0], "probability_1": probabilities[:, 1]}
    if library == "polars":
        frame.with_columns(**{key: frames.Series(value) for key, value in columns.items()}).write_csv(output)
    else:
        frame.assign(**columns).to_csv(output, index=False)
    print(json.dumps({"seconds": time.perf_counter() - started}))


def make_table(folder: Path, rows: int) -> Path:
    path = folder / f"table_{rows}.csv"
    if not path.exists():
        import numpy as np
        import polars

        rng = np.random.default_rng(2)
        features = {name: rng.normal(0, 30, rows).round(4).astype(np.float32) for name in FEATURES}
        polars.DataFrame(features).write_csv(path, float_precision=4)
    return path


def training_data(rows: int):
    import numpy as np

    rng = np.random.default_rng(3)
    features = rng.normal(0, 30, (rows, len(FEATURES))).astype(np.float32)
    score = features[:, 0] + features[:, 1] * features[:, 2] / 30 - np.abs(features[:, 3]) + 10 * np.sin(features[:, 4] / 10) + rng.normal(0, 10, rows)
    return features, (score > 0).astype(np.int64)


def make_trees(folder: Path) -> Path:
    """300 boosted trees of depth 6."""
    path = folder / "trees.onnx"
    if not path.exists():
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType
        from xgboost import XGBClassifier

        features, labels = training_data(50_000)
        classifier = XGBClassifier(n_estimators=300, max_depth=6, learning_rate=0.1, random_state=4, n_jobs=2).fit(features, labels)
        model = onnxmltools.convert_xgboost(classifier, initial_types=[("features", FloatTensorType([None, len(FEATURES)]))], target_opset=15)
        path.write_bytes(model.SerializeToString())
    return path


def make_mlp(folder: Path) -> Path:
    """A perceptron 20-64-32-2, with random weights: its speed does not depend on what it says."""
    path = folder / "mlp.onnx"
    if not path.exists():
        import numpy as np
        from onnx import TensorProto, helper, numpy_helper

        rng = np.random.default_rng(5)
        sizes, nodes, weights, value = (20, 64, 32, 2), [], [], "features"
        for layer, (n_in, n_out) in enumerate(zip(sizes, sizes[1:])):
            weights.append(numpy_helper.from_array(rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_out)).astype(np.float32), f"w{layer}"))
            weights.append(numpy_helper.from_array(rng.normal(0, 1, n_out).astype(np.float32), f"b{layer}"))
            nodes.append(helper.make_node("Gemm", [value, f"w{layer}", f"b{layer}"], [f"h{layer}"]))
            value = f"h{layer}"
            if layer < 2:
                nodes.append(helper.make_node("Relu", [value], [f"r{layer}"]))
                value = f"r{layer}"
        nodes.append(helper.make_node("Softmax", [value], ["probabilities"], axis=-1))
        nodes.append(helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0))
        inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 20])]
        outputs = [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 2]),
        ]
        graph = helper.make_graph(nodes, "mlp", inputs, outputs, weights)
        path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    return path


def make_large_model(folder: Path) -> Path:
    """25 matrix products with 4 MB of weights each."""
    path = folder / "large.onnx"
    if not path.exists():
        import numpy as np
        from onnx import TensorProto, helper, numpy_helper

        rng = np.random.default_rng(6)
        nodes = [helper.make_node("MatMul", [f"v{i}" if i else "x", f"w{i}"], [f"v{i + 1}"], name=f"product_{i}") for i in range(25)]
        weights = [numpy_helper.from_array(rng.normal(size=(1024, 1024)).astype(np.float32), f"w{i}") for i in range(25)]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1024])]
        outputs = [helper.make_tensor_value_info("v25", TensorProto.FLOAT, ["N", 1024])]
        graph = helper.make_graph(nodes, "large", inputs, outputs, weights)
        path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    return path


def check_output(path: Path, rows: int) -> None:
    with path.open("rb") as file:
        lines = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    if lines != rows + 1:
        sys.exit(f"{path} has {lines:,} lines, expected {rows + 1:,}")


def median(rounds: list[dict[str, float]], key: str) -> float:
    return statistics.median(each[key] for each in rounds)


def verdict(name: str, value: float, limit: float, unit: str) -> None:
    print(f"  {name}: {value:.1f} {unit}, limit {limit} {unit}: {'kept' if value <= limit else 'EXCEEDED'}")


if __name__ == "__main__":
    main()

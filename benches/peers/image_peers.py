# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "onnx==1.23.2", "onnxruntime==1.31.1"]
# ///
"""Drydock beside ONNX Runtime, tract and rten on networks for images, batch 1.

From the repository's root:

    cargo bench -p drydock-benches --bench image --no-run
    cargo build --release --manifest-path benches/peers/runtimes/Cargo.toml
    uv run benches/peers/image_peers.py        # --models resnet50 squeezenet … --threads 2 --rounds 3

The networks are those of ONNX's own test data, whose weights are constants that the model makes itself; here they get random ones of the usual size,
with a fixed seed. All get the same file, the same picture and the same number of threads, and take turns in processes of their own; a contestant's
figures are its fastest run, and the least of its rounds' medians. Outputs are held against ONNX Runtime's.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODELS = ["resnet50", "squeezenet", "shufflenet", "densenet121", "inception_v1", "inception_v2", "vgg19", "bvlc_alexnet", "zfnet512"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=MODELS, choices=MODELS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--folder", type=Path, default=ROOT / "target" / "peers")
    parser.add_argument("--drydock", type=Path, help="the compiled benchmark; otherwise the newest in target/release/deps")
    parser.add_argument("--runtimes", type=Path, default=ROOT / "benches/peers/runtimes/target/release/drydock-peers")
    parser.add_argument("--onnx-runtime", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.onnx_runtime:
        return onnx_runtime(arguments.onnx_runtime, arguments.runs, arguments.threads)
    built = (ROOT / "target/release/deps").glob("image-*[!.d]")
    drydock = arguments.drydock or max(built, key=os.path.getmtime, default=None)
    if drydock is None or not arguments.runtimes.exists():
        sys.exit(__doc__)
    for name in arguments.models:
        path = network(name, arguments.folder)
        runs, threads = str(arguments.runs), str(arguments.threads)
        options = ["--runs", runs, "--threads", threads]
        contestants = {
            "drydock": [drydock, path, *options],
            "tract": [arguments.runtimes, "tract", path, *options],
            "rten": [arguments.runtimes, "rten", path, *options],
            "ONNX Runtime": [sys.executable, __file__, "--onnx-runtime", path, *options],
        }
        compare(name, contestants, arguments)


def compare(name, contestants, arguments):
    rounds = {contestant: [] for contestant in contestants}
    for _ in range(arguments.rounds):
        for contestant, command in contestants.items():
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode == 0:
                rounds[contestant].append(json.loads(done.stdout))
            else:
                print(f"{name}: {contestant} fails: {done.stderr.strip().splitlines()[-1:]}")
    print(f"{name}, {arguments.threads} threads")
    expected = rounds["ONNX Runtime"][0]["output"]
    best = {contestant: min(result["median_ms"] for result in results) for contestant, results in rounds.items() if results}
    for contestant, median in best.items():
        results = rounds[contestant]
        apart = max(abs(a - b) / max(abs(b), 1e-9) for a, b in zip(results[0]["output"], expected))
        fastest = min(result["min_ms"] for result in results)
        times = f"fastest {fastest:8.2f} ms   best median {median:8.2f} ms"
        print(f"  {contestant:14} {times}   drydock is {median / best['drydock']:5.2f} x as fast   apart from ONNX Runtime {apart:.1e}", flush=True)


def network(name, folder):
    """A network of ONNX's test data with random weights: made once."""
    import numpy
    import onnx
    import onnx.backend.test
    from onnx import numpy_helper

    path = folder / f"{name}.onnx"
    if path.exists():
        return path
    data = Path(onnx.backend.test.__file__).parent / "data" / "light" / f"light_{name}.onnx"
    model = onnx.load(data)
    random = numpy.random.default_rng(7)
    graph = model.graph
    shapes = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    made = [node for node in graph.node if node.op_type == "ConstantOfShape" and node.input[0] in shapes]
    variances = {node.input[4] for node in graph.node if node.op_type == "BatchNormalization"}
    scales = {node.input[1] for node in graph.node if node.op_type == "BatchNormalization"}
    for node in made:
        shape = [int(dim) for dim in shapes[node.input[0]]]
        fan_in = max(int(numpy.prod(shape[1:])), 1)
        if node.output[0] in variances:
            values = random.uniform(0.8, 1.2, shape)
        elif node.output[0] in scales:
            # Below 1, or sums over dozens of branches would leave one class with all the probability.
            values = random.uniform(0.3, 0.5, shape)
        else:
            values = random.normal(0, (2 / fan_in) ** 0.5 if len(shape) > 1 else 0.05, shape)
        graph.initializer.append(numpy_helper.from_array(values.astype(numpy.float32), node.output[0]))
        graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    for value in [value for value in graph.input if any(tensor.name == value.name for tensor in graph.initializer) or value.name in shapes]:
        graph.input.remove(value)
    model.ir_version = max(model.ir_version, 8)
    onnx.checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def onnx_runtime(path, runs, threads):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    shape = [dim if isinstance(dim, int) else 1 for dim in given.shape]
    picture = ((numpy.arange(numpy.prod(shape)) * 7919 % 4001) / 1000 - 2).astype(numpy.float32).reshape(shape)
    for _ in range(3):
        output = session.run(None, {given.name: picture})[0]
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        session.run(None, {given.name: picture})
        times.append((time.perf_counter() - start) * 1e3)
    times.sort()
    print(json.dumps({"min_ms": times[0], "median_ms": times[len(times) // 2], "output": output.ravel()[:5].tolist()}))


if __name__ == "__main__":
    main()

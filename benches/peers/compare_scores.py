# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""One comparison of two versions beside scoring the same table with each: time, and the comparison's memory.

From the repository's root, after `cargo build --release`:

    uv run benches/peers/compare_scores.py           # 1,000,000 rows, three rounds; --drydock PATH for another binary

The table repeats the rows of a sample, with a number of its own in each. The runs take turns; the least time of each counts. Promised are at most
1.3 times the time of both scores together, and less than 600 MB.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = [ROOT / "sample-models" / name / "model.onnx" for name in ("payment-fraud", "payment-fraud-v2")]
MAX_RATIO, MAX_MEGABYTES = 1.3, 600


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--drydock", type=Path, default=ROOT / "target/release/drydock")
    parser.add_argument("--folder", type=Path, default=ROOT / "target/peers")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    table = make_table(arguments.folder, arguments.rows)
    scores = [["score", version, table, "-o", arguments.folder / f"compared-{index}.csv", "--force"] for index, version in enumerate(VERSIONS)]
    comparison = ["compare", *VERSIONS, "--data", table, "--no-latency", "--json"]
    best = {"score A": [], "score B": [], "compare": []}
    megabytes = 0
    for _ in range(arguments.rounds):
        for name, command in zip(best, [*scores, comparison]):
            seconds, peak = run([arguments.drydock, *command])
            best[name].append(seconds)
            if name == "compare":
                megabytes = max(megabytes, peak)
    least = {name: min(seconds) for name, seconds in best.items()}
    for name, seconds in least.items():
        print(f"{name:<8} {seconds:6.2f} s   {arguments.rows / seconds:>12,.0f} rows/s")
    ratio = least["compare"] / (least["score A"] + least["score B"])
    print(f"compare takes {ratio:.2f} times both scores, {megabytes:.0f} MB at most")
    return 0 if ratio <= MAX_RATIO and megabytes < MAX_MEGABYTES else 1


def make_table(folder, n_rows):
    path = folder / f"payments-{n_rows}.csv"
    if path.exists():
        return path
    header, *rows = (ROOT / "sample-models/payment-fraud/new.csv").read_text().splitlines()
    rows = [row.split(",", 1)[1] for row in rows]
    with path.open("w") as file:
        print(header, file=file)
        for index in range(n_rows):
            print(f"{index},{rows[index % len(rows)]}", file=file)
    return path


def run(command):
    """Seconds, and the most memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    sys.exit(main())

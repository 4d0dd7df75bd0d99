#!/usr/bin/env python3
"""How fast `thalweg score` is, and what memory it needs, beside scikit-learn with pandas, in one run.

    python3 -m venv /tmp/score-peers && /tmp/score-peers/bin/pip install -r bench/score/requirements.txt
    cargo build --release
    /tmp/score-peers/bin/python bench/score/measure.py target/release/thalweg [ROWS ...]

The reference net (20 numeric features, 64 hidden) is trained by both programs on the same 10,000 rows; then each scores
Parquet files of ROWS rows (default: 1 and 10 million; 20 columns of doubles, snappy, pyarrow's own row groups, and once with
groups of 100,000 rows) and writes row number and probability, thalweg as CSV and as Parquet, the peer as Parquet. Every
process may use two threads. Wall time is that of the whole process, from its start to the file in its place: for the peer
the time to import its libraries and to load the fitted model is given apart and not counted. CPU time is user plus system
time; memory is the largest resident set. Each line is the quickest of three runs. Files are in the page cache.
"""

import json
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import time

THREADS = "2"
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ[name] = THREADS

FEATURES = [f"x{at:02}" for at in range(20)]
CHUNK = 1 << 20


def rows(n, seed):
    """Twenty correlated columns of doubles and an outcome that is not linear in them."""
    import numpy

    random = numpy.random.default_rng(seed)
    x = random.normal(size=(n, len(FEATURES)))
    x[:, 1:] += 0.3 * x[:, :-1]
    x[:, 5] = numpy.exp(x[:, 5])
    logit = x[:, 0] - x[:, 1] * x[:, 2] + 0.5 * numpy.sin(3 * x[:, 3]) - 0.8
    return x, random.random(n) < 1 / (1 + numpy.exp(-logit))


def write(path, n, group):
    """A Parquet file, written in chunks so that this script stays small itself."""
    import pyarrow
    import pyarrow.parquet

    schema = pyarrow.schema([(name, pyarrow.float64()) for name in FEATURES])
    with pyarrow.parquet.ParquetWriter(path, schema, compression="snappy") as writer:
        for start in range(0, n, CHUNK):
            x, _ = rows(min(CHUNK, n - start), 1000 + start)
            columns = [pyarrow.array(x[:, at]) for at in range(len(FEATURES))]
            writer.write_table(pyarrow.table(columns, schema=schema), row_group_size=group)


def train(thalweg, folder):
    """The reference net, by the product and by scikit-learn."""
    import pandas
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = rows(10_000, 1)
    table = pandas.DataFrame(x, columns=FEATURES)
    net = MLPClassifier((64,), solver="sgd", learning_rate_init=0.01, batch_size=32, max_iter=30)
    (folder / "peer.pickle").write_bytes(pickle.dumps(make_pipeline(StandardScaler(), net).fit(table, y)))
    table["y"] = ["yes" if label else "no" for label in y]
    table.to_parquet(folder / "train.parquet")
    shop = folder / "shop"
    call = [thalweg, "init", str(shop), "--from", str(folder / "train.parquet"), "--target", "y"]
    subprocess.run(call, check=True, capture_output=True)
    config = (shop / "thalweg.toml").read_text()
    lines = [line for line in config.splitlines() if not line.startswith(("learner =", "folds ="))]
    config = "\n".join(lines).replace("[model]", '[model]\nlearner = "mlp"\nfolds = 2', 1)
    (shop / "thalweg.toml").write_text(config + "\n")
    subprocess.run([thalweg, "train", "-C", str(shop)], check=True, capture_output=True)
    return shop


def peer(model, data, out):
    """Runs in a process of its own."""
    begun = time.perf_counter()
    import pandas

    net = pickle.loads(pathlib.Path(model).read_bytes())
    loaded = time.perf_counter()
    table = pandas.read_parquet(data)
    probability = net.predict_proba(table)[:, 1]
    scores = pandas.DataFrame({"row": range(1, len(table) + 1), "probability": probability})
    scores.to_parquet(out, index=False)
    print(json.dumps({"rows": len(table), "before": loaded - begun}))


# A process that starts another one and says what it took. A child counts the memory of whoever started it until it becomes
# itself, so that this script, which holds whole tables, must not start what it measures.
STARTER = """import json, os, sys, time
begun = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ), 0)
took = [status, time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]
print(json.dumps(took), file=sys.stderr)
"""


def timed(call):
    """Wall and CPU seconds, memory in MiB, and what it printed."""
    done = subprocess.run([sys.executable, "-S", "-c", STARTER, *call], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    status, wall, cpu, mib = json.loads(done.stderr.splitlines()[-1])
    assert status == 0, (call, done.stderr)
    return {"wall": wall, "cpu": cpu, "mib": mib, "said": json.loads(done.stdout)}


def best(call):
    return min((timed(call) for _ in range(3)), key=lambda run: run["wall"])


def line(name, n, run, wall):
    speed = n / wall / 1e6
    print(f"{name:34}{n:>12,}{wall:>9.2f}{run['cpu']:>9.2f}{speed:>10.2f}{run['mib']:>9.0f}", flush=True)
    return speed


def main():
    thalweg = str(pathlib.Path(sys.argv[1]).resolve())
    sizes = [int(size) for size in sys.argv[2:]] or [1_000_000, 10_000_000]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shop = train(thalweg, folder)
        print(f"{'':34}{'rows':>12}{'wall s':>9}{'CPU s':>9}{'M rows/s':>10}{'MiB':>9}")
        for n in sizes:
            whole, groups = folder / "whole.parquet", folder / "groups.parquet"
            write(whole, n, CHUNK)
            write(groups, n, 100_000)
            speed = {}
            for name, data, out in (
                ("thalweg, Parquet to Parquet", whole, "t.parquet"),
                ("thalweg, Parquet to CSV", whole, "t.csv"),
                ("thalweg, groups of 100,000 rows", groups, "g.parquet"),
            ):
                call = [thalweg, "score", "--model", "latest", "-C", str(shop), "--data", str(data)]
                call += ["--out", str(folder / out), "--threads", THREADS, "--json"]
                run = best(call)
                assert run["said"]["rows"] == n
                speed[name] = line(name, n, run, run["wall"])
            call = [sys.executable, __file__, "peer", str(folder / "peer.pickle"), str(whole)]
            run = best(call + [str(folder / "p.parquet")])
            name = "scikit-learn and pandas"
            speed[name] = line(name, n, run, run["wall"] - run["said"]["before"])
            ratio = speed["thalweg, Parquet to Parquet"] / speed[name]
            print(f"thalweg is {ratio:.1f} times as fast (peer's imports, {run['said']['before']:.1f} s, not counted)")


if __name__ == "__main__":
    if sys.argv[1] == "peer":
        peer(*sys.argv[2:])
    else:
        main()

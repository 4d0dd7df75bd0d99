#!/usr/bin/env python3
"""Thalweg's trees beside LightGBM and scikit-learn on a million rows of 20 columns, in one run.

    python3 -m venv /tmp/trees && /tmp/trees/bin/pip install -r bench/trees/requirements.txt
    cargo test --release -p thalweg-learn --lib --no-run        # names the program
    /tmp/trees/bin/python bench/trees/compare.py target/release/deps/thalweg_learn-...

Everyone grows 100 trees of 31 leaves on 255 bins at rate 0.1, at least 20 rows a leaf, no sampling, two threads, each in a process of
its own. Time is that of binning and growing; peak memory that of the process, the table (160 MB) included. AUC is on
200,000 other rows. Each fits twice; the faster one counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import data

ROWS, TEST_ROWS, THREADS, REPEATS = 1_000_000, 200_000, 2, 2


def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def peer(name, folder):
    """Fits in this process; prints one line of JSON per repeat."""
    from sklearn.metrics import roc_auc_score

    x, y = data.read(folder, "train")
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        if name == "lightgbm":
            import lightgbm

            params = {"objective": "binary", "num_leaves": 31, "learning_rate": 0.1, "num_threads": THREADS, "verbose": -1}
            model = lightgbm.train(params, lightgbm.Dataset(x.T, y), 100)
            score = model.predict
        else:
            from sklearn.ensemble import HistGradientBoostingClassifier

            model = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=31, early_stopping=False).fit(x.T, y)
            score = model.decision_function
        wall, cpu, most = time.perf_counter() - wall, time.process_time() - cpu, peak()
        test, truth = data.read(folder, "test")
        print(json.dumps({"wall": wall, "cpu": cpu, "peak_mib": most, "auc": roc_auc_score(truth, score(test.T))}))


def lines(command, folder):
    environment = {**os.environ, "THALWEG_TREES": folder, "RAYON_NUM_THREADS": str(THREADS), "OMP_NUM_THREADS": str(THREADS)}
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    runs = [json.loads(line[line.index("{"):]) for line in out.splitlines() if "{" in line]
    return min(runs, key=lambda run: run["cpu"])


def main(program):
    with tempfile.TemporaryDirectory() as folder:
        data.write(folder, ROWS, TEST_ROWS)
        ours = [program, "measure_trees", "--ignored", "--nocapture", "--test-threads=1"]
        again = [sys.executable, __file__, "--peer"]
        results = {"Thalweg": lines(ours, folder)}
        for name, label in (("lightgbm", "LightGBM"), ("sklearn", "scikit-learn HistGradientBoosting")):
            results[label] = lines([*again, name, folder], folder)
    base = results["Thalweg"]
    print(f"| program | wall s | CPU s | peak MiB | AUC | ours : its wall | ours : its CPU |\n|---|---|---|---|---|---|---|")
    for label, run in results.items():
        print(f"| {label} | {run['wall']:.1f} | {run['cpu']:.1f} | {run['peak_mib']:.0f} | {run['auc']:.4f} "
              f"| {base['wall'] / run['wall']:.2f} | {base['cpu'] / run['cpu']:.2f} |")


if __name__ == "__main__":
    if sys.argv[1] == "--peer":
        peer(*sys.argv[2:])
    else:
        main(sys.argv[1])

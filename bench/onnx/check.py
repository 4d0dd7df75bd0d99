"""Compares our exported models with the PyPI onnxruntime on 1,000 rows of the example.

    pip install -r bench/onnx/requirements.txt
    python bench/onnx/check.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
BOUND = 1e-5


def feeds(session, rows):
    cells = {}
    for each in session.get_inputs():
        column = rows[each.name]
        text = each.type == "tensor(string)"
        cells[each.name] = (column.fillna("") if text else column).to_numpy(object if text else np.float64).reshape(-1, 1)
    return cells


def difference(path, rows):
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    theirs = np.asarray(session.run(None, feeds(session, rows))[0], np.float64)
    ours = np.loadtxt(path.with_suffix(".csv"), delimiter=",", ndmin=2)
    # two classes are written as two columns; values are held against their range
    theirs = theirs[:, 1:] if theirs.shape[1] == 2 else theirs
    return np.abs(theirs - ours).max() / max(1.0, np.ptp(ours)), ours


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
    if not list(folder.glob("*.onnx")):
        command = ["cargo", "run", "--quiet", "-p", "thalweg-onnx", "--example", "export", "--", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True)
    rows = pd.read_csv(ROOT / "examples/telco/customers.csv").head(1000)
    worst = 0.0
    for path in sorted(folder.glob("*.onnx")):
        own, ours = difference(path, rows)
        worst = max(worst, own)
        print(f"{path.stem:20} {path.stat().st_size:8} bytes   largest difference {own:.1e} over {ours.size} numbers")
    print(f"onnxruntime {onnxruntime.__version__}: largest of all {worst:.1e}, bound {BOUND:.0e}")
    sys.exit(0 if worst <= BOUND else 1)


if __name__ == "__main__":
    main()

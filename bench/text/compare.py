"""Accuracy of text models in five folds: ours beside scikit-learn's TF-IDF and logistic regression, same folds, one run.

    python -m venv VENV && VENV/bin/pip install -r bench/text/requirements.txt
    VENV/bin/python bench/text/compare.py            # from the repository root; needs ../shared/data

Fold k holds every fifth row, from row k on, of the rows with a text. scikit-learn gets words and pairs of words for
English and one to three characters for Chinese, with the penalty that was best for it on these data (ours chooses its own
inside each fold's training rows).
CPU seconds are those of the fits of all five folds.
"""

import re
import resource
import subprocess
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

DATA = Path("../shared/data")
WORDS = dict(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
CHARACTERS = dict(ngram_range=(1, 3), min_df=2, sublinear_tf=True, analyzer="char")


def read(file, text, label):
    table = pd.read_csv(DATA / file, keep_default_na=False)
    table = table[table[text].str.strip() != ""]
    return table[text].to_numpy(), table[label].astype(str).to_numpy()


def theirs(name, texts, labels, options, penalty):
    right, cpu = 0, 0.0
    for fold in range(5):
        test = np.arange(len(texts)) % 5 == fold
        model = make_pipeline(TfidfVectorizer(**options), LogisticRegression(C=penalty, max_iter=300))
        start = time.process_time()
        model.fit(texts[~test], labels[~test])
        cpu += time.process_time() - start
        right += (model.predict(texts[test]) == labels[test]).sum()
    print(f"{name:8} scikit-learn  accuracy {right / len(texts):.4f}  {cpu:7.1f} CPU-s", flush=True)


def ours():
    def test(*more):
        return ["cargo", "test", "-q", "-p", "thalweg-learn", "--lib", *more]

    subprocess.run(test("--no-run"), check=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    run = subprocess.run(
        test("--", "--ignored", "--nocapture", "measure_texts_in_five_folds"), check=True, capture_output=True, text=True
    )
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    for found in re.finditer(r"^(\w+) (\w+): accuracy ([\d.]+) on .*", run.stdout, re.M):
        print(f"{found[1]:8} ours, {found[2]:8} accuracy {found[3]}", flush=True)
    print(f"         ours, all of these together {cpu:.1f} CPU-s")


def main():
    warnings.filterwarnings("ignore")
    ours()
    theirs("airline", *read("airline_feedback_en/tweets.csv", "text", "airline_sentiment"), WORDS, 3.0)
    theirs("hotel", *read("zh_hotel_reviews/ChnSentiCorp_htl_all.csv", "review", "label"), CHARACTERS, 5.0)


main()

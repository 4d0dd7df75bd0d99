"""The made-up table of the trees' benchmark: 20 numeric columns, one target; written as raw columns of float64."""

import pathlib

import numpy


def make(n_rows, seed, noise):
    """Columns of several shapes; two have missing cells. The log-odds hang on eight of them, with interactions."""
    rng = numpy.random.default_rng(seed)
    x = rng.normal(size=(20, n_rows))
    x[4:8] = rng.exponential(size=(4, n_rows)) * 50.0
    x[8:11] = rng.integers(0, 12, size=(3, n_rows))
    x[11] = rng.integers(0, 2, size=n_rows)
    log_odds = (
        0.8 * x[0]
        - 0.5 * x[1] * (x[2] > 0.3)
        + 0.6 * numpy.sin(2.0 * x[3])
        + 0.02 * numpy.minimum(x[4], 120.0)
        - 0.3 * (x[8] % 3)
        + 0.5 * x[11] * x[5] / 50.0
        + 0.3 * numpy.abs(x[12])
        + noise * rng.normal(size=n_rows)
        - 1.6
    )
    target = (rng.random(n_rows) < 1.0 / (1.0 + numpy.exp(-log_odds))).astype(float)
    x[0][rng.random(n_rows) < 0.05] = numpy.nan
    x[13][rng.random(n_rows) < 0.3] = numpy.nan
    return x, target


def write(folder, n_train, n_test):
    """`train.f64` and `test.f64`: the 20 columns, then the target."""
    for name, rows, seed in (("train", n_train, 1), ("test", n_test, 2)):
        x, target = make(rows, seed, 0.5)
        with pathlib.Path(folder, name + ".f64").open("wb") as file:
            for column in x:
                column.tofile(file)
            target.tofile(file)


def read(folder, name):
    """The columns as a C-ordered (20, n) array, and the target."""
    flat = numpy.fromfile(pathlib.Path(folder, name + ".f64"))
    table = flat.reshape(21, -1)
    return table[:20], table[20]

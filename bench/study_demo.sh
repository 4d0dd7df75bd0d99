#!/usr/bin/env bash
# Plays `thalweg demo` on seeds 1..N and prints, from the simulator's truth: profit of Thalweg, of "top risk first" and of
# the informed plan (the oracle), how often Thalweg is ahead, and how long each took. Needs Python 3 besides Rust.
#
#     bench/study_demo.sh 10                                              # the dev profile's program
#     THALWEG=target/release/thalweg bench/study_demo.sh 10               # another one
#     bench/study_demo.sh 3 --customers 5000                              # further options go to the demo
#     KEEP=/tmp/study bench/study_demo.sh 10                              # keep the JSON of every seed
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${1:-10}
shift || true
if [ -z "${THALWEG:-}" ]; then
    cargo build --quiet
    THALWEG=${CARGO_TARGET_DIR:-target}/debug/thalweg
fi
export THALWEG KEEP=${KEEP:-}
exec python3 - "$seeds" "$@" <<'PYTHON'
import json, os, pathlib, statistics, subprocess, sys, time

program, keep, seeds, options = os.environ["THALWEG"], os.environ["KEEP"], int(sys.argv[1]), sys.argv[2:]
if keep:
    pathlib.Path(keep).mkdir(parents=True, exist_ok=True)
runs = []
print(f"{'':6}|{'last cycle':^33}|{'all cycles':^40}|")
print(f"{'seed':>6}|{'thalweg':>10} {'top risk':>10} {'informed':>11}|{'thalweg':>10} {'top risk':>10} {'informed':>11} {'share':>6}| seconds")
for seed in range(1, seeds + 1):
    begun = time.monotonic()
    done = subprocess.run([program, "demo", "--seed", str(seed), "--json", *options], capture_output=True, text=True)
    seconds = time.monotonic() - begun
    if done.returncode != 0:
        print(f"{seed:>6}| failed with exit code {done.returncode}: {done.stderr.strip().splitlines()[-1:]}", flush=True)
        continue
    if keep:
        pathlib.Path(keep, f"{seed}.json").write_text(done.stdout)
    out = json.loads(done.stdout)
    last, total = out["cycles"][-1]["profit"], out["total"]
    runs.append((last, total, out["oracle_share"], out["cycles"][-1]["oracle_share"], seconds))
    cells = [last["thalweg"], last["top_risk"], last["oracle"], total["thalweg"], total["top_risk"], total["oracle"]]
    a, b, c, d, e, f = (f"{cell:,.0f}" for cell in cells)
    hostile = "  hostile" if out["hostile"] else ""
    print(f"{seed:>6}|{a:>10} {b:>10} {c:>11}|{d:>10} {e:>10} {f:>11} {out['oracle_share']:>5.0%} |{seconds:>8.1f}{hostile}", flush=True)
if not runs:
    sys.exit(1)
ahead_last = sum(last["thalweg"] > last["top_risk"] for last, *_ in runs)
ahead_all = sum(total["thalweg"] > total["top_risk"] for _, total, *_ in runs)
print(f"\nahead of top risk first: {ahead_last} of {len(runs)} seeds in the last cycle, {ahead_all} of {len(runs)} over all cycles")
share = [run[2] for run in runs]
print(f"share of the informed plan's profit: mean {statistics.mean(share):.1%} over all cycles (least {min(share):.1%},"
      f" most {max(share):.1%}), mean {statistics.mean(run[3] for run in runs):.1%} in the last cycle")
print(f"seconds per demo: mean {statistics.mean(run[4] for run in runs):.1f}, most {max(run[4] for run in runs):.1f}")
PYTHON

"""`thalweg tool response` beside PyMC-Marketing with nutpie: one run, seconds, processor seconds, effective draws, returns.

python bench/response/compare.py THALWEG [--data FILE] [--businesses FOLDER]

Both sides: 4 chains of 1000 + 1000, the same model and priors. Ours runs with `--held-out 0`, as the peer makes no second fit.
With a folder from `cargo run -p thalweg-response --example study -- 5 FOLDER` the contributions of five simulated businesses are
compared with the truth.
"""

import argparse, datetime, json, os, pathlib, resource, subprocess, sys, time

here = pathlib.Path(__file__).parent
parser = argparse.ArgumentParser()
parser.add_argument("thalweg")
parser.add_argument("--data", default=str(here / "../../../shared/data/pymc_marketing/mmm_example.csv"))
parser.add_argument("--businesses")
parser.add_argument("--most", type=int, default=5)
args = parser.parse_args()


def timed(command):
    """The last line of JSON, wall seconds and processor seconds, of the process and its children."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.stdout.strip():
        sys.exit(done.stderr[-2000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout.strip().splitlines()[-1]), wall, cpu


def both(data, columns, ours_more, peer_more):
    common = ["--data", data, "--time", columns[0], "--outcome", columns[1], "--channels", columns[2], "--controls", columns[3]]
    ours = timed([args.thalweg, "tool", "response", *common, "--held-out", "0", "--json", *ours_more])
    peer = timed([sys.executable, str(here / "peer.py"), *common, *peer_more])
    return ours, peer


def example():
    truth = {"x1": 4968.0, "x2": 2275.0}
    ours, peer = both(args.data, ["date_week", "y", "x1,x2", "event_1,event_2,t"], [], ["--date-format", "%m/%d/%Y"])
    print(f"{os.path.basename(args.data)}, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    print(f"{'':22}{'thalweg':>12}{'PyMC-Marketing':>18}{'ratio':>8}")
    (a, wall_a, cpu_a), (b, wall_b, cpu_b) = ours, peer
    ess_a, ess_b = a["diagnostics"]["ess"], b["ess"]
    rows = [
        ("seconds in all", wall_a, wall_b, wall_b / wall_a),
        ("processor seconds", cpu_a, cpu_b, cpu_b / cpu_a),
        ("least effective draws", ess_a, ess_b, ess_a / ess_b),
        ("per processor second", ess_a / cpu_a, ess_b / cpu_b, ess_a / cpu_a / (ess_b / cpu_b)),
        ("R-hat", a["diagnostics"]["r_hat"], b["r_hat"], float("nan")),
    ]
    for name, x, y, ratio in rows:
        print(f"{name:22}{x:12.3f}{y:18.3f}{ratio:8.1f}")
    sampling = b["sampling_cpu_seconds"]
    print(f"the peer's sampling alone: {sampling:.2f} processor seconds, {ess_b / sampling:.0f} effective draws per second of it; ratio {ess_a / cpu_a / (ess_b / sampling):.1f} (ours counts everything)")
    print(f"divergences {a['diagnostics']['divergences']} and {b['divergences']}")
    for x, y in zip(a["channels"], b["channels"]):
        print(f"return of {x['name']} (known {truth[x['name']]:.0f}): {x['return']['mean']:.0f} {x['return']['ci90']} and {y['return']['mean']:.0f} {y['return']['ci90']}")


def businesses(folder):
    """Mean absolute error of a channel's contribution as a share of sales, and coverage, on the same tables."""
    sums = {"thalweg": [0.0, 0], "PyMC-Marketing": [0.0, 0]}
    channels = 0
    for index in range(1, args.most + 1):
        lines = (pathlib.Path(folder) / f"{index}.csv").read_text().splitlines()
        names = lines[0].split(",")[3:]
        table = pathlib.Path(folder) / f"{index}-dated.csv"
        dated = [lines[0]]
        for line in lines[1:]:
            day, rest = line.split(",", 1)
            dated.append(f"{datetime.date(1970, 1, 1) + datetime.timedelta(days=int(day))},{rest}")
        table.write_text("\n".join(dated) + "\n")
        sales = sum(float(line.split(",")[1]) for line in lines[1:])
        truth = [float(own) for own in (pathlib.Path(folder) / f"{index}.truth").read_text().split()]
        ours, peer = both(str(table), ["day", "sales", ",".join(names), "control"], [], ["--trend"])
        for side, own in (("thalweg", ours[0]), ("PyMC-Marketing", peer[0])):
            for channel, known in zip(own["channels"], truth):
                mean = channel["contribution"]["mean"]
                low, high = channel["return"]["ci90"]
                scale = mean / channel["return"]["mean"]
                sums[side][0] += abs(mean - known) / sales
                sums[side][1] += low * scale <= known <= high * scale
        channels += len(names)
        print(f"business {index}: {len(lines) - 1} weeks, {len(names)} channels, {ours[1]:.1f} s and {peer[1]:.1f} s")
    for side, (error, inside) in sums.items():
        print(f"{side:16} mean absolute error of a contribution {100 * error / channels:.2f} % of sales; {inside} of {channels} inside their 90 % interval")


if args.businesses:
    businesses(args.businesses)
else:
    example()

"""PyMC-Marketing with nutpie on one table; prints one line of JSON with returns, diagnostics and seconds."""
import argparse, json, time, warnings

begin = time.perf_counter()
warnings.filterwarnings("ignore")
import arviz
import numpy
import nutpie
import pandas
from pymc_extras.prior import Prior
from pymc_marketing.mmm import MMM, GeometricAdstock, LogisticSaturation

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--time", required=True)
parser.add_argument("--outcome", required=True)
parser.add_argument("--channels", required=True)
parser.add_argument("--controls", default="")
parser.add_argument("--date-format", default=None)
parser.add_argument("--modes", type=int, default=2)
parser.add_argument("--trend", action="store_true")
parser.add_argument("--draws", type=int, default=1000)
args = parser.parse_args()

table = pandas.read_csv(args.data)
table[args.time] = pandas.to_datetime(table[args.time], format=args.date_format)
channels, controls = args.channels.split(","), [own for own in args.controls.split(",") if own]
if args.trend:
    table["trend"] = numpy.linspace(-0.5, 0.5, len(table))
    controls.append("trend")
# the same priors as ours, on the same scale: controls in units of their greatest absolute value
sd = []
for name in controls:
    if name != "trend":
        table[name] = table[name] / table[name].abs().max()
    sd.append(0.5 if name == "trend" else max(0.5, 0.1 / table[name].std()))
config = {
    "intercept": Prior("Normal", mu=0.5, sigma=0.5),
    "likelihood": Prior("Normal", sigma=Prior("HalfNormal", sigma=0.5)),
    "gamma_control": Prior("Normal", mu=0, sigma=numpy.array(sd), dims="control"),
    "gamma_fourier": Prior("Normal", mu=0, sigma=0.2, dims="fourier_mode"),
}
model = MMM(
    date_column=args.time,
    channel_columns=channels,
    control_columns=controls or None,
    adstock=GeometricAdstock(l_max=8, priors={"alpha": Prior("Beta", alpha=1, beta=3, dims="channel")}),
    saturation=LogisticSaturation(
        priors={"lam": Prior("Gamma", alpha=3, beta=1, dims="channel"), "beta": Prior("HalfNormal", sigma=0.5, dims="channel")}
    ),
    yearly_seasonality=args.modes,
    model_config=config,
)
x, y = table[[args.time, *channels, *controls]], table[args.outcome]
imported = time.perf_counter()
model.build_model(x, y)
compiled = nutpie.compile_pymc_model(model.model)
begin_cpu = time.process_time()
trace = nutpie.sample(compiled, draws=args.draws, tune=1000, chains=4, target_accept=0.8, seed=1, progress_bar=False, save_warmup=False)
sampling_cpu = time.process_time() - begin_cpu
posterior = trace.posterior
scale = float(y.abs().max())
brought = posterior["channel_contribution"].sum("date") * scale
free = ["intercept", "adstock_alpha", "saturation_lam", "saturation_beta", "gamma_fourier", "y_sigma", *(["gamma_control"] if controls else [])]
summary = arviz.summary(posterior, var_names=free, round_to="none")
out = {"sampling_cpu_seconds": sampling_cpu, "seconds": time.perf_counter() - begin, "import_seconds": imported - begin, "channels": [], "free": free}
for name in channels:
    own = brought.sel(channel=name).values.ravel()
    spend = float(table[name].sum())
    out["channels"].append({"name": name, "contribution": {"mean": float(own.mean())}, "return": {
        "mean": float(own.mean() / spend), "ci90": [float(v) for v in numpy.quantile(own / spend, [0.05, 0.95])]}})
out["ess"] = float(min(summary["ess_bulk"].min(), summary["ess_tail"].min()))
out["r_hat"] = float(summary["r_hat"].max())
out["divergences"] = int(trace.sample_stats["diverging"].sum())
print(json.dumps(out))

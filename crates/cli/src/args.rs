//! The command line: every command, option and its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "thalweg",
    version,
    about = "Learn who is about to leave, decide whom to reach through which channel within a budget,\ndeliver it, measure by randomised hold-out what it changed, and learn again.",
    after_help = "Start with:  thalweg init DIR --from customers.csv --key customer_id --target churn\n             thalweg run DIR\nOr watch it: thalweg demo",
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print one JSON object on stdout; messages and errors go to stderr.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The workspace folder [default: the current folder].
    #[arg(short = 'C', long = "dir", global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Overrides [workspace] seed.
    #[arg(long, global = true)]
    pub(crate) seed: Option<u64>,
    /// Threads to use [default: RAYON_NUM_THREADS, or all cores]; no result depends on it.
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// The point in time to act as of, such as 2026-11-24 [default: now].
    #[arg(long, global = true, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// Print how long the command took, on stderr; `run` lists its stages even when nothing changed.
    #[arg(long, global = true)]
    pub(crate) timings: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Profile a customer table and write a commented thalweg.toml that runs as it stands.
    Init(InitArgs),
    /// Collect, train, evaluate and plan: only what changed since the last time.
    Run(RunArgs),
    /// Read the sources into one typed table.
    #[command(
        after_help = "Sources that have not changed are not read again.\nExample: thalweg collect -C examples/telco"
    )]
    Collect,
    /// Learn from the table who will leave (or buy).
    #[command(after_help = "Collects first where that is needed.\nExample: thalweg train -C examples/telco")]
    Train,
    /// Judge the model: metrics with intervals, and named checks.
    #[command(
        after_help = "Trains first where that is needed; the exit code is 4 when a check fails.\nExample: thalweg evaluate -C examples/telco"
    )]
    Evaluate,
    /// Choose channels, budgets and who gets what.
    Plan(PlanArgs),
    /// Hand the plan's messages to the channels.
    Deliver(DeliverArgs),
    /// Load what customers did: Segment-style events, one JSON object per line.
    Feedback(FeedbackArgs),
    /// Measure what the cycle changed, learn from it and open the next cycle.
    #[command(
        after_help = "Needs feedback that covers the horizon: thalweg feedback FILE --complete-until TIME.\nExample: thalweg iterate -C examples/telco"
    )]
    Iterate,
    /// Score a file of any size with a trained model.
    Score(ScoreArgs),
    /// Watch six cycles on a simulated business whose truth is known.
    Demo(DemoArgs),
    /// Print the model card: data, protocol, figures, checks, groups, privacy, limits.
    #[command(
        after_help = "Trains and evaluates first where that is needed. Markdown, or JSON with --json.\nExample: thalweg card -C examples/telco > model-card.md"
    )]
    Card,
    /// Show the plan's groups of customers, and its market sheet.
    #[command(
        after_help = "Groups are found on one half of the customers and described on the other. The market sheet needs [plan] market.\nExample: thalweg segments examples/telco"
    )]
    Segments(PlaceArgs),
    /// Make the model smaller and quicker.
    Compress(CompressArgs),
    /// Write a model as ONNX, preparation and calibration included.
    Export(ExportArgs),
    /// Show where the loop stands and what to do next.
    Status(PlaceArgs),
    /// Show one model, plan, decision, channel or run.
    Show(ShowArgs),
    /// Write the last cycle's report: one HTML file that needs no network.
    Report(ReportArgs),
    /// Explain an error or check code: cause, example, remedy.
    Explain(ExplainArgs),
    /// Use one piece of the mathematics on a plain table, without a workspace.
    #[command(
        after_help = "Tables are CSV, Parquet or JSON lines.\nExample: thalweg tool profile --data customers.csv --target churn",
        subcommand_required = true,
        arg_required_else_help = true
    )]
    Tool {
        /// Which piece.
        #[command(subcommand)]
        tool: Tool,
    },
}

/// `tool`.
#[derive(Debug, Subcommand)]
pub(crate) enum Tool {
    /// Say what a table holds: kinds, empty cells, ranges, and columns that give the target away.
    Profile(ProfileArgs),
    /// Fit a model to any labelled table and judge it by nested cross-validation.
    Fit(Box<FitArgs>),
    /// See whether training in layers pays: pre-trained nets, and corrections per segment.
    Layers(LayersArgs),
    /// Say how many customers a test needs, or what a number of them can show.
    Power(PowerArgs),
    /// Choose who gets what within constraints, with a bound that proves how good the choice is.
    Allocate(AllocateArgs),
    /// Learn what each channel's spend returned, and how to split a budget.
    Response(Box<ResponseArgs>),
}

/// `tool power`.
#[derive(Debug, Args)]
#[command(
    after_help = "An effect asks for the customers, --n asks for the smallest effect, both ask for the power. Two proportions,\nnormal approximation, two-sided.\nExamples: thalweg tool power --baseline 0.265 --effect=-0.02 --cost 6 --per-day 500\n          thalweg tool power --baseline 0.265 --relative-effect=-0.10 --ratio 0.25\n          thalweg tool power --baseline 0.04 --n 20000 --direction increase"
)]
pub(crate) struct PowerArgs {
    /// Rate of the outcome without the action, between 0 and 1.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) baseline: f64,
    /// Absolute effect in probability points: -0.02 takes 26.5 % to 24.5 %.
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true)]
    pub(crate) effect: Option<f64>,
    /// Relative effect, a share of the baseline: -0.10 takes 26.5 % to 23.85 %.
    #[arg(
        long,
        value_name = "SHARE",
        allow_negative_numbers = true,
        conflicts_with = "effect"
    )]
    pub(crate) relative_effect: Option<f64>,
    /// Customers in the arm with the action; without an effect the smallest detectable one is asked for.
    #[arg(long, value_name = "CUSTOMERS")]
    pub(crate) n: Option<u64>,
    /// Which way the smallest detectable effect goes.
    #[arg(long, value_enum, default_value = "decrease")]
    pub(crate) direction: EffectDirection,
    /// Probability of seeing an effect that is there.
    #[arg(long, default_value_t = 0.8, allow_negative_numbers = true)]
    pub(crate) power: f64,
    /// Two-sided level: probability of seeing an effect that is not there.
    #[arg(long, default_value_t = 0.05, allow_negative_numbers = true)]
    pub(crate) alpha: f64,
    /// Customers without the action per customer with it.
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true)]
    pub(crate) ratio: f64,
    /// Cost of one contact.
    #[arg(long, value_name = "MONEY", allow_negative_numbers = true)]
    pub(crate) cost: Option<f64>,
    /// Customers who enter the test in a day, both arms together.
    #[arg(long, value_name = "CUSTOMERS", allow_negative_numbers = true)]
    pub(crate) per_day: Option<f64>,
}

/// Which way an effect goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum EffectDirection {
    /// The rate falls, as with churn.
    Decrease,
    /// The rate rises, as with conversion.
    Increase,
}

/// `tool layers`.
#[derive(Debug, Args)]
#[command(
    after_help = "Plain training, the same net with its layers pre-trained as denoising autoencoders, and a global model with\ncorrections per segment, on the same folds.\nExample: thalweg tool layers --data customers.csv --target churn --key customer_id --segments contract"
)]
pub(crate) struct LayersArgs {
    /// The table: CSV, Parquet or JSON lines; a glob reads several files as one.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: String,
    /// The column to predict.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: String,
    /// The column that says whose row it is.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) key: Option<String>,
    /// The target's value that means it happened [default: guessed].
    #[arg(long, value_name = "VALUE")]
    pub(crate) positive: Option<String>,
    /// The column whose levels get corrections of their own.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) segments: Option<String>,
    /// A TOML file with [model] sections: the net, and [model.mlp] pretrain.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Columns that the model must not see.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) exclude: Vec<String>,
}

/// `plan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Another budget or channel concerns this stage only. With [response] in thalweg.toml the plan comes with the\nresponse curves of a table of weeks (docs/guide/response.md).\nA file of scenarios names what-ifs, each with what it changes of thalweg.toml:\n  [[scenario]]\n  name = \"more budget, no letters\"\n  budget = \"+20 %\"\n  [scenario.channel.letter]\n  on = false\nThey are planned side by side, from the same customers, risks and effects; the plan in force stays as it is.\nThe exit code is 4 when one of them is infeasible. docs/reference/config.md lists what a scenario can change.\nExamples: thalweg plan -C examples/telco\n          thalweg plan --scenario examples/telco/scenarios.toml -C examples/telco"
)]
pub(crate) struct PlanArgs {
    /// Compare the scenarios of a TOML file with the configuration as it is, instead of planning.
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
}

/// `tool allocate`.
#[derive(Debug, Args)]
#[command(
    after_help = "The candidates have one row per customer and action with its value, net of cost, and a column per resource. The\nconstraints are a TOML file: [[constraint]] with name, resource (a column, or \"rows\"), limit or at_least, and where;\n[[exclude]] and [[pacing]]; docs/reference/config.md lists every key. Exit code 4 when they cannot all be kept.\nExamples: thalweg tool allocate --candidates candidates.parquet --constraints limits.toml --out chosen.parquet\n          thalweg tool allocate --candidates candidates.csv --constraints limits.toml --risk-aversion 1 --value-sd value_sd"
)]
pub(crate) struct AllocateArgs {
    /// The candidates: CSV or Parquet; a glob reads several files as one.
    #[arg(long, value_name = "FILE")]
    pub(crate) candidates: String,
    /// The constraints: a TOML file.
    #[arg(long, value_name = "FILE")]
    pub(crate) constraints: PathBuf,
    /// Where the chosen rows go, with all their columns: .csv or .parquet.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The column of customers.
    #[arg(long, value_name = "COLUMN", default_value = "customer")]
    pub(crate) customer: String,
    /// The column of actions.
    #[arg(long, value_name = "COLUMN", default_value = "action")]
    pub(crate) action: String,
    /// The column of values.
    #[arg(long, value_name = "COLUMN", default_value = "value")]
    pub(crate) value: String,
    /// How many standard deviations to take off every value: what is sure before what may be great.
    #[arg(
        long,
        value_name = "NUMBER",
        requires = "value_sd",
        allow_negative_numbers = true
    )]
    pub(crate) risk_aversion: Option<f64>,
    /// The column of the values' standard deviations.
    #[arg(long, value_name = "COLUMN", requires = "risk_aversion")]
    pub(crate) value_sd: Option<String>,
}

/// `tool response`.
#[derive(Debug, Args)]
#[command(
    after_help = "One row per week (or day), complete and without gaps; with --geo one row per week and geography.\nNothing is published unless R-hat is below 1.01, effective draws above 400 and divergences below 0.1 %; the exit code is 4\nwhen the data cannot tell, and the reasons name the experiment that could.\nA lift test is a row `channel, spend, change, lift, sd` (and `geo`), all per period.\nExamples: thalweg tool response --data weeks.csv --time week --outcome sales --channels tv,search\n          thalweg tool response --data weeks.csv --time week --outcome sales --channels tv,search --controls price --max-change 0.2 --out weeks\n          thalweg tool response --data weeks.csv --time week --outcome sales --channels tv,search --lift-tests lifts.csv --return-prior tv=2.5:1"
)]
pub(crate) struct ResponseArgs {
    /// The table: CSV, Parquet or JSON lines; a glob reads several files as one.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: String,
    /// The column with the first day of each period.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) time: String,
    /// The column to explain, such as sales.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) outcome: String,
    /// Columns of spend.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', required = true)]
    pub(crate) channels: Vec<String>,
    /// Columns that move the outcome too, such as price or events.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) controls: Vec<String>,
    /// The column of geographies: their effects are pooled partially.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) geo: Option<String>,
    /// How dates are written, such as %m/%d/%Y [default: the only form that fits].
    #[arg(long, value_name = "FORMAT")]
    pub(crate) date_format: Option<String>,
    /// Repeating patterns: yearly, weekly (daily tables), both, or none.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',', default_value = "yearly", value_parser = ["yearly", "weekly", "none"])]
    pub(crate) seasonality: Vec<String>,
    /// Pairs of sine and cosine per year, up to 26.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) modes: u8,
    /// Steady growth or decline of the base; dropped when a control is the same.
    #[arg(long, value_name = "TREND", default_value = "linear", value_parser = ["linear", "none"])]
    pub(crate) trend: String,
    /// The curve of diminishing returns.
    #[arg(long, value_name = "CURVE", default_value = "logistic", value_parser = ["logistic", "hill", "linear"])]
    pub(crate) saturation: String,
    /// The form of the carry-over.
    #[arg(long, value_name = "FORM", default_value = "geometric", value_parser = ["geometric", "weibull"])]
    pub(crate) adstock: String,
    /// Periods over which spend works at most, its own included.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) adstock_length: u8,
    /// How outcomes scatter; student-t lets single strange periods pull less.
    #[arg(long, value_name = "FORM", default_value = "normal", value_parser = ["normal", "student-t"])]
    pub(crate) noise: String,
    /// Holidays: a file with columns date (or ds) and holiday (or name).
    #[arg(long, value_name = "FILE")]
    pub(crate) holidays: Option<String>,
    /// Only the holidays of this country (column country).
    #[arg(long, value_name = "CODE", requires = "holidays")]
    pub(crate) country: Option<String>,
    /// Measured experiments: channel, spend, change, lift, sd.
    #[arg(long, value_name = "FILE")]
    pub(crate) lift_tests: Option<String>,
    /// What is believed about a channel's return before seeing the data; may be given several times.
    #[arg(long, value_name = "CHANNEL=MEAN:SD")]
    pub(crate) return_prior: Vec<String>,
    /// Spend per period to divide [default: the mean of what was spent].
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) budget: Option<f64>,
    /// The greatest change of a channel's spend, as a share of what was spent, up to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.3)]
    pub(crate) max_change: f64,
    /// Independent chains, at least 2.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) chains: u8,
    /// Draws per chain.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) draws: u16,
    /// Steps of warm-up per chain.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) warmup: u16,
    /// Last periods that a second fit predicts without having seen them; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) held_out: u8,
    /// Write contributions by period here: .csv, .parquet, or a folder.
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
}

/// `compress`.
#[derive(Debug, Args)]
#[command(
    after_help = "int8 rounds a net to 8 bits, pruned keeps its largest weights, distilled makes a small net of any model.\nThe loss is that of models trained and compressed on the other folds, with a paired 95 % interval; --replace is\nrefused (exit code 4) unless the whole interval lies within --bound.\nExample: thalweg compress --to int8 --bound 0.002 --replace -C examples/telco"
)]
pub(crate) struct CompressArgs {
    /// The model's id [default: the one in use].
    pub(crate) model: Option<String>,
    /// What it becomes.
    #[arg(long, value_parser = ["int8", "pruned", "distilled"])]
    pub(crate) to: String,
    /// Share of the weights that pruned takes away [default: 0.9].
    #[arg(long, value_name = "SHARE")]
    pub(crate) sparsity: Option<f64>,
    /// Hidden units of the distilled net, layer by layer [default: 16].
    #[arg(long, value_name = "UNITS", value_delimiter = ',')]
    pub(crate) hidden: Option<Vec<usize>>,
    /// The largest loss that is accepted, in units of the metric (AUC for two classes).
    #[arg(long, value_name = "LOSS", default_value_t = 0.002)]
    pub(crate) bound: f64,
    /// Write the compressed model here, for `thalweg score`.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Put it in the place of the model in use.
    #[arg(long)]
    pub(crate) replace: bool,
}

/// `export`.
#[derive(Debug, Args)]
#[command(
    after_help = "Inputs are named like the columns: double for numbers, truth values (0 or 1) and dates (days since 1970), string for\ncategories; the output is probabilities, or prediction for numbers. Text columns cannot be expressed.\nExample: thalweg export --out churn.onnx -C examples/telco"
)]
pub(crate) struct ExportArgs {
    /// A model's id, champion, latest, or a model file [default: champion].
    pub(crate) model: Option<String>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// `tool fit`.
#[derive(Debug, Args)]
#[command(
    after_help = "The target decides what is learned: two values, several classes, or a number.\nThe exit code is 4 when a check fails, such as a column that gives the target away.\nExamples: thalweg tool fit --data customers.csv --target churn --key customer_id\n          thalweg tool fit --data digits.csv --target label --kind class --learner mlp\n          thalweg tool fit --data sales.parquet --target revenue --out model.json"
)]
pub(crate) struct FitArgs {
    /// The table: CSV, Parquet or JSON lines; a glob reads several files as one.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: String,
    /// The column to predict; rows where it is empty are left out.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: String,
    /// The column that says whose row it is: folds never split an owner, and models do not see it.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) key: Option<String>,
    /// What kind of target it is [default: guessed].
    #[arg(long, value_enum)]
    pub(crate) kind: Option<TargetKind>,
    /// The target's value that means it happened [default: guessed].
    #[arg(long, value_name = "VALUE")]
    pub(crate) positive: Option<String>,
    /// The learner [default: the configuration's, else auto].
    #[arg(long, value_parser = ["auto", "mlp", "gbdt", "logistic"])]
    pub(crate) learner: Option<String>,
    /// Folds of the outer cross-validation, 2 to 20 [default: the configuration's, else 5].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=20))]
    pub(crate) folds: Option<u8>,
    /// A TOML file with [model] sections, as in thalweg.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Columns that the model must not see.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) exclude: Vec<String>,
    /// Columns whose groups are compared: selection, true and false positive rates, calibration.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) fairness: Vec<String>,
    /// What is done about unequal groups.
    #[arg(long, value_name = "ACTION", default_value = "report", value_parser = ["report", "drop", "equal_selection", "equal_opportunity"])]
    pub(crate) fairness_action: String,
    /// Minutes after which `auto` begins no further round of its search [default: no limit].
    #[arg(long, value_name = "M")]
    pub(crate) minutes: Option<f64>,
    /// Write the model here, for `thalweg score`.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write the model card here: JSON if the name ends in .json, else Markdown.
    #[arg(long, value_name = "FILE")]
    pub(crate) card: Option<PathBuf>,
}

/// Kinds of targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TargetKind {
    /// Whether something happens.
    Binary,
    /// One of several classes.
    Class,
    /// A number.
    Value,
}

impl TargetKind {
    /// As it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Class => "class",
            Self::Value => "value",
        }
    }
}

/// `tool profile`.
#[derive(Debug, Args)]
#[command(after_help = "Example: thalweg tool profile --data customers.csv --target churn")]
pub(crate) struct ProfileArgs {
    /// The table; a glob reads several files as one.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: String,
    /// The column that is to be predicted: then leaks are looked for as well.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: Option<String>,
    /// The target's value that means it happened [default: guessed].
    #[arg(long, value_name = "VALUE", requires = "target")]
    pub(crate) positive: Option<String>,
}

/// `init`.
#[derive(Debug, Args)]
#[command(after_help = "Example: thalweg init telco --from customers.csv --key customer_id --target churn")]
pub(crate) struct InitArgs {
    /// The folder to make the workspace in [default: -C DIR].
    pub(crate) place: Option<PathBuf>,
    /// The customer table: CSV, Parquet or JSON lines; it stays where it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// The column that identifies a customer; without it rows are numbered.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) key: Option<String>,
    /// The column that says what happened.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) target: String,
    /// The target's value that means it happened [default: guessed].
    #[arg(long, value_name = "VALUE")]
    pub(crate) positive: Option<String>,
    /// Replace a thalweg.toml that is already there.
    #[arg(long)]
    pub(crate) force: bool,
}

/// `run`.
#[derive(Debug, Args)]
#[command(after_help = "Example: thalweg run examples/telco")]
pub(crate) struct RunArgs {
    /// The workspace folder [default: -C DIR].
    pub(crate) place: Option<PathBuf>,
    /// Run every stage again, even if nothing changed.
    #[arg(long)]
    pub(crate) again: bool,
}

/// `status`.
#[derive(Debug, Args)]
#[command(after_help = "Example: thalweg status examples/telco")]
pub(crate) struct PlaceArgs {
    /// The workspace folder [default: -C DIR].
    pub(crate) place: Option<PathBuf>,
}

/// `deliver`.
#[derive(Debug, Args)]
#[command(
    after_help = "Delivering twice adds nothing: every message is keyed by its decision and channel.\nExample: thalweg deliver --dry-run -C examples/telco"
)]
pub(crate) struct DeliverArgs {
    /// Do everything but the last call: write nothing, send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `feedback`.
#[derive(Debug, Args)]
#[command(
    after_help = "A line:\n{\"type\":\"track\",\"messageId\":\"1\",\"userId\":\"C1\",\"event\":\"Outcome\",\"timestamp\":\"2026-12-01T10:00:00Z\"}\nExample: thalweg feedback events.jsonl --complete-until 2026-12-31"
)]
pub(crate) struct FeedbackArgs {
    /// JSON lines in the Segment format; duplicates are removed by messageId.
    pub(crate) file: PathBuf,
    /// Up to when the file is complete [default: its newest event].
    #[arg(long, value_name = "TIME")]
    pub(crate) complete_until: Option<String>,
}

/// `score`.
#[derive(Debug, Args)]
#[command(
    after_help = "The file is read in batches, so that its size does not matter; rows come out in the order in which they came in.\nIt must have the model's columns, in any order; others are ignored. Missing cells are imputed and counted,\nlevels that training did not have are counted. Nothing is written when a row cannot be scored.\nExamples: thalweg score --data new.parquet --out scores.csv -C examples/telco\n          thalweg score --model m-0123456789ab --data \"new/*.csv\" --keep plan,region --out s.csv"
)]
pub(crate) struct ScoreArgs {
    /// The model: its id (m-…), champion, latest, or the path of a model file [default: champion, the model in use].
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// What to score: CSV, Parquet or JSON lines; a file or a pattern in quotes.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: String,
    /// The file to write; its suffix, .csv or .parquet, says its format.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The column that names a row [default: the workspace's key if the data has it, else rows are numbered from 1].
    #[arg(long, value_name = "COLUMN")]
    pub(crate) key: Option<String>,
    /// Further columns of the data to write beside the scores, separated by commas.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub(crate) keep: Vec<String>,
    /// Select rows as well: columns threshold and selected; by the model's evaluation (with thresholds by group where [fairness] asks for them), or from PROBABILITY on.
    #[arg(long, value_name = "PROBABILITY", num_args = 0..=1, default_missing_value = "evaluated")]
    pub(crate) decide: Option<String>,
}

/// `demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Other seeds are other markets; --keep leaves tables, events and ledger behind.\nIt has a folder and a calendar of its own: -C and --as-of do not apply.\nExample: thalweg demo --seed 3 --keep demo"
)]
pub(crate) struct DemoArgs {
    /// Customers of the simulated business.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) customers: usize,
    /// Turns of the loop.
    #[arg(long, default_value_t = 6)]
    pub(crate) cycles: u32,
    /// Keep the workspace in this folder [default: a temporary folder].
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// `show`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples: thalweg show plan latest\n          thalweg show decision C00001\n          thalweg show channel email"
)]
pub(crate) struct ShowArgs {
    /// What to show.
    #[arg(value_enum)]
    pub(crate) what: ShowKind,
    /// Its id: of a model (m-…), plan (p-…), decision (p-…-0000000) or customer, the channel's name, or a run's cycle; `latest` works for model, plan and run.
    pub(crate) id: String,
}

/// What `show` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ShowKind {
    /// A trained model.
    Model,
    /// A plan.
    Plan,
    /// One customer's decision.
    Decision,
    /// A channel over the cycles.
    Channel,
    /// What ran in a cycle, newest first.
    Run,
}

/// `report`.
#[derive(Debug, Args)]
#[command(after_help = "Example: thalweg report examples/telco")]
pub(crate) struct ReportArgs {
    /// The workspace folder [default: -C DIR].
    pub(crate) place: Option<PathBuf>,
    /// Where to write it [default: DIR/report.html].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Example: thalweg explain TW0203")]
pub(crate) struct ExplainArgs {
    /// A code such as TW0203; `all` lists every code.
    pub(crate) code: String,
}

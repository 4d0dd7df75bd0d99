//! init: what do I have, and what do I want to change? Profiles a table and writes a `thalweg.toml` that runs as it stands.

use std::path::{Component, Path, PathBuf};

use thalweg_collect::{ColumnProfile, MissingTokens, Profile, profile_table, read_source};
use thalweg_domain::{ColumnKind, Error, Result, Table};
use thalweg_learn::leakage::{self, Finding};

use crate::target::{self, BinaryTarget, no_column};
use crate::wire::{DroppedOut, InitOut, ProfileColumnOut};
use crate::workspace::CONFIG_FILE;

/// What to make a workspace from.
#[derive(Debug, Clone)]
pub struct InitRequest {
    /// The folder to make it in.
    pub dir: PathBuf,
    /// The customers.
    pub from: PathBuf,
    /// The key column.
    pub key: Option<String>,
    /// The outcome column.
    pub target: String,
    /// The value that means it happened; guessed when absent.
    pub positive: Option<String>,
    /// The seed to write; 42 when absent.
    pub seed: Option<u64>,
    /// Replace a file that is there.
    pub force: bool,
}

/// Profiles the data and writes the commented configuration.
///
/// # Errors
/// `TW0112` when there is a workspace already, `TW02xx` when the table cannot be used.
pub fn init(request: &InitRequest) -> Result<InitOut> {
    let file = request.dir.join(CONFIG_FILE);
    if file.exists() && !request.force {
        return Err(
            Error::new("TW0112", format!("\"{}\" is there already", file.display()))
                .hint("choose another folder, or replace the file with --force"),
        );
    }
    let source = request.from.display().to_string();
    let table = read_source(Path::new(""), &source, &MissingTokens::new())?;
    let profile = profile_table(&table);
    let target = target::binary(&table, &request.target, request.positive.as_deref())?;
    require_key(request, &table)?;
    let findings = scan(request, &table, &target)?;
    let guess = Guess::of(request, &profile, target, &findings)?;
    std::fs::create_dir_all(&request.dir).map_err(|cause| {
        Error::new(
            "TW0821",
            format!("cannot make the folder \"{}\"", request.dir.display()),
        )
        .cause(cause)
    })?;
    let text = guess.text();
    // what is written must run: the same reader that `run` uses checks it
    crate::config::parse(CONFIG_FILE, &text, &guess.name)?;
    thalweg_collect::write_bytes_atomic(&file, text.as_bytes())?;
    Ok(describe(request, &file, &profile, &guess))
}

fn require_key(request: &InitRequest, table: &Table) -> Result<()> {
    match &request.key {
        Some(key) if table.column(key).is_none() => Err(no_column(table, key, "--key")),
        _ => Ok(()),
    }
}

fn scan(request: &InitRequest, table: &Table, target: &BinaryTarget) -> Result<Vec<Finding>> {
    let known: Vec<usize> = (0..table.n_rows())
        .filter(|row| target.happened.get(*row).copied().flatten().is_some())
        .collect();
    let happened: Vec<bool> = known
        .iter()
        .filter_map(|row| target.happened.get(*row).copied().flatten())
        .collect();
    let features = table.without(|name| name == request.target || Some(name) == request.key.as_deref());
    leakage::scan(&features.take(&known), &happened)
}

/// What is written, with what was guessed.
struct Guess {
    name: String,
    seed: u64,
    source: String,
    key: Option<String>,
    target: BinaryTarget,
    kind: &'static str,
    value: String,
    budget: usize,
    market: Option<String>,
    leaks: Vec<Finding>,
    other: Vec<Finding>,
}

impl Guess {
    fn of(
        request: &InitRequest,
        profile: &Profile,
        target: BinaryTarget,
        findings: &[Finding],
    ) -> Result<Self> {
        let (leaks, other) = findings.iter().cloned().partition(Finding::is_leak);
        Ok(Self {
            name: folder_name(&request.dir),
            seed: request.seed.unwrap_or(42),
            source: relative(&request.dir, &request.from)?,
            key: request.key.clone(),
            kind: guess_kind(&target.name),
            value: guess_value(request, profile),
            budget: profile.n_rows,
            market: guess_market(request, profile),
            target,
            leaks,
            other,
        })
    }

    fn guesses(&self) -> Vec<String> {
        let mut guesses = Vec::new();
        if self.target.guessed {
            guesses.push(format!(
                "positive = {}: the value of {} that means it happened",
                quoted(&self.target.positive),
                self.target.name
            ));
        }
        guesses.push(format!("kind = \"{}\": what the outcome is called", self.kind));
        guesses.push(format!(
            "value = {}: money at stake per customer",
            quoted(&self.value)
        ));
        guesses.push(format!(
            "budget = {}: one unit of currency per customer",
            self.budget
        ));
        if let Some(market) = &self.market {
            guesses.push(format!(
                "market = {}: a sheet with a row per value",
                quoted(market)
            ));
        }
        guesses.push(
            "two channels (email, call), one offer (discount), and what they are believed to change"
                .to_owned(),
        );
        guesses
    }

    fn text(&self) -> String {
        let mut text = self.data_part();
        text.push_str(&self.outcome_part());
        text.push_str(&self.channel_part());
        text
    }

    fn data_part(&self) -> String {
        let key = self.key.as_ref().map_or_else(
            || "# key = \"customer_id\"        # without a key rows are numbered and files cannot be joined later".to_owned(),
            |key| format!("key = {}", quoted(key)),
        );
        let reasons: String = self
            .leaks
            .iter()
            .map(|leak| format!("# {}: {}\n", leak.column, leak.detail))
            .collect();
        let exclude: Vec<String> = self.leaks.iter().map(|leak| quoted(&leak.column)).collect();
        format!(
            "# A Thalweg workspace. Lines marked \"# guess\" were filled in so that it runs: put your own numbers there.\n\
             # Every key is explained in docs/reference/config.md. Next: thalweg run\n\n\
             [workspace]\nname = {name}\ncurrency = \"USD\"               # guess\nseed = {seed}\n\n\
             [customers]                     # one row per customer; an empty outcome means: decide on this one\n\
             source = {source}\n{key}\ndecide_on = \"auto\"\n\n\
             [features]                      # what the models may see\n{reasons}exclude = [{exclude}]\n\n",
            name = quoted(&self.name),
            source = quoted(&self.source),
            exclude = exclude.join(", "),
            seed = self.seed,
        )
    }

    fn outcome_part(&self) -> String {
        let guess = if self.target.guessed { "   # guess" } else { "" };
        format!(
            "[outcome]\nkind = \"{kind}\"                  # guess: churn (an action lowers it) or conversion (raises it)\n\
             column = {column}\npositive = {positive}{guess}\n\
             event = \"Outcome\"               # guess: the event that counts after a decision\n\
             horizon = \"30d\"                 # guess: for how long it counts\n\
             value = {value}   # guess: money at stake per customer, a SQL expression\n\n\
             [model]\nlearner = \"auto\"                # auto, mlp, gbdt or logistic\n\n",
            kind = self.kind,
            column = quoted(&self.target.name),
            positive = quoted(&self.target.positive),
            value = quoted(&self.value),
        )
    }

    fn channel_part(&self) -> String {
        let capacity = (self.budget / 20).max(10);
        let market = self.market.as_ref().map_or_else(String::new, |market| {
            format!(
                "market = {}   # guess: the plan shows a row per value\n",
                quoted(market)
            )
        });
        format!(
            "[[channel]]\nname = \"email\"                  # guess\nadapter = \"file\"                # writes outbox/CYCLE/email.csv\n\
             kind = \"online\"\nunit_cost = 0.02                # guess: per contact\n\
             # consent = \"email_opt_in\"      # a yes/no column\n\
             assumed_effect = {{ mean = 0.04, sd = 0.04 }}   # guess: relative effect believed until measured\n\n\
             [[channel]]\nname = \"call\"                   # guess\nadapter = \"file\"\nkind = \"offline\"\n\
             unit_cost = 4.00                # guess\ncapacity = {capacity}                  # guess: contacts per cycle\n\
             assumed_effect = {{ mean = 0.10, sd = 0.08 }}   # guess\n\n\
             [[offer]]\nname = \"discount\"               # guess\ncost = \"5\"                      # guess: paid when accepted, a SQL expression\n\
             assumed_effect = {{ mean = 0.06, sd = 0.05 }}   # guess: on top of the channel's\n\
             assumed_acceptance = {{ mean = 0.20, sd = 0.10 }}   # guess\nchannels = [\"email\", \"call\"]\n\n\
             [plan]\nbudget = {budget}                  # guess: per cycle\n\
             holdout = 0.10                  # never contacted, so that the total effect stays measurable\n\
             explore = 0.10                  # randomised each cycle, so that effects are learned\n{market}\n\
             [contact_policy]\nquiet_hours = \"21:00-08:00\"     # guess\nmax_per_week = 2                # guess\n",
            budget = self.budget,
        )
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn folder_name(dir: &Path) -> String {
    let whole = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    whole.file_name().map_or_else(
        || "workspace".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn guess_kind(target: &str) -> &'static str {
    let name = target.to_lowercase();
    let wins = [
        "buy",
        "bought",
        "purchase",
        "convert",
        "conversion",
        "response",
        "visit",
        "subscribe",
        "click",
    ];
    if wins.iter().any(|word| name.contains(word)) {
        "conversion"
    } else {
        "churn"
    }
}

/// A column of industries, regions or the like: by its name, with few values.
fn guess_market(request: &InitRequest, profile: &Profile) -> Option<String> {
    const WORDS: [&str; 8] = [
        "industry",
        "sector",
        "region",
        "state",
        "country",
        "branch",
        "province",
        "territory",
    ];
    let is_named = |column: &ColumnProfile| {
        let name = column.name.to_lowercase();
        name.split(|letter: char| !letter.is_alphanumeric())
            .any(|word| WORDS.contains(&word))
    };
    let usable = |column: &&ColumnProfile| {
        column.kind == ColumnKind::Category
            && (2..=200).contains(&column.n_distinct)
            && column.name != request.target
            && Some(&column.name) != request.key.as_ref()
            && is_named(column)
    };
    profile
        .columns
        .iter()
        .find(usable)
        .map(|column| column.name.clone())
}

/// A likely money column as a SQL expression, or 100.
fn guess_value(request: &InitRequest, profile: &Profile) -> String {
    let usable = |column: &&ColumnProfile| {
        column.money_like
            && column.name != request.target
            && column.range.is_some_and(|(low, high)| low >= 0.0 && high > 0.0)
    };
    let Some(column) = profile.columns.iter().find(usable) else {
        return "100".to_owned();
    };
    let name = format!("\"{}\"", column.name.replace('"', "\"\""));
    let cell = if column.n_missing > 0 {
        format!("coalesce({name}, 0)")
    } else {
        name
    };
    if column.name.to_lowercase().contains("month") {
        format!("{cell} * 12")
    } else {
        cell
    }
}

/// The path of `file` as seen from `dir`.
fn relative(dir: &Path, file: &Path) -> Result<String> {
    let whole = |path: &Path| -> Result<PathBuf> {
        let path = std::path::absolute(path).map_err(|cause| {
            Error::new(
                "TW0821",
                format!("the path \"{}\" cannot be used", path.display()),
            )
            .cause(cause)
        })?;
        Ok(normal(&path))
    };
    let (dir, file) = (whole(dir)?, whole(file)?);
    let common = dir
        .components()
        .zip(file.components())
        .take_while(|(a, b)| a == b)
        .count();
    if common <= 1 {
        return Ok(file.display().to_string());
    }
    let up = dir.components().skip(common).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(file.components().skip(common)).collect();
    Ok(path.display().to_string())
}

/// Without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

fn describe(request: &InitRequest, file: &Path, profile: &Profile, guess: &Guess) -> InitOut {
    let mut warnings: Vec<String> = guess
        .other
        .iter()
        .map(|finding| format!("{}: {}; it will not be a feature", finding.column, finding.detail))
        .collect();
    if request.key.is_none() {
        warnings.push(
            "no --key: rows are numbered, so feedback and later files cannot be joined to these customers"
                .to_owned(),
        );
    }
    let dir = request.dir.display().to_string();
    InitOut {
        file: file.display().to_string(),
        rows: profile.n_rows,
        columns: profile.columns.iter().map(column_out).collect(),
        guesses: guess.guesses(),
        excluded: guess
            .leaks
            .iter()
            .map(|leak| DroppedOut {
                column: leak.column.clone(),
                reason: leak.detail.clone(),
            })
            .collect(),
        warnings,
        next: if dir == "." {
            "thalweg run".to_owned()
        } else {
            format!("thalweg run {dir}")
        },
    }
}

pub(crate) fn column_out(column: &ColumnProfile) -> ProfileColumnOut {
    let range = match (column.kind, column.range) {
        (ColumnKind::Number, Some((low, high))) => format!("{low} to {high}"),
        (ColumnKind::Date, Some((low, high))) => format!("{} to {}", day(low), day(high)),
        _ => column
            .top_levels
            .iter()
            .map(|(level, n)| format!("{level} ({n})"))
            .collect::<Vec<_>>()
            .join(", "),
    };
    ProfileColumnOut {
        name: column.name.clone(),
        kind: column.kind.as_str().to_owned(),
        missing: column.n_missing,
        distinct: column.n_distinct,
        range,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "microseconds of a date fit")]
fn day(micros: f64) -> String {
    crate::clock::format_time(thalweg_domain::Timestamp(micros as i64))
        .chars()
        .take(10)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{guess_kind, relative};
    use std::path::Path;

    #[test]
    fn the_source_is_named_as_seen_from_the_workspace() {
        let seen = |dir: &str, file: &str| relative(Path::new(dir), Path::new(file)).unwrap();
        assert_eq!(seen("/data/telco", "/data/customers.csv"), "../customers.csv");
        assert_eq!(seen("/data/telco", "/data/telco/customers.csv"), "customers.csv");
        assert_eq!(seen("/data/a/../telco", "/data/telco/x/c.csv"), "x/c.csv");
        assert_eq!(seen("/home/w", "/mnt/c.csv"), "/mnt/c.csv");
    }

    #[test]
    fn the_kind_follows_the_targets_name() {
        assert_eq!(guess_kind("Machine failure"), "churn");
        assert_eq!(guess_kind("purchase_30d"), "conversion");
    }
}

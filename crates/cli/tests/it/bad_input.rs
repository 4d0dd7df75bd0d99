//! Bad input: every kind has its own code and exit code, names its place, says what to do, and leaves nothing half-written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::determinism::{AS_OF, files};
use crate::support::{fail, output, succeed};

/// The workspace's configuration: two channels, one offer, the quickest learner.
const CONFIG: &str = r#"[workspace]
name = "small"
seed = 7

[customers]
source = "customers.csv"
key = "id"

[outcome]
column = "churn"
positive = "Yes"
event = "Subscription Cancelled"
value = "fee * 12"

[model]
learner = "logistic"

[[channel]]
name = "email"
unit_cost = 0.02

[[channel]]
name = "call"
unit_cost = 4
capacity = 50

[[offer]]
name = "discount"
cost = "fee * 0.3"
channels = ["email", "call"]
template = "offer.liquid"

[plan]
budget = 300
"#;

const GOOD_EVENT: &str = r#"{"type":"track","messageId":"1","userId":"C0001","event":"Subscription Cancelled","timestamp":"2026-12-01T10:00:00Z"}"#;

/// A number below 2^24 that follows from the row and a salt.
fn dice(row: u64, salt: u64) -> u64 {
    (row * 2_654_435_761 + salt * 40_503).wrapping_mul(2_862_933_555_777_941_757) >> 40
}

/// 300 customers on lines 2 to 301; those on the basic plan leave most.
fn customers() -> String {
    let mut text = "id,age,plan,fee,churn\n".to_owned();
    for row in 0..300 {
        let plan = ["basic", "plus", "pro"][usize::try_from(dice(row, 1) % 3).unwrap()];
        let (age, fee) = (18 + dice(row, 2) % 60, 20 + dice(row, 3) % 80);
        let left = dice(row, 4) % 100 < if plan == "basic" { 60 } else { 15 };
        let churn = if left { "Yes" } else { "No" };
        writeln!(text, "C{row:04},{age},{plan},{fee},{churn}").unwrap();
    }
    text
}

/// A temporary folder with the workspace as it should be.
pub(crate) fn small() -> TempDir {
    let folder = TempDir::new().unwrap();
    put(folder.path(), "thalweg.toml", CONFIG);
    put(folder.path(), "customers.csv", customers());
    put(folder.path(), "offer.liquid", "10 % off your {{ fee }} USD.\n");
    folder
}

/// Writes a file of the workspace.
pub(crate) fn put(workspace: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(workspace.join(name), bytes).unwrap();
}

/// Replaces a text in a file; it must be there.
fn edit(workspace: &Path, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(workspace.join(name)).unwrap();
    assert!(text.contains(from), "{name} does not hold {from:?}");
    put(workspace, name, text.replacen(from, to, 1));
}

fn config(workspace: &Path, from: &str, to: &str) {
    edit(workspace, "thalweg.toml", from, to);
}

/// Replaces one cell: line from 1 (the header), column from 0.
fn cell(workspace: &Path, line: usize, column: usize, to: &str) {
    let text = fs::read_to_string(workspace.join("customers.csv")).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut cells: Vec<&str> = lines[line - 1].split(',').collect();
    cells[column] = to;
    lines[line - 1] = cells.join(",");
    put(workspace, "customers.csv", lines.join("\n") + "\n");
}

/// Replaces the last cell of every line after the header.
fn churn(workspace: &Path, of: impl Fn(usize, &str) -> String) {
    let text = customers();
    let mut lines = text.lines();
    let mut out = format!("{}\n", lines.next().unwrap());
    for (row, line) in lines.enumerate() {
        let (head, last) = line.rsplit_once(',').unwrap();
        writeln!(out, "{head},{}", of(row, last)).unwrap();
    }
    put(workspace, "customers.csv", out);
}

/// Reads the customers from another file, of another kind.
fn source(workspace: &Path, name: &str, bytes: &[u8]) {
    config(workspace, "customers.csv", name);
    put(workspace, name, bytes);
}

fn with_sql(workspace: &Path, text: &str) {
    config(
        workspace,
        "[model]",
        "[features]\nsql = \"features.sql\"\n\n[model]",
    );
    put(workspace, "features.sql", text);
}

fn with_events(workspace: &Path, text: &str) {
    config(
        workspace,
        "[outcome]",
        "[[events]]\nsource = \"happened.csv\"\nkey = \"id\"\ntime = \"at\"\n\n[outcome]",
    );
    with_sql(workspace, "SELECT id, COUNT(*) AS n FROM events GROUP BY id");
    put(workspace, "happened.csv", text);
}

/// Loads the good event on line 1 and a bad line 2.
fn events(workspace: &Path, line: &str) {
    put(workspace, "events.jsonl", format!("{GOOD_EVENT}\n{line}\n"));
}

/// Where an error says that the fault is: file, line, column.
type At = Option<(&'static str, Option<u64>, Option<&'static str>)>;

/// One kind of bad input.
struct Bad {
    kind: &'static str,
    /// What is wrong with the workspace.
    wrong: fn(&Path),
    args: &'static [&'static str],
    code: &'static str,
    exit: i32,
    /// Words of the message or the hint.
    says: &'static [&'static str],
    at: At,
    /// Why another kind has the same code; empty when none has.
    shares: &'static str,
}

const RUN: &[&str] = &["run", "--as-of", AS_OF];
const DELIVER: &[&str] = &["deliver", "--as-of", AS_OF];
const FEEDBACK: &[&str] = &["feedback", "events.jsonl", "--as-of", AS_OF];
const CONFIG_AT: At = Some(("thalweg.toml", None, None));
const TABLE: &str = "customers.csv";

/// A kind of data that `run` refuses.
const fn bad(
    kind: &'static str,
    wrong: fn(&Path),
    code: &'static str,
    at: At,
    says: &'static [&'static str],
) -> Bad {
    Bad {
        kind,
        wrong,
        args: RUN,
        code,
        exit: 3,
        says,
        at,
        shares: "",
    }
}

/// A kind of wrong usage or configuration.
const fn usage(
    kind: &'static str,
    wrong: fn(&Path),
    code: &'static str,
    at: At,
    says: &'static [&'static str],
) -> Bad {
    bad(kind, wrong, code, at, says).exit(2)
}

impl Bad {
    const fn exit(self, exit: i32) -> Self {
        Self { exit, ..self }
    }

    const fn args(self, args: &'static [&'static str]) -> Self {
        Self { args, ..self }
    }

    const fn shares(self, shares: &'static str) -> Self {
        Self { shares, ..self }
    }
}

impl Bad {
    /// Training and checks refuse what collecting rightly took; the table stays.
    fn is_found_later(&self) -> bool {
        ["TW0302", "TW0401"].contains(&self.code)
    }
}

fn nothing(_: &Path) {}

/// Wrong configuration: exit 2.
const CONFIGURATION: &[Bad] = &[
    usage(
        "no workspace",
        |w| fs::remove_file(w.join("thalweg.toml")).unwrap(),
        "TW0101",
        None,
        &["thalweg.toml", "thalweg init"],
    ),
    usage(
        "TOML syntax",
        |w| config(w, "seed = 7", "seed = = 7"),
        "TW0102",
        Some(("thalweg.toml", Some(3), None)),
        &["extra `=`"],
    ),
    usage(
        "missing required key",
        |w| config(w, "budget = 300", ""),
        "TW0103",
        CONFIG_AT,
        &["budget"],
    ),
    usage(
        "value out of range",
        |w| config(w, "budget = 300", "budget = 300\nholdout = 0.9"),
        "TW0104",
        Some(("thalweg.toml", Some(35), Some("holdout"))),
        &["[plan] holdout = 0.9", "between 0 and 0.5"],
    ),
    usage(
        "wrong type",
        |w| config(w, "unit_cost = 4", "unit_cost = \"four\""),
        "TW0104",
        Some(("thalweg.toml", Some(24), Some("unit_cost"))),
        &["unit_cost", "a number, not a string"],
    )
    .shares("the table of codes has one row for range and type"),
    usage(
        "unknown channel in an offer",
        |w| config(w, "\"call\"]", "\"cal\"]"),
        "TW0105",
        Some(("thalweg.toml", Some(30), None)),
        &["\"cal\"", "call"],
    ),
    usage(
        "duplicate channel",
        |w| config(w, "name = \"call\"", "name = \"email\""),
        "TW0106",
        CONFIG_AT,
        &["email"],
    ),
    usage(
        "unknown key",
        |w| config(w, "seed = 7", "sede = 7"),
        "TW0107",
        Some(("thalweg.toml", Some(3), None)),
        &["sede", "seed"],
    ),
    usage(
        "quiet hours that are none",
        |w| config(w, "[plan]", "[contact_policy]\nquiet_hours = \"21-8\"\n\n[plan]"),
        "TW0604",
        Some(("thalweg.toml", Some(34), Some("quiet_hours"))),
        &["quiet hours \"21-8\"", "21:00-08:00"],
    ),
    usage(
        "missing features.sql",
        |w| config(w, "[model]", "[features]\nsql = \"features.sql\"\n\n[model]"),
        "TW0110",
        None,
        &["features.sql"],
    ),
];

/// Data that is refused: exit 3, nothing written.
const DATA: &[Bad] = &[
    bad(
        "missing source",
        |w| fs::remove_file(w.join(TABLE)).unwrap(),
        "TW0201",
        Some((TABLE, None, None)),
        &["customers.csv", "no such file", "check the path"],
    ),
    bad(
        "empty file",
        |w| put(w, TABLE, ""),
        "TW0202",
        Some((TABLE, None, None)),
        &["is empty"],
    ),
    bad(
        "a word among numbers, half way down",
        |w| cell(w, 151, 1, "twenty"),
        "TW0203",
        Some((TABLE, Some(151), Some("age"))),
        &["twenty", "[features.columns.age] missing = [\"twenty\"]"],
    ),
    bad(
        "empty key",
        |w| cell(w, 30, 0, ""),
        "TW0204",
        Some((TABLE, Some(30), Some("id"))),
        &["empty"],
    ),
    bad(
        "duplicate keys",
        |w| cell(w, 30, 0, "C0001"),
        "TW0205",
        Some((TABLE, Some(30), Some("id"))),
        &["C0001", "customers.csv:3"],
    ),
    bad(
        "header only",
        |w| put(w, TABLE, "id,age,plan,fee,churn\n"),
        "TW0206",
        Some((TABLE, None, None)),
        &["no rows"],
    ),
    bad(
        "semicolons",
        |w| put(w, TABLE, customers().replace(',', ";")),
        "TW0207",
        Some((TABLE, Some(1), None)),
        &["semicolons", "commas"],
    ),
    bad(
        "duplicate header",
        |w| edit(w, TABLE, "age", "fee"),
        "TW0208",
        Some((TABLE, Some(1), Some("fee"))),
        &["two columns", "fee"],
    ),
    bad(
        "ragged row",
        |w| cell(w, 77, 4, "Yes,No"),
        "TW0209",
        Some((TABLE, Some(77), None)),
        &["6 cells", "5"],
    ),
    bad(
        "not UTF-8",
        |w| {
            let text = customers().replacen("basic", "b?sic", 1);
            let bytes: Vec<u8> = text.bytes().map(|b| if b == b'?' { 0xE4 } else { b }).collect();
            put(w, TABLE, bytes);
        },
        "TW0210",
        Some((TABLE, Some(5), Some("plan"))),
        &["UTF-8"],
    ),
    bad(
        "unknown target column",
        |w| config(w, "column = \"churn\"", "column = \"chrun\""),
        "TW0211",
        Some((TABLE, None, None)),
        &["chrun", "churn"],
    ),
    bad(
        "one class",
        |w| churn(w, |_, _| "Yes".to_owned()),
        "TW0212",
        Some((TABLE, None, Some("churn"))),
        &["\"Yes\" in all 300 rows"],
    ),
    bad(
        "three classes and no positive",
        |w| {
            config(w, "positive = \"Yes\"\n", "");
            churn(w, |row, was| if row % 7 == 0 { "Maybe" } else { was }.to_owned());
        },
        "TW0213",
        Some((TABLE, None, Some("churn"))),
        &["3 levels", "Maybe", "positive"],
    ),
    bad(
        "a positive that never occurs",
        |w| config(w, "positive = \"Yes\"", "positive = \"yes\""),
        "TW0214",
        Some((TABLE, None, Some("churn"))),
        &["\"yes\"", "\"Yes\""],
    ),
    bad(
        "no target anywhere",
        |w| churn(w, |_, _| String::new()),
        "TW0215",
        Some((TABLE, None, Some("churn"))),
        &["missing in every row"],
    ),
    bad(
        "unsupported extension",
        |w| source(w, "customers.xlsx", b"PK"),
        "TW0216",
        Some(("customers.xlsx", None, None)),
        &["CSV", "Parquet"],
    ),
    bad(
        "broken Parquet",
        |w| source(w, "customers.parquet", b"PAR1 but not really"),
        "TW0217",
        Some(("customers.parquet", None, None)),
        &["Parquet"],
    ),
    bad(
        "broken JSON line",
        |w| source(w, "customers.jsonl", b"{\"id\":\"C1\"}\n{\"id\":\n"),
        "TW0218",
        Some(("customers.jsonl", Some(2), None)),
        &["JSON"],
    ),
    bad(
        "features.sql names no column",
        |w| with_sql(w, "SELECT id, agee FROM customers"),
        "TW0219",
        Some(("features.sql", None, None)),
        &["agee", "age"],
    ),
    bad(
        "bad SQL in value",
        |w| config(w, "fee * 12", "fee * * 12"),
        "TW0220",
        None,
        &["fee * * 12"],
    ),
    bad(
        "features.sql without the key",
        |w| with_sql(w, "SELECT age FROM customers"),
        "TW0221",
        Some(("features.sql", None, None)),
        &["id"],
    ),
    bad(
        "a pattern without files",
        |w| config(w, "customers.csv", "customers-*.csv"),
        "TW0222",
        None,
        &["customers-*.csv"],
    ),
    bad(
        "nobody to decide on",
        |w| config(w, "key = \"id\"", "key = \"id\"\ndecide_on = \"fee > 900\""),
        "TW0111",
        None,
        &["fee > 900"],
    ),
    bad(
        "files of a pattern with other columns",
        |w| {
            config(w, "customers.csv", "c*.csv");
            put(w, "cats.csv", "id,age\nX1,3\n");
        },
        "TW0226",
        Some((TABLE, None, None)),
        &["fee"],
    ),
    bad(
        "an event without a moment",
        |w| with_events(w, "id,at\nC0001,2026-01-01\nC0002,yesterday\n"),
        "TW0227",
        Some(("happened.csv", Some(3), Some("at"))),
        &["yesterday"],
    ),
    bad(
        "consent that is neither yes nor no",
        |w| config(w, "unit_cost = 0.02", "unit_cost = 0.02\nconsent = \"plan\""),
        "TW0230",
        Some((TABLE, Some(2), Some("plan"))),
        &["yes/no"],
    ),
    bad(
        "infinite number",
        |w| cell(w, 42, 1, "1e999"),
        "TW0223",
        Some((TABLE, Some(42), Some("age"))),
        &["1e999"],
    ),
    bad(
        "negative value",
        |w| cell(w, 42, 3, "-5"),
        "TW0224",
        None,
        &["\"value\"", "\"C0040\"", "negative (-60)", "greatest"],
    ),
    bad(
        "missing value",
        |w| cell(w, 42, 3, ""),
        "TW0224",
        None,
        &["\"value\"", "\"C0040\"", "missing", "coalesce"],
    )
    .shares("negative and missing are both numbers that value cannot use"),
];

/// Templates, looked at when messages are made: exit 2.
const TEMPLATES: &[Bad] = &[
    usage(
        "template syntax",
        |w| put(w, "offer.liquid", "10 %\n{% if fee %} off\n"),
        "TW0602",
        Some(("offer.liquid", Some(3), None)),
        &["syntax error", "unclosed"],
    ),
    usage(
        "unknown field",
        |w| put(w, "offer.liquid", "Dear\n{{ feee }}\n"),
        "TW0603",
        Some(("offer.liquid", None, Some("feee"))),
        &["feee", "fee"],
    ),
    usage(
        "a filter that cannot use its field",
        |w| put(w, "offer.liquid", "{{ plan | divided_by: 2 }}\n"),
        "TW0606",
        Some(("offer.liquid", None, None)),
        &["filled in"],
    ),
    usage(
        "template missing",
        |w| fs::remove_file(w.join("offer.liquid")).unwrap(),
        "TW0605",
        None,
        &["offer.liquid"],
    ),
];

/// Feedback that is refused: exit 3.
const EVENTS: &[Bad] = &[
    bad(
        "cut line",
        |w| events(w, "{\"type\":"),
        "TW0701",
        Some(("events.jsonl", Some(2), None)),
        &["JSON"],
    ),
    bad(
        "no messageId",
        |w| events(w, &GOOD_EVENT.replace("messageId", "message")),
        "TW0702",
        Some(("events.jsonl", Some(2), None)),
        &["messageId"],
    ),
    bad(
        "no userId",
        |w| events(w, &GOOD_EVENT.replace("userId", "user")),
        "TW0703",
        Some(("events.jsonl", Some(2), None)),
        &["userId"],
    ),
    bad(
        "bad timestamp",
        |w| events(w, &GOOD_EVENT.replace("2026-12-01", "2026-13-01")),
        "TW0704",
        Some(("events.jsonl", Some(2), None)),
        &["2026-13-01"],
    ),
    bad(
        "unknown type",
        |w| events(w, &GOOD_EVENT.replace("track", "trace")),
        "TW0705",
        Some(("events.jsonl", Some(2), None)),
        &["trace", "track"],
    ),
    bad(
        "a track event without a name",
        |w| events(w, &GOOD_EVENT.replace("\"event\"", "\"evnt\"")),
        "TW0706",
        Some(("events.jsonl", Some(2), None)),
        &["event"],
    ),
    bad(
        "properties that are no object",
        |w| events(w, &GOOD_EVENT.replace("\"track\"", "\"track\",\"properties\":[]")),
        "TW0708",
        Some(("events.jsonl", Some(2), None)),
        &["properties"],
    ),
    bad("no feedback file", nothing, "TW0707", None, &["events.jsonl"]),
    bad(
        "empty feedback",
        |w| put(w, "events.jsonl", ""),
        "TW0709",
        None,
        &["events.jsonl", "--complete-until"],
    ),
];

/// Commands that cannot be carried out: exit 2 on a workspace without a plan.
const COMMANDS: &[Bad] = &[
    usage("nonsense --as-of", nothing, "TW0108", None, &["soon"]).args(&["run", "--as-of", "soon"]),
    usage("no threads", nothing, "TW0109", None, &["--threads", "0"]).args(&["run", "--threads", "0"]),
    usage("unknown code", nothing, "TW0109", None, &["TW9999"])
        .args(&["explain", "TW9999"])
        .shares("an argument too"),
    usage(
        "init over a file",
        nothing,
        "TW0112",
        None,
        &["thalweg.toml", "--force"],
    )
    .args(&["init", ".", "--from", TABLE, "--key", "id", "--target", "churn"]),
    usage(
        "init with an unknown target",
        nothing,
        "TW0211",
        None,
        &["chrun", "churn"],
    )
    .args(&["init", "new", "--from", TABLE, "--key", "id", "--target", "chrun"])
    .exit(3)
    .shares("the same fault in the same file"),
    usage(
        "show an unknown plan",
        nothing,
        "TW0113",
        None,
        &["p-000000000000"],
    )
    .args(&["show", "plan", "p-000000000000"])
    .shares("no such thing to show"),
    usage(
        "show an unknown channel",
        nothing,
        "TW0113",
        None,
        &["fax", "thalweg status"],
    )
    .args(&["show", "channel", "fax"]),
    usage(
        "deliver without a plan",
        nothing,
        "TW0610",
        None,
        &["no plan", "thalweg run"],
    )
    .args(DELIVER),
    usage("iterate before delivery", nothing, "TW0730", None, &["deliver"])
        .args(&["iterate", "--as-of", AS_OF]),
    usage("report without a plan", nothing, "TW0740", None, &["thalweg run"]).args(&["report"]),
];

/// Trouble with a workspace that has a plan: data, checks, the outside world.
const LATER: &[Bad] = &[
    bad(
        "damaged ledger",
        ledger_is_text,
        "TW0802",
        None,
        &["thalweg.db", "damaged", "copy"],
    ),
    bad(
        "ledger is a folder",
        ledger_is_folder,
        "TW0801",
        None,
        &["thalweg.db", "opened"],
    )
    .exit(6),
    bad(
        "artifacts is a file",
        artifacts_is_file,
        "TW0821",
        None,
        &["artifacts"],
    )
    .exit(6),
    bad(
        "outbox is a file",
        |w| put(w, "outbox", ""),
        "TW0601",
        None,
        &["outbox"],
    )
    .args(DELIVER)
    .exit(6),
    bad(
        "a table that is gone",
        |w| fs::remove_dir_all(w.join("artifacts/tables")).unwrap(),
        "TW0822",
        None,
        &["artifacts/tables/t-", "thalweg run --again"],
    )
    .args(DELIVER),
    bad(
        "a table that is damaged",
        |w| damage(w, "tables"),
        "TW0228",
        None,
        &["artifacts/tables/t-", "delete it"],
    )
    .args(DELIVER),
    bad(
        "a model that is damaged",
        |w| {
            damage(w, "models");
            config(w, "budget = 300", "budget = 299");
        },
        "TW0309",
        None,
        &["train again"],
    ),
    bad(
        "another plan after delivery",
        |w| {
            succeed(w, DELIVER);
            config(w, "budget = 300", "budget = 299");
        },
        "TW0810",
        None,
        &["delivered", "thalweg iterate"],
    )
    .exit(5),
    bad(
        "a handful who left",
        |w| churn(w, |row, _| if row == 9 { "Yes" } else { "No" }.to_owned()),
        "TW0302",
        None,
        &["only 1 customer with the outcome", "at least 10"],
    ),
    bad(
        "a leak",
        leak,
        "TW0401",
        None,
        &["closed", "exclude = [\"closed\"]"],
    )
    .exit(4),
    usage("demo without cycles", nothing, "TW0109", None, &["--cycles 0"])
        .args(&["demo", "--cycles", "0"])
        .shares("an argument too"),
];

fn damage(workspace: &Path, kind: &str) {
    for name in files(&workspace.join("artifacts").join(kind)).keys() {
        put(
            workspace,
            &format!("artifacts/{kind}/{name}"),
            "no longer what it was\n",
        );
    }
}

fn ledger_is_text(workspace: &Path) {
    drop_ledger(workspace);
    put(workspace, "thalweg.db", "this is no database at all\n");
}

fn ledger_is_folder(workspace: &Path) {
    drop_ledger(workspace);
    fs::create_dir(workspace.join("thalweg.db")).unwrap();
}

fn drop_ledger(workspace: &Path) {
    for name in files(workspace)
        .keys()
        .filter(|name| name.starts_with("thalweg.db"))
    {
        fs::remove_file(workspace.join(name)).unwrap();
    }
}

fn artifacts_is_file(workspace: &Path) {
    fs::remove_dir_all(workspace.join("artifacts")).unwrap();
    put(workspace, "artifacts", "");
}

/// A column that says what the outcome says.
pub(crate) fn leak(workspace: &Path) {
    churn(workspace, |_, was| {
        format!("{was},{}", if was == "Yes" { 1 } else { 0 })
    });
    edit(workspace, TABLE, "churn", "churn,closed");
}

/// What is wrong with an error, if anything.
fn faults(bad: &Bad, exit: i32, error: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if error["code"] != bad.code || exit != bad.exit {
        found.push(format!("expected {} and exit {}", bad.code, bad.exit));
    }
    let said = format!("{}\n{}", error["message"], error["hint"]).replace("\\\"", "\"");
    for words in bad.says.iter().filter(|words| !said.contains(**words)) {
        found.push(format!("does not say {words:?}"));
    }
    if let Some((file, row, column)) = bad.at {
        let at = &error["at"];
        let named = at["file"].as_str().unwrap_or_default();
        let fits = named.trim_start_matches("./") == file
            && row.is_none_or(|row| at["row"] == row)
            && column.is_none_or(|column| at["column"] == column);
        if !fits {
            found.push(format!("expected at {file}:{row:?}:{column:?}"));
        }
    }
    let line = bad.exit == 2 && error["at"]["row"].is_u64();
    if !line && error["hint"].as_str().is_none_or(str::is_empty) {
        found.push("has neither a hint nor, in a configuration, the line to mend".to_owned());
    }
    found
}

/// All that a refused command must leave as it was: every file, and what the ledger knows.
struct Trace {
    files: BTreeMap<String, Vec<u8>>,
    status: Vec<u8>,
}

fn trace(workspace: &Path) -> Trace {
    let status = output(workspace, &["status", "--json"]);
    let mut files = files(workspace);
    // opening a ledger may touch its bytes; what it says counts, unless it cannot be opened
    files.retain(|name, _| !status.status.success() || !name.starts_with("thalweg.db"));
    Trace {
        files,
        status: status.stdout,
    }
}

/// What differs, in words.
fn left_behind(before: &Trace, after: &Trace) -> Vec<String> {
    let names = before.files.keys().chain(after.files.keys());
    let mut found: Vec<String> = names
        .filter(|name| before.files.get(*name) != after.files.get(*name))
        .map(|name| format!("{name} is not as it was"))
        .collect();
    if before.status != after.status {
        found.push(format!(
            "the ledger says {} and said {}",
            String::from_utf8_lossy(&after.status),
            String::from_utf8_lossy(&before.status)
        ));
    }
    found
}

/// A plan that was not there before.
fn other_plan(before: &Trace, after: &Trace) -> Option<String> {
    let new = after
        .files
        .keys()
        .find(|name| !before.files.contains_key(*name) && name.contains("plans/"));
    new.map(|name| format!("makes {name}"))
}

/// Plays every kind in a workspace and gives all that is wrong, for one look at everything.
fn play(table: &[Bad], folder: impl Fn() -> TempDir) {
    let mut wrong = String::new();
    for bad in table {
        let folder = folder();
        (bad.wrong)(folder.path());
        let before = trace(folder.path());
        let (exit, error) = fail(folder.path(), bad.args);
        let mut found = faults(bad, exit, &error);
        let after = trace(folder.path());
        if bad.is_found_later() {
            found.extend(other_plan(&before, &after));
        } else {
            found.extend(left_behind(&before, &after));
        }
        for fault in found {
            writeln!(
                wrong,
                "{}: {fault}; it exits with {exit} and says {error}",
                bad.kind
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn bad_configuration() {
    play(CONFIGURATION, small);
}

#[test]
fn bad_data() {
    play(DATA, small);
}

#[test]
fn bad_commands() {
    play(COMMANDS, small);
}

/// A workspace with a plan.
fn planned() -> TempDir {
    let folder = small();
    succeed(folder.path(), RUN);
    folder
}

fn delivered() -> TempDir {
    let folder = planned();
    succeed(folder.path(), DELIVER);
    folder
}

#[test]
fn bad_templates() {
    let table: Vec<Bad> = TEMPLATES.iter().map(|bad| Bad { ..*bad }.args(DELIVER)).collect();
    play(&table, planned);
}

#[test]
fn bad_feedback() {
    let table: Vec<Bad> = EVENTS.iter().map(|bad| Bad { ..*bad }.args(FEEDBACK)).collect();
    play(&table, delivered);
}

#[test]
fn trouble_later() {
    play(LATER, planned);
}

/// Two processes must not work on one workspace; the second is told so and changes nothing.
#[test]
fn a_second_process_has_to_wait() {
    let folder = planned();
    let lock = fs::File::open(folder.path().join("artifacts/.lock")).unwrap();
    lock.lock().unwrap();
    let before = files(folder.path());
    for args in [RUN, DELIVER, &["status"]] {
        let (exit, error) = fail(folder.path(), args);
        assert_eq!(
            (exit, &error["code"]),
            (6, &Value::from("TW0820")),
            "{args:?}: {error}"
        );
        assert!(
            error["hint"].as_str().unwrap().contains("wait for it to end"),
            "{error}"
        );
    }
    assert!(
        before == files(folder.path()),
        "the second process changed something"
    );
    lock.unlock().unwrap();
    succeed(folder.path(), DELIVER);
}

/// A check that fails prints its result all the same.
fn assert_printed(workspace: &Path, args: &[&str], code: &str) -> Value {
    let out = output(workspace, args);
    assert_eq!(out.status.code(), Some(4), "{args:?}");
    let printed: Value = serde_json::from_slice(&out.stdout).unwrap();
    let checks = printed["checks"].as_array().unwrap();
    let failed = checks.iter().find(|check| check["verdict"] == "FAIL").unwrap();
    assert_eq!(failed["code"], code, "{failed}");
    assert!(
        failed["advice"].as_str().is_some_and(|advice| !advice.is_empty()),
        "{failed}"
    );
    printed
}

#[test]
fn iterate_before_maturity_prints_its_result() {
    let folder = delivered();
    let args = ["iterate", "--json", "--as-of", AS_OF];
    let printed = assert_printed(folder.path(), &args, "TW0731");
    assert_eq!(
        (&printed["mature"], &printed["closed"]),
        (&Value::from(0), &Value::from(false))
    );
}

#[test]
fn a_cycle_without_any_outcome_is_not_closed() {
    let folder = delivered();
    let other = GOOD_EVENT.replace("Subscription Cancelled", "Gone");
    put(folder.path(), "events.jsonl", other + "\n");
    let late = "2027-01-06T00:00:00Z";
    let load = [
        "feedback",
        "events.jsonl",
        "--complete-until",
        "2027-01-05",
        "--as-of",
        late,
    ];
    succeed(folder.path(), &load);
    let before = trace(folder.path());
    let printed = assert_printed(folder.path(), &["iterate", "--json", "--as-of", late], "TW0732");
    assert_eq!(printed["closed"], false);
    let after = trace(folder.path());
    let status: Value = serde_json::from_slice(&after.status).unwrap();
    assert_eq!(status["cycle"], 1, "{status}");
    assert!(before.files == after.files, "nothing is retrained");
}

#[test]
fn a_leak_is_printed_by_evaluate() {
    let folder = small();
    leak(folder.path());
    assert_printed(folder.path(), &["evaluate", "--json", "--as-of", AS_OF], "TW0401");
    let (exit, _) = fail(folder.path(), RUN);
    assert_eq!(exit, 4);
    assert!(
        files(&folder.path().join("artifacts/plans")).is_empty(),
        "no plan from a leak"
    );
}

#[test]
fn an_unknown_command_is_wrong_usage() {
    let folder = small();
    let out = output(folder.path(), &["frobnicate"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(out.stdout.is_empty());
    let text = String::from_utf8(out.stderr).unwrap();
    assert!(text.contains("frobnicate") && text.contains("--help"), "{text}");
}

/// Every table.
fn all() -> impl Iterator<Item = &'static Bad> {
    [CONFIGURATION, DATA, TEMPLATES, EVENTS, COMMANDS, LATER]
        .into_iter()
        .flatten()
}

#[test]
fn every_kind_has_its_own_code() {
    let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
    for bad in all().filter(|bad| bad.shares.is_empty()) {
        if let Some(other) = kinds.insert(bad.code, bad.kind) {
            panic!("{other} and {} both have {}", bad.kind, bad.code);
        }
    }
    eprintln!("{} kinds of bad input, {} codes", all().count(), kinds.len());
    assert!(kinds.len() >= 25);
}

#[test]
fn errors_in_plain_text() {
    for bad in [CONFIGURATION, DATA].into_iter().flatten() {
        let folder = small();
        (bad.wrong)(folder.path());
        let out = output(folder.path(), bad.args);
        let text = String::from_utf8(out.stderr).unwrap();
        assert!(out.stdout.is_empty(), "{}", bad.kind);
        assert!(
            text.starts_with(&format!("error[{}]: ", bad.code)),
            "{}: {text}",
            bad.kind
        );
        let more = format!("  more: thalweg explain {}\n", bad.code);
        assert!(text.ends_with(&more), "{}: {text}", bad.kind);
        assert!(
            !text.contains('\u{1b}'),
            "{}: colour codes although this is no terminal",
            bad.kind
        );
        if let Some((file, Some(row), _)) = bad.at {
            assert!(text.contains(&format!("{file}:{row}")), "{}: {text}", bad.kind);
        }
    }
}

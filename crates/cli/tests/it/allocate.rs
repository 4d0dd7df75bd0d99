//! `tool allocate` from files to the file: every limit is checked on the rows that were written, and mistakes write nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::people;
use crate::support::{fail, json, output, succeed};

const RULES: &str = r#"max_actions_per_customer = 2
days = 5
budget = "money"

[[constraint]]
name = "money"
resource = "cost"
limit = 30000

[[constraint]]
name = "hours"
resource = "minutes"
limit = 6000

[[constraint]]
name = "mails to the south"
resource = "rows"
limit = 300
where = { action = "mail", region = "south" }

[[constraint]]
name = "north"
resource = "rows"
at_least = 260
where = { region = "north" }

[[constraint]]
name = "spend on visits"
resource = "cost"
at_least = 9000
where = { action = "visit" }

[[exclude]]
actions = ["mail", "call"]

[[pacing]]
name = "calls a day"
per_day = 60
where = { action = "call" }
"#;

/// A folder with candidates in both formats and the rules.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let candidates = people::candidates(1200);
    candidates.write(&folder.path().join("c.csv"));
    candidates.write(&folder.path().join("c.parquet"));
    fs::write(folder.path().join("rules.toml"), RULES).unwrap();
    folder
}

fn allocate(dir: &Path, candidates: &str, out: &str, more: &[&str]) -> Value {
    let mut args = vec![
        "tool",
        "allocate",
        "--candidates",
        candidates,
        "--constraints",
        "rules.toml",
        "--out",
        out,
    ];
    args.extend(more);
    json(dir, &args)
}

/// What is the same whatever the file's format and the number of threads.
fn result(mut out: Value) -> Value {
    let object = out.as_object_mut().unwrap();
    for key in ["timings", "candidates_file", "file"] {
        assert!(object.remove(key).is_some(), "{key}");
    }
    out
}

struct Chosen {
    customer: String,
    action: String,
    region: String,
    numbers: [f64; 3],
    day: usize,
}

fn chosen(path: &Path) -> Vec<Chosen> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("customer,action,region,value,cost,minutes,day")
    );
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        Chosen {
            customer: cells[0].to_owned(),
            action: cells[1].to_owned(),
            region: cells[2].to_owned(),
            numbers: [3, 4, 5].map(|at| cells[at].parse().unwrap()),
            day: cells[6].parse().unwrap(),
        }
    };
    lines.map(row).collect()
}

#[test]
fn every_limit_holds_on_the_rows_that_were_written() {
    let folder = folder();
    let dir = folder.path();
    let out = allocate(dir, "c.csv", "chosen.csv", &[]);
    let rows = chosen(&dir.join("chosen.csv"));
    let number = |value: &Value| value.as_f64().unwrap();
    assert_eq!(out["feasible"], true);
    assert_eq!(out["chosen"].as_u64(), Some(rows.len() as u64));
    // the rows are the candidates' own, in their order
    let all = fs::read_to_string(dir.join("c.csv")).unwrap();
    let written = fs::read_to_string(dir.join("chosen.csv")).unwrap();
    let mut source = all.lines().skip(1);
    for line in written.lines().skip(1) {
        let (own, _) = line.rsplit_once(',').unwrap();
        assert!(source.any(|row| row == own), "{line}");
    }
    let sum = |at: usize, of: &dyn Fn(&Chosen) -> bool| -> f64 {
        rows.iter().filter(|row| of(row)).map(|row| row.numbers[at]).sum()
    };
    let count = |of: &dyn Fn(&Chosen) -> bool| rows.iter().filter(|row| of(row)).count() as f64;
    let used = BTreeMap::from([
        ("money", sum(1, &|_| true)),
        ("hours", sum(2, &|_| true)),
        (
            "mails to the south",
            count(&|row| row.action == "mail" && row.region == "south"),
        ),
        ("north", count(&|row| row.region == "north")),
        ("spend on visits", sum(1, &|row| row.action == "visit")),
        ("calls a day", count(&|row| row.action == "call")),
    ]);
    let constraints = out["constraints"].as_array().unwrap();
    assert_eq!(constraints.len(), used.len());
    for own in constraints {
        let used = used[own["name"].as_str().unwrap()];
        assert!((number(&own["used"]) - used).abs() < 1e-6, "{own} {used}");
        let (limit, price) = (number(&own["limit"]), number(&own["shadow_price"]));
        if own["sense"] == "at_least" {
            assert!(used >= limit && price <= 0.0, "{own}");
        } else {
            assert!(used <= limit && price >= 0.0, "{own}");
        }
    }
    assert_eq!(
        number(&constraints.last().unwrap()["limit"]),
        300.0,
        "60 a day for 5 days"
    );
    // money and the floor on visits bind, so the test can fail
    let price =
        |name: &str| number(&constraints.iter().find(|own| own["name"] == name).unwrap()["shadow_price"]);
    assert!(
        price("money") > 0.0 && price("spend on visits") < 0.0,
        "{constraints:?}"
    );

    let mut of_customer: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        assert!(
            of_customer.entry(&row.customer).or_default().insert(&row.action),
            "twice the same"
        );
    }
    assert!(
        of_customer.values().any(|own| own.len() == 2),
        "two actions may be had"
    );
    for own in of_customer.values() {
        assert!(
            own.len() <= 2 && !(own.contains("mail") && own.contains("call")),
            "{own:?}"
        );
    }
    let days = out["days"].as_array().unwrap();
    assert_eq!(days.len(), 5);
    for (day, told) in (1..).zip(days) {
        let on = rows.iter().filter(|row| row.day == day);
        assert_eq!(told.as_u64(), Some(on.clone().count() as u64));
        assert!(on.filter(|row| row.action == "call").count() <= 60);
    }

    let (value, bound) = (number(&out["value"]), number(&out["upper_bound"]));
    assert!((sum(0, &|_| true) - value).abs() < 1e-6 && value <= bound + 1e-6);
    assert!(
        (number(&out["gap"]) - (bound - value) / bound).abs() < 1e-9 && bound < 1.005 * value,
        "{value} {bound}"
    );
    what_if(&out, value);
    let text = succeed(
        dir,
        &[
            "tool",
            "allocate",
            "--candidates",
            "c.csv",
            "--constraints",
            "rules.toml",
        ],
    );
    assert!(
        text.contains("With another money") && text.contains("5 days with"),
        "{text}"
    );
}

/// More money is worth no less, within the gap, and the row without change is the plan.
fn what_if(out: &Value, value: f64) {
    assert_eq!(out["budget"], "money");
    let table = out["what_if"].as_array().unwrap();
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap();
    assert_eq!(table.len(), 8, "{table:?}");
    let now = table.iter().find(|row| number(row, "change") == 0.0).unwrap();
    assert!((number(now, "value") - value).abs() < 1e-9);
    for pair in table.windows(2) {
        assert!(number(&pair[1], "limit") > number(&pair[0], "limit"));
        if pair[0]["feasible"] == true && pair[1]["feasible"] == true {
            assert!(
                number(&pair[1], "value")
                    >= number(&pair[0], "value") * (1.0 - number(&pair[1], "gap") - 1e-9)
            );
            assert!(number(&pair[1], "used") <= number(&pair[1], "limit") + 1e-6);
        }
    }
    for row in table {
        assert!(
            (number(row, "limit") - 30_000.0 * (1.0 + number(row, "change"))).abs() < 1e-6,
            "{row}"
        );
    }
}

#[test]
fn neither_threads_nor_the_format_change_a_byte() {
    let folder = folder();
    let dir = folder.path();
    let first = result(allocate(dir, "c.csv", "one.csv", &["--threads", "1"]));
    let rows = fs::read(dir.join("one.csv")).unwrap();
    for (candidates, out, threads) in [
        ("c.csv", "two.csv", "2"),
        ("c.parquet", "three.csv", "1"),
        ("c.parquet", "four.csv", "2"),
    ] {
        let other = result(allocate(dir, candidates, out, &["--threads", threads]));
        assert_eq!(first, other, "{candidates}, {threads} threads");
        assert!(
            rows == fs::read(dir.join(out)).unwrap(),
            "{candidates}, {threads} threads"
        );
    }
    // the same rows as Parquet, read back: with nothing to keep all of them are chosen
    allocate(dir, "c.parquet", "chosen.parquet", &[]);
    allocate(dir, "c.parquet", "again.parquet", &["--threads", "1"]);
    assert!(fs::read(dir.join("chosen.parquet")).unwrap() == fs::read(dir.join("again.parquet")).unwrap());
    fs::write(dir.join("rules.toml"), "max_actions_per_customer = 2\n").unwrap();
    let back = allocate(dir, "chosen.parquet", "back.csv", &[]);
    assert_eq!(back["candidates"], first["chosen"]);
    assert!(rows == fs::read(dir.join("back.csv")).unwrap(), "days and all");
    assert!((back["value"].as_f64().unwrap() - first["value"].as_f64().unwrap()).abs() < 1e-6);
}

#[test]
fn what_cannot_be_kept_exits_4_with_the_names_and_writes_nothing() {
    let folder = folder();
    let dir = folder.path();
    let rules = RULES.replace("limit = 30000", "limit = 3000");
    fs::write(dir.join("rules.toml"), rules).unwrap();
    let args = [
        "tool",
        "allocate",
        "--candidates",
        "c.csv",
        "--constraints",
        "rules.toml",
        "--out",
        "o.csv",
    ];
    let mut as_json = args.to_vec();
    as_json.push("--json");
    let out = output(dir, &as_json);
    assert_eq!(out.status.code(), Some(4));
    let told: Value = serde_json::from_slice(&out.stdout).unwrap();
    let mut names: Vec<&str> = told["conflicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own.as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["money", "spend on visits"], "{told}");
    assert_eq!(
        (&told["feasible"], &told["infeasibility_proved"]),
        (&false.into(), &true.into())
    );
    assert_eq!(
        (
            &told["chosen"],
            &told["file"],
            told["days"].as_array().unwrap().len()
        ),
        (&0.into(), &Value::Null, 0)
    );
    let short = &told["shortfalls"][0];
    assert_eq!(
        (&short["name"], &short["required"]),
        (&"spend on visits".into(), &9000.0.into())
    );
    let reachable = short["reachable"].as_f64().unwrap();
    // a bound, which visits that cannot be cut in pieces may fall short of
    assert!((2500.0..3003.0).contains(&reachable), "{short}");
    let out = output(dir, &args);
    assert_eq!(out.status.code(), Some(4));
    let text = String::from_utf8(out.stdout)
        .unwrap()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        text.contains("\"money\"")
            && text.contains("\"spend on visits\"")
            && text.contains("Nothing is chosen"),
        "{text}"
    );
    assert!(!dir.join("o.csv").exists());
}

/// Text of the candidates, of the rules, further arguments; then exit code, error code, row.
type Mistake<'a> = (&'a str, &'a str, &'a [&'a str], i32, &'a str, Option<u64>);

#[test]
fn mistakes_have_their_code_and_place_and_write_nothing() {
    const GOOD: &str = "customer,action,value,cost\na,mail,3,1\na,call,5,2\nb,mail,4,1\n";
    const RULE: &str = "[[constraint]]\nname = \"money\"\nresource = \"cost\"\nlimit = 3\n";
    let bad = |from: &str, to: &str| GOOD.replacen(from, to, 1);
    let rule = |from: &str, to: &str| RULE.replacen(from, to, 1);
    let (nan, empty, word) = (
        bad("a,mail,3", "a,mail,NaN"),
        bad("a,call,5", "a,call,"),
        bad("b,mail,4", "b,mail,four"),
    );
    let (infinite, twice, nobody) = (
        bad("call,5", "call,inf"),
        bad("a,call", "a,mail"),
        bad("b,mail", ",mail"),
    );
    let (column, negative, not) = (rule("\"cost\"", "\"costs\""), rule("3", "-3"), rule("3", "nan"));
    let (key, value) = (
        rule("limit", "limt"),
        format!("{RULE}where = {{ action = \"mial\" }}\n"),
    );
    let cases: [Mistake<'_>; 15] = [
        (&nan, RULE, &[], 3, "TW0501", None),
        (&empty, RULE, &[], 3, "TW0501", None),
        (&infinite, RULE, &[], 3, "TW0223", Some(3)),
        (&word, RULE, &[], 3, "TW0306", Some(4)),
        (&nobody, RULE, &[], 3, "TW0501", None),
        (&twice, RULE, &[], 3, "TW0511", None),
        ("customer,action,value,cost\n", RULE, &[], 3, "TW0206", None),
        (GOOD, &column, &[], 2, "TW0105", Some(1)),
        (GOOD, &negative, &[], 2, "TW0104", Some(4)),
        (GOOD, &not, &[], 2, "TW0104", Some(4)),
        (GOOD, &key, &[], 2, "TW0107", Some(4)),
        (GOOD, &value, &[], 2, "TW0105", Some(1)),
        (GOOD, RULE, &["--value", "worth"], 2, "TW0105", None),
        (
            GOOD,
            RULE,
            &["--value-sd", "sd", "--risk-aversion", "1"],
            2,
            "TW0105",
            None,
        ),
        (
            GOOD,
            RULE,
            &["--value-sd", "cost", "--risk-aversion", "-1"],
            2,
            "TW0502",
            None,
        ),
    ];
    for (candidates, rules, more, exit, code, row) in cases {
        let folder = TempDir::new().unwrap();
        let dir = folder.path();
        fs::write(dir.join("c.csv"), candidates).unwrap();
        fs::write(dir.join("rules.toml"), rules).unwrap();
        let mut args = vec![
            "tool",
            "allocate",
            "--candidates",
            "c.csv",
            "--constraints",
            "rules.toml",
            "--out",
            "o.csv",
        ];
        args.extend(more);
        let (is, error) = fail(dir, &args);
        let told = format!("{candidates}{rules}{more:?}\n{error}");
        assert_eq!((is, error["code"].as_str()), (exit, Some(code)), "{told}");
        if row.is_some() {
            assert_eq!(error["at"]["row"].as_u64(), row, "{told}");
        }
        let hint = error["hint"].as_str().unwrap_or_default();
        assert!(!hint.contains("imputed"), "{told}");
        let left: BTreeSet<String> = fs::read_dir(dir)
            .unwrap()
            .map(|own| own.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(
            left,
            BTreeSet::from(["c.csv".to_owned(), "rules.toml".to_owned()]),
            "{told}"
        );
    }
}

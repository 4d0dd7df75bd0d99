//! `[[plan.constraint]]`: ceilings and floors from `thalweg.toml` to the plan on disk, and what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bad_input::{put, small};
use crate::determinism::AS_OF;
use crate::support::{fail, json, output, succeed};

/// Puts text at the end of the configuration, whose last section is `[plan]`.
pub(crate) fn add(workspace: &Path, text: &str) {
    let before = fs::read_to_string(workspace.join("thalweg.toml")).unwrap();
    put(workspace, "thalweg.toml", format!("{before}{text}"));
}

/// The decisions of the one plan on disk.
pub(crate) fn decisions(workspace: &Path) -> Vec<Value> {
    let files: Vec<_> = fs::read_dir(workspace.join("artifacts/plans")).unwrap().collect();
    assert_eq!(files.len(), 1);
    let text = fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["decisions"].as_array().unwrap().clone()
}

/// Each customer's cell in the column `plan` of the table.
pub(crate) fn tiers(workspace: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(workspace.join("customers.csv")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[0].to_owned(), cells[2].to_owned())
    };
    text.lines().skip(1).map(row).collect()
}

const LIMITS: &str = r#"
[[plan.constraint]]
name = "mail to basic"
resource = "rows"
limit = 20
where = { plan = "basic", channel = "email" }

[[plan.constraint]]
name = "calls to plus and pro"
resource = "rows"
at_least = 30
where = { plan = ["plus", "pro"], channel = "call" }

[[plan.constraint]]
name = "discounts"
resource = "cost"
at_least = 150.5
where = { offer = "discount" }
"#;

/// As the program writes an amount below a million.
fn in_thousands(amount: f64) -> String {
    let digits = format!("{amount:.0}");
    match digits.len() {
        0..=3 => digits,
        all => format!("{},{}", &digits[..all - 3], &digits[all - 3..]),
    }
}

fn constraint<'a>(plan: &'a Value, name: &str) -> &'a Value {
    let all = plan["constraints"].as_array().unwrap();
    all.iter().find(|own| own["name"] == name).unwrap()
}

#[test]
fn ceilings_and_floors_hold_on_disk() {
    let folder = small();
    let dir = folder.path();
    let free = json(dir, &["plan", "--as-of", AS_OF]);
    assert!(
        free["constraints"]
            .as_array()
            .unwrap()
            .iter()
            .all(|own| own["sense"] == "at_most")
    );
    fs::remove_dir_all(dir.join("artifacts/plans")).unwrap();
    add(dir, LIMITS);
    let plan = json(dir, &["plan", "--as-of", AS_OF]);
    assert_eq!(plan["feasible"], true);
    let tiers = tiers(dir);
    let count = |channel: &str, of: &[&str]| {
        let all = decisions(dir);
        let own = all.iter().filter(|row| {
            let action = row["action"].as_str().unwrap();
            action.split(" + ").next() == Some(channel)
                && of.contains(&tiers[row["customer"].as_str().unwrap()].as_str())
        });
        f64::from(u32::try_from(own.count()).unwrap())
    };
    let mail = constraint(&plan, "mail to basic");
    let calls = constraint(&plan, "calls to plus and pro");
    let discounts = constraint(&plan, "discounts");
    assert!((mail["used"].as_f64().unwrap() - count("email", &["basic"])).abs() < 1e-9);
    assert!((calls["used"].as_f64().unwrap() - count("call", &["plus", "pro"])).abs() < 1e-9);
    assert!(count("email", &["basic"]) <= 20.0 && count("call", &["plus", "pro"]) >= 30.0);
    assert!(discounts["used"].as_f64().unwrap() >= 150.5);
    assert_eq!(
        (&mail["sense"], &calls["sense"]),
        (&"at_most".into(), &"at_least".into())
    );
    // more to the basic would pay, and calls to the others cost more than they bring
    assert!(mail["shadow_price"].as_f64().unwrap() > 0.0, "{mail}");
    assert!(calls["shadow_price"].as_f64().unwrap() < 0.0, "{calls}");
    let worth = |plan: &Value| plan["expected_value"]["mean"].as_f64().unwrap();
    assert!(worth(&plan) < worth(&free), "limits cost something");
    let text = succeed(dir, &["plan", "--as-of", AS_OF]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("mail to basic (one more earns"), "{text}");
    // the table of other budgets says what the JSON says
    let rows = plan["what_if"].as_array().unwrap();
    assert!(
        text.contains("What other budgets would bring") && rows.len() > 4,
        "{text}"
    );
    let (now, twice) = (&rows[rows.len() - 5], &rows[rows.len() - 1]);
    assert_eq!((&now["budget"], &twice["budget"]), (&300.0.into(), &600.0.into()));
    let gain = |row: &Value| row["expected_value"].as_f64().unwrap();
    let more = gain(twice) - gain(now);
    let line = format!(
        "600.00 +100 % {} +{more:.0} {:.2}",
        in_thousands(gain(twice)),
        more / 300.0
    );
    assert!(text.contains(&line), "{line}\n{text}");
    assert!(
        text.contains("calls to plus and pro (one fewer required earns"),
        "{text}"
    );
}

#[test]
fn a_rule_that_only_moved_is_the_same_rule() {
    let folder = small();
    let dir = folder.path();
    add(dir, LIMITS);
    let plan = json(dir, &["run", "--as-of", AS_OF]);
    let text = fs::read_to_string(dir.join("thalweg.toml")).unwrap();
    put(dir, "thalweg.toml", format!("# a remark\n\n{text}"));
    let again = json(dir, &["plan", "--as-of", AS_OF]);
    assert_eq!(again["plan"], plan["plan"]["plan"]);
}

#[test]
fn a_floor_out_of_reach_exits_4_and_says_what_can_be_reached() {
    let folder = small();
    let dir = folder.path();
    add(
        dir,
        "[[plan.constraint]]\nname = \"everybody basic\"\nresource = \"rows\"\nat_least = 300\nwhere = { plan = \"basic\" }\n",
    );
    let out = output(dir, &["plan", "--as-of", AS_OF, "--json"]);
    assert_eq!(out.status.code(), Some(4));
    let plan: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(plan["feasible"], false);
    assert_eq!(plan["conflicts"], serde_json::json!(["everybody basic"]));
    let short = &plan["shortfalls"][0];
    let basic = tiers(dir).values().filter(|own| *own == "basic").count();
    let reachable = short["reachable"].as_f64().unwrap();
    assert_eq!(
        (&short["name"], &short["required"]),
        (&"everybody basic".into(), &300.0.into())
    );
    assert!(
        reachable > 50.0 && reachable < f64::from(u32::try_from(basic).unwrap()),
        "{short}"
    );
    let text = String::from_utf8(output(dir, &["plan", "--as-of", AS_OF]).stdout).unwrap();
    assert!(
        text.contains("INFEASIBLE: these contradict each other: everybody basic."),
        "{text}"
    );
    assert!(text.contains("requires 300"), "{text}");
}

#[test]
fn mistakes_name_the_line() {
    let row = |rest: &str| format!("[[plan.constraint]]\nname = \"own\"\nresource = \"rows\"\n{rest}\n");
    let cases = [
        (
            row("limit = 5\nwhere = { paln = \"basic\" }"),
            "TW0105",
            35,
            "did you mean \"plan\"",
        ),
        (
            row("limit = 5\nwhere = { plan = \"basik\" }"),
            "TW0105",
            35,
            "did you mean \"basic\"",
        ),
        (
            row("limit = 5\nwhere = { channel = \"emial\" }"),
            "TW0105",
            39,
            "did you mean \"email\"",
        ),
        (
            row("limit = 5\nwhere = { offer = \"gift\" }"),
            "TW0105",
            39,
            "discount, none",
        ),
        (
            row("limit = 5\nwhere = { action = \"call + gift\" }"),
            "TW0105",
            39,
            "call + discount",
        ),
        (row("limit = -5"), "TW0104", 38, "-5 is negative"),
        (
            row("limit = 5\nat_least = 2"),
            "TW0104",
            39,
            "stands beside a limit",
        ),
        (row(""), "TW0103", 35, "limit"),
        (row("limt = 5"), "TW0107", 38, "[[plan.constraint]]"),
        (
            row("limit = 5").repeat(2),
            "TW0106",
            39,
            "two constraints are called \"own\"",
        ),
        (
            row("limit = 5").replace("rows", "fee"),
            "TW0104",
            37,
            "is not one of cost, rows",
        ),
        (
            row("limit = 5").replace("own", "call capacity"),
            "TW0106",
            36,
            "call capacity",
        ),
    ];
    for (text, code, line, says) in cases {
        let folder = small();
        add(folder.path(), &text);
        let (exit, error) = fail(folder.path(), &["run", "--as-of", AS_OF]);
        let told = format!("{text}{error}");
        assert_eq!((exit, error["code"].as_str()), (2, Some(code)), "{told}");
        assert_eq!(error["at"]["row"].as_u64(), Some(line), "{told}");
        let whole = format!("{} {}", error["message"], error["hint"]).replace("\\\"", "\"");
        assert!(whole.contains(says), "{told}");
    }
}

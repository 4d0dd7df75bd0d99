//! The tool on files: memory and file give the same, customers apart are brought together, and what is refused.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;

const LIMITS: &str = "[[constraint]]\nname = \"budget\"\nresource = \"cost\"\nlimit = 300\n\n[[constraint]]\nname = \"calls\"\n\
    resource = \"rows\"\nlimit = 90\nwhere = { action = \"call\" }\n\n[[constraint]]\nname = \"north\"\nresource = \"rows\"\n\
    at_least = 200\nwhere = { region = \"north\" }\n";

fn line(customer: usize, action: &str) -> String {
    let x = (customer * 7919 % 1000) as f64 / 1000.0;
    let (value, cost) = if action == "call" {
        (9.0 * x, 2.0)
    } else {
        (3.0 * x, 0.5)
    };
    let region = if customer.is_multiple_of(3) {
        "north"
    } else {
        "south"
    };
    format!("{customer},{action},{value},{cost},{region}\n")
}

fn table(rows: impl Iterator<Item = (usize, &'static str)>) -> String {
    let mut text = "customer,action,value,cost,region\n".to_owned();
    for (customer, action) in rows {
        let _ = write!(text, "{}", line(customer, action));
    }
    text
}

fn grouped(n: usize) -> String {
    table((0..n).flat_map(|customer| [(customer, "mail"), (customer, "call")]))
}

fn request(folder: &Path, candidates: &str, limits: &str) -> AllocateRequest {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    AllocateRequest {
        candidates: write("candidates.csv", candidates).display().to_string(),
        constraints: write("limits.toml", limits),
        out: Some(folder.join("chosen.csv")),
        customer: "customer".to_owned(),
        action: "action".to_owned(),
        value: "value".to_owned(),
        doubt: None,
    }
}

/// Chosen rows as they were written.
fn written(path: &PathBuf) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn what_is_written_is_what_is_counted() {
    let folder = TempDir::new().unwrap();
    let request = request(folder.path(), &grouped(1000), LIMITS);
    let out = allocate(&request).unwrap();
    assert!(out.feasible && out.gap < 1e-3, "{out:?}");
    assert_eq!((out.customers, out.candidates), (1000, 2000));
    let rows = written(request.out.as_ref().unwrap());
    assert_eq!(rows.len(), out.chosen);
    let cell = |row: &String, at: usize| row.split(',').nth(at).unwrap().to_owned();
    let sum = |at: usize| {
        rows.iter()
            .map(|row| cell(row, at).parse::<f64>().unwrap())
            .sum::<f64>()
    };
    assert!((sum(2) - out.value).abs() < 1e-6);
    assert!((sum(3) - out.constraints[0].used).abs() < 1e-6 && sum(3) <= 300.0);
    let calls = rows.iter().filter(|row| cell(row, 1) == "call").count();
    let north = rows.iter().filter(|row| cell(row, 4) == "north").count();
    assert!(calls <= 90 && north >= 200, "{calls} {north}");
    let customers: std::collections::BTreeSet<String> = rows.iter().map(|row| cell(row, 0)).collect();
    assert_eq!(customers.len(), rows.len(), "one row per customer");
    assert_eq!(out.what_if.len(), 8);
    assert_eq!(out.budget.as_deref(), Some("budget"));
}

#[test]
fn a_file_of_blocks_gives_what_memory_gives() {
    let folder = TempDir::new().unwrap();
    let request = request(folder.path(), &grouped(3000), LIMITS);
    let text = fs::read_to_string(&request.constraints).unwrap();
    let rules = rules::rules("limits.toml", &text).unwrap();
    let reading = Reading {
        data: &request.candidates,
        rules_file: "limits.toml",
        rules: &rules,
        names: ColumnNames {
            customer: "customer",
            action: "action",
            value: "value",
            doubt: None,
        },
    };
    let solved = |kept: Kept| {
        let loaded = load(&reading, kept).unwrap();
        let asked = Asked::new(&reading, &loaded).unwrap();
        let solved = asked.solve(&loaded, &mut AllocateTimingsOut::default()).unwrap();
        (loaded, solved)
    };
    let (memory, one) = solved(Kept::new());
    let (file, other) = solved(Kept::with_memory_for(100));
    assert!(matches!(
        (&memory.source, &file.source),
        (Source::Memory(_), Source::File(_))
    ));
    assert!(one.plan.feasible && other.plan.feasible);
    assert!((one.plan.value / other.plan.value - 1.0).abs() < 1e-3);
    assert!((one.plan.upper_bound / other.plan.upper_bound - 1.0).abs() < 1e-3);
    for row in &other.plan.constraints {
        assert!(
            (row.name == "north" && row.used >= row.limit) || (row.name != "north" && row.used <= row.limit)
        );
    }
    assert_eq!(other.what_if.len(), 8);
}

#[test]
fn customers_that_lie_apart_are_brought_together() {
    let folder = TempDir::new().unwrap();
    let apart = table(
        (0..400)
            .map(|customer| (customer, "mail"))
            .chain((0..400).map(|customer| (customer, "call"))),
    );
    let limits = LIMITS.replace("at_least = 200", "at_least = 20");
    let scattered = allocate(&request(folder.path(), &apart, &limits)).unwrap();
    assert_eq!((scattered.customers, scattered.warnings.len()), (400, 1));
    let mut rows = written(&folder.path().join("chosen.csv"));
    let together = allocate(&request(folder.path(), &grouped(400), &limits)).unwrap();
    let mut expected = written(&folder.path().join("chosen.csv"));
    rows.sort();
    expected.sort();
    assert_eq!(rows, expected);
    assert!((scattered.value - together.value).abs() < 1e-12);
}

#[test]
fn exclusions_and_days_are_kept() {
    let folder = TempDir::new().unwrap();
    let limits = format!(
        "max_actions_per_customer = 2\ndays = 4\n{LIMITS}\n[[exclude]]\nactions = [\"mail\", \"call\"]\n\n[[pacing]]\n\
        name = \"calls a day\"\nper_day = 20\nwhere = {{ action = \"call\" }}\n"
    );
    let request = request(folder.path(), &grouped(1000), &limits);
    let out = allocate(&request).unwrap();
    assert!(out.feasible);
    let rows = written(request.out.as_ref().unwrap());
    let customers: std::collections::BTreeSet<&str> =
        rows.iter().filter_map(|row| row.split(',').next()).collect();
    assert_eq!(
        customers.len(),
        rows.len(),
        "two actions may be had, but these exclude each other"
    );
    for day in 1..=4 {
        let on = rows.iter().filter(|row| row.ends_with(&format!(",{day}")));
        assert!(on.clone().filter(|row| row.contains(",call,")).count() <= 20);
        assert_eq!(on.count(), out.days[day - 1]);
    }
}

#[test]
fn what_cannot_be_kept_is_a_result_and_nothing_is_written() {
    let folder = TempDir::new().unwrap();
    let request = request(folder.path(), &grouped(100), LIMITS);
    let out = allocate(&request).unwrap();
    assert!(!out.feasible && out.infeasibility_proved && out.chosen == 0);
    assert_eq!(out.conflicts, ["north"]);
    // a third of 100 customers live there
    assert!(
        (out.shortfalls[0].reachable - 34.0).abs() < 0.01,
        "{:?}",
        out.shortfalls
    );
    assert!(out.file.is_none() && !request.out.unwrap().exists());
}

#[test]
fn mistakes_are_refused_with_a_code() {
    fn check(candidates: &str, limits: &str, code: &str) {
        let folder = TempDir::new().unwrap();
        let error = allocate(&request(folder.path(), candidates, limits)).unwrap_err();
        assert_eq!(error.code, code, "{}", error.message);
        assert!(!folder.path().join("chosen.csv").exists());
    }
    let good = grouped(50);
    check(&good.replace("0,mail,0,", "0,mail,,"), LIMITS, "TW0501");
    check(&good.replace("0,mail,0,", "0,mail,much,"), LIMITS, "TW0306");
    check(&good.replace("0,mail,0,", "0,mail,inf,"), LIMITS, "TW0223");
    check(&good.replace("0,mail,0,0.5", "0,mail,0,"), LIMITS, "TW0501");
    check(&good.replace("\n0,mail", "\n,mail"), LIMITS, "TW0501");
    check(&good.replace("\n0,mail", "\n0,"), LIMITS, "TW0501");
    check(&good.replace("\n0,mail", "\n0,call"), LIMITS, "TW0511");
    check(&good, &LIMITS.replace("\"cost\"", "\"cots\""), "TW0105");
    check(&good, &LIMITS.replace("region =", "regoin ="), "TW0105");
    check(&good, &LIMITS.replace("\"north\" }", "\"norht\" }"), "TW0105");
    check(&good, &LIMITS.replace("300", "-300"), "TW0104");
    check(
        &good,
        &format!("{LIMITS}\n[[exclude]]\nactions = [\"mail\", \"cal\"]\n"),
        "TW0105",
    );
    check(&good.replace("value", "worth"), LIMITS, "TW0105");
}

#[test]
fn a_large_file_must_have_customers_together() {
    let folder = TempDir::new().unwrap();
    let apart = table(
        (0..400)
            .map(|customer| (customer, "mail"))
            .chain((0..400).map(|customer| (customer, "call"))),
    );
    let request = request(folder.path(), &apart, LIMITS);
    let rules = rules::rules("limits.toml", LIMITS).unwrap();
    let reading = Reading {
        data: &request.candidates,
        rules_file: "limits.toml",
        rules: &rules,
        names: ColumnNames {
            customer: "customer",
            action: "action",
            value: "value",
            doubt: None,
        },
    };
    let refused = load(&reading, Kept::with_memory_for(100))
        .map(|_| ())
        .unwrap_err();
    assert_eq!(refused.code, "TW0510");
}

#[test]
fn doubt_comes_off_the_values_and_the_mean_stays_told() {
    let folder = TempDir::new().unwrap();
    // calls are worth more and are less sure: the standard deviation is a third of the value of a call, nothing of a mail's
    let mut text = "customer,action,value,value_sd,cost,region\n".to_owned();
    for row in grouped(1000).lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let value: f64 = cells[2].parse().unwrap();
        let sd = if cells[1] == "call" { value / 3.0 } else { 0.0 };
        let _ = writeln!(
            text,
            "{},{},{value},{sd},{},{}",
            cells[0], cells[1], cells[3], cells[4]
        );
    }
    let plain = request(folder.path(), &text, LIMITS);
    let with = |multiple: f64| {
        let own = AllocateRequest {
            doubt: Some(("value_sd".to_owned(), multiple)),
            ..plain.clone()
        };
        let out = allocate(&own).unwrap();
        let rows = written(own.out.as_ref().unwrap());
        let sum = |at: usize| -> f64 {
            let cells = rows
                .iter()
                .map(|row| row.split(',').nth(at).unwrap().parse::<f64>().unwrap());
            cells.sum()
        };
        let calls = rows.iter().filter(|row| row.contains(",call,")).count();
        (out, sum(2), sum(3), calls)
    };
    let base = allocate(&plain).unwrap();
    assert_eq!(base.mean_value, None);
    let (none, values, _, eager) = with(0.0);
    assert!((none.value - base.value).abs() < 1e-9 && (values - base.value).abs() < 1e-6);
    assert!((none.mean_value.unwrap() - base.value).abs() < 1e-6);
    let (careful, values, sds, calls) = with(2.0);
    assert!(calls < eager / 2, "{calls} calls instead of {eager}");
    assert!((careful.mean_value.unwrap() - values).abs() < 1e-6);
    assert!((careful.value - (values - 2.0 * sds)).abs() < 1e-6);
    assert!(values < base.value && careful.gap < 1e-3);
    let code = |doubt: (&str, f64)| {
        let own = AllocateRequest {
            doubt: Some((doubt.0.to_owned(), doubt.1)),
            ..plain.clone()
        };
        allocate(&own).unwrap_err().code
    };
    assert_eq!(code(("value_sd", -1.0)), "TW0502");
    assert_eq!(code(("sd", 1.0)), "TW0105");
    fs::write(&plain.candidates, text.replacen(",0,0.5,", ",-1,0.5,", 1)).unwrap();
    assert_eq!(code(("value_sd", 1.0)), "TW0501");
}

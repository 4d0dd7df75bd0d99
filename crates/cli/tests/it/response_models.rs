//! `tool response` on simulated histories whose truth is known: geographies, both curves, both carry-overs, heavy tails, days,
//! and Parquet.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use parquet::column::writer::ColumnWriter;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;
use tempfile::TempDir;

use crate::response::dice;
use crate::support::json;

/// 2 January 2023, a Monday.
const FIRST: i64 = 19_359;
/// What each of the two channels can bring in a period at most.
const HEIGHT: [f64; 2] = [300.0, 200.0];

/// A business to simulate.
struct Business {
    periods: u32,
    /// Days per period.
    step: i64,
    /// Names of geographies and how large they are.
    geos: Vec<(&'static str, f64)>,
    /// Weights of the carry-over by lag, by channel; they sum to one.
    carry: [Vec<f64>; 2],
    /// The curve at spend in units of 100.
    curve: fn(f64) -> f64,
    /// Standard deviation of the noise.
    noise: f64,
    /// Which of many such businesses.
    seed: u32,
    /// Every so many periods the noise is thirty times as large.
    odd: Option<u32>,
}

/// One row: day, geography, outcome, spends, the truth of each channel.
struct Row {
    day: i64,
    geo: &'static str,
    cells: [f64; 3],
    brought: [f64; 2],
}

fn logistic(x: f64) -> f64 {
    (1.5 * x).tanh()
}

fn hill(x: f64) -> f64 {
    x.powf(2.5) / (x.powf(2.5) + 0.4_f64.powf(2.5))
}

fn normalised(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let weights: Vec<f64> = weights.collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|own| own / total).collect()
}

fn geometric(alpha: f64) -> Vec<f64> {
    normalised((0..8).map(|lag| alpha.powi(lag)))
}

fn weibull(shape: f64, scale: f64) -> Vec<f64> {
    let density = |t: f64| t.powf(shape - 1.0) * (-(t / scale).powf(shape)).exp();
    normalised((1..=8).map(|lag| density(f64::from(lag))))
}

fn usual() -> Business {
    Business {
        periods: 110,
        step: 7,
        geos: vec![("", 1.0)],
        carry: [geometric(0.5), geometric(0.2)],
        curve: logistic,
        noise: 12.0,
        seed: 1,
        odd: None,
    }
}

impl Business {
    fn rows(&self) -> Vec<Row> {
        let mut out = Vec::new();
        for (at, (geo, size)) in (0_u32..).zip(&self.geos) {
            let salt = 10 * at + 100 * self.seed;
            let spend = |channel: u32, t: u32| {
                let pause = dice(t, salt + 3 * channel + 1) < 0.2;
                let amount = 100.0 * dice(t, salt + 3 * channel + 2).powf(1.3);
                if pause { 0.0 } else { amount }
            };
            for t in 0..self.periods {
                let mut brought = [0.0; 2];
                for (channel, own) in (0_u32..).zip(&mut brought) {
                    let carry = &self.carry[channel as usize];
                    let carried: f64 = (0..=t)
                        .zip(carry)
                        .map(|(lag, weight)| weight * spend(channel, t - lag))
                        .sum();
                    *own = size * HEIGHT[channel as usize] * (self.curve)(carried / 100.0);
                }
                let normal =
                    (-2.0 * dice(t, salt + 8).max(1e-9).ln()).sqrt() * (TAU * dice(t, salt + 9)).cos();
                let odd = self.odd.is_some_and(|every| t % every == every / 2);
                let noise = self.noise * normal * if odd { 30.0 } else { 1.0 };
                let weekday = if self.step == 1 {
                    [0.0, 0.0, 0.0, 20.0, 60.0, 90.0, 30.0][t as usize % 7]
                } else {
                    0.0
                };
                let outcome = size * (1000.0 + weekday + noise) + brought.iter().sum::<f64>();
                out.push(Row {
                    day: FIRST + self.step * i64::from(t),
                    geo,
                    cells: [outcome, size * spend(0, t), size * spend(1, t)],
                    brought,
                });
            }
        }
        out
    }
}

/// Year, month, day (Howard Hinnant's algorithm).
fn date(day: i64) -> String {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (d, m) = (
        doy - (153 * mp + 2) / 5 + 1,
        if mp < 10 { mp + 3 } else { mp - 9 },
    );
    let year = yoe + era * 400 + i64::from(m <= 2);
    format!("{year}-{m:02}-{d:02}")
}

fn write_csv(folder: &Path, rows: &[Row]) {
    let mut text = "day,region,sales,tv,search\n".to_owned();
    for row in rows {
        let [sales, tv, search] = row.cells;
        text.push_str(&format!("{},{},{sales},{tv},{search}\n", date(row.day), row.geo));
    }
    fs::write(folder.join("weeks.csv"), text).unwrap();
}

fn write_parquet(folder: &Path, rows: &[Row]) {
    let message = "message weeks { required int32 day (DATE); required double sales; required double tv; required double search; }";
    let schema = Arc::new(parse_message_type(message).unwrap());
    let file = fs::File::create(folder.join("weeks.parquet")).unwrap();
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut at = 0;
    while let Some(mut column) = group.next_column().unwrap() {
        match column.untyped() {
            ColumnWriter::Int32ColumnWriter(typed) => {
                let days: Vec<i32> = rows.iter().map(|row| i32::try_from(row.day).unwrap()).collect();
                typed.write_batch(&days, None, None).unwrap();
            }
            ColumnWriter::DoubleColumnWriter(typed) => {
                let cells: Vec<f64> = rows.iter().map(|row| row.cells[at - 1]).collect();
                typed.write_batch(&cells, None, None).unwrap();
            }
            _ => panic!("a column of another type"),
        }
        column.close().unwrap();
        at += 1;
    }
    group.close().unwrap();
    writer.close().unwrap();
}

fn ask(folder: &Path, more: &[&str]) -> Value {
    let mut all = vec![
        "tool",
        "response",
        "--time",
        "day",
        "--outcome",
        "sales",
        "--channels",
        "tv,search",
    ];
    if !more.contains(&"--data") {
        all.extend(["--data", "weeks.csv"]);
    }
    if !more.contains(&"--seasonality") {
        all.extend(["--seasonality", "none"]);
    }
    all.extend(more);
    let out = json(folder, &all);
    assert_eq!(out["verdict"], "published", "{}", out["reasons"]);
    out
}

fn simulated(business: &Business, more: &[&str]) -> (Value, Vec<Row>) {
    let folder = TempDir::new().unwrap();
    let rows = business.rows();
    write_csv(folder.path(), &rows);
    (ask(folder.path(), more), rows)
}

fn interval(own: &Value) -> [f64; 2] {
    [0, 1].map(|end| own["ci90"][end].as_f64().unwrap())
}

/// Within three standard deviations of the truth, as the 90 % interval has them: one interval in ten misses by right.
fn assert_holds(own: &Value, truth: f64, what: &str) {
    let [low, high] = interval(own);
    let sd = (high - low) / (2.0 * 1.645);
    let off = (own["mean"].as_f64().unwrap() - truth) / sd;
    assert!(off.abs() < 3.0, "{what}: {truth} {own}");
}

/// Both returns agree with the truth, and the means are near: a wide interval holds everything.
fn assert_returns(out: &Value, rows: &[Row], tolerance: f64) {
    for channel in 0..2 {
        let brought: f64 = rows.iter().map(|row| row.brought[channel]).sum();
        let spent: f64 = rows.iter().map(|row| row.cells[1 + channel]).sum();
        let (truth, own) = (brought / spent, &out["channels"][channel]["return"]);
        assert_holds(own, truth, &format!("return of channel {channel}"));
        let mean = own["mean"].as_f64().unwrap();
        assert!(
            (mean / truth - 1.0).abs() < tolerance,
            "{channel}: {mean} for {truth}"
        );
    }
}

fn width(out: &Value, channel: usize) -> f64 {
    let [low, high] = interval(&out["channels"][channel]["return"]);
    high - low
}

#[test]
fn geographies_are_found_and_make_the_answer_surer() {
    let business = Business {
        periods: 80,
        geos: vec![("north", 1.0), ("south", 2.5), ("west", 0.6)],
        noise: 40.0,
        ..usual()
    };
    let (out, rows) = simulated(&business, &["--geo", "region", "--held-out", "0"]);
    assert_eq!(out["geographies"].to_string(), r#"["north","south","west"]"#);
    assert_returns(&out, &rows, 0.12);
    let alone = Business {
        geos: vec![("", 1.0)],
        ..business
    };
    let (one, _) = simulated(&alone, &[]);
    for channel in 0..2 {
        assert!(width(&out, channel) < width(&one, channel), "{channel}");
    }
}

#[test]
fn a_hill_curve_is_found_with_its_half() {
    let business = Business {
        periods: 150,
        curve: hill,
        carry: [geometric(0.3), geometric(0.1)],
        ..usual()
    };
    let (out, rows) = simulated(&business, &["--saturation", "hill"]);
    assert_eq!(out["saturation"], "hill");
    assert_returns(&out, &rows, 0.12);
    for channel in 0..2 {
        assert_holds(&out["channels"][channel]["half_spend"], 40.0, "half");
        let slope = out["channels"][channel]["learned"].as_array().unwrap();
        let slope = slope
            .iter()
            .find(|own| own["parameter"] == "saturation slope")
            .unwrap();
        assert_holds(&slope["posterior"], 2.5, "slope");
    }
}

#[test]
fn a_delay_is_found_by_the_weibull_carry_over() {
    let carry = [weibull(2.5, 3.5), weibull(1.2, 1.5)];
    let delay = |own: &[f64]| (0..).zip(own).map(|(lag, w)| f64::from(lag) * w).sum::<f64>();
    let truth = [delay(&carry[0]), delay(&carry[1])];
    let business = Business {
        periods: 150,
        carry,
        ..usual()
    };
    let (out, rows) = simulated(&business, &["--adstock", "weibull"]);
    assert_eq!(out["adstock"], "weibull");
    assert_returns(&out, &rows, 0.12);
    for (channel, truth) in truth.into_iter().enumerate() {
        assert_holds(&out["channels"][channel]["adstock"], truth, "delay");
    }
    assert!(truth[0] > 1.0 + truth[1], "the two differ: {truth:?}");
}

#[test]
fn single_strange_periods_pull_less_with_heavy_tails() {
    let business = Business {
        odd: Some(17),
        ..usual()
    };
    let (heavy, rows) = simulated(&business, &["--noise", "student-t"]);
    assert_returns(&heavy, &rows, 0.12);
    let (normal, _) = simulated(&business, &[]);
    for channel in 0..2 {
        assert!(
            width(&heavy, channel) < 0.6 * width(&normal, channel),
            "{channel}"
        );
    }
}

#[test]
fn a_table_of_days_has_its_weekdays() {
    let business = Business {
        periods: 280,
        step: 1,
        ..usual()
    };
    let (out, rows) = simulated(&business, &["--seasonality", "weekly"]);
    assert_eq!(
        (out["days_per_period"].as_i64(), out["from"].as_str()),
        (Some(1), Some("2023-01-02"))
    );
    assert_returns(&out, &rows, 0.12);
    // without weekdays the last days are predicted worse
    let (flat, _) = simulated(&business, &[]);
    let error = |own: &Value| own["held_out"]["error"].as_f64().unwrap();
    assert!(
        error(&out) < 0.7 * error(&flat),
        "{} {}",
        error(&out),
        error(&flat)
    );
}

#[test]
fn parquet_says_what_csv_says() {
    let folder = TempDir::new().unwrap();
    let rows = Business {
        periods: 80,
        ..usual()
    }
    .rows();
    write_csv(folder.path(), &rows);
    write_parquet(folder.path(), &rows);
    let text = ask(folder.path(), &[]);
    let mut columns = ask(folder.path(), &["--data", "weeks.parquet"]);
    assert_returns(&text, &rows, 0.15);
    assert_eq!(columns["data"], "weeks.parquet");
    columns["data"] = text["data"].clone();
    assert!(
        text == columns,
        "{} {}",
        text["channels"][0]["return"],
        columns["channels"][0]["return"]
    );
}

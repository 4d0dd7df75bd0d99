//! Fifty simulated weekly businesses: how often 90 % intervals hold the truth, and how far contributions are off.
//!
//! `cargo run -p thalweg-response --example study -- [BUSINESSES] [FOLDER]`; with a folder, tables and truths are written there.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a study prints, and its lists are of equal length"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use thalweg_domain::Seed;
use thalweg_market::weekly::WeeklyBusiness;
use thalweg_response::fit::{Fit, Request, Sampling, fit};
use thalweg_response::{Panel, Series, Spec};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let businesses: u64 = args.next().map_or(Ok(50), |own| own.parse())?;
    let folder = args.next();
    let mut totals = Totals::default();
    println!("business  weeks  channels  verdict           inside  error   R-hat   ESS    tries  seconds");
    for seed in 1..=businesses {
        let business = WeeklyBusiness::new(Seed(seed));
        if let Some(folder) = &folder {
            write(Path::new(folder), seed, &business)?;
        }
        let begin = Instant::now();
        let fitted = fit(&panel(&business), &request(seed), &|_| ()).map_err(|own| own.to_string())?;
        totals.add(seed, &business, &fitted, begin.elapsed().as_secs_f64());
    }
    totals.print();
    Ok(())
}

fn panel(own: &WeeklyBusiness) -> Panel {
    Panel {
        days: own.days.clone(),
        step: 7,
        channels: (0..own.spend.len())
            .map(|channel| format!("c{channel}"))
            .collect(),
        controls: vec!["control".to_owned()],
        series: vec![Series {
            name: String::new(),
            outcome: own.outcome.clone(),
            spend: own.spend.clone(),
            controls: vec![own.control.clone()],
        }],
        holidays: Vec::new(),
    }
}

fn request(seed: u64) -> Request {
    Request {
        spec: Spec::default(),
        sampling: Sampling::default(),
        held_out: 0,
        budget: None,
        max_change: 0.3,
        seed: Seed(seed),
    }
}

#[derive(Default)]
struct Totals {
    channels: f64,
    inside: f64,
    published: u32,
    businesses: u32,
    /// Sum over channels of |mean - truth| / total sales.
    of_sales: f64,
    /// Sum over channels of |mean - truth| / truth.
    of_truth: f64,
    seconds: f64,
}

impl Totals {
    fn add(&mut self, seed: u64, business: &WeeklyBusiness, fitted: &Fit, seconds: f64) {
        self.businesses += 1;
        self.seconds += seconds;
        let sales: f64 = business.outcome.iter().sum();
        let (mut inside, mut off) = (0.0, 0.0);
        for (channel, own) in fitted
            .results
            .iter()
            .flat_map(|own| own.channels.iter().enumerate())
        {
            let truth: f64 = business.contribution[channel].iter().sum();
            let held = own.contribution.low <= truth && truth <= own.contribution.high;
            inside += f64::from(u8::from(held));
            off += (own.contribution.mean - truth).abs() / sales;
            self.of_truth += (own.contribution.mean - truth).abs() / truth;
        }
        let n = business.spend.len();
        let verdict = if fitted.results.is_some() {
            "published"
        } else {
            "not identifiable"
        };
        let last = fitted.attempts.last();
        println!(
            "{seed:8}  {:5}  {n:8}  {verdict:16}  {inside:6}  {off:.4}  {:.4}  {:5.0}  {:5}  {seconds:7.2}",
            business.days.len(),
            last.map_or(f64::NAN, |own| own.r_hat),
            last.map_or(f64::NAN, |own| own.ess),
            fitted.attempts.len()
        );
        for reason in &fitted.reasons {
            println!("          {reason}");
        }
        if fitted.results.is_some() {
            self.published += 1;
            self.channels += n as f64;
            self.inside += inside;
            self.of_sales += off;
        }
    }

    fn print(&self) {
        println!(
            "\n{} of {} published; {} of {} channels inside their 90 % interval: {:.1} %",
            self.published,
            self.businesses,
            self.inside,
            self.channels,
            100.0 * self.inside / self.channels
        );
        println!(
            "mean absolute error of a channel's contribution: {:.2} % of sales, {:.0} % of the true contribution; {:.1} s in all",
            100.0 * self.of_sales / self.channels,
            100.0 * self.of_truth / self.channels,
            self.seconds
        );
    }
}

fn write(folder: &Path, seed: u64, own: &WeeklyBusiness) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let names: Vec<String> = (0..own.spend.len())
        .map(|channel| format!("c{channel}"))
        .collect();
    let mut text = format!("day,sales,control,{}\n", names.join(","));
    for (week, day) in own.days.iter().enumerate() {
        write!(text, "{day},{},{}", own.outcome[week], own.control[week])?;
        for spend in &own.spend {
            write!(text, ",{}", spend[week])?;
        }
        text.push('\n');
    }
    fs::write(folder.join(format!("{seed}.csv")), text)?;
    let truth: Vec<String> = (0..own.spend.len())
        .map(|c| own.contribution[c].iter().sum::<f64>().to_string())
        .collect();
    fs::write(folder.join(format!("{seed}.truth")), truth.join("\n"))?;
    Ok(())
}

//! Out-of-fold predictions of `auto` (or one learner) on a CSV table: for `bench/auto/compare.py`.
//!
//! `auto FILE TARGET binary:POSITIVE|class|value LEARNER SEED OUT`: OUT gets a row per row of FILE, with its fold and its
//! predictions; the choice goes to standard output as one line of JSON.
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a program for a benchmark: its table is of known size"
)]

#[path = "../tests/it/tables.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "shared with the tests"
)]
mod tables;

use std::path::Path;
use std::time::Instant;

use thalweg_domain::Seed;
use thalweg_learn::outcome::{LearnerChoice, OutcomeParams, OutcomeTraining, TrainingSet, train};
use thalweg_learn::task::Target;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, target, task, learner, seed, out] = &args[..] else {
        return Err("usage: auto FILE TARGET binary:POSITIVE|class|value LEARNER SEED OUT".into());
    };
    let (table, labels) = tables::read_labels(Path::new(file), target, &[]).ok_or("no such file")?;
    let n = labels.len();
    let mut classes = labels.clone();
    classes.sort();
    classes.dedup();
    let positive: Vec<bool> = labels
        .iter()
        .map(|label| task.strip_prefix("binary:") == Some(label))
        .collect();
    let codes: Vec<u32> = labels
        .iter()
        .map(|label| classes.partition_point(|own| own < label) as u32)
        .collect();
    let values: Vec<f64> = labels
        .iter()
        .map(|label| label.parse().unwrap_or(f64::NAN))
        .collect();
    let target = match task.as_str() {
        "class" => Target::Class {
            codes: &codes,
            classes: &classes,
        },
        "value" => Target::Value(&values),
        _ => Target::Binary(&positive),
    };
    let (weight, group): (Vec<f64>, Vec<u64>) = (vec![1.0; n], (0..n as u64).collect());
    let set = TrainingSet {
        table: &table,
        target,
        weight: &weight,
        group: &group,
        period: None,
    };
    let params = OutcomeParams {
        choice: LearnerChoice::from_name(learner).ok_or("no such learner")?,
        seed: Seed(seed.parse()?),
        ..OutcomeParams::default()
    };
    let start = Instant::now();
    let training = train(&set, &params, &|_, _| ())?;
    let seconds = start.elapsed().as_secs_f64();
    write(&training, target.task().n_outputs(), Path::new(out))?;
    println!("{}", serde_json::to_string(&summary(&training, seconds))?);
    Ok(())
}

fn write(training: &OutcomeTraining, n_outputs: usize, out: &Path) -> Result<(), Failure> {
    let mut file = csv::Writer::from_path(out)?;
    let heads = (0..n_outputs).map(|output| format!("p{output}"));
    let own = training
        .candidates
        .iter()
        .map(|candidate| candidate.learner.as_str());
    let names = own.flat_map(|learner| (0..n_outputs).map(move |output| format!("{learner}{output}")));
    file.write_record(std::iter::once("fold".to_owned()).chain(heads).chain(names))?;
    for (row, fold) in training.fold.iter().enumerate() {
        let cells = row * n_outputs..(row + 1) * n_outputs;
        let lists = std::iter::once(&training.out_of_fold)
            .chain(training.candidates.iter().map(|candidate| &candidate.out_of_fold));
        let scores = lists.flat_map(|scores| scores[cells.clone()].iter().map(f64::to_string));
        file.write_record(std::iter::once(fold.to_string()).chain(scores))?;
    }
    Ok(file.flush()?)
}

fn summary(training: &OutcomeTraining, seconds: f64) -> serde_json::Value {
    let shares = training.model.shares();
    let search = &training.search;
    serde_json::json!({
        "kept": training.learner.as_str(),
        "shares": shares.iter().map(|(learner, share)| (learner.as_str(), share)).collect::<Vec<_>>(),
        "blend_in_folds": search.blend_in_folds,
        "rounds": search.rounds,
        "units": search.units,
        "seconds": seconds,
        "tried": search
            .tried
            .iter()
            .map(|tried| (tried.learner.as_str(), &tried.setting, tried.loss))
            .collect::<Vec<_>>(),
        "blend_loss": search.blend_loss,
    })
}

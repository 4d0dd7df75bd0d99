//! Folds that keep groups together and classes in proportion.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Error, Result, Seed};

use crate::task::{Examples, Target, Task, one_class};

/// A group of rows that stay together.
struct Group {
    rows: Vec<usize>,
    /// Rows per stratum.
    counts: Vec<usize>,
}

impl Group {
    /// The highest stratum that has a row in it: positive for a group with a positive.
    fn lead(&self) -> usize {
        self.counts
            .iter()
            .rposition(|count| *count > 0)
            .unwrap_or_default()
    }
}

/// A fold for each row: groups in random order, large ones first, each to the fold that has the fewest of the
/// stratum that the group brings. Without shared groups this is plain stratified k-fold.
pub(super) fn assign_folds(strata: &[usize], group: &[u64], folds: usize, seed: Seed) -> Vec<u8> {
    let mut groups = collect_groups(strata, group);
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.0));
    groups.sort_by_key(|group| std::cmp::Reverse(group.rows.len()));
    let n_strata = groups.first().map_or(0, |group| group.counts.len());
    let mut counts = vec![vec![0_usize; n_strata]; folds];
    let mut fold = vec![0_u8; strata.len()];
    for group in groups {
        let lead = group.lead();
        let load = |own: &[usize]| (own[lead], own.iter().sum::<usize>() - own[lead]);
        let lightest = (0..folds)
            .min_by_key(|fold| load(&counts[*fold]))
            .unwrap_or_default();
        counts[lightest]
            .iter_mut()
            .zip(&group.counts)
            .for_each(|(sum, own)| *sum += own);
        group.rows.into_iter().for_each(|row| fold[row] = lightest as u8);
    }
    fold
}

fn collect_groups(strata: &[usize], group: &[u64]) -> Vec<Group> {
    let n_strata = strata.iter().max().map_or(1, |last| last + 1);
    let mut numbers = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (row, (stratum, group)) in strata.iter().zip(group).enumerate() {
        let number = *numbers.entry(*group).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Group {
                rows: Vec::new(),
                counts: vec![0; n_strata],
            });
        }
        groups[number].rows.push(row);
        groups[number].counts[*stratum] += 1;
    }
    groups
}

/// Refuses targets that cannot be cut into folds with every class inside and outside of each.
///
/// # Errors
/// `TW0303` without rows, `TW0301` for one class, `TW0302` when a class has fewer groups than twice the folds.
pub(super) fn check_classes(
    target: &Target<'_>,
    strata: &[usize],
    group: &[u64],
    folds: usize,
) -> Result<()> {
    if target.is_empty() {
        return Err(
            Error::new("TW0303", "there is nothing to learn from: the table has no rows")
                .hint("check the source and the filters of the table"),
        );
    }
    let groups = collect_groups(strata, group);
    match target.task() {
        Task::Binary => check_both(&groups, folds),
        Task::Class { classes } => check_each(&groups, &classes, folds),
        Task::Value if groups.len() < 2 * folds => Err(too_few(groups.len(), "with a target", folds)),
        Task::Value => Ok(()),
    }
}

/// Whether rows hold enough groups of each class for so many folds.
pub(super) fn check_learnable(task: &Task, examples: &Examples, folds: usize) -> bool {
    let groups = collect_groups(&examples.strata(), &examples.group);
    let n_strata = if task.is_classification() {
        task.n_outputs().max(2)
    } else {
        1
    };
    (0..n_strata).all(|stratum| {
        let with = |group: &&Group| group.counts.get(stratum).is_some_and(|count| *count > 0);
        groups.iter().filter(with).count() >= 2 * folds
    })
}

fn check_both(groups: &[Group], folds: usize) -> Result<()> {
    let with_positive = groups.iter().filter(|group| group.lead() == 1).count();
    let with_negative = groups.iter().filter(|group| group.counts[0] > 0).count();
    if with_positive == 0 || with_negative == 0 {
        return Err(one_class(with_negative == 0));
    }
    let (rarer, which) = if with_positive <= with_negative {
        (with_positive, "with the outcome")
    } else {
        (with_negative, "without the outcome")
    };
    if rarer < 2 * folds {
        return Err(too_few(rarer, which, folds));
    }
    Ok(())
}

fn check_each(groups: &[Group], classes: &[String], folds: usize) -> Result<()> {
    for (class, name) in classes.iter().enumerate() {
        let with = groups
            .iter()
            .filter(|group| group.counts.get(class).is_some_and(|count| *count > 0))
            .count();
        if with < 2 * folds {
            return Err(too_few(with, &format!("of the class \"{name}\""), folds));
        }
    }
    Ok(())
}

fn too_few(n: usize, which: &str, folds: usize) -> Error {
    let who = if n == 1 { "customer" } else { "customers" };
    let message = format!("only {n} {who} {which}, too few for {folds} folds");
    Error::new("TW0302", message).hint(format!(
        "collect at least {} of each kind, or use fewer folds",
        2 * folds
    ))
}

/// Rows to fit on and a stratified `share` of the rows, whole groups, to validate on; the latter is empty when the
/// share is 0 or either part would lack a class.
pub(crate) fn stratified_split(examples: &Examples, share: f64, seed: Seed) -> (Vec<usize>, Vec<usize>) {
    let everything = (0..examples.target.len()).collect();
    if share <= 0.0 {
        return (everything, Vec::new());
    }
    let strata = examples.strata();
    let mut groups = collect_groups(&strata, &examples.group);
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.0));
    let n_strata = groups.first().map_or(1, |group| group.counts.len());
    let (mut fit, mut validation) = (Vec::new(), Vec::new());
    // per stratum of group: rows seen and rows taken
    let mut seen = vec![(0.0, 0.0); n_strata];
    for group in groups {
        let (total, taken) = &mut seen[group.lead()];
        *total += group.rows.len() as f64;
        if *taken + 0.5 * (group.rows.len() as f64) <= share * *total {
            *taken += group.rows.len() as f64;
            validation.extend(group.rows);
        } else {
            fit.extend(group.rows);
        }
    }
    let complete = |rows: &[usize]| {
        let mut present = vec![false; n_strata];
        rows.iter().for_each(|row| present[strata[*row]] = true);
        present.into_iter().all(|there| there)
    };
    if !complete(&fit) || validation.is_empty() || (n_strata == 2 && !complete(&validation)) {
        return (everything, Vec::new());
    }
    fit.sort_unstable();
    validation.sort_unstable();
    (fit, validation)
}

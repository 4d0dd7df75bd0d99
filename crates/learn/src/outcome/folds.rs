//! Folds that keep groups together and classes in proportion.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Error, Result, Seed};

use crate::models::{Examples, one_class};

/// A group of rows that stay together.
struct Group {
    rows: Vec<usize>,
    positives: usize,
}

/// A fold for each row: groups in random order, large ones first, each to the fold that has the fewest of the
/// class that the group brings. Without shared groups this is plain stratified k-fold.
pub(super) fn assign_folds(target: &[bool], group: &[u64], folds: usize, seed: Seed) -> Vec<u8> {
    let mut groups = collect_groups(target, group);
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.0));
    groups.sort_by_key(|group| std::cmp::Reverse(group.rows.len()));
    let mut counts = vec![(0_usize, 0_usize); folds];
    let mut fold = vec![0_u8; target.len()];
    for group in groups {
        let (positives, negatives) = (group.positives, group.rows.len() - group.positives);
        let load = |(own_positives, own_negatives): &(usize, usize)| {
            if positives > 0 {
                (*own_positives, *own_negatives)
            } else {
                (*own_negatives, *own_positives)
            }
        };
        let lightest = (0..folds)
            .min_by_key(|fold| load(&counts[*fold]))
            .unwrap_or_default();
        counts[lightest].0 += positives;
        counts[lightest].1 += negatives;
        group.rows.into_iter().for_each(|row| fold[row] = lightest as u8);
    }
    fold
}

fn collect_groups(target: &[bool], group: &[u64]) -> Vec<Group> {
    let mut numbers = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (row, (target, group)) in target.iter().zip(group).enumerate() {
        let number = *numbers.entry(*group).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Group {
                rows: Vec::new(),
                positives: 0,
            });
        }
        groups[number].rows.push(row);
        groups[number].positives += usize::from(*target);
    }
    groups
}

/// Refuses targets that cannot be cut into folds with both classes inside and outside of each.
///
/// # Errors
/// `TW0303` without rows, `TW0301` for one class, `TW0302` when a class has fewer groups than there are folds.
pub(super) fn check_classes(target: &[bool], group: &[u64], folds: usize) -> Result<()> {
    if target.is_empty() {
        return Err(
            Error::new("TW0303", "there is nothing to learn from: the table has no rows")
                .hint("check the source and the filters of the table"),
        );
    }
    let groups = collect_groups(target, group);
    let with_positive = groups.iter().filter(|group| group.positives > 0).count();
    let with_negative = groups
        .iter()
        .filter(|group| group.positives < group.rows.len())
        .count();
    if with_positive == 0 || with_negative == 0 {
        return Err(one_class(with_negative == 0));
    }
    let (rarer, which) = if with_positive <= with_negative {
        (with_positive, "with")
    } else {
        (with_negative, "without")
    };
    if rarer < 2 * folds {
        let who = if rarer == 1 { "customer" } else { "customers" };
        let message = format!("only {rarer} {who} {which} the outcome, too few for {folds} folds");
        return Err(Error::new("TW0302", message).hint(format!(
            "collect at least {} of each kind, or use fewer folds",
            2 * folds
        )));
    }
    Ok(())
}

/// Rows to fit on and a stratified `share` of the rows, whole groups, to validate on; the latter is empty when the
/// share is 0 or either part would lack a class.
pub(crate) fn stratified_split(examples: &Examples, share: f64, seed: Seed) -> (Vec<usize>, Vec<usize>) {
    let everything = (0..examples.target.len()).collect();
    if share <= 0.0 {
        return (everything, Vec::new());
    }
    let mut groups = collect_groups(&examples.target, &examples.group);
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.0));
    let (mut fit, mut validation) = (Vec::new(), Vec::new());
    // per class of group: rows seen and rows taken
    let mut seen = [(0.0, 0.0); 2];
    for group in groups {
        let (total, taken) = &mut seen[usize::from(group.positives > 0)];
        *total += group.rows.len() as f64;
        if *taken + 0.5 * (group.rows.len() as f64) <= share * *total {
            *taken += group.rows.len() as f64;
            validation.extend(group.rows);
        } else {
            fit.extend(group.rows);
        }
    }
    let both = |rows: &[usize]| {
        rows.iter().any(|row| examples.target[*row]) && rows.iter().any(|row| !examples.target[*row])
    };
    if !both(&fit) || !both(&validation) {
        return (everything, Vec::new());
    }
    fit.sort_unstable();
    validation.sort_unstable();
    (fit, validation)
}

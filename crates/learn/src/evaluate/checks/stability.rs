//! Do the folds agree on which features matter?

use thalweg_domain::{Check, CheckVerdict, Error, Estimate, Result};

use super::{passed, raised};
use crate::evaluate::bootstrap::normal_within;

const NAME: &str = "unstable_features";
/// A fold's choice: its most important features that hold this share of all importance together.
const SHARE: f64 = 0.8;
/// Below it agreement counts as poor (Fleiss; Nogueira et al. 2018, section 4.3).
const POOR: f64 = 0.40;

/// Where a feature stands among the others, by fold.
#[derive(Debug, Clone, PartialEq)]
pub struct RankRange {
    /// The feature.
    pub feature: String,
    /// Its best rank in any fold, from 1.
    pub best: usize,
    /// Its worst.
    pub worst: usize,
    /// Share of the folds that choose it.
    pub chosen: f64,
}

/// How far folds agree on what matters.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureStability {
    /// 1 when all choose the same features, 0 as by chance, with a normal 95 % interval.
    pub stability: Estimate,
    /// Kendall's W of the ranks: 1 when all rank alike, 0 when they have nothing in common.
    pub rank_agreement: f64,
    /// The features that any fold chose, most often chosen first.
    pub ranks: Vec<RankRange>,
    /// REVIEW when the stability is below 0.40.
    pub check: Check,
}

/// Compares the features' importance between folds.
///
/// Each fold chooses its most important features that hold four fifths of its importance; the stability of these choices
/// is 1 - mean variance of being chosen / that of random choices of the same size, with the error of Nogueira, Sechidis
/// and Brown 2018 (<https://jmlr.org/papers/v18/17-514.html>). Rank agreement: Kendall's W with midranks (1939).
///
/// `importances`: per fold one number of at least 0 per feature; `features`: their names.
///
/// # Errors
/// `TW0320` for fewer than two folds, no feature, other lengths, or importances that are negative or not numbers.
pub fn feature_stability(importances: &[Vec<f64>], features: &[String]) -> Result<FeatureStability> {
    check_input(importances, features.len())?;
    let chosen: Vec<Vec<bool>> = importances.iter().map(|fold| choice(fold)).collect();
    let ranks: Vec<Vec<f64>> = importances.iter().map(|fold| midranks(fold)).collect();
    let stability = stability(&chosen, features.len());
    let ranges = ranges(&chosen, &ranks, features);
    let check = check(&stability, &ranges, importances.len());
    Ok(FeatureStability {
        stability,
        rank_agreement: kendall(&ranks),
        ranks: ranges,
        check,
    })
}

fn check_input(importances: &[Vec<f64>], n_features: usize) -> Result<()> {
    let usable =
        |fold: &Vec<f64>| fold.len() == n_features && fold.iter().all(|own| own.is_finite() && *own >= 0.0);
    if importances.len() >= 2 && n_features > 0 && importances.iter().all(usable) {
        return Ok(());
    }
    Err(Error::new(
        "TW0320",
        "the importances of features cannot be compared between folds",
    )
    .hint("give at least two folds with one number of at least 0 per feature"))
}

/// The fewest features that hold the share of the importance; none when nothing matters.
fn choice(importance: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..importance.len()).collect();
    order.sort_by(|a, b| importance[*b].total_cmp(&importance[*a]));
    let mut missing = SHARE * importance.iter().sum::<f64>();
    let mut chosen = vec![false; importance.len()];
    for feature in order {
        if missing <= 0.0 {
            break;
        }
        chosen[feature] = true;
        missing -= importance[feature];
    }
    chosen
}

/// Ranks from 1, the most important first; ties share their mean.
fn midranks(importance: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..importance.len()).collect();
    order.sort_by(|a, b| importance[*b].total_cmp(&importance[*a]));
    let mut ranks = vec![0.0; importance.len()];
    let mut before = 0.0;
    for tie in order.chunk_by(|a, b| importance[*a] == importance[*b]) {
        tie.iter()
            .for_each(|feature| ranks[*feature] = before + 0.5 * (tie.len() as f64 + 1.0));
        before += tie.len() as f64;
    }
    ranks
}

fn stability(chosen: &[Vec<bool>], n_features: usize) -> Estimate {
    let (m, d) = (chosen.len() as f64, n_features as f64);
    let number = |chosen: bool| f64::from(u8::from(chosen));
    let share: Vec<f64> = (0..n_features)
        .map(|feature| chosen.iter().map(|fold| number(fold[feature])).sum::<f64>() / m)
        .collect();
    let mean_size = share.iter().sum::<f64>();
    let by_chance = mean_size / d * (1.0 - mean_size / d);
    if by_chance <= 0.0 {
        // all features or none are chosen by every fold: no room to disagree
        return Estimate {
            mean: 1.0,
            low: 1.0,
            high: 1.0,
        };
    }
    let spread = share.iter().map(|share| share * (1.0 - share)).sum::<f64>() / d;
    let mean = 1.0 - m / (m - 1.0) * spread / by_chance;
    let influence: Vec<f64> = chosen
        .iter()
        .map(|fold| {
            let size = fold.iter().map(|chosen| number(*chosen)).sum::<f64>();
            let shared = fold
                .iter()
                .zip(&share)
                .map(|(chosen, share)| number(*chosen) * share)
                .sum::<f64>()
                / d;
            let both = size * mean_size / (d * d);
            (shared - both + 0.5 * mean * (2.0 * both - size / d - mean_size / d + 1.0)) / by_chance
        })
        .collect();
    let centre = influence.iter().sum::<f64>() / m;
    let variance = 4.0 / (m * m) * influence.iter().map(|own| (own - centre).powi(2)).sum::<f64>();
    normal_within(mean, variance.sqrt(), (-1.0, 1.0))
}

/// Kendall's coefficient of concordance, corrected for ties; 1 when no fold tells features apart.
fn kendall(ranks: &[Vec<f64>]) -> f64 {
    let m = ranks.len() as f64;
    let d = ranks.first().map_or(0, Vec::len) as f64;
    let middle = 0.5 * (d + 1.0);
    let sums = (0..ranks.first().map_or(0, Vec::len))
        .map(|feature| ranks.iter().map(|fold| fold[feature]).sum::<f64>());
    let between: f64 = sums.map(|sum| (sum - m * middle).powi(2)).sum();
    // each fold's spread of ranks holds the correction for its ties
    let within: f64 = ranks
        .iter()
        .map(|fold| fold.iter().map(|rank| (rank - middle).powi(2)).sum::<f64>())
        .sum();
    if within > 0.0 { between / (m * within) } else { 1.0 }
}

fn ranges(chosen: &[Vec<bool>], ranks: &[Vec<f64>], features: &[String]) -> Vec<RankRange> {
    let range = |(feature, name): (usize, &String)| {
        let own = ranks.iter().map(|fold| fold[feature]);
        let times = chosen.iter().filter(|fold| fold[feature]).count();
        RankRange {
            feature: name.clone(),
            best: own.clone().fold(f64::INFINITY, f64::min).floor() as usize,
            worst: own.fold(0.0, f64::max).ceil() as usize,
            chosen: times as f64 / chosen.len() as f64,
        }
    };
    let all = features.iter().enumerate().map(range);
    let mut ranges: Vec<RankRange> = all.filter(|range| range.chosen > 0.0).collect();
    ranges.sort_by(|a, b| b.chosen.total_cmp(&a.chosen).then(a.best.cmp(&b.best)));
    ranges
}

fn check(stability: &Estimate, ranges: &[RankRange], folds: usize) -> Check {
    let often = ranges.iter().filter(|range| range.chosen >= 1.0).count();
    let detail = format!(
        "agreement {:.2} over {folds} folds; {often} of {} features that matter somewhere matter in every fold",
        stability.mean,
        ranges.len()
    );
    if stability.mean >= POOR {
        return passed(NAME, detail);
    }
    let spread = |range: &RankRange| range.worst - range.best;
    let widest = ranges.iter().max_by_key(|range| spread(range));
    let named = widest.map_or_else(String::new, |range| {
        format!("; \"{}\" ranks {} to {}", range.feature, range.best, range.worst)
    });
    let advice = "which features matter depends on the rows: do not read much into single ones; columns that say the same \
                  thing take turns, so keep one of them";
    raised(
        NAME,
        CheckVerdict::Review,
        format!("{detail}{named}"),
        advice,
        "TW0323",
    )
}

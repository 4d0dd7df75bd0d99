//! The metrics of probabilities for several classes, with their intervals.

use thalweg_domain::{Error, Estimate, Result, Seed};

use super::NamedEstimates;
use super::bootstrap::{Clusters, bootstrap, normal_within, standard_deviation, thinned};
use super::groups::take;
use super::input::{check_finite, check_same, check_weight};

/// The metrics for several classes in the order in which they are reported.
pub const CLASS_METRIC_NAMES: [&str; 14] = [
    "auc_macro",
    "auc_weighted",
    "accuracy",
    "balanced_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "precision_weighted",
    "recall_weighted",
    "f1_weighted",
    "log_loss",
    "brier",
    "calibration_error",
    "mean_confidence",
];

/// A row's probabilities may miss 1 by this much.
const SUM_TOLERANCE: f64 = 1e-3;
const CONFIDENCE_BINS: usize = 10;

/// The value of each metric, in the order of [`CLASS_METRIC_NAMES`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassMetrics(pub [f64; CLASS_METRIC_NAMES.len()]);

impl ClassMetrics {
    /// The metric of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        let place = CLASS_METRIC_NAMES.iter().position(|own| *own == name)?;
        self.0.get(place).copied()
    }
}

/// Probabilities and classes of the same rows.
#[derive(Debug, Clone, Copy)]
pub struct ClassScores<'a> {
    /// `n_classes` probabilities per row, row after row.
    pub p: &'a [f64],
    /// Code of the true class of each row.
    pub y: &'a [u32],
    /// At least 2.
    pub n_classes: usize,
}

impl ClassScores<'_> {
    /// # Errors
    /// `TW0303` without rows; `TW0320` for probabilities that are none or do not add up to 1, or a class that does not
    /// exist; `TW0901` when lengths differ.
    pub(super) fn check(&self) -> Result<()> {
        check_same(&[self.p.len(), self.y.len() * self.n_classes])?;
        check_codes(self.y, self.n_classes)?;
        check_finite("probability", self.p)?;
        let off = |row: &[f64]| {
            (row.iter().sum::<f64>() - 1.0).abs() > SUM_TOLERANCE
                || row.iter().any(|p| !(0.0..=1.0).contains(p))
        };
        match self.p.chunks_exact(self.n_classes).position(off) {
            None => Ok(()),
            Some(row) => Err(Error::new(
                "TW0320",
                format!("the probabilities of row {} do not add up to 1", row + 1),
            )
            .hint("each row needs one probability in [0, 1] per class, and their sum must be 1")),
        }
    }

    pub(super) fn row(&self, row: usize) -> &[f64] {
        &self.p[row * self.n_classes..(row + 1) * self.n_classes]
    }
}

/// Refuses fewer than two classes and codes beyond them.
pub(crate) fn check_codes(y: &[u32], n_classes: usize) -> Result<()> {
    if n_classes < 2 {
        return Err(Error::new(
            "TW0320",
            format!("{n_classes} classes leave nothing to tell apart"),
        )
        .hint("give at least two classes"));
    }
    match y.iter().position(|code| *code as usize >= n_classes) {
        None => Ok(()),
        Some(row) => Err(Error::new(
            "TW0320",
            format!(
                "row {} is of class number {}, but there are {n_classes}",
                row + 1,
                y[row]
            ),
        )
        .hint("number the classes from 0")),
    }
}

/// The class with the highest probability; the first of equals.
#[must_use]
pub fn most_likely(p: &[f64]) -> usize {
    let best = p
        .iter()
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (class, p)| {
            if *p > best.1 { (class, *p) } else { best }
        });
    best.0
}

/// Rows by true class (outer) and by most likely class (inner), weighted; `weight` is all 1 for none.
///
/// # Errors
/// As [`class_metrics`].
pub fn confusion_matrix(scores: &ClassScores<'_>, weight: Option<&[f64]>) -> Result<Vec<Vec<f64>>> {
    scores.check()?;
    weight.map_or(Ok(()), check_weight)?;
    Ok(Prepared::new(scores).confusion(weight))
}

/// Computes every metric of class probabilities against classes. The most likely class is predicted.
///
/// * `auc_macro`, `auc_weighted`: each class against the rest, the plain mean and that by the classes' frequency, over
///   the classes that are there (Provost and Domingos 2000); 0.5 when only one is.
/// * `precision`, `recall`, `f1`: the mean over classes that are there or predicted (`macro`), or by the classes'
///   frequency (`weighted`); 0 where nothing is predicted or there. `balanced_accuracy`: the mean recall of the
///   classes that are there.
/// * `log_loss`: mean of `-ln p` of the true class, p clipped to f64's epsilon. `brier`: mean over rows of the sum over
///   classes of `(p - is the class)^2`, in [0, 2] (Brier 1950).
/// * `calibration_error`: over ten bins of the highest probability, the mean of |its mean - share of hits| (Guo et al.
///   2017). `mean_confidence`: its mean; compare it with the accuracy.
///
/// `weight` is all 1 for none.
///
/// # Errors
/// `TW0303` without rows; `TW0320` for probabilities, classes or weights that cannot be used; `TW0901` when lengths
/// differ.
pub fn class_metrics(scores: &ClassScores<'_>, weight: Option<&[f64]>) -> Result<ClassMetrics> {
    scores.check()?;
    if let Some(weight) = weight {
        check_same(&[weight.len(), scores.y.len()])?;
        check_weight(weight)?;
    }
    Ok(Prepared::new(scores).metrics(weight))
}

/// Every metric with a 95 % interval: normal, with a bootstrap standard error over customers (`group`, one per row).
///
/// # Errors
/// As [`class_metrics`].
pub fn class_estimates(scores: &ClassScores<'_>, group: &[u64], seed: Seed) -> Result<NamedEstimates> {
    let means = class_metrics(scores, None)?;
    check_same(&[group.len(), scores.y.len()])?;
    let clusters = Clusters::new(group);
    let seed = seed.stream("class_metrics");
    let (draws, scale) = match thinned(&clusters) {
        None => (draws(scores, &clusters, seed), 1.0),
        Some((rows, scale)) => {
            let p: Vec<f64> = rows.iter().flat_map(|row| scores.row(*row)).copied().collect();
            let some = ClassScores {
                p: &p,
                y: &take(scores.y, &rows),
                n_classes: scores.n_classes,
            };
            (draws(&some, &Clusters::new(&take(group, &rows)), seed), scale)
        }
    };
    let estimate = |place: usize| {
        let error = scale * standard_deviation(draws.iter().map(|draw| draw.0[place]));
        normal_within(means.0[place], error, range(CLASS_METRIC_NAMES[place]))
    };
    let named = CLASS_METRIC_NAMES.iter().enumerate();
    Ok(named
        .map(|(place, name)| (*name, estimate(place)))
        .collect::<Vec<(_, Estimate)>>())
}

fn draws(scores: &ClassScores<'_>, clusters: &Clusters, seed: Seed) -> Vec<ClassMetrics> {
    let prepared = Prepared::new(scores);
    bootstrap(clusters, seed, |weight| prepared.metrics(Some(weight)))
}

pub(super) fn range(metric: &str) -> (f64, f64) {
    match metric {
        "log_loss" => (0.0, f64::INFINITY),
        "brier" => (0.0, 2.0),
        _ => (0.0, 1.0),
    }
}

/// What every replicate needs: the order of the rows for each class, and each row's own terms.
struct Prepared<'a> {
    scores: ClassScores<'a>,
    orders: Vec<Vec<usize>>,
    rows: Vec<Row>,
}

struct Row {
    predicted: usize,
    confidence: f64,
    log_loss: f64,
    brier: f64,
}

/// Precision, recall, F1 and true weight of a class.
struct OfClass {
    precision: f64,
    recall: f64,
    f1: f64,
    truly: f64,
    predicted: f64,
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

impl<'a> Prepared<'a> {
    fn new(scores: &ClassScores<'a>) -> Self {
        let n = scores.y.len();
        let by_falling = |class: usize| {
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|a, b| scores.row(*b)[class].total_cmp(&scores.row(*a)[class]));
            order
        };
        let row = |row: usize| {
            let (p, y) = (scores.row(row), scores.y[row] as usize);
            let predicted = most_likely(p);
            let square = |(class, p): (usize, &f64)| (p - f64::from(u8::from(class == y))).powi(2);
            Row {
                predicted,
                confidence: p[predicted],
                log_loss: -p[y].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln(),
                brier: p.iter().enumerate().map(square).sum(),
            }
        };
        Self {
            scores: *scores,
            orders: (0..scores.n_classes).map(by_falling).collect(),
            rows: (0..n).map(row).collect(),
        }
    }

    fn confusion(&self, weight: Option<&[f64]>) -> Vec<Vec<f64>> {
        let mut counts = vec![vec![0.0; self.scores.n_classes]; self.scores.n_classes];
        for (place, (row, y)) in self.rows.iter().zip(self.scores.y).enumerate() {
            counts[*y as usize][row.predicted] += weight.map_or(1.0, |weight| weight[place]);
        }
        counts
    }

    fn metrics(&self, weight: Option<&[f64]>) -> ClassMetrics {
        let counts = self.confusion(weight);
        let classes: Vec<OfClass> = (0..counts.len()).map(|class| of_class(&counts, class)).collect();
        let total: f64 = classes.iter().map(|class| class.truly).sum();
        let mean = |of: fn(&OfClass) -> f64, included: fn(&OfClass) -> bool| {
            let kept = || classes.iter().filter(|class| included(class));
            ratio(kept().map(of).sum::<f64>(), kept().count() as f64)
        };
        let known = |class: &OfClass| class.truly > 0.0 || class.predicted > 0.0;
        let by_frequency = |of: fn(&OfClass) -> f64| {
            ratio(
                classes.iter().map(|class| class.truly * of(class)).sum::<f64>(),
                total,
            )
        };
        let hits: f64 = (0..counts.len()).map(|class| counts[class][class]).sum();
        let (auc_macro, auc_weighted) = self.auc(weight, &classes);
        let per_row = |of: fn(&Row) -> f64| {
            let sum: f64 = self
                .rows
                .iter()
                .enumerate()
                .map(|(row, own)| weight.map_or(1.0, |weight| weight[row]) * of(own))
                .sum();
            ratio(sum, total)
        };
        ClassMetrics([
            auc_macro,
            auc_weighted,
            ratio(hits, total),
            mean(|class| class.recall, |class| class.truly > 0.0),
            mean(|class| class.precision, known),
            mean(|class| class.recall, known),
            mean(|class| class.f1, known),
            by_frequency(|class| class.precision),
            by_frequency(|class| class.recall),
            by_frequency(|class| class.f1),
            per_row(|row| row.log_loss),
            per_row(|row| row.brier),
            self.calibration_error(weight, total),
            per_row(|row| row.confidence),
        ])
    }

    /// Mean one-against-rest AUC over the classes that are there: plain, and by frequency.
    fn auc(&self, weight: Option<&[f64]>, classes: &[OfClass]) -> (f64, f64) {
        let total: f64 = classes.iter().map(|class| class.truly).sum();
        let (mut sum, mut n, mut weighted, mut frequency) = (0.0, 0.0, 0.0, 0.0);
        for (class, of) in classes.iter().enumerate() {
            if of.truly > 0.0 && of.truly < total {
                let auc = self.auc_of(class, weight) / (of.truly * (total - of.truly));
                sum += auc;
                n += 1.0;
                weighted += of.truly * auc;
                frequency += of.truly;
            }
        }
        if n > 0.0 {
            (sum / n, weighted / frequency)
        } else {
            (0.5, 0.5)
        }
    }

    /// Pairs of a row of the class above another one; ties count half.
    fn auc_of(&self, class: usize, weight: Option<&[f64]>) -> f64 {
        let score = |row: usize| self.scores.row(row)[class];
        let (mut pairs, mut passed) = (0.0, 0.0);
        for tie in self.orders[class].chunk_by(|a, b| score(*a) == score(*b)) {
            let (mut own, mut others) = (0.0, 0.0);
            for row in tie {
                let weight = weight.map_or(1.0, |weight| weight[*row]);
                if self.scores.y[*row] as usize == class {
                    own += weight;
                } else {
                    others += weight;
                }
            }
            pairs += others * (passed + 0.5 * own);
            passed += own;
        }
        pairs
    }

    fn calibration_error(&self, weight: Option<&[f64]>, total: f64) -> f64 {
        let mut bins = [0.0; CONFIDENCE_BINS];
        for (place, (row, y)) in self.rows.iter().zip(self.scores.y).enumerate() {
            let bin = ((row.confidence * CONFIDENCE_BINS as f64) as usize).min(CONFIDENCE_BINS - 1);
            let hit = f64::from(u8::from(row.predicted == *y as usize));
            bins[bin] += weight.map_or(1.0, |weight| weight[place]) * (row.confidence - hit);
        }
        ratio(bins.iter().map(|bin: &f64| bin.abs()).sum(), total)
    }
}

fn of_class(counts: &[Vec<f64>], class: usize) -> OfClass {
    let hits = counts[class][class];
    let truly: f64 = counts[class].iter().sum();
    let predicted: f64 = counts.iter().map(|row| row[class]).sum();
    OfClass {
        precision: ratio(hits, predicted),
        recall: ratio(hits, truly),
        f1: ratio(2.0 * hits, truly + predicted),
        truly,
        predicted,
    }
}

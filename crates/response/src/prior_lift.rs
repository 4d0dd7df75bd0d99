//! What the priors alone believe about a lift test's result: how far its lift may be off before anything is measured.

use crate::input::{LiftTest, Panel};
use crate::model::{Model, Work};
use crate::normal::mean;
use crate::priors::{HEIGHT, Prior, of_adstock, of_saturation};

/// Each parameter of carry-over and curve is taken at the middles of so many equally likely parts of its prior.
const PARTS: usize = 8;

/// Standard deviation of a test's lift (in the outcome's unit per period) under the priors.
///
/// The lift is `B G`: the curve's height `B`, or what a [`crate::ReturnPrior`] says in its place, times what the parameters of
/// carry-over and curve make of the change of spend. The two are independent, so that
/// `Var = E[B^2] E[G^2] - (E[B] E[G])^2`; the moments of `B` are exact, those of `G` sums over a grid of quantiles. That
/// geographies differ in height is left out.
pub(crate) fn spread(model: &Model, panel: &Panel, test: &LiftTest) -> f64 {
    let (first, second) = model.scale_moments(test.channel);
    let shapes = shapes(model, panel, test);
    let squares: Vec<f64> = shapes.iter().map(|own| own * own).collect();
    let variance = second * mean(&squares) - (first * mean(&shapes)).powi(2);
    variance.max(0.0).sqrt()
}

/// The lift at height 1 (with a belief about the return: at contribution 1), on the grid.
fn shapes(model: &Model, panel: &Panel, test: &LiftTest) -> Vec<f64> {
    let priors: Vec<Prior> = of_adstock(model.spec.adstock)
        .into_iter()
        .take(model.spec.adstock.parameters())
        .chain(
            of_saturation(model.spec.saturation)
                .into_iter()
                .take(model.spec.saturation.parameters()),
        )
        .collect();
    let nodes: Vec<Vec<f64>> = priors
        .iter()
        .map(|prior| {
            let middle = |part: usize| (part as f64 + 0.5) / PARTS as f64;
            (0..PARTS)
                .map(|part| prior.free(prior.quantile(middle(part))))
                .collect()
        })
        .collect();
    let (mut free, at) = (model.start(), test.channel * model.block());
    let mut work = Work::new(model);
    let points = PARTS.pow(u32::try_from(nodes.len()).unwrap_or(0));
    (0..points)
        .map(|point| {
            let mut rest = point;
            for (parameter, own) in nodes.iter().enumerate() {
                free[at + parameter] = own[rest % PARTS];
                rest /= PARTS;
            }
            work.shape(model, &free, (panel, test))
        })
        .collect()
}

/// Mean and mean square of a half-normal height.
pub(crate) fn height_moments() -> (f64, f64) {
    let first = HEIGHT.mean();
    // E|N(0, sd)| = sd sqrt(2 / pi), and the mean square is sd^2
    (first, first * first * std::f64::consts::FRAC_PI_2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Spec;
    use crate::{ReturnPrior, Saturation};

    fn test(change: f64) -> LiftTest {
        LiftTest {
            channel: 0,
            series: None,
            spend: 4.0,
            change,
            lift: 1.0,
            sd: 1.0,
        }
    }

    fn of(spec: &Spec, series: usize, test: &LiftTest) -> f64 {
        let panel = crate::tests::panel(40, 2, series, 5);
        spread(&Model::new(&panel, spec, 40, 40), &panel, test)
    }

    #[test]
    fn a_line_has_the_spread_of_its_height() {
        let spec = Spec {
            saturation: Saturation::Linear,
            ..Spec::default()
        };
        let panel = crate::tests::panel(40, 2, 1, 5);
        let highest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        let (y, x) = (
            highest(&panel.series[0].outcome),
            highest(&panel.series[0].spend[0]),
        );
        // half-normal with sd 0.5: 0.5 sqrt(1 - 2 / pi) = 0.301405
        let by_hand = 0.301_405 * y * 3.0 / x;
        for change in [3.0, -3.0] {
            let found = of(&spec, 1, &test(change));
            assert!((found / by_hand - 1.0).abs() < 1e-4, "{found} {by_hand}");
        }
    }

    #[test]
    fn a_belief_about_the_return_says_how_far_a_line_may_be_off() {
        let spec = Spec {
            saturation: Saturation::Linear,
            returns: vec![ReturnPrior {
                channel: 0,
                mean: 2.0,
                sd: 0.5,
            }],
            ..Spec::default()
        };
        // three more units at 2 each, give or take 0.5 each; what is carried beyond the last period makes it a little more
        for series in [1, 2] {
            let found = of(&spec, series, &test(3.0));
            assert!((1.45..1.7).contains(&found), "{series}: {found}");
        }
    }

    #[test]
    fn a_curve_has_the_spread_that_draws_from_its_priors_have() {
        // Var = 0.25 E[D^2] - (0.398942 E[D])^2 with D = tanh(lam 0.6 / 2) - tanh(lam 0.2 / 2), lam ~ Gamma(3, 1), by a fine sum
        let density = |lam: f64| 0.5 * lam * lam * (-lam).exp();
        let d = |lam: f64| (0.3 * lam).tanh() - (0.1 * lam).tanh();
        let sum = |of: &dyn Fn(f64) -> f64| (1..40_000).map(|i| of(f64::from(i) * 1e-3) * 1e-3).sum::<f64>();
        let first = sum(&|lam| density(lam) * d(lam));
        let second = sum(&|lam| density(lam) * d(lam) * d(lam));
        let exact = (0.25 * second - (0.398_942 * first).powi(2)).sqrt();
        let panel = crate::tests::panel(40, 2, 1, 5);
        let highest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        let (y, x) = (
            highest(&panel.series[0].outcome),
            highest(&panel.series[0].spend[0]),
        );
        let found = of(
            &Spec::default(),
            1,
            &LiftTest {
                spend: 0.2 * x,
                change: 0.4 * x,
                ..test(0.0)
            },
        );
        assert!((found / (y * exact) - 1.0).abs() < 0.01, "{found} {}", y * exact);
    }
}

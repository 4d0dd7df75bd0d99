//! A weekly business whose sales by channel are known: spend, carry-over, saturation, season, noise.
//!
//! Ranges are chosen by us to be plausible, and were not tuned to a model; the carry-over and the curve have the forms that
//! media-mix models assume (Jin et al. 2017, "Bayesian methods for media mix modeling with carryover and shape effects"),
//! with the carry-over not cut off after any number of weeks.

use std::f64::consts::TAU;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use thalweg_domain::Seed;

use crate::ranges::Range;

/// Weeks of history: two to four years.
const WEEKS: [usize; 2] = [104, 208];
/// Channels.
const CHANNELS: [usize; 2] = [2, 6];
/// Sales of a week without channels, before season and trend.
const LEVEL: Range = Range(50_000.0, 500_000.0);
/// Change of the base over the whole history.
const TREND: Range = Range(-0.15, 0.35);
/// Swing of the year's first wave, as a share of the level; the second has half of it at most.
const SEASON: Range = Range(0.02, 0.20);
/// Effect of one unit of the control, which is standard normal, as a share of the level.
const CONTROL: Range = Range(-0.05, 0.05);
/// Standard deviation of the noise as a share of the level.
const NOISE: Range = Range(0.02, 0.08);
/// A channel's contribution on average, as a share of the level.
const SHARE: Range = Range(0.01, 0.15);
/// Share of the effect that carries over to the next week.
const CARRY: Range = Range(0.0, 0.6);
/// lam of the curve at spend in units of its highest.
const CURVE: Range = Range(1.0, 6.0);
/// What a channel costs in a week, as a share of the level.
const SPEND: Range = Range(0.005, 0.06);
/// Spread of the logarithm of weekly spend.
const SPREAD: Range = Range(0.3, 0.8);
/// Share of channels that run in campaigns, with pauses.
const IN_CAMPAIGNS: f64 = 0.5;

/// A simulated history with its truth.
#[derive(Debug, Clone, PartialEq)]
pub struct WeeklyBusiness {
    /// First day of each week, in days since 1970-01-01.
    pub days: Vec<i64>,
    /// Sales.
    pub outcome: Vec<f64>,
    /// One control.
    pub control: Vec<f64>,
    /// Spend by channel, then week.
    pub spend: Vec<Vec<f64>>,
    /// What each channel truly brought, by channel, then week.
    pub contribution: Vec<Vec<f64>>,
    /// True share carried over, by channel.
    pub carry: Vec<f64>,
    /// True lam, by channel.
    pub curve: Vec<f64>,
}

impl WeeklyBusiness {
    /// The business of a seed.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("weekly business").0);
        let weeks = rng.random_range(WEEKS[0]..=WEEKS[1]);
        let channels = rng.random_range(CHANNELS[0]..=CHANNELS[1]);
        let level = draw(&mut rng, LEVEL);
        let mut own = Self {
            days: (0_i64..).take(weeks).map(|week| 18_267 + 7 * week).collect(),
            outcome: vec![level; weeks],
            control: (0..weeks).map(|_| rng.sample(StandardNormal)).collect(),
            spend: Vec::new(),
            contribution: Vec::new(),
            carry: Vec::new(),
            curve: Vec::new(),
        };
        own.base(&mut rng, level);
        for _ in 0..channels {
            own.channel(&mut rng, level);
        }
        own
    }

    /// What a channel returned per unit of spend.
    #[must_use]
    pub fn returned(&self, channel: usize) -> f64 {
        self.contribution[channel].iter().sum::<f64>() / self.spend[channel].iter().sum::<f64>()
    }

    fn base(&mut self, rng: &mut ChaCha8Rng, level: f64) {
        let (trend, season, control, noise) = (
            draw(rng, TREND),
            draw(rng, SEASON),
            draw(rng, CONTROL),
            draw(rng, NOISE),
        );
        let second = season * rng.random_range(0.0..0.5);
        let [phase, other]: [f64; 2] = [rng.random(), rng.random()];
        let last = self.outcome.len() as f64 - 1.0;
        for (week, ((sales, day), value)) in self
            .outcome
            .iter_mut()
            .zip(&self.days)
            .zip(&self.control)
            .enumerate()
        {
            let year = *day as f64 / 365.25;
            let scatter: f64 = rng.sample(StandardNormal);
            let share = trend * (week as f64 / last)
                + season * (TAU * (year + phase)).sin()
                + second * (2.0 * TAU * (year + other)).sin()
                + control * value
                + noise * scatter;
            *sales += level * share;
        }
    }

    fn channel(&mut self, rng: &mut ChaCha8Rng, level: f64) {
        let cost = level * draw(rng, SPEND);
        let spend = spend(rng, self.outcome.len(), cost);
        let (carry, curve, share) = (draw(rng, CARRY), draw(rng, CURVE), draw(rng, SHARE));
        let most = spend.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let mut working = 0.0;
        let effect: Vec<f64> = spend
            .iter()
            .map(|own| {
                working = carry * working + (1.0 - carry) * own / most;
                (curve * working / 2.0).tanh()
            })
            .collect();
        let scale = share * level * effect.len() as f64 / effect.iter().sum::<f64>();
        let brought: Vec<f64> = effect.iter().map(|own| scale * own).collect();
        self.outcome
            .iter_mut()
            .zip(&brought)
            .for_each(|(sales, own)| *sales += own);
        self.spend.push(spend);
        self.contribution.push(brought);
        self.carry.push(carry);
        self.curve.push(curve);
    }
}

fn draw(rng: &mut ChaCha8Rng, range: Range) -> f64 {
    rng.random_range(range.0..range.1)
}

/// Log-normal weeks with some memory; campaigns of three to eight weeks with pauses as long for some channels.
fn spend(rng: &mut ChaCha8Rng, weeks: usize, level: f64) -> Vec<f64> {
    let (spread, campaigns) = (draw(rng, SPREAD), rng.random::<f64>() < IN_CAMPAIGNS);
    let (mut mood, mut left, mut on) = (0.0, 0_u32, true);
    (0..weeks)
        .map(|_| {
            let fresh: f64 = rng.sample(StandardNormal);
            mood = 0.5 * mood + 0.75_f64.sqrt() * fresh;
            if left == 0 {
                on = !on;
                left = rng.random_range(3..=8);
            }
            left -= 1;
            if campaigns && !on {
                0.0
            } else {
                level * (spread * mood).exp()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_business_adds_up_and_follows_from_its_seed() {
        let own = WeeklyBusiness::new(Seed(3));
        assert_eq!(own, WeeklyBusiness::new(Seed(3)));
        assert_ne!(own, WeeklyBusiness::new(Seed(4)));
        let brought: f64 = own.contribution.iter().flatten().sum();
        let sales: f64 = own.outcome.iter().sum();
        let share = brought / sales;
        assert!((0.01..0.6).contains(&share), "{share}");
        assert!(own.spend.iter().flatten().all(|spend| *spend >= 0.0));
        for channel in 0..own.spend.len() {
            assert_eq!(own.spend[channel].len(), own.days.len());
            assert!(own.returned(channel) > 0.0);
        }
    }

    #[test]
    fn a_single_burst_decays_by_the_carried_share() {
        let own = WeeklyBusiness::new(Seed(8));
        for (channel, carry) in own.carry.iter().enumerate() {
            // where nothing is spent after a week with an effect, the undone curve falls by exactly the share
            let brought = &own.contribution[channel];
            let most = own.spend[channel].iter().copied().fold(0.0, f64::max);
            let mut working = 0.0;
            let scale = brought.iter().copied().fold(0.0, f64::max);
            let mut peak = 0.0_f64;
            for spend in &own.spend[channel] {
                working = carry * working + (1.0 - carry) * spend / most;
                peak = peak.max((own.curve[channel] * working / 2.0).tanh());
            }
            let first = (own.curve[channel] * (1.0 - carry) * own.spend[channel][0] / most / 2.0).tanh();
            assert!((brought[0] / scale - first / peak).abs() < 1e-9);
        }
    }
}

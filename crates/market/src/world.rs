//! The hidden numbers of one market: drawn once from the ranges, never seen by a policy.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::{Action, Seed};

use crate::catalogue::{N_CHANNELS, N_OFFERS};
use crate::features::{Feature, Features, N_FEATURES, Weights, dot, features};
use crate::generate::{Arrival, generate};
use crate::quadrature::{logistic, logistic_normal_mean};
use crate::ranges::{self, Range, Term};

/// Bound of a response on the log-odds scale.
const STRONGEST_RESPONSE: f64 = 1.2;
/// Customers on whom the intercept is solved.
const N_CALIBRATION: u64 = 4_000;

/// The hidden numbers.
#[derive(Debug, Clone)]
pub(crate) struct World {
    baseline: Weights,
    channel_response: [Weights; N_CHANNELS],
    offer_response: [Weights; N_OFFERS],
    reach: [f64; N_CHANNELS],
    pair_response: [[f64; N_OFFERS]; N_CHANNELS],
    acceptance: [Weights; N_OFFERS],
    acceptance_by_channel: [f64; N_CHANNELS],
    stayers_accept: f64,
    lost_cause: f64,
    liking_sd: f64,
    /// Log-odds of the mean probability of leaving.
    mean_risk: f64,
    pub(crate) mood_sd: f64,
    pub(crate) mood_kept: f64,
    unsubscribe: [f64; N_CHANNELS],
    complain: f64,
}

impl World {
    /// Draws a world.
    pub(crate) fn draw(seed: Seed, hostile: bool) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed.stream("world").0);
        let churn_rate = uniform(rng, ranges::CHURN_RATE);
        let mut world = Self {
            baseline: weights(rng, ranges::BASELINE),
            channel_response: ranges::CHANNEL_RESPONSE.map(|terms| weights(rng, terms)),
            offer_response: ranges::OFFER_RESPONSE.map(|terms| weights(rng, terms)),
            reach: ranges::REACH.map(|range| uniform(rng, range)),
            pair_response: std::array::from_fn(|_| std::array::from_fn(|_| uniform(rng, ranges::PAIR))),
            acceptance: ranges::ACCEPTANCE.map(|terms| weights(rng, terms)),
            acceptance_by_channel: ranges::ACCEPTANCE_BY_CHANNEL.map(|range| uniform(rng, range)),
            stayers_accept: uniform(rng, ranges::STAYERS_ACCEPT),
            lost_cause: uniform(rng, ranges::LOST_CAUSE),
            liking_sd: uniform(rng, ranges::LIKING_SD),
            mean_risk: (churn_rate / (1.0 - churn_rate)).ln(),
            mood_sd: uniform(rng, ranges::MOOD_SD),
            mood_kept: uniform(rng, ranges::MOOD_KEPT),
            unsubscribe: ranges::UNSUBSCRIBE.map(|range| uniform(rng, range)),
            complain: uniform(rng, ranges::COMPLAIN),
        };
        if hostile {
            world.turn_hostile(&mut ChaCha8Rng::seed_from_u64(seed.stream("hostility").0));
        }
        world.solve_intercept(seed, churn_rate);
        world
    }

    fn turn_hostile(&mut self, rng: &mut ChaCha8Rng) {
        for (weights, terms) in self.channel_response.iter_mut().zip(ranges::HOSTILE_CHANNEL) {
            add(rng, weights, terms);
        }
        for (weights, terms) in self.offer_response.iter_mut().zip(ranges::HOSTILE_OFFER) {
            add(rng, weights, terms);
        }
        for (weights, terms) in self.acceptance.iter_mut().zip(ranges::HOSTILE_ACCEPTANCE) {
            add(rng, weights, terms);
        }
        self.stayers_accept += uniform(rng, ranges::HOSTILE_STAYERS);
    }

    /// Bisection on the intercept until a sample of customers leaves at the wanted rate.
    fn solve_intercept(&mut self, seed: Seed, churn_rate: f64) {
        let population = seed.stream("calibration");
        let risks: Vec<f64> = (0..N_CALIBRATION)
            .map(|serial| self.risk_score(&features(&generate(population, serial, Arrival::Earlier))))
            .collect();
        let (mut low, mut high) = (-12.0, 12.0);
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            let total: f64 = risks
                .iter()
                .map(|risk| logistic_normal_mean(risk + middle, self.mood_sd))
                .sum();
            if total / N_CALIBRATION as f64 > churn_rate {
                high = middle;
            } else {
                low = middle;
            }
        }
        self.baseline[Feature::One as usize] = f64::midpoint(low, high);
    }

    /// Log-odds of leaving when left alone, at a mood of zero.
    pub(crate) fn risk_score(&self, features: &Features) -> f64 {
        dot(&self.baseline, features)
    }

    /// Decrease of the log-odds of leaving by an action; negative for a sleeping dog.
    ///
    /// With the sum s = channel + reach x offer + pair: s < 0 counts in full, s > 0 is damped on those who
    /// have as good as left, by 1 - lost_cause x logistic(1.5 (score - mean risk - 1.5)); the result is
    /// bent into (-1.2, 1.2) by tanh.
    pub(crate) fn response(&self, features: &Features, risk_score: f64, action: Action) -> f64 {
        let mut sum = dot(&self.channel_response[action.channel], features);
        if let Some(offer) = action.offer {
            sum += self.reach[action.channel] * dot(&self.offer_response[offer], features);
            sum += self.pair_response[action.channel][offer];
        }
        if sum > 0.0 {
            sum *= 1.0 - self.lost_cause * logistic(1.5 * (risk_score - self.mean_risk - 1.5));
        }
        STRONGEST_RESPONSE * (sum / STRONGEST_RESPONSE).tanh()
    }

    /// Log-odds of accepting an offer through a channel at a mood and liking of zero.
    pub(crate) fn acceptance_score(
        &self,
        features: &Features,
        risk_score: f64,
        channel: usize,
        offer: usize,
    ) -> f64 {
        dot(&self.acceptance[offer], features) + self.acceptance_by_channel[channel]
            - self.stayers_accept * (risk_score - self.mean_risk)
    }

    /// What mood and liking (standard normal) add to the log-odds of acceptance: those in the mood to
    /// leave accept less.
    pub(crate) fn acceptance_shift(&self, mood: f64, liking: f64) -> f64 {
        self.liking_sd * liking - self.stayers_accept * self.mood_sd * mood
    }

    /// Standard deviation of [`Self::acceptance_shift`].
    pub(crate) fn acceptance_sd(&self) -> f64 {
        self.liking_sd.hypot(self.stayers_accept * self.mood_sd)
    }

    /// Probability that a contact ends in an objection to its channel.
    pub(crate) fn p_unsubscribe(&self, channel: usize, response: f64) -> f64 {
        annoyed(self.unsubscribe[channel], response)
    }

    /// Probability that a contact ends in a complaint.
    pub(crate) fn p_complain(&self, response: f64) -> f64 {
        annoyed(self.complain, response)
    }
}

fn annoyed(base: f64, response: f64) -> f64 {
    base * (1.0 + ranges::ANNOYANCE * (-response).max(0.0))
}

fn uniform(rng: &mut ChaCha8Rng, Range(low, high): Range) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

fn weights(rng: &mut ChaCha8Rng, terms: &[Term]) -> Weights {
    let mut weights = [0.0; N_FEATURES];
    add(rng, &mut weights, terms);
    weights
}

fn add(rng: &mut ChaCha8Rng, weights: &mut Weights, terms: &[Term]) {
    for (feature, range) in terms {
        weights[*feature as usize] += uniform(rng, *range);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For independent standard normals the variance of a linear shift is the sum of its squared slopes.
    #[test]
    fn acceptance_sd_is_that_of_the_shift() {
        for seed in 0..10 {
            let world = World::draw(Seed(seed), seed % 2 == 0);
            let variance =
                world.acceptance_shift(1.0, 0.0).powi(2) + world.acceptance_shift(0.0, 1.0).powi(2);
            assert!((world.acceptance_sd() - variance.sqrt()).abs() < 1e-12);
            assert!(
                world.acceptance_shift(1.0, 0.0) < 0.0,
                "those in the mood to leave accept less"
            );
        }
    }
}

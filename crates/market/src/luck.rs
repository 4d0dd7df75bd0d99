//! The luck of a customer in a cycle: drawn from (seed, customer, cycle) alone, never from the action.
//!
//! That is what makes copies of one market comparable: under two policies the same customer has the
//! same mood and the same uniforms (common random numbers; Law 2015, *Simulation Modeling*, ch. 11.2).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use thalweg_domain::Seed;

/// All chance in one customer's cycle. Uniforms are in [0, 1), normals standard.
#[derive(Debug, Clone)]
pub(crate) struct Luck {
    /// Mood when left alone: enters the log-odds of leaving.
    pub(crate) mood: f64,
    /// The part of the mood that a contact brings.
    pub(crate) mood_on_contact: f64,
    /// Liking for offers.
    pub(crate) liking: f64,
    pub(crate) leaves: f64,
    pub(crate) leaves_late: f64,
    pub(crate) accepts: f64,
    pub(crate) unsubscribes: f64,
    pub(crate) complains: f64,
    /// When they leave, as a share of the horizon.
    pub(crate) leaving_time: f64,
    /// When they answer an offer, standard normal.
    pub(crate) answering_time: f64,
    /// When they object, as a share of the time for it.
    pub(crate) objecting_time: f64,
    /// The rest: how the record changes until the next cycle.
    pub(crate) change: ChaCha8Rng,
}

impl Luck {
    /// The luck of customer `serial` in cycle `cycle`.
    pub(crate) fn draw(seed: Seed, serial: u64, cycle: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.stream("luck").nth(serial).nth(cycle).0);
        Self {
            mood: rng.sample(StandardNormal),
            mood_on_contact: rng.sample(StandardNormal),
            liking: rng.sample(StandardNormal),
            leaves: rng.random(),
            leaves_late: rng.random(),
            accepts: rng.random(),
            unsubscribes: rng.random(),
            complains: rng.random(),
            leaving_time: rng.random(),
            answering_time: rng.sample(StandardNormal),
            objecting_time: rng.random(),
            change: rng,
        }
    }
}

//! The randomness that privacy rests on: a cryptographic stream under a secret key, for noise and for sampling.

use std::fmt;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::{ChaCha8Rng, ChaCha20Rng};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use thalweg_domain::Seed;

/// The 256-bit key of the noise. Whoever knows it can subtract the noise, so it must be secret and used once.
///
/// Take it from the operating system's generator and throw it away after training. [`Self::from_seed`] exists so that
/// tests and studies can be repeated: a key that follows from a seed that is written down protects nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivacyKey {
    bytes: [u8; 32],
    origin: KeyOrigin,
}

/// Where a key came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOrigin {
    /// Handed in by a caller who says that nobody knows it.
    Secret,
    /// Derived from a seed.
    Seed,
}

impl PrivacyKey {
    /// A key from a source that nobody can predict or repeat.
    #[must_use]
    pub const fn secret(bytes: [u8; 32]) -> Self {
        Self {
            bytes,
            origin: KeyOrigin::Secret,
        }
    }

    /// A key that can be repeated, and therefore guarantees nothing to anybody who knows the seed.
    #[must_use]
    pub fn from_seed(seed: Seed) -> Self {
        let mut bytes = [0; 32];
        ChaCha8Rng::seed_from_u64(seed.stream("privacy key").0).fill_bytes(&mut bytes);
        Self {
            bytes,
            origin: KeyOrigin::Seed,
        }
    }

    /// The key of one piece of work among several under this one: a keyed pseudo-random function of `purpose`. Two
    /// trainings under one key must differ in their purpose, or the difference of their results is free of noise.
    #[must_use]
    pub fn derive(&self, purpose: u64) -> Self {
        let mut bytes = [0; 32];
        // stream 0 of a key makes the key of the family, which noise and sampling (streams 1 and 2) never see
        ChaCha20Rng::from_seed(self.bytes).fill_bytes(&mut bytes);
        let mut family = ChaCha20Rng::from_seed(bytes);
        family.set_stream(purpose);
        family.fill_bytes(&mut bytes);
        Self {
            bytes,
            origin: self.origin,
        }
    }

    /// Whether it is secret.
    #[must_use]
    pub const fn origin(&self) -> KeyOrigin {
        self.origin
    }
}

impl fmt::Debug for PrivacyKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivacyKey({:?}, redacted)", self.origin)
    }
}

/// Gaussian noise and Poisson samples from ChaCha20 (20 rounds) under a key.
///
/// Real numbers in a computer are a grid, and the low bits of a noisy sum can betray what was added to it (Mironov 2012,
/// doi:10.1145/2382196.2382264, for Laplace noise). Against this each sample is half the sum of four independent
/// Gaussians, which has the same law, and whose low bits cannot be unravelled without a search over the inputs of all four
/// (Holohan and Braghin 2021, arXiv 2107.10138, section 5.1); the sum is made in f64 and the noisy gradient is then
/// rounded to f32, which drops the last 29 of its 53 bits. This makes the attack impractical; it is not a proof: only
/// discrete noise on integers (Canonne, Kamath and Steinke 2020, arXiv 2004.00010) would be one.
#[derive(Debug, Clone)]
pub struct NoiseSource {
    noise: ChaCha20Rng,
    sampling: ChaCha20Rng,
}

impl NoiseSource {
    /// Noise and sampling read two streams of the same key that never overlap.
    #[must_use]
    pub fn new(key: &PrivacyKey) -> Self {
        let mut noise = ChaCha20Rng::from_seed(key.bytes);
        let mut sampling = noise.clone();
        noise.set_stream(1);
        sampling.set_stream(2);
        Self { noise, sampling }
    }

    /// One sample of N(0, 1): half the sum of four.
    pub fn gaussian(&mut self) -> f64 {
        let four = (0..4).map(|_| -> f64 { StandardNormal.sample(&mut self.noise) });
        0.5 * four.sum::<f64>()
    }

    /// The units of `0..n`, in rising order, each joining independently with probability `rate` in (0, 1].
    pub fn poisson_sample(&mut self, n: usize, rate: f64, joined: &mut Vec<usize>) {
        joined.clear();
        joined.extend((0..n).filter(|_| self.sampling.random::<f64>() < rate));
    }
}

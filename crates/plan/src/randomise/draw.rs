//! Seeded numbers, random order and systematic samples.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use thalweg_domain::Seed;

/// A generator whose bytes are fixed by its seed on every machine.
pub(crate) struct Generator(ChaCha8Rng);

impl Generator {
    pub(crate) fn new(seed: Seed) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed.0))
    }

    /// Uniform on [0, 1), 53 bits.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Uniform on `0..n`; the bias, below `n / 2^64`, is far under what any sample could show.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Puts a list into random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}

/// A systematic sample: each of `0..n` with probability exactly `share`, their number within one of `share n`.
///
/// The list is put into random order and cut at equal steps from one random start (Madow 1949,
/// doi:10.1214/aoms/1177729988). Returned ascending.
pub(crate) fn systematic(n: usize, share: f64, generator: &mut Generator) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    generator.shuffle(&mut order);
    let start = generator.uniform();
    let mark = |place: usize| (share * place as f64 + start).floor();
    let mut taken: Vec<usize> = order
        .iter()
        .enumerate()
        .filter(|(place, _)| mark(place + 1) > mark(*place))
        .map(|(_, unit)| *unit)
        .collect();
    taken.sort_unstable();
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systematic_samples_have_exact_size_and_probability() {
        let mut hits = [0_u32; 25];
        for seed in 0..4000 {
            let taken = systematic(25, 0.3, &mut Generator::new(Seed(seed)));
            assert!((7..=8).contains(&taken.len()));
            taken.iter().for_each(|unit| hits[*unit] += 1);
        }
        // 4000 draws at 0.3: standard deviation 0.0072, so five of them.
        assert!(
            hits.iter()
                .all(|hit| (f64::from(*hit) / 4000.0 - 0.3).abs() < 0.037),
            "{hits:?}"
        );
    }
}

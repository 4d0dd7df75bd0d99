//! Dropout: hidden units are switched off at random.

use rand::Rng;

use super::kernel::LANES;

/// Which hidden units are switched off: each row and unit independently with probability `dropout`.
///
/// Eight xorshift generators side by side (Marsaglia 2003, doi:10.18637/jss.v008.i14), so that the compiler
/// vectorises them; all 32 bits decide, so the probability is exact to 2^-32. Those kept are scaled up by `1 / (1 - dropout)`.
#[derive(Debug, Clone)]
pub(super) struct Dropout {
    state: [u32; LANES],
    /// The threshold and the numbers compared with it are moved from unsigned to signed order.
    keep_below: i32,
    scale: f32,
}

const TO_SIGNED: u32 = 1 << 31;

impl Dropout {
    /// `None` for a dropout of 0; draws from `rng` in either case.
    pub(super) fn new(dropout: f64, rng: &mut impl Rng) -> Option<Self> {
        // a xorshift state must not be 0
        let state = std::array::from_fn(|_| rng.next_u32() | 1);
        let keep_below = ((1.0 - dropout) * 4_294_967_296.0).round() as u64;
        (dropout > 0.0).then(|| Self {
            state,
            keep_below: (u32::try_from(keep_below).unwrap_or(u32::MAX) ^ TO_SIGNED).cast_signed(),
            scale: (1.0 / (1.0 - dropout)) as f32,
        })
    }

    /// Multiplies activations by 0 or the scale, and `slopes` with them; both are whole [`LANES`].
    #[inline(always)]
    pub(super) fn apply(&mut self, activations: &mut [f32], slopes: &mut [f32]) {
        let mut state = self.state;
        let (scale, keep_below) = (self.scale.to_bits(), self.keep_below);
        let (cells, _) = activations.as_chunks_mut::<LANES>();
        let (slopes, _) = slopes.as_chunks_mut::<LANES>();
        for (cells, slopes) in cells.iter_mut().zip(slopes) {
            state = state
                .map(|bits| bits ^ (bits << 13))
                .map(|bits| bits ^ (bits >> 17))
                .map(|bits| bits ^ (bits << 5));
            // a mask, not a branch: a branch on random bits would be mispredicted half of the time
            let factors = state.map(|bits| {
                let keep = (bits ^ TO_SIGNED).cast_signed() < keep_below;
                f32::from_bits(scale & u32::from(keep).wrapping_neg())
            });
            for lane in 0..LANES {
                cells[lane] *= factors[lane];
                slopes[lane] *= factors[lane];
            }
        }
        self.state = state;
    }
}

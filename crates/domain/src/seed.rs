//! Seeds: one number per workspace, split into an independent stream per purpose.

/// A seed from which generators are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of a named sub-stream: the same name gives the same seed, different names unrelated ones.
    ///
    /// FNV-1a over the name, mixed by the SplitMix64 finaliser (Steele et al. 2014, doi:10.1145/2660193.2660195).
    #[must_use]
    pub fn stream(self, name: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(mix(self.0 ^ mix(hash)))
    }

    /// The seed of a numbered sub-stream.
    #[must_use]
    pub const fn nth(self, index: u64) -> Self {
        Self(mix(self.0.wrapping_add(
            index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        )))
    }
}

const fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

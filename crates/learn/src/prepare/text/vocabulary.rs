//! The terms that are kept, how rare each is, and where to find it.

use serde::{Deserialize, Serialize};

use super::tokens::Analyzer;

const FREE: u32 = u32::MAX;

/// The kept terms of one analyzer with their inverse document frequencies.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(super) struct Vocabulary {
    pub(super) analyzer: Analyzer,
    terms: Vec<String>,
    idf: Vec<f32>,
    /// Open addressing by the terms' hashes: term numbers, or free.
    slots: Vec<u32>,
    hashes: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    analyzer: Analyzer,
    terms: Vec<String>,
    idf: Vec<f32>,
}

impl From<Stored> for Vocabulary {
    fn from(stored: Stored) -> Self {
        Self::new(stored.analyzer, stored.terms, stored.idf)
    }
}

impl From<Vocabulary> for Stored {
    fn from(vocabulary: Vocabulary) -> Self {
        Self {
            analyzer: vocabulary.analyzer,
            terms: vocabulary.terms,
            idf: vocabulary.idf,
        }
    }
}

impl PartialEq for Vocabulary {
    fn eq(&self, other: &Self) -> bool {
        self.analyzer == other.analyzer && self.terms == other.terms && self.idf == other.idf
    }
}

impl Vocabulary {
    pub(super) fn new(analyzer: Analyzer, terms: Vec<String>, idf: Vec<f32>) -> Self {
        let hashes: Vec<u64> = terms.iter().map(|term| hash(term)).collect();
        let n_slots = (2 * terms.len().max(1)).next_power_of_two();
        let mut slots = vec![FREE; n_slots];
        for (number, hash) in hashes.iter().enumerate() {
            let mut slot = *hash as usize & (n_slots - 1);
            while slots[slot] != FREE {
                slot = (slot + 1) & (n_slots - 1);
            }
            slots[slot] = number as u32;
        }
        Self {
            analyzer,
            terms,
            idf,
            slots,
            hashes,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.terms.len()
    }

    pub(super) fn term(&self, number: usize) -> &str {
        self.terms.get(number).map_or("", String::as_str)
    }

    pub(super) fn idf(&self, number: u32) -> f32 {
        self.idf.get(number as usize).copied().unwrap_or_default()
    }

    /// The number of a term, if it was kept.
    pub(super) fn find(&self, term: &str) -> Option<u32> {
        let wanted = hash(term);
        let mask = self.slots.len() - 1;
        let mut slot = wanted as usize & mask;
        loop {
            let number = self.slots[slot];
            if number == FREE {
                return None;
            }
            if self.hashes[number as usize] == wanted && self.terms[number as usize] == term {
                return Some(number);
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// FNV-1a over the bytes, then mixed so that the low bits are as good as the high ones.
pub(super) fn hash(term: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in term.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

//! Numbers packed into bytes, and bytes as text (base64, RFC 4648), for models whose size matters.

/// The alphabet of base64.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as base64 with padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_u32, |group, i| {
            group << 8 | u32::from(chunk.get(i).copied().unwrap_or_default())
        });
        for place in 0..4 {
            let symbol = ALPHABET[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() {
                char::from(symbol)
            } else {
                '='
            });
        }
    }
    text
}

/// The bytes of a base64 text; `None` when it is not one.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let symbols = text.as_bytes();
    if !symbols.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::with_capacity(symbols.len() / 4 * 3);
    let n_groups = symbols.len() / 4;
    for (index, quad) in symbols.chunks_exact(4).enumerate() {
        let padding = quad.iter().rev().take_while(|symbol| **symbol == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 < n_groups) {
            return None;
        }
        let mut group = 0_u32;
        for symbol in &quad[..4 - padding] {
            let value = ALPHABET.iter().position(|own| own == symbol)?;
            group = group << 6 | value as u32;
        }
        group <<= 6 * padding;
        bytes.extend((0..3 - padding).map(|place| (group >> (16 - 8 * place)) as u8));
    }
    Some(bytes)
}

/// Writes numbers one after the other, little end first.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn f32s(&mut self, numbers: &[f32]) {
        self.bytes
            .extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }

    pub(super) fn u16s(&mut self, numbers: &[u16]) {
        self.bytes
            .extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }

    pub(super) fn i8s(&mut self, numbers: &[i8]) {
        self.bytes
            .extend(numbers.iter().map(|number| number.cast_unsigned()));
    }

    /// Seven bits a byte, the high bit says that more follow.
    pub(super) fn varint(&mut self, mut number: usize) {
        while number >= 128 {
            self.bytes.push((number % 128) as u8 | 128);
            number /= 128;
        }
        self.bytes.push(number as u8);
    }
}

/// Reads what [`Writer`] wrote; every method gives `None` when the bytes end too early.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn f32s(&mut self, n: usize) -> Option<Vec<f32>> {
        let bytes = self.take(n.checked_mul(4)?)?;
        let each = bytes
            .chunks_exact(4)
            .map(|cell| f32::from_le_bytes([cell[0], cell[1], cell[2], cell[3]]));
        Some(each.collect())
    }

    pub(super) fn u16s(&mut self, n: usize) -> Option<Vec<u16>> {
        let bytes = self.take(n.checked_mul(2)?)?;
        Some(
            bytes
                .chunks_exact(2)
                .map(|cell| u16::from_le_bytes([cell[0], cell[1]]))
                .collect(),
        )
    }

    pub(super) fn i8s(&mut self, n: usize) -> Option<Vec<i8>> {
        Some(self.take(n)?.iter().map(|byte| byte.cast_signed()).collect())
    }

    pub(super) fn varint(&mut self) -> Option<usize> {
        let mut number = 0_usize;
        for place in 0..9 {
            let byte = self.take(1)?[0];
            number |= usize::from(byte % 128) << (7 * place);
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;

    #[test]
    fn the_examples_of_the_standard_are_met_and_any_bytes_survive() {
        let examples = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, text) in examples {
            assert_eq!(to_base64(plain.as_bytes()), text);
            assert_eq!(from_base64(text).unwrap(), plain.as_bytes());
        }
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        for n in 0..50 {
            let bytes: Vec<u8> = (0..n).map(|_| rng.random()).collect();
            assert_eq!(from_base64(&to_base64(&bytes)).unwrap(), bytes);
        }
        for wrong in ["Zg=", "Zg==Zg==", "Z===", "Zm9*", "Zm9v\n"] {
            assert_eq!(from_base64(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_survive_and_an_early_end_is_noticed() {
        let mut writer = Writer::default();
        writer.f32s(&[1.5, -0.0, f32::MIN_POSITIVE]);
        writer.i8s(&[-127, 0, 127]);
        writer.u16s(&[7, 65535]);
        let varints = [0, 127, 128, 300, 1 << 40];
        varints.iter().for_each(|number| writer.varint(*number));
        let mut reader = Reader { rest: &writer.bytes };
        assert_eq!(reader.f32s(3).unwrap(), [1.5, -0.0, f32::MIN_POSITIVE]);
        assert_eq!(reader.i8s(3).unwrap(), [-127, 0, 127]);
        assert_eq!(reader.u16s(2).unwrap(), [7, 65535]);
        for number in varints {
            assert_eq!(reader.varint().unwrap(), number);
        }
        assert_eq!(
            (reader.varint(), reader.f32s(1), reader.rest.len()),
            (None, None, 0)
        );
    }
}

//! The protocol buffers wire format: tags, varints, fixed-width numbers and length-delimited fields, both ways.

use thalweg_domain::{Error, Result};

/// One field's payload.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payload<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

/// Reads the fields of a message one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Number and payload of the next field; `None` at the end of the message.
    ///
    /// # Errors
    /// `TW0340` when the bytes end early or hold no field.
    pub(crate) fn next_field(&mut self) -> Result<Option<(u64, Payload<'a>)>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed64(self.array()?),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| broken())?;
                Payload::Bytes(self.take(length)?)
            }
            5 => Payload::Fixed32(self.array()?),
            _ => return Err(broken()),
        };
        Ok(Some((tag >> 3, payload)))
    }

    const fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(broken)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| broken())
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(broken())
    }
}

impl<'a> Payload<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(broken()),
        }
    }

    pub(crate) fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    pub(crate) fn int(self) -> Result<i64> {
        match self {
            Self::Varint(value) => Ok(value.cast_signed()),
            _ => Err(broken()),
        }
    }

    pub(crate) fn float(self) -> Result<f32> {
        match self {
            Self::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(broken()),
        }
    }

    /// Adds the integers of a field that may be packed or not.
    pub(crate) fn extend_ints(self, into: &mut Vec<i64>) -> Result<()> {
        let Self::Bytes(bytes) = self else {
            into.push(self.int()?);
            return Ok(());
        };
        let mut packed = Fields::new(bytes);
        while !packed.at_end() {
            into.push(packed.varint()?.cast_signed());
        }
        Ok(())
    }

    /// Adds the single-precision numbers of a field that may be packed or not.
    pub(crate) fn extend_floats(self, into: &mut Vec<f32>) -> Result<()> {
        match self {
            Self::Bytes(bytes) => into.extend(chunks(bytes)?.map(f32::from_le_bytes)),
            _ => into.push(self.float()?),
        }
        Ok(())
    }

    /// Adds the double-precision numbers of a field that may be packed or not.
    pub(crate) fn extend_doubles(self, into: &mut Vec<f64>) -> Result<()> {
        match self {
            Self::Bytes(bytes) => into.extend(chunks(bytes)?.map(f64::from_le_bytes)),
            Self::Fixed64(bytes) => into.push(f64::from_le_bytes(bytes)),
            _ => return Err(broken()),
        }
        Ok(())
    }
}

/// Bytes as arrays of `N`; they must divide evenly.
pub(crate) fn chunks<const N: usize>(bytes: &[u8]) -> Result<impl Iterator<Item = [u8; N]>> {
    if !bytes.len().is_multiple_of(N) {
        return Err(broken());
    }
    Ok(bytes.as_chunks::<N>().0.iter().copied())
}

fn broken() -> Error {
    Error::new("TW0340", "the file is not an ONNX model, or it is damaged")
        .hint("export the model again, as .onnx in one file, and check that it was copied whole")
}

/// Writes the fields of a message.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(low_byte(value) | 0x80);
            value >>= 7;
        }
        self.bytes.push(low_byte(value));
    }

    fn tag(&mut self, field: u64, kind: u64) {
        self.raw_varint(field << 3 | kind);
    }

    pub(crate) fn int(&mut self, field: u64, value: i64) {
        self.tag(field, 0);
        self.raw_varint(value.cast_unsigned());
    }

    pub(crate) fn float(&mut self, field: u64, value: f32) {
        self.tag(field, 5);
        self.bytes.extend(value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, field: u64, value: &[u8]) {
        self.tag(field, 2);
        self.raw_varint(value.len() as u64);
        self.bytes.extend(value);
    }

    pub(crate) fn text(&mut self, field: u64, value: &str) {
        if !value.is_empty() {
            self.bytes(field, value.as_bytes());
        }
    }

    pub(crate) fn ints(&mut self, field: u64, values: &[i64]) {
        let mut packed = Self::default();
        values
            .iter()
            .for_each(|value| packed.raw_varint(value.cast_unsigned()));
        self.bytes(field, &packed.bytes);
    }

    pub(crate) fn floats(&mut self, field: u64, values: &[f32]) {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(field, &packed);
    }
}

fn low_byte(value: u64) -> u8 {
    u8::try_from(value & 0x7f).unwrap_or_default()
}

//! How much was it, and which? Size and SHA-256 of bytes that come piece by piece.

use std::fmt::Write;

use ring::digest::{Context, SHA256};

/// Takes bytes, and keeps none of them.
pub struct Digest {
    bytes: u64,
    context: Context,
}

/// What there was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// How many bytes.
    pub bytes: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
}

impl Default for Digest {
    fn default() -> Self {
        Self { bytes: 0, context: Context::new(&SHA256) }
    }
}

impl Digest {
    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        self.context.update(piece);
    }

    /// What all pieces were together.
    pub fn finish(self) -> Measured {
        Measured { bytes: self.bytes, sha256: hexadecimal(self.context.finish().as_ref()) }
    }
}

/// Bytes, two digits each.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_to_what_they_are_together() {
        let mut digest = Digest::default();
        for piece in ["ab", "", "c"] {
            digest.push(piece.as_bytes());
        }
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned();
        assert_eq!(digest.finish(), Measured { bytes: 3, sha256 });
    }
}

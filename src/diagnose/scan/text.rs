//! The text of a log, whatever encoding it came in: made UTF-8 as far as lines and words need it.

use std::borrow::Cow;

/// Takes the bytes of a text piece by piece. The first of them may say that it is UTF-16; every other encoding has the
/// letters of ASCII as bytes of their own, which is all that lines and words need.
pub(super) enum Decoder {
    /// At the start, with the bytes that may be the mark of an encoding.
    Start(Vec<u8>),
    /// Bytes as they are.
    Bytes,
    /// UTF-16.
    Utf16(Utf16),
}

/// What is left of UTF-16 between two pieces.
#[derive(Default)]
pub(super) struct Utf16 {
    is_big: bool,
    byte: Option<u8>,
    high: Option<u16>,
}

const UTF8: &[u8] = &[0xef, 0xbb, 0xbf];

impl Decoder {
    pub(super) fn new() -> Self {
        Self::Start(Vec::new())
    }

    /// The next bytes as UTF-8, where they were UTF-16, and as they are otherwise. At the start some are held back.
    pub(super) fn decode<'a>(&mut self, piece: &'a [u8]) -> Cow<'a, [u8]> {
        match self {
            Self::Bytes => Cow::Borrowed(piece),
            Self::Utf16(rest) => Cow::Owned(rest.decode(piece).into_bytes()),
            Self::Start(held) => {
                held.extend_from_slice(piece);
                if held.len() < UTF8.len() {
                    return Cow::Borrowed(&[]);
                }
                let held = std::mem::take(held);
                Cow::Owned(self.begin(held))
            }
        }
    }

    /// What was held back, and what was half a character.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        match self {
            Self::Bytes => Vec::new(),
            Self::Start(held) => {
                let held = std::mem::take(held);
                let mut text = self.begin(held);
                if let Self::Utf16(rest) = self {
                    text.extend(rest.finish().bytes());
                }
                text
            }
            Self::Utf16(rest) => rest.finish().into(),
        }
    }

    fn begin(&mut self, text: Vec<u8>) -> Vec<u8> {
        let utf16 = |is_big| Utf16 { is_big, ..Utf16::default() };
        *self = match text.as_slice() {
            [0xff, 0xfe, ..] => Self::Utf16(utf16(false)),
            [0xfe, 0xff, ..] => Self::Utf16(utf16(true)),
            _ => Self::Bytes,
        };
        match self {
            Self::Utf16(rest) => rest.decode(&text[2..]).into_bytes(),
            _ => text.strip_prefix(UTF8).map(<[u8]>::to_vec).unwrap_or(text),
        }
    }
}

impl Utf16 {
    fn decode(&mut self, piece: &[u8]) -> String {
        let mut text = String::with_capacity(piece.len());
        for byte in piece {
            match self.byte.take() {
                None => self.byte = Some(*byte),
                Some(first) => {
                    let pair = [first, *byte];
                    self.unit(if self.is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }, &mut text);
                }
            }
        }
        text
    }

    fn unit(&mut self, unit: u16, text: &mut String) {
        let high = self.high.take();
        // Half of a pair waits for its other half.
        self.high = Some(unit).filter(|unit| is_high(*unit));
        let whole = high.into_iter().chain(Some(unit).filter(|unit| !is_high(*unit)));
        text.extend(char::decode_utf16(whole).map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }

    fn finish(&mut self) -> String {
        let halves = usize::from(self.byte.take().is_some()) + usize::from(self.high.take().is_some());
        char::REPLACEMENT_CHARACTER.to_string().repeat(halves)
    }
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(pieces: &[&[u8]]) -> String {
        let mut decoder = Decoder::new();
        let mut text: Vec<u8> = pieces.iter().flat_map(|piece| decoder.decode(piece).into_owned()).collect();
        text.extend(decoder.finish());
        String::from_utf8_lossy(&text).into_owned()
    }

    #[test]
    fn every_mark_of_an_encoding_is_understood_however_it_is_cut() {
        let text = "ä𝄞\n";
        let little = [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat();
        let big = [&[0xfe, 0xff][..], &text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()].concat();
        let marked = [UTF8, text.as_bytes()].concat();
        for log in [little, big, marked, text.as_bytes().to_vec()] {
            assert_eq!(decoded(&[&log]), text);
            assert_eq!(decoded(&log.chunks(1).collect::<Vec<_>>()), text, "{log:?}");
            assert_eq!(decoded(&[&log[..1], &log[1..]]), text);
        }
    }

    #[test]
    fn what_is_half_a_character_is_told_as_one() {
        assert_eq!(decoded(&[&[0xff, 0xfe, b'a']]), "\u{fffd}");
        assert_eq!(decoded(&[&[0xff, 0xfe, 0x34, 0xd8, b'a', 0, 0x34, 0xd8, 0x34, 0xd8]]), "\u{fffd}a\u{fffd}\u{fffd}");
        assert_eq!(decoded(&[&[0xff, 0xfe, 0x1e, 0xdd]]), "\u{fffd}");
        assert_eq!(decoded(&[&[0xff, 0xfe]]), "");
        assert_eq!(decoded(&[b"a"]), "a");
        assert_eq!(decoded(&[]), "");
    }
}

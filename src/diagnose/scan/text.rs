//! The text of a log, whatever encoding it came in: made UTF-8 as far as lines and words need it.

use std::borrow::Cow;

use memchr::memchr;

/// Takes the bytes of a text piece by piece. The first of them may say or show that it is UTF-16; every other encoding has
/// the letters of ASCII as bytes of their own, which is all that lines and words need.
pub(super) enum Decoder {
    /// At the start, with the bytes that show the encoding.
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

/// So many bytes show the encoding.
const START: usize = 16;

/// How files begin that hold other files, or one made small: gzip, and zip.
const PACKED: [&[u8]; 2] = [&[0x1f, 0x8b], b"PK\x03\x04"];

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
                if held.len() < START {
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
        let (is_big, mark) = match text.as_slice() {
            [0xff, 0xfe, ..] => (Some(false), 2),
            [0xfe, 0xff, ..] => (Some(true), 2),
            text => (unmarked(&text[..text.len().min(START)]), 0),
        };
        *self = is_big.map_or(Self::Bytes, |is_big| Self::Utf16(utf16(is_big)));
        match self {
            Self::Utf16(rest) => rest.decode(&text[mark..]).into_bytes(),
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

/// Whether a start without a mark is UTF-16 with its high byte first, or last: the letters of a log are those of ASCII, so
/// every second byte is 0.
fn unmarked(start: &[u8]) -> Option<bool> {
    let all = |odd: usize, is_nul: bool| start.iter().skip(odd).step_by(2).all(|byte| (*byte == 0) == is_nul);
    let is = |nuls: usize| start.len() >= 4 && all(nuls, true) && all(1 - nuls, false);
    is(0).then_some(true).or(is(1).then_some(false))
}

/// Makes each `\r` that stands alone the end of a line.
#[derive(Default)]
pub(super) struct Ends {
    /// Whether a `\r` is held back until it is known what follows.
    is_open: bool,
}

impl Ends {
    pub(super) fn mark<'a>(&mut self, text: &'a [u8]) -> Cow<'a, [u8]> {
        if text.is_empty() || !self.is_open && memchr(b'\r', text).is_none() {
            return Cow::Borrowed(text);
        }
        let mut marked = Vec::with_capacity(text.len() + 1);
        for byte in text {
            if std::mem::take(&mut self.is_open) {
                // Several before a `\n` end one line: a text was written as text twice.
                marked.push(if matches!(byte, b'\r' | b'\n') { b'\r' } else { b'\n' });
            }
            self.is_open = *byte == b'\r';
            marked.extend(Some(*byte).filter(|_| !self.is_open));
        }
        Cow::Owned(marked)
    }

    pub(super) fn finish(&mut self) -> &'static [u8] {
        if std::mem::take(&mut self.is_open) { b"\n" } else { b"" }
    }
}

/// Whether the bytes are a text at all.
#[derive(Default)]
pub(super) struct Kind {
    is_packed: bool,
    start: Vec<u8>,
    bytes: u64,
    controls: u64,
}

impl Kind {
    /// Fewer bytes of control than these are in texts, too.
    const FEW: u64 = 4;

    pub(super) fn see(&mut self, text: &[u8]) {
        let wanted = START.saturating_sub(self.start.len());
        self.start.extend(text.iter().take(wanted));
        self.is_packed = PACKED.iter().any(|packed| self.start.starts_with(packed));
        self.bytes += text.len() as u64;
        self.controls += controls(text);
    }

    /// Where more than one byte in a hundred is one of control, or the log begins as a packed file does.
    pub(super) fn unreadable(&self) -> Option<&'static str> {
        let is_binary = self.controls >= Self::FEW && self.controls.saturating_mul(100) > self.bytes;
        match (self.is_packed, is_binary) {
            (true, _) => Some("it is a packed file"),
            (_, true) => Some("it is no text"),
            _ => None,
        }
    }
}

/// How many bytes are ones of control. Eight are looked at together, since hardly any eight of a text hold one.
fn controls(text: &[u8]) -> u64 {
    let (eights, rest) = text.as_chunks::<8>();
    let count = |bytes: &[u8]| bytes.iter().filter(|byte| is_control(**byte)).count() as u64;
    let mut controls = count(rest);
    for eight in eights {
        if may_hold_control(u64::from_le_bytes(*eight)) {
            controls += count(eight);
        }
    }
    controls
}

/// Whether one of eight bytes may be one of control: it is below 0x20, or 0x7f. What a byte borrows from the next one hides
/// none.
fn may_hold_control(eight: u64) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let low = eight.wrapping_sub(ONES * 0x20) & !eight;
    let deleted = eight ^ (ONES * 0x7f);
    (low | deleted.wrapping_sub(ONES) & !deleted) & HIGHEST != 0
}

/// One that no text needs: not the ends of lines and pages, tabs, and what colours begin with.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !(0x08..=0x0d).contains(&byte) && byte != 0x1b || byte == 0x7f
}

/// Windows-1252 from 0x80 to 0x9f, where it is not Latin-1.
const WINDOWS: &str = "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ";

/// Bytes as people read them: what is no UTF-8 is Windows-1252. Half a character where it is cut is neither.
pub(super) fn readable(bytes: &[u8], is_cut: bool) -> Cow<'_, str> {
    let is_inner = |byte: &&u8| is_cut && (0x80..0xc0).contains(*byte);
    let (half, rest) = bytes.split_at(bytes.iter().take(3).take_while(is_inner).count());
    if half.is_empty()
        && let Ok(text) = std::str::from_utf8(rest)
    {
        return Cow::Borrowed(text);
    }
    let mut text = char::REPLACEMENT_CHARACTER.to_string().repeat(half.len());
    let mut left = rest.len();
    for chunk in rest.utf8_chunks() {
        text.push_str(chunk.valid());
        left -= chunk.valid().len() + chunk.invalid().len();
        let is_half =
            left == 0 && is_cut && std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
        text.extend(
            chunk.invalid().iter().map(|byte| if is_half { char::REPLACEMENT_CHARACTER } else { windows(*byte) }),
        );
    }
    Cow::Owned(text)
}

fn windows(byte: u8) -> char {
    match byte {
        0x80..=0x9f => WINDOWS.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
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
    fn utf_16_without_a_mark_is_known_by_its_nuls() {
        let text = "2026-03-22 03:24:27 Größe 𝄞\n";
        for of in [u16::to_le_bytes, u16::to_be_bytes] {
            let log: Vec<u8> = text.encode_utf16().flat_map(of).collect();
            assert_eq!(decoded(&[&log]), text);
            assert_eq!(decoded(&log.chunks(1).collect::<Vec<_>>()), text);
        }
        let wide: Vec<u8> = text.chars().flat_map(|char| u32::from(char).to_le_bytes()).collect();
        assert!(decoded(&[&wide]).contains("2\0\0\0"));
        assert_eq!(decoded(&[b"\0a"]), "\0a");
    }

    #[test]
    fn a_return_alone_ends_a_line_however_it_is_cut() {
        for (text, expected) in
            [("a\rb\r\nc\r\r\nd\n\re\r", "a\nb\r\nc\r\r\nd\n\ne\n"), ("\r", "\n"), ("\r\n", "\r\n"), ("a", "a")]
        {
            for size in 1..=text.len() {
                let mut ends = Ends::default();
                let mut marked: Vec<u8> = Vec::new();
                text.as_bytes().chunks(size).for_each(|piece| marked.extend(ends.mark(piece).iter()));
                marked.extend(ends.finish());
                assert_eq!(String::from_utf8_lossy(&marked), expected, "{size}");
            }
        }
    }

    #[test]
    fn what_is_no_text_is_told() {
        let table: [(&[u8], bool); 8] = [
            (b"", true),
            (b"ERROR [AIF]: x\r\n\tat y\x1b[0m\x0c\n", true),
            (&[b"x".repeat(1000), b"\x07\0\x01\x02".to_vec()].concat(), true),
            (&b"\0".repeat(4), false),
            (&[0x1f, 0x8b, 8, 0, b'a'], false),
            (b"PK\x03\x04abc", false),
            (b"a\0\0\0b\0\0\0", false),
            ("Größe\n".as_bytes(), true),
        ];
        for (bytes, expected) in table {
            let mut kind = Kind::default();
            bytes.chunks(1).for_each(|piece| kind.see(piece));
            assert_eq!(kind.unreadable().is_none(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_byte_of_control_is_counted_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for (at, around) in (0..19).zip([b" ", b"\n", b"\xff"].iter().cycle()) {
                let mut text = around.repeat(19);
                text[at] = byte;
                assert_eq!(controls(&text), u64::from(is_control(byte)), "{byte} at {at}");
            }
        }
        assert_eq!(controls(&[0; 19]), 19);
    }

    #[test]
    fn what_is_no_utf_8_is_windows_1252() {
        assert_eq!(readable(b"Gr\xf6\xdfe \x80 \x9f caf\xe9", false), "Größe € Ÿ café");
        assert_eq!(readable("Größe".as_bytes(), false), "Größe");
        assert_eq!(readable(b"\x81\x8d\x8f\x90\x9d", false), "\u{fffd}".repeat(5));
        assert_eq!(readable(&"äöü".as_bytes()[1..5], true), "\u{fffd}ö\u{fffd}");
        assert_eq!(WINDOWS.chars().count(), 32);
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

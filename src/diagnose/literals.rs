//! Many words looked for at once, in less time than it takes to read them from disk.
//!
//! The first four bytes of a word hold three pairs of bytes, so of any three pairs of the text that follow each other one is
//! among them, and only every third pair is looked up. What it may belong to is looked up by those four bytes. What is read
//! is foreign text, which is ours to read, and every crate for this weighs more.

/// No word may be shorter, in bytes.
pub(crate) const SHORTEST: usize = 4;

/// How many pairs of bytes the first four bytes of a word hold.
const PAIRS: usize = SHORTEST - 1;

/// How many bits of a hash of four bytes are kept: so many that hardly any two words that begin otherwise share one.
const HASH_BITS: u32 = 12;

/// The words.
#[derive(Clone)]
pub(crate) struct Literals {
    /// Sorted by the hash of how they begin, and then by their places.
    words: Vec<Word>,
    /// By a pair of bytes: a bit for each distance at which it may stand behind the start of a word.
    pairs: Box<[u8]>,
    /// By the hash of four bytes: which of the words is the first that may begin so, counted from 1, or 0.
    firsts: Box<[u16]>,
}

/// A word.
#[derive(Clone)]
struct Word {
    text: Vec<u8>,
    /// Its place among the words that were given.
    place: usize,
    hash: usize,
    /// How it begins, in the bits that count of eight bytes: most texts are told from it by these.
    start: u64,
    mask: u64,
}

impl Word {
    fn new(place: usize, text: &str) -> Self {
        let text = text.as_bytes().to_vec();
        let ones = vec![0xff; text.len()];
        Self { place, hash: hash(&text), start: eight(&text), mask: eight(&ones), text }
    }
}

impl std::fmt::Debug for Literals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} words", self.words.len())
    }
}

impl Literals {
    /// Looks for these, none of them shorter than [`SHORTEST`].
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words: Vec<Word> = words.into_iter().enumerate().map(|(place, word)| Word::new(place, word)).collect();
        words.sort_unstable_by_key(|word| (word.hash, word.place));
        let mut pairs = vec![0; 1 << 16].into_boxed_slice();
        let mut firsts = vec![0; 1 << HASH_BITS].into_boxed_slice();
        for (word, at) in words.iter().zip(1..) {
            (0..PAIRS).for_each(|back| pairs[pair(word.text[back], word.text[back + 1])] |= 1 << back);
            if firsts[word.hash] == 0 {
                firsts[word.hash] = at;
            }
        }
        Self { words, pairs, firsts }
    }

    /// Where the next word begins, at `from` or behind it.
    pub(crate) fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        let mut at = from + PAIRS - 1;
        while at + 1 < text.len() {
            let backs = self.pairs[pair(text[at], text[at + 1])];
            if backs != 0
                && let Some(start) = self.before(text, at, backs)
            {
                return Some(start);
            }
            at += PAIRS;
        }
        None
    }

    /// Where the first word begins that the pair at `at` may belong to at one of these distances.
    fn before(&self, text: &[u8], at: usize, backs: u8) -> Option<usize> {
        // A plain loop, since this stands on the hot path and is compiled to be small.
        let mut start = at + 1 - PAIRS;
        while start <= at {
            let may_begin = backs & 1 << (at - start) != 0 && self.firsts[hash(&text[start..])] != 0;
            if may_begin && self.at(text, start).next().is_some() {
                return Some(start);
            }
            start += 1;
        }
        None
    }

    /// The places of the words that begin there.
    pub(crate) fn at<'a>(&'a self, text: &'a [u8], start: usize) -> impl Iterator<Item = usize> + 'a {
        let text = &text[start..];
        let hash = hash(text);
        let first = match self.firsts[hash] {
            0 => self.words.len(),
            first => usize::from(first) - 1,
        };
        let eight = if first < self.words.len() { eight(text) } else { 0 };
        let alike = self.words[first..].iter().take_while(move |word| word.hash == hash);
        alike.filter(move |word| eight & word.mask == word.start && text.starts_with(&word.text)).map(|word| word.place)
    }
}

fn pair(one: u8, two: u8) -> usize {
    usize::from(one) << 8 | usize::from(two)
}

/// A hash of the first four bytes.
fn hash(text: &[u8]) -> usize {
    let four = text.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    // The bits of a product that depend on all bytes are its highest; the factor is an odd one without a pattern.
    (four.wrapping_mul(0x9e37_79b1) >> (u32::BITS - HASH_BITS)) as usize
}

/// The first eight bytes, or so many as there are and zeros.
fn eight(text: &[u8]) -> u64 {
    text.first_chunk().map_or_else(
        || text.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)),
        |bytes| u64::from_le_bytes(*bytes),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(words: &[&str], text: &[u8]) -> Vec<(usize, usize)> {
        let literals = Literals::new(words.iter().copied());
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(start) = literals.next(text, from) {
            found.extend(literals.at(text, start).map(|word| (start, word)));
            from = start + 1;
        }
        found
    }

    #[test]
    fn words_that_overlap_or_begin_alike_are_all_found() {
        let words = ["abab", "ababc", "babc", "abcd"];
        assert_eq!(found(&words, b"xababcdx"), [(1, 0), (1, 1), (2, 2), (3, 3)]);
        assert_eq!(found(&words, b""), []);
        assert_eq!(found(&words, b"aba"), []);
        assert_eq!(found(&words, b"abab"), [(0, 0)]);
    }

    proptest! {
        #[test]
        fn nothing_is_passed_over(words in proptest::collection::vec("[ab]{4,7}", 1..6), text in "[abc]{0,60}") {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let mut naive = Vec::new();
            for start in 0..text.len() {
                let here = (0..words.len()).filter(|at| text[start..].starts_with(words[*at]));
                naive.extend(here.map(|at| (start, at)));
            }
            prop_assert_eq!(found(&words, text.as_bytes()), naive);
        }
    }
}

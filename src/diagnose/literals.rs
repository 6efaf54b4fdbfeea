//! Many words looked for at once, in less time than it takes to read them from disk.
//!
//! The way of Wu and Manber: two bytes at a time say how far the next of the words can begin at the soonest, so most bytes
//! are never looked at. What is read is foreign text, which is ours to read, and every crate for this weighs more.

/// No word may be shorter, in bytes.
pub(crate) const SHORTEST: usize = 4;

/// Farther than this nothing can be passed over: the last two of the first four bytes are looked at.
const FARTHEST: u8 = 3;

/// The words.
#[derive(Clone)]
pub(crate) struct Literals {
    words: Vec<Vec<u8>>,
    /// By the two bytes in which the first four of a word may end: how far the end of one is at the least.
    shifts: Vec<u8>,
    /// The first four bytes of each word with its place, sorted.
    starts: Vec<(u32, usize)>,
}

impl std::fmt::Debug for Literals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} words", self.words.len())
    }
}

impl Literals {
    /// Looks for these, none of them shorter than [`SHORTEST`].
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<Vec<u8>> = words.into_iter().map(|word| word.as_bytes().to_vec()).collect();
        let mut shifts = vec![FARTHEST; 1 << 16];
        for word in &words {
            for end in 2..=SHORTEST {
                let shift = &mut shifts[pair(word[end - 2], word[end - 1])];
                *shift = (*shift).min((SHORTEST - end).try_into().unwrap_or(0));
            }
        }
        let mut starts: Vec<(u32, usize)> = words.iter().enumerate().map(|(at, word)| (four(word), at)).collect();
        starts.sort_unstable();
        Self { words, shifts, starts }
    }

    /// Where the next word begins, at `from` or behind it.
    pub(crate) fn next(&self, text: &[u8], from: usize) -> Option<usize> {
        let mut end = from + SHORTEST - 1;
        while end < text.len() {
            let shift = self.shifts[pair(text[end - 1], text[end])];
            if shift == 0 {
                let start = end + 1 - SHORTEST;
                if self.at(text, start).next().is_some() {
                    return Some(start);
                }
                end += 1;
            } else {
                end += usize::from(shift);
            }
        }
        None
    }

    /// The places of the words that begin there.
    pub(crate) fn at<'a>(&'a self, text: &'a [u8], start: usize) -> impl Iterator<Item = usize> + 'a {
        let four = text[start..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let first = four.map_or(self.starts.len(), |four| self.starts.partition_point(|(start, _)| *start < four));
        let alike = self.starts[first..].iter().take_while(move |(start, _)| Some(*start) == four);
        alike.map(|(_, word)| *word).filter(move |word| text[start..].starts_with(&self.words[*word]))
    }
}

fn pair(one: u8, two: u8) -> usize {
    usize::from(one) << 8 | usize::from(two)
}

fn four(word: &[u8]) -> u32 {
    word.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
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
                let mut here: Vec<usize> = (0..words.len()).filter(|at| text[start..].starts_with(words[*at])).collect();
                here.sort_by_key(|at| (four(words[*at].as_bytes()), *at));
                naive.extend(here.into_iter().map(|at| (start, at)));
            }
            prop_assert_eq!(found(&words, text.as_bytes()), naive);
        }
    }
}

//! Which part of a file does a request ask for? // RFC 9110 §14.2, §13.1.5

/// What a request says of that.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish<'a> {
    /// `Range`
    pub(crate) range: Option<&'a str>,
    /// `If-Range`
    pub(crate) if_range: Option<&'a str>,
}

/// What it gets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Share {
    Whole,
    /// Everything from this byte on.
    Rest(u64),
    /// There is nothing so far behind.
    Nothing,
}

impl Wish<'_> {
    /// The share of a file of this length, in the state that the tag names. Of all ranges only that of a rest is known.
    pub(crate) fn share(self, length: u64, tag: &str) -> Share {
        let is_other = self.if_range.is_some_and(|wanted| wanted != tag);
        let first = self.range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        match first {
            Some(first) if !is_other => {
                if first < length {
                    Share::Rest(first)
                } else {
                    Share::Nothing
                }
            }
            _ => Share::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Share, Wish};

    #[test]
    fn the_rest_is_given_of_what_is_the_same_file() {
        for (range, if_range, share) in [
            (None, None, Share::Whole),
            (Some("bytes=4-"), None, Share::Rest(4)),
            (Some("bytes=9-"), None, Share::Rest(9)),
            (Some("bytes=10-"), None, Share::Nothing),
            (Some("bytes=4-"), Some("\"a\""), Share::Rest(4)),
            (Some("bytes=4-"), Some("\"b\""), Share::Whole),
            (Some("bytes=4-5"), None, Share::Whole),
            (Some("lines=4-"), None, Share::Whole),
        ] {
            assert_eq!(Wish { range, if_range }.share(10, "\"a\""), share, "{range:?} {if_range:?}");
        }
    }
}

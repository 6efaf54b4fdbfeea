//! Which of a list of replies is next?

use std::time::{Duration, Instant};

use crate::scenario::Reply;

/// How long a reply is repeated before the next one has its turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stay {
    /// So many requests.
    Times(u32),
    /// So long since it was first reached.
    Lasts(Duration),
}

/// A place in a list of replies. The last one repeats for ever.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    index: usize,
    served: u32,
    since: Option<Instant>,
}

impl Cursor {
    /// The reply for a request that comes now; none where the list is empty.
    pub(crate) fn next<'a>(&mut self, replies: &'a [Reply], now: Instant) -> Option<&'a Reply> {
        let last = replies.len().checked_sub(1)?;
        if self.index < last && self.is_over(replies[self.index].stay, now) {
            *self = Self { index: self.index + 1, ..Self::default() };
        }
        self.since.get_or_insert(now);
        self.served = self.served.saturating_add(1);
        replies.get(self.index)
    }

    /// The reply that the last request got, without taking a turn.
    pub(crate) fn current<'a>(&self, replies: &'a [Reply]) -> Option<&'a Reply> {
        replies.get(self.index)
    }

    fn is_over(&self, stay: Stay, now: Instant) -> bool {
        match stay {
            Stay::Times(times) => self.served >= times,
            Stay::Lasts(long) => self.since.is_some_and(|since| now.saturating_duration_since(since) >= long),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Cursor;
    use crate::scenario::Reply;

    fn replies(toml: &str) -> Vec<Reply> {
        #[derive(serde::Deserialize)]
        struct List {
            replies: Vec<Reply>,
        }
        toml::from_str::<List>(toml).unwrap().replies
    }

    fn served(list: &[Reply], seconds: &[u64]) -> Vec<u16> {
        let start = Instant::now();
        let mut cursor = Cursor::default();
        let mut at = |second: &u64| cursor.next(list, start + Duration::from_secs(*second));
        seconds.iter().map(|s| at(s).unwrap().http).collect()
    }

    #[test]
    fn each_reply_has_its_times_and_the_last_repeats() {
        let list = replies("replies = [{http = 503, times = 2}, {http = 429}, {}]");
        assert_eq!(served(&list, &[0; 6]), [503, 503, 429, 200, 200, 200]);
    }

    #[test]
    fn a_reply_lasts_from_when_it_was_first_reached() {
        let list = replies("replies = [{http = 503}, {http = 429, lasts = '2s'}, {}]");
        assert_eq!(served(&list, &[0, 60, 61, 62, 99]), [503, 429, 429, 200, 200]);
    }

    #[test]
    fn an_empty_list_has_no_reply() {
        assert!(Cursor::default().next(&[], Instant::now()).is_none());
    }
}

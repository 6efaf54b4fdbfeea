//! What became of the requests to EPM, counted.

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// 2xx; what it says is another matter.
    Answered,
    /// 401, 403, 407 or a redirect.
    Denied,
    /// 429
    Busy,
    /// Any other 4xx.
    Refused,
    /// 5xx, and what is no code of HTTP.
    Failed,
    /// No answer: no name, no connection, no time.
    Lost,
}

impl Fate {
    /// All of them, in the order of the counts.
    const ALL: [Self; 6] = [Self::Answered, Self::Denied, Self::Busy, Self::Refused, Self::Failed, Self::Lost];

    /// By the code of the answer; none where there is none.
    pub fn of(code: Option<u16>) -> Self {
        match code {
            None => Self::Lost,
            Some(200..300) => Self::Answered,
            Some(401 | 403 | 407 | 300..400) => Self::Denied,
            Some(429) => Self::Busy,
            Some(400..500) => Self::Refused,
            Some(_) => Self::Failed,
        }
    }

    /// Its word. The words are a promise.
    fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Denied => "denied",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

/// How many requests each fate had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests([u64; Fate::ALL.len()]);

impl Requests {
    /// Counts one.
    pub fn count(&mut self, fate: Fate) {
        self.0[fate as usize] += 1;
    }

    /// Every fate's word, and how many had it.
    pub fn counts(self) -> impl Iterator<Item = (&'static str, u64)> {
        Fate::ALL.map(Fate::word).into_iter().zip(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_its_fate_and_each_fate_its_count() {
        let table = [
            (Some(200), "answered"),
            (Some(204), "answered"),
            (Some(302), "denied"),
            (Some(401), "denied"),
            (Some(407), "denied"),
            (Some(429), "busy"),
            (Some(404), "refused"),
            (Some(503), "failed"),
            (Some(100), "failed"),
            (None, "lost"),
        ];
        for (code, word) in table {
            let mut requests = Requests::default();
            requests.count(Fate::of(code));
            let counted: Vec<_> = requests.counts().filter(|(_, count)| *count > 0).collect();
            assert_eq!(counted, [(word, 1)], "{code:?}");
        }
    }
}

//! The parts of the work on a job, each from when to when. They are few: a wait is one, however long it is.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::JobReport;

/// A part of the work on a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Looking whether EPM is there and lets us in.
    Look,
    /// Bringing files to the inbox.
    Upload,
    /// The submit, with every try.
    Submit,
    /// Asking until an end is known.
    Wait,
    /// Reading or saving a file of the job.
    Collect,
    /// Finding out why it did not pass.
    Diagnose,
}

impl Phase {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Upload => "upload",
            Self::Submit => "submit",
            Self::Wait => "wait",
            Self::Collect => "collect",
            Self::Diagnose => "diagnose",
        }
    }
}

/// How long such a part took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Which part.
    pub phase: Phase,
    /// When it began, on the wall clock, in UTC.
    pub at: Timestamp,
    /// When it began, since we began with the job.
    pub after: Duration,
    /// How long it took; none while it goes on, and where the run was cut short within it.
    pub length: Option<Duration>,
}

impl JobReport {
    /// A part of the work begins.
    pub fn begin(&mut self, now: Instant, phase: Phase) {
        let after = now.saturating_duration_since(*self.begun.get_or_insert(now));
        self.stretches.push(Stretch { phase, at: Timestamp::now(), after, length: None });
    }

    /// The newest part of that kind is over.
    pub fn finish(&mut self, now: Instant, phase: Phase) {
        let begun = self.begun.unwrap_or(now);
        let open = self.stretches.iter_mut().rfind(|stretch| stretch.phase == phase && stretch.length.is_none());
        if let Some(stretch) = open {
            stretch.length = Some(now.saturating_duration_since(begun).saturating_sub(stretch.after));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_measured_from_its_own_beginning() {
        let (mut job, now) = (JobReport::new(None, None), Instant::now());
        let later = |seconds| now + Duration::from_secs(seconds);
        job.begin(now, Phase::Look);
        job.finish(later(2), Phase::Look);
        job.begin(later(3), Phase::Collect);
        job.finish(later(4), Phase::Collect);
        job.begin(later(5), Phase::Collect);
        // What has not begun does not end.
        job.finish(later(6), Phase::Wait);
        let told: Vec<_> = job.stretches.iter().map(|part| (part.phase, part.after, part.length)).collect();
        let second = Duration::from_secs(1);
        assert_eq!(
            told,
            [
                (Phase::Look, Duration::ZERO, Some(second * 2)),
                (Phase::Collect, second * 3, Some(second)),
                (Phase::Collect, second * 5, None)
            ]
        );
    }
}

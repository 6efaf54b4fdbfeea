//! The one table of how a gate can end, and of what each end exits with (spec §4).

use crate::job::State;

/// A request to stop that came from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: the terminal or the runner went away.
    Hangup,
    /// SIGINT: cancelled by a person or by a runner.
    Interrupt,
    /// SIGTERM
    Terminate,
}

impl Signal {
    /// The name that the platform gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// How a gate ended. The tens digit of the exit code says what to do: 1x the job did not pass; 2x a job may be running,
/// so never submit again; 3x nothing was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Status 0.
    Succeeded,
    /// Status 0, and a text of EPM says WARNING.
    Warned,
    /// `submit` has its job id.
    Submitted,
    /// A flag, a file or a combination of them is wrong; nothing was sent.
    Usage,
    /// Status 1.
    Failed,
    /// Status 3.
    Cancelled,
    /// Status 4.
    InvalidParameter,
    /// Status 0, but a condition that the user set does not hold.
    ConditionUnmet,
    /// The deadline came while a known job was in progress.
    TimedOut,
    /// The outage budget was spent while waiting.
    ContactLost,
    /// Credentials that had worked were refused while waiting.
    AccessLost,
    /// Answers that decide nothing, for longer than the grace.
    Undetermined,
    /// The POST was sent and the id of its job is not known.
    SubmitUncertain,
    /// `status` found the job not finished.
    InProgress,
    /// Refused before anything was submitted.
    AccessDenied,
    /// EPM could not be reached, or the deadline came, before anything was submitted.
    Unreachable,
    /// EPM refused the submit, or knows no job of that id.
    Rejected,
    /// The job passed, but an output that was asked for could not be written.
    Unwritable,
    /// Told to stop from outside.
    Interrupted(Signal),
    /// A bug of ours.
    Panic,
}

impl Outcome {
    /// The outcome of a job that is finished; none while it is not.
    pub fn of_finished(state: State, warning: bool) -> Option<Self> {
        match state {
            State::Succeeded if warning => Some(Self::Warned),
            State::Succeeded => Some(Self::Succeeded),
            State::Failed => Some(Self::Failed),
            State::Cancelled => Some(Self::Cancelled),
            State::InvalidParameter => Some(Self::InvalidParameter),
            State::InProgress | State::CancelPending | State::Unknown(_) => None,
        }
    }

    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Succeeded | Self::Warned | Self::Submitted => 0,
            Self::Usage => 2,
            Self::Failed => 10,
            Self::Cancelled => 11,
            Self::InvalidParameter => 12,
            Self::ConditionUnmet => 13,
            Self::TimedOut => 20,
            Self::ContactLost => 21,
            Self::AccessLost => 22,
            Self::Undetermined => 23,
            Self::SubmitUncertain => 24,
            Self::InProgress => 25,
            Self::AccessDenied => 30,
            Self::Unreachable => 31,
            Self::Rejected => 32,
            Self::Unwritable => 40,
            Self::Panic => 101,
            Self::Interrupted(Signal::Hangup) => 129,
            Self::Interrupted(Signal::Interrupt) => 130,
            Self::Interrupted(Signal::Terminate) => 143,
        }
    }

    /// The word in the step output `outcome`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Warned => "warned",
            Self::Submitted => "submitted",
            Self::Usage => "usage",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::InvalidParameter => "invalid-parameter",
            Self::ConditionUnmet => "condition-unmet",
            Self::TimedOut => "timed-out",
            Self::ContactLost => "contact-lost",
            Self::AccessLost => "access-lost",
            Self::Undetermined => "undetermined",
            Self::SubmitUncertain => "submit-uncertain",
            Self::InProgress => "in-progress",
            Self::AccessDenied => "access-denied",
            Self::Unreachable => "unreachable",
            Self::Rejected => "rejected",
            Self::Unwritable => "unwritable",
            Self::Interrupted(_) => "interrupted",
            Self::Panic => "panic",
        }
    }

    /// Whether the stage passes.
    pub fn is_pass(self) -> bool {
        self.code() == 0
    }

    /// Whether EPM finished the job: nothing that happens afterwards changes such an outcome.
    pub fn is_verdict(self) -> bool {
        matches!(
            self,
            Self::Succeeded
                | Self::Warned
                | Self::Failed
                | Self::Cancelled
                | Self::InvalidParameter
                | Self::ConditionUnmet
        )
    }

    /// How grave it is among several jobs: being told to stop is the end of all of them; then a job that may be running
    /// comes before one never submitted, that before one that finished and did not pass, and that before one that passed
    /// and whose files are missing.
    fn gravity(self) -> u8 {
        match self.code() {
            0 => 0,
            40 => 1,
            10..20 => 2,
            30..40 => 3,
            20..30 => 4,
            _ => 5,
        }
    }

    /// Which of several outcomes decides: the first of the gravest class. None of none.
    pub fn deciding(outcomes: impl IntoIterator<Item = Self>) -> Option<usize> {
        let mut gravest: Option<(usize, u8)> = None;
        for (index, outcome) in outcomes.into_iter().enumerate() {
            if gravest.is_none_or(|(_, gravity)| outcome.gravity() > gravity) {
                gravest = Some((index, outcome.gravity()));
            }
        }
        gravest.map(|(index, _)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of spec §4, written out a second time: what CI platforms branch on must not drift.
    const TABLE: [(Outcome, u8, &str); 22] = [
        (Outcome::Succeeded, 0, "succeeded"),
        (Outcome::Warned, 0, "warned"),
        (Outcome::Submitted, 0, "submitted"),
        (Outcome::Usage, 2, "usage"),
        (Outcome::Failed, 10, "failed"),
        (Outcome::Cancelled, 11, "cancelled"),
        (Outcome::InvalidParameter, 12, "invalid-parameter"),
        (Outcome::ConditionUnmet, 13, "condition-unmet"),
        (Outcome::TimedOut, 20, "timed-out"),
        (Outcome::ContactLost, 21, "contact-lost"),
        (Outcome::AccessLost, 22, "access-lost"),
        (Outcome::Undetermined, 23, "undetermined"),
        (Outcome::SubmitUncertain, 24, "submit-uncertain"),
        (Outcome::InProgress, 25, "in-progress"),
        (Outcome::AccessDenied, 30, "access-denied"),
        (Outcome::Unreachable, 31, "unreachable"),
        (Outcome::Rejected, 32, "rejected"),
        (Outcome::Unwritable, 40, "unwritable"),
        (Outcome::Panic, 101, "panic"),
        (Outcome::Interrupted(Signal::Hangup), 129, "interrupted"),
        (Outcome::Interrupted(Signal::Interrupt), 130, "interrupted"),
        (Outcome::Interrupted(Signal::Terminate), 143, "interrupted"),
    ];

    #[test]
    fn codes_and_words_are_those_of_the_contract() {
        for (outcome, code, word) in TABLE {
            assert_eq!((outcome.code(), outcome.word()), (code, word));
            assert_eq!(outcome.is_pass(), code == 0);
            assert_eq!(outcome.is_verdict(), matches!(word, "succeeded" | "warned") || (10..20).contains(&code));
        }
    }

    #[test]
    fn signals_have_the_names_of_the_platform() {
        let names = [Signal::Hangup, Signal::Interrupt, Signal::Terminate].map(Signal::name);
        assert_eq!(names, ["SIGHUP", "SIGINT", "SIGTERM"]);
    }

    #[test]
    fn only_status_zero_passes() {
        for number in -5..100 {
            let outcome = Outcome::of_finished(State::of(number), false);
            assert_eq!(outcome.is_some_and(Outcome::is_pass), number == 0, "{number}");
            assert_eq!(outcome.is_some(), State::of(number).is_finished(), "{number}");
        }
        assert_eq!(Outcome::of_finished(State::Succeeded, false), Some(Outcome::Succeeded));
        assert_eq!(Outcome::of_finished(State::Succeeded, true), Some(Outcome::Warned));
        assert_eq!(Outcome::of_finished(State::Failed, true), Some(Outcome::Failed));
    }

    #[test]
    fn a_job_that_may_run_decides_before_one_refused_before_one_failed() {
        use Outcome::{Failed, Rejected, Succeeded, TimedOut, Undetermined};
        assert_eq!(Outcome::deciding([]), None);
        assert_eq!(Outcome::deciding([Succeeded, Succeeded]), Some(0));
        assert_eq!(Outcome::deciding([Succeeded, Failed, Rejected, TimedOut, Undetermined]), Some(3));
        assert_eq!(Outcome::deciding([Failed, Rejected]), Some(1));
        assert_eq!(Outcome::deciding([Succeeded, Outcome::Unwritable, Failed, Outcome::Unwritable]), Some(2));
        assert_eq!(Outcome::deciding([Succeeded, Outcome::Unwritable, Succeeded]), Some(1));
        assert_eq!(Outcome::deciding([Undetermined, Outcome::Interrupted(Signal::Terminate)]), Some(1));
        assert_eq!(Outcome::deciding([Succeeded, Outcome::Cancelled, Failed]), Some(1));
    }
}

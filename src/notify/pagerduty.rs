//! The end of a run as an event of PagerDuty's Events API v2: trouble opens an incident, and the pass after it closes that
//! (developer.pagerduty.com/docs/events-api-v2/trigger-events/).

use serde_json::{Map, Value, json};

use crate::digest::Digest;
use crate::epm::url::EpmUrl;
use crate::foreign::cut;
use crate::outcome::Outcome;
use crate::payload::Payload;
use crate::report::{Report, json};

use super::Key;
use super::message::Message;

/// The most characters of a summary and of a key; they are counted in bytes here, of which a character has one at least.
const SUMMARY: usize = 1024;
const DEDUP_KEY: usize = 255;

/// The event; none for a job that was submitted only, which neither passed nor failed, and none where nothing tells which
/// job it is: no later pass would resolve that.
pub(super) fn render(report: &Report, message: &Message, key: &Key, routing_key: &str) -> Option<Value> {
    let dedup_key = dedup_key(report, key)?;
    if message.outcome == Outcome::Submitted {
        return None;
    }
    if message.outcome.is_pass() {
        return Some(json!({ "routing_key": routing_key, "event_action": "resolve", "dedup_key": dedup_key }));
    }
    let mut details: Map<String, Value> =
        message.facts.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    let more =
        [("next step", Some(&message.next)), ("line", message.evidence.as_ref()), ("attach", message.attach.as_ref())];
    details.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.as_str().into()))));
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "payload": {
            "summary": cut(&message.headline, SUMMARY),
            "source": report.url.as_ref().map(EpmUrl::host).or_else(|| key.host.clone()).unwrap_or_else(|| "epm-gate".to_owned()),
            "severity": severity(message.outcome),
            "class": message.outcome.word(),
            "custom_details": details,
        },
        "client": "epm-gate",
    });
    if let Some(ended) = report.ended {
        event["payload"]["timestamp"] = json::time(ended).into();
    }
    if let Some(run) = &message.run {
        event["client_url"] = run.as_str().into();
        event["links"] = json!([{ "href": run, "text": "The run" }]);
    }
    Some(event)
}

/// How grave it is: a load that may be running, or may come twice, is what somebody gets up for.
fn severity(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::TimedOut
        | Outcome::ContactLost
        | Outcome::AccessLost
        | Outcome::Undetermined
        | Outcome::SubmitUncertain
        | Outcome::Panic => "critical",
        Outcome::Cancelled | Outcome::Unwritable | Outcome::Interrupted(_) | Outcome::InProgress => "warning",
        Outcome::Succeeded | Outcome::Warned | Outcome::Submitted => "info",
        Outcome::Usage
        | Outcome::Failed
        | Outcome::InvalidParameter
        | Outcome::ConditionUnmet
        | Outcome::AccessDenied
        | Outcome::Unreachable
        | Outcome::Rejected => "error",
    }
}

/// The same for each run of the same jobs at the same place, and for no others; none where that is not known.
pub(super) fn dedup_key(report: &Report, key: &Key) -> Option<String> {
    let whole = key.given.clone().or_else(|| usual_key(report, key))?;
    if whole.len() <= DEDUP_KEY {
        return Some(whole);
    }
    let mut digest = Digest::default();
    digest.push(whole.as_bytes());
    Some(format!("epm-gate:{}", digest.finish().sha256))
}

/// Host, type and name, of what was sent or else of the command line.
fn usual_key(report: &Report, key: &Key) -> Option<String> {
    let host = report.url.as_ref().map(EpmUrl::host).or_else(|| key.host.clone())?;
    let sent = report.payload.as_ref().and_then(job);
    Some(format!("epm-gate:{host}:{}", sent.or_else(|| key.job.clone())?))
}

/// What a job is called in a key; nothing where it has no name.
pub fn job(payload: &Payload) -> Option<String> {
    Some(format!("{}:{}", payload.job_type(), payload.job_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Signal;
    use crate::report::{End, samples};

    fn sample(wanted: &str) -> Report {
        samples::all().into_iter().find(|(name, _)| *name == wanted).unwrap().1
    }

    fn event(report: &Report, key: &Key) -> Option<Value> {
        render(report, &Message::of(report), key, "R")
    }

    #[test]
    fn a_pass_resolves_what_a_failure_of_the_same_job_has_opened() {
        let key = Key::default();
        let (failed, passed) = (sample("rejected-rows"), sample("passed"));
        let (opened, closed) = (event(&failed, &key).unwrap(), event(&passed, &key).unwrap());
        assert_eq!((&opened["event_action"], &closed["event_action"]), (&"trigger".into(), &"resolve".into()));
        assert_eq!(opened["dedup_key"], "epm-gate:epm.example.com:INTEGRATION:GL_DATA_LOAD");
        assert_eq!(opened["dedup_key"], closed["dedup_key"]);
        assert_eq!(event(&sample("reused"), &key).unwrap()["event_action"], "resolve");
    }

    #[test]
    fn a_job_that_was_only_submitted_opens_and_resolves_nothing() {
        let mut report = sample("passed");
        report.jobs[0].end = Some(End::new(Outcome::Submitted, "EPM took it".to_owned(), None));
        assert_eq!(event(&report, &Key::default()), None);
    }

    #[test]
    fn a_key_is_that_of_the_user_or_of_the_job_and_never_too_long() {
        let of_line = Key { given: None, host: Some("epm.example.com".to_owned()), job: Some(":7,9".to_owned()) };
        let nothing = Report::default();
        let key = |key: &Key| dedup_key(&nothing, key);
        // A run that came to nothing has the key of its command line.
        assert_eq!(key(&of_line).unwrap(), "epm-gate:epm.example.com::7,9");
        let given = Key { given: Some("close".to_owned()), ..of_line.clone() };
        assert_eq!(key(&given).unwrap(), "close");
        let long = |last: &str| key(&Key { given: Some("x".repeat(255) + last), ..Key::default() }).unwrap();
        assert_eq!((long("").len(), long("a").len()), (255, 73));
        assert_ne!(long("a"), long("b"));
        // What was sent is known better.
        let sent = Report { payload: sample("passed").payload, ..Report::default() };
        assert_eq!(dedup_key(&sent, &of_line).unwrap(), "epm-gate:epm.example.com:INTEGRATION:GL_DATA_LOAD");
    }

    #[test]
    fn where_nothing_tells_which_job_it_is_there_is_no_event() {
        let (host, job) = (Some("epm.example.com".to_owned()), Some("BATCH:B".to_owned()));
        for key in [Key::default(), Key { host, ..Key::default() }, Key { job, ..Key::default() }] {
            let end = Some(End::new(Outcome::Usage, "it is wrong".to_owned(), None));
            let report = Report { end, ..Report::default() };
            assert_eq!(event(&report, &key), None, "{key:?}");
        }
    }

    #[test]
    fn what_may_be_running_is_critical() {
        for (outcome, expected) in [
            (Outcome::SubmitUncertain, "critical"),
            (Outcome::TimedOut, "critical"),
            (Outcome::Failed, "error"),
            (Outcome::Unreachable, "error"),
            (Outcome::Cancelled, "warning"),
            (Outcome::Interrupted(Signal::Terminate), "warning"),
        ] {
            assert_eq!(severity(outcome), expected, "{outcome:?}");
        }
    }
}

//! What an answer means for a step. No socket and no clock here.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::epm::error::{Fault, ReadError, Refusal};
use crate::epm::reply::Reply;
use crate::epm::survey::Service;
use crate::foreign::{Mask, quote};
use crate::http::certificate::Certificate;
use crate::outcome::Outcome;
use crate::pace::brief;

use super::finding::Finding;

/// How long before its end a certificate is worth a warning.
const ENDS_SOON: Duration = Duration::from_hours(14 * 24);

/// How far clocks may differ without a word.
const SKEW: Duration = Duration::from_secs(30);

/// How far they may differ where an assertion is to be taken, which holds for 5 minutes.
const SKEW_OF_ASSERTION: Duration = Duration::from_mins(4);

/// When a request was sent, and when its answer was there.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    pub(super) begun: SystemTime,
    pub(super) ended: SystemTime,
}

/// Which TLS was agreed on, and whose certificate was shown.
pub(super) fn tls(reply: &Reply, is_plain: bool, now: Timestamp) -> Finding {
    if is_plain {
        return Finding::skipped("plain `http://`, which does not leave this machine");
    }
    let Some(peer) = reply.peer() else { return Finding::skipped("no certificate was seen") };
    match peer.certificate() {
        Some(certificate) => self::certificate(&certificate, now).about(peer.version),
        None => {
            Finding::ok("the certificate verifies; what stands in it could not be read".to_owned()).about(peer.version)
        }
    }
}

/// Whose certificate it is, and when it ends.
fn certificate(certificate: &Certificate, now: Timestamp) -> Finding {
    let left: Duration = certificate.ends.duration_since(now).try_into().unwrap_or_default();
    let what = format!(
        "the certificate of {}, issued by {}, ends at {}, in {}",
        quote(certificate.subject.as_str()),
        quote(certificate.issuer.as_str()),
        utc(certificate.ends),
        days(left)
    );
    if left > ENDS_SOON {
        return Finding::ok(what);
    }
    Finding::warning(what, "have it renewed by whoever runs the host, or the proxy that inspects TLS on the way to it")
}

fn days(left: Duration) -> String {
    let days = left.as_secs() / (24 * 60 * 60);
    match days {
        0 => brief(left),
        1 => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

/// Whether the look lets us in. What holds no submit back is no failure here either.
pub(super) fn look(looked: &Result<Reply, ReadError>, path: &str, mask: &Mask) -> Finding {
    let reply = match looked {
        Ok(reply) => reply,
        Err(error) => return Finding::of(error),
    };
    if let Err(error) = reply.look(mask) {
        return Finding::of(&error);
    }
    match reply.check(mask) {
        Ok(()) => Finding::ok(format!("let in at {}", quote(path))),
        Err(error) => {
            let what = format!("{} does not tell whether we are let in: {error}", quote(path));
            Finding::warning(
                what,
                "check `--url`: its host, and the prefix where a gateway stands in front; if both are right, set `--look` \
                 to a path that answers this user with a 2xx, or to `off`",
            )
        }
    }
}

/// Whether we may ask about jobs. What is answered for an id that no job has is not documented (epm-api.md §3.5), so that
/// a pod which denies it and lists jobs all the same is believed. Any server denies an id, so that one answer must be in
/// the shape of Data Integration; `has_shape`: whether that of the look was.
pub(super) fn role(
    no_job: &Result<Reply, ReadError>,
    jobs: &Result<Reply, ReadError>,
    has_shape: bool,
    mask: &Mask,
) -> Finding {
    let is_known = has_shape || [no_job, jobs].into_iter().flatten().any(Reply::is_of_data_integration);
    let checked = |reply: &Result<Reply, ReadError>| match reply {
        Ok(reply) => reply.check(mask),
        Err(error) => Err(error.clone()),
    };
    match (checked(no_job), checked(jobs)) {
        (Ok(()) | Err(ReadError::Missing { .. }), _) | (_, Ok(())) if !is_known => stranger(no_job),
        (Ok(()) | Err(ReadError::Missing { .. }), _) => Finding::ok("may ask about jobs".to_owned()),
        (Err(error), Ok(())) => {
            let what = format!("may list jobs; asked about one that cannot exist, it went otherwise: {error}");
            Finding::warning(what, error.help())
        }
        (Err(error @ ReadError::Refused(Refusal::Forbidden { .. })), Err(_)) => {
            let what = format!("may not ask about jobs: {error}");
            Finding::failed(Outcome::AccessDenied, what, error.help())
        }
        (Err(error), Err(_)) => Finding::of(&error),
    }
}

/// Somebody answers, and it is not EPM. Nobody has refused us: EPM was not reached (spec §4).
fn stranger(no_job: &Result<Reply, ReadError>) -> Finding {
    let http = no_job.as_ref().map(|reply| format!(" (HTTP {})", reply.status())).unwrap_or_default();
    Finding::failed(
        Outcome::Unreachable,
        format!("this does not answer as EPM's Data Integration does{http}"),
        "check `--url`: its host, and the prefix where a gateway stands in front",
    )
}

/// What the service says of its release and its daily maintenance. `timeout`: how long a run may take.
pub(super) fn maintenance(service: &Result<Service, ReadError>, timeout: Option<Duration>) -> Finding {
    /// Whoever may ask (`lcm_get_build_version_and_maintenance_time_v2.html`).
    const ROLE: &str = "nothing, unless the hour is wanted: the user needs the Service Administrator role, or \
                        `Migrations - Administer` beside another one";
    let service = match service {
        Ok(service) => service,
        Err(error @ ReadError::Refused(_)) => {
            return Finding::skipped(&format!("the hour is not told to this user: {error}")).with_remedy(ROLE);
        }
        Err(error) => return Finding::skipped(&format!("the hour is not told: {error}")),
    };
    let release = service.release.as_ref().map(|release| format!("release {}; ", quote(release.as_str())));
    let release = release.unwrap_or_default();
    let Some(hour) = service.hour else {
        return Finding::skipped(&format!("{release}the hour is not told: {}", service.silence()));
    };
    let window = hour.window(service.now);
    let Some(away) = window.away else {
        let what = format!(
            "{release}the daily maintenance ({hour}) began at {} and may last until {}",
            utc(window.begins),
            utc(window.ends())
        );
        return Finding::warning(what, "begin a run after it");
    };
    let what =
        format!("{release}the daily maintenance ({hour}) begins next at {}, in {}", utc(window.begins), brief(away));
    if !window.is_reached_within(timeout) {
        return Finding::ok(what);
    }
    let timeout = timeout.map_or_else(|| "none".to_owned(), brief);
    let remedy = "begin a run after it, or set a shorter `--timeout`; with `--refuse-before-maintenance` a run submits \
                  nothing shortly before it";
    Finding::warning(format!("{what}: within the `--timeout` of {timeout}"), remedy)
}

/// How far the clocks differ. `asserts`: whether the identity service was to take an assertion by its clock, and has not.
/// It is EPM's clock that is measured, and the two may differ: an assertion that was taken proves more.
pub(super) fn clock(date: Option<SystemTime>, sent: Sent, asserts: bool) -> Finding {
    const REMEDY: &str = "set this machine's clock, or let it be set (NTP)";
    let Some(date) = date else { return Finding::skipped("the answer has no `Date`") };
    // It was made at some moment in between, and has lost its fraction of a second.
    let between = sent.ended.duration_since(sent.begun).unwrap_or_default() / 2;
    let (ours, theirs) = (sent.begun + between, date + Duration::from_millis(500));
    let (way, off) = match theirs.duration_since(ours) {
        Ok(off) => ("behind", off),
        Err(error) => ("ahead of", error.duration()),
    };
    if off <= Duration::from_secs(2) + between {
        return Finding::ok("this machine and EPM agree about the time".to_owned());
    }
    let what = format!("this machine is {} {way} EPM", brief(off));
    if asserts && off > SKEW_OF_ASSERTION {
        let what =
            format!("{what}: an identity service with EPM's time refuses assertions from the past or the future");
        return Finding::failed(Outcome::AccessDenied, what, REMEDY);
    }
    if off > SKEW { Finding::warning(what, REMEDY) } else { Finding::ok(what) }
}

/// What was answered to an open question; whatever it was, it is no failure.
pub(super) fn open(answered: &Result<Reply, ReadError>, told: impl FnOnce(&Reply) -> String) -> Finding {
    match answered {
        Ok(reply) => Finding::ok(told(reply)),
        Err(ReadError::Fault(Fault::Http(fault))) => Finding::skipped(&fault.to_string()),
        Err(error) => Finding::ok(error.to_string()),
    }
}

/// A moment to the minute, as people read it.
fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::Foreign;
    use crate::maintenance::Hour;
    use crate::report::steps::State;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn told(finding: &Finding) -> (State, Option<Outcome>, &str) {
        (finding.state, finding.outcome, &finding.what)
    }

    #[test]
    fn a_certificate_is_told_and_one_that_ends_soon_is_a_warning() {
        let begins = at("2026-01-01T00:00:00Z");
        let of = |ends: &str| {
            let name = |name| Foreign::new(name);
            let (issuer, subject) = (name("Example CA"), name("epm.example.com"));
            let certificate = Certificate { issuer, subject, begins, ends: at(ends), is_self_signed: false };
            super::certificate(&certificate, at("2026-11-24T00:00:00Z"))
        };
        let ok = of("2027-01-01T00:00:00Z");
        let what =
            "the certificate of `epm.example.com`, issued by `Example CA`, ends at 2027-01-01 00:00 UTC, in 38 days";
        assert_eq!(told(&ok), (State::Ok, None, what));
        for (ends, left) in [
            ("2026-12-08T00:00:00Z", "in 14 days"),
            ("2026-11-25T12:00:00Z", "in 1 day"),
            ("2026-11-24T05:00:00Z", "in 5h"),
        ] {
            let finding = of(ends);
            assert!(finding.state == State::Warning && finding.what.ends_with(left), "{finding:?}");
        }
        assert_eq!(of("2026-12-08T00:00:01Z").state, State::Ok);
    }

    #[test]
    fn the_look_fails_by_what_holds_a_submit_back_alone() {
        let look = |status, body| look(&Ok(Reply::of(status, body)), "/aif/rest/", &Mask::default());
        let table = [
            (look(200, "{}"), State::Ok, None),
            (look(404, ""), State::Warning, None),
            (look(302, ""), State::Warning, None),
            (look(403, ""), State::Warning, None),
            (look(200, "<html><!--loginForm--></html>"), State::Failed, Some(Outcome::AccessDenied)),
            (look(401, ""), State::Failed, Some(Outcome::AccessDenied)),
            (look(503, ""), State::Failed, Some(Outcome::Unreachable)),
        ];
        for (finding, state, outcome) in table {
            assert_eq!((finding.state, finding.outcome), (state, outcome), "{finding:?}");
        }
    }

    #[test]
    fn the_role_is_missing_where_jobs_may_neither_be_asked_about_nor_listed() {
        let of = |no_job, jobs| {
            let reply = |status| Ok(Reply::of(status, r#"{"details":"x"}"#));
            role(&reply(no_job), &reply(jobs), false, &Mask::default())
        };
        let table = [
            (of(404, 403), State::Ok, None),
            (of(400, 500), State::Ok, None),
            (of(200, 200), State::Ok, None),
            (of(403, 200), State::Warning, None),
            (of(500, 200), State::Warning, None),
            (of(403, 403), State::Failed, Some(Outcome::AccessDenied)),
            (of(403, 404), State::Failed, Some(Outcome::AccessDenied)),
            (of(302, 302), State::Failed, Some(Outcome::AccessDenied)),
            (of(500, 500), State::Failed, Some(Outcome::Unreachable)),
        ];
        for (finding, state, outcome) in table {
            assert_eq!((finding.state, finding.outcome), (state, outcome), "{finding:?}");
        }
        assert!(of(403, 403).remedy.unwrap().contains("Service Administrator or Power User"));
    }

    #[test]
    fn whoever_answers_is_epm_only_where_one_answer_has_its_shape() {
        let of = |no_job: (u16, &str), jobs: (u16, &str), has_shape| {
            let reply = |(status, body): (u16, &str)| Ok(Reply::of(status, body));
            role(&reply(no_job), &reply(jobs), has_shape, &Mask::default())
        };
        let (missing, page, list) = ((404, ""), (200, "<html>hello</html>"), (200, r#"{"items":[]}"#));
        let unreachable = Some(Outcome::Unreachable);
        let table = [
            (of(missing, missing, false), State::Failed, unreachable),
            (of(page, page, false), State::Failed, unreachable),
            (of((403, ""), page, false), State::Failed, unreachable),
            (of(missing, (403, ""), false), State::Failed, unreachable),
            (of(missing, missing, true), State::Ok, None),
            (of(missing, list, false), State::Ok, None),
            (of((404, r#"{"status":4}"#), missing, false), State::Ok, None),
            (of((403, ""), list, false), State::Warning, None),
            // Who refuses us says so, in whatever shape.
            (of((403, ""), (403, ""), false), State::Failed, Some(Outcome::AccessDenied)),
            (of((302, ""), missing, false), State::Failed, Some(Outcome::AccessDenied)),
            (of((503, ""), (503, ""), false), State::Failed, unreachable),
        ];
        for (finding, state, outcome) in table {
            assert_eq!((finding.state, finding.outcome), (state, outcome), "{finding:?}");
        }
        let strange = of(missing, missing, false);
        assert_eq!(strange.what, "this does not answer as EPM's Data Integration does (HTTP 404)");
    }

    #[test]
    fn the_next_maintenance_is_told_and_a_warning_within_the_timeout() {
        let service = |hour: &str| {
            let hour = Hour::parse(hour);
            let release = Some(Foreign::new("26.04.40"));
            Ok(Service { release, hour, zone: None, details: None, now: at("2026-11-24T18:30:00Z") })
        };
        let far = maintenance(&service("22:15"), Some(HOUR));
        let what =
            "release `26.04.40`; the daily maintenance (22:15 UTC) begins next at 2026-11-24 22:15 UTC, in 3h 45m";
        assert_eq!(told(&far), (State::Ok, None, what));
        let near = maintenance(&service("19:00"), Some(HOUR));
        assert_eq!((near.state, near.outcome), (State::Warning, None));
        assert!(near.what.ends_with("19:00 UTC, in 30m: within the `--timeout` of 1h"), "{near:?}");
        assert_eq!(maintenance(&service("19:00"), Some(HOUR / 3)).state, State::Ok);
        assert_eq!(maintenance(&service("22:15"), None).state, State::Warning);
        let now = maintenance(&service("18:00"), Some(HOUR));
        assert!(now.state == State::Warning && now.what.ends_with("may last until 2026-11-24 19:00 UTC"), "{now:?}");
    }

    #[test]
    fn an_hour_that_is_not_told_is_no_failure() {
        let unread = |error| maintenance(&Err(error), None);
        let forbidden = unread(Refusal::Forbidden { said: None }.into());
        assert_eq!((forbidden.state, forbidden.outcome), (State::Skipped, None));
        assert!(forbidden.remedy.unwrap().contains("`Migrations - Administer`"));
        let missing = unread(ReadError::Missing { status: 404, said: None });
        assert_eq!((missing.state, missing.outcome, missing.remedy), (State::Skipped, None, None));
        let details = Some(Foreign::new("EPMLCM-37051"));
        let wordless = Service { release: None, hour: None, zone: None, details, now: at("2026-11-24T18:30:00Z") };
        let finding = maintenance(&Ok(wordless), None);
        assert_eq!(
            told(&finding),
            (State::Skipped, None, "the hour is not told: EPM's answer does not tell it: `EPMLCM-37051`")
        );
    }

    #[test]
    fn clocks_that_differ_are_a_warning_and_for_an_assertion_a_failure() {
        let ours = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let sent = Sent { begun: ours, ended: ours + Duration::from_secs(1) };
        let table = [
            (0, false, State::Ok),
            (0, true, State::Ok),
            (30, true, State::Ok),
            (-30, true, State::Ok),
            (31, false, State::Warning),
            (-32, false, State::Warning),
            (239, true, State::Warning),
            (-241, true, State::Failed),
            (241, true, State::Failed),
            (241, false, State::Warning),
        ];
        for (seconds, asserts, state) in table {
            let shift = Duration::from_secs(u64::from(i32::unsigned_abs(seconds)));
            let date = if seconds < 0 { ours - shift } else { ours + shift };
            let finding = clock(Some(date), sent, asserts);
            assert_eq!(finding.state, state, "{seconds} s: {finding:?}");
            assert_eq!(finding.outcome.is_some(), state == State::Failed);
        }
        assert_eq!(clock(Some(ours + HOUR), sent, false).what, "this machine is 1h behind EPM");
        assert_eq!(clock(Some(ours - HOUR), sent, false).what, "this machine is 1h ahead of EPM");
        assert_eq!(clock(None, sent, true).state, State::Skipped);
    }

    #[test]
    fn whatever_is_answered_to_an_open_question_is_no_failure() {
        let fault = Fault::Http(crate::http::fault::Fault::Broken { host: "h".to_owned(), reason: "`x`".to_owned() });
        for answered in [Ok(Reply::of(500, "")), Err(Refusal::Unauthorized.into()), Err(fault.into())] {
            let finding = open(&answered, |_| "answered".to_owned());
            assert!(finding.outcome.is_none() && matches!(finding.state, State::Ok | State::Skipped), "{finding:?}");
        }
    }
}

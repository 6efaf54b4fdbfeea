//! What each fault comes to at each place, taken from the contract by hand. No cell takes more than one submit.

use super::front::Door;
use super::place::Strike;

/// A fault point, and what it comes to at each place in the order of [`super::place::Place::ALL`]; none where it cannot
/// strike there alone.
pub(super) struct Row<const PLACES: usize = 5> {
    pub(super) name: &'static str,
    pub(super) strike: Strike,
    pub(super) cells: [Option<Cell>; PLACES],
}

/// What a run comes to.
pub(super) struct Cell {
    pub(super) code: i32,
    pub(super) outcome: &'static str,
    /// Submits that arrived.
    pub(super) posts: Posts,
    /// Submits that made a job.
    pub(super) taken: usize,
    pub(super) submitted: &'static str,
    pub(super) job_id: &'static str,
    /// Whether the log was read, where it was asked for.
    pub(super) log: Option<bool>,
}

/// How many there were.
pub(super) enum Posts {
    Just(usize),
    /// At least one: how many depends on how fast they were refused.
    Some,
}

const fn cell(code: i32, outcome: &'static str, posts: Posts, taken: usize, submitted: &'static str) -> Cell {
    let job_id = if matches!(submitted.as_bytes(), b"yes") { "2100" } else { "" };
    Cell { code, outcome, posts, taken, submitted, job_id, log: None }
}

const fn waiting(code: i32, outcome: &'static str) -> Cell {
    cell(code, outcome, Posts::Just(1), 1, "yes")
}

/// The look, or a submit that was not sent, ends it.
pub(super) const UNREACHABLE: Option<Cell> = Some(cell(31, "unreachable", Posts::Just(0), 0, "no"));
const DENIED_AT_ONCE: Option<Cell> = Some(cell(30, "access-denied", Posts::Just(0), 0, "no"));
/// Sent, and not let in.
const DENIED: Option<Cell> = Some(cell(30, "access-denied", Posts::Just(1), 0, "no"));
const REJECTED: Option<Cell> = Some(cell(32, "rejected", Posts::Just(1), 0, "no"));
/// Refused for now, again and again; or once, for longer than there is time.
const REFUSED: Option<Cell> = Some(cell(31, "unreachable", Posts::Some, 0, "no"));
pub(super) const REFUSED_ONCE: Option<Cell> = Some(cell(31, "unreachable", Posts::Just(1), 0, "no"));
pub(super) const UNCERTAIN: Option<Cell> = Some(cell(24, "submit-uncertain", Posts::Just(1), 1, "maybe"));
/// Uncertain as well: nobody can know that it was not taken.
const NOT_TAKEN: Option<Cell> = Some(cell(24, "submit-uncertain", Posts::Just(1), 0, "maybe"));
const NOT_READ: Option<Cell> = Some(cell(24, "submit-uncertain", Posts::Just(0), 0, "maybe"));
pub(super) const PASSED: Option<Cell> = Some(waiting(0, "succeeded"));
pub(super) const TIMED_OUT: Option<Cell> = Some(waiting(20, "timed-out"));
const CONTACT_LOST: Option<Cell> = Some(waiting(21, "contact-lost"));
const ACCESS_LOST: Option<Cell> = Some(waiting(22, "access-lost"));
const UNDETERMINED: Option<Cell> = Some(waiting(23, "undetermined"));
/// The id in the answer to the submit is one that EPM then says it does not know.
const ANOTHERS: Option<Cell> = Some(Cell { job_id: "9999", ..waiting(23, "undetermined") });
/// Nobody but the user has told of the job.
pub(super) const ATTACHED: Option<Cell> =
    Some(Cell { job_id: "2100", ..cell(31, "unreachable", Posts::Just(0), 0, "no") });
const KEPT_OUT: Option<Cell> = Some(Cell { job_id: "2100", ..cell(30, "access-denied", Posts::Just(0), 0, "no") });
const LOG: Option<Cell> = Some(Cell { log: Some(true), ..waiting(10, "failed") });
pub(super) const NO_LOG: Option<Cell> = Some(Cell { log: Some(false), ..waiting(10, "failed") });

const fn row(name: &'static str, strike: Strike, cells: [Option<Cell>; 5]) -> Row {
    Row { name, strike, cells }
}

/// EPM is there, and does not answer the question.
const fn unavailable(name: &'static str, keys: &'static str) -> Row {
    row(name, Strike::Answer(keys), [UNREACHABLE, UNCERTAIN, CONTACT_LOST, NO_LOG, PASSED])
}

const fn throttled(name: &'static str, keys: &'static str, submit: Option<Cell>) -> Row {
    row(name, Strike::Answer(keys), [UNREACHABLE, submit, CONTACT_LOST, NO_LOG, PASSED])
}

/// What the path of the look says otherwise decides nothing; a submit is not taken; a wait ends.
const fn final_refusal(name: &'static str, keys: &'static str) -> Row {
    row(name, Strike::Answer(keys), [PASSED, DENIED, ACCESS_LOST, NO_LOG, ACCESS_LOST])
}

/// JSON that is no answer about the job.
const fn says_nothing(name: &'static str, body: &'static str, submit: Option<Cell>) -> Row {
    row(name, Strike::Answer(body), [PASSED, submit, UNDETERMINED, NO_LOG, PASSED])
}

/// The answer is lost on its way.
const fn lost(name: &'static str, strike: Strike) -> Row {
    row(name, strike, [UNREACHABLE, UNCERTAIN, CONTACT_LOST, NO_LOG, PASSED])
}

pub(super) static TABLE: [Row; 53] = [
    row("the name does not resolve", Strike::Unresolved, [UNREACHABLE, UNREACHABLE, ATTACHED, None, None]),
    row(
        "the connection is refused",
        Strike::Shut(Door::Refuses),
        [UNREACHABLE, UNREACHABLE, CONTACT_LOST, NO_LOG, PASSED],
    ),
    row(
        "the connection never opens",
        Strike::Shut(Door::NeverOpens),
        [UNREACHABLE, UNREACHABLE, CONTACT_LOST, NO_LOG, PASSED],
    ),
    row("no TLS", Strike::NotTls, [UNREACHABLE, UNREACHABLE, ATTACHED, None, None]),
    row("TLS that is never answered", Strike::SilentTls, [UNREACHABLE, UNREACHABLE, ATTACHED, None, None]),
    row(
        "407 of a proxy on the way",
        Strike::Proxy("407 Login"),
        [DENIED_AT_ONCE, DENIED_AT_ONCE, KEPT_OUT, None, None],
    ),
    row("502 of a proxy on the way", Strike::Proxy("502 No"), [UNREACHABLE, UNREACHABLE, ATTACHED, None, None]),
    lost("no answer", Strike::Holds("fault = 'hang'")),
    lost("an answer that stops in its body", Strike::Holds("fault = 'stall'")),
    lost("an answer of a byte a second", Strike::Holds("fault = 'trickle'")),
    row(
        "an answer without end",
        Strike::Holds("fault = 'endless'"),
        // Whatever there is to read at the look, it is an answer.
        [PASSED, UNCERTAIN, CONTACT_LOST, NO_LOG, PASSED],
    ),
    row("an answer of 100 MB", Strike::Befalls("padding = 104857600"), [PASSED, UNCERTAIN, CONTACT_LOST, LOG, PASSED]),
    row("a reset, the request unread", Strike::Unread, [UNREACHABLE, NOT_READ, CONTACT_LOST, NO_LOG, PASSED]),
    row(
        "a reset, the request read and not taken",
        Strike::Befalls("fault = 'reset-before'"),
        [UNREACHABLE, NOT_TAKEN, CONTACT_LOST, NO_LOG, PASSED],
    ),
    lost("a reset, the request taken", Strike::Befalls("fault = 'reset-after'")),
    lost("half of the headers, then a reset", Strike::Befalls("fault = 'half-head'")),
    lost("half of the body, then a reset", Strike::Befalls("fault = 'half-body'")),
    throttled("429", "http = 429", REFUSED),
    throttled("429, `Retry-After` in seconds", "http = 429, headers = { Retry-After = '1' }", REFUSED_ONCE),
    throttled("429, `Retry-After` as a date", "http = 429, headers = { Retry-After = '{date+2s}' }", REFUSED_ONCE),
    unavailable("503", "http = 503"),
    unavailable("503, `Retry-After` in seconds", "http = 503, headers = { Retry-After = '1' }"),
    unavailable("503, `Retry-After` as a date", "http = 503, headers = { Retry-After = '{date+2s}' }"),
    unavailable("503 with the maintenance page", "page = 'maintenance'"),
    unavailable("500", "http = 500"),
    unavailable("502", "http = 502"),
    unavailable("504", "http = 504"),
    row("408", Strike::Answer("http = 408"), [PASSED, UNCERTAIN, CONTACT_LOST, NO_LOG, PASSED]),
    final_refusal("301 to another host", "http = 301, headers = { Location = 'https://login.example.invalid/' }"),
    final_refusal("302 to another host", "http = 302, headers = { Location = 'https://login.example.invalid/' }"),
    final_refusal("307 to another host", "http = 307, headers = { Location = 'https://login.example.invalid/' }"),
    row(
        "303 to another host",
        Strike::Answer("http = 303, headers = { Location = 'https://login.example.invalid/' }"),
        [PASSED, UNCERTAIN, ACCESS_LOST, NO_LOG, ACCESS_LOST],
    ),
    row("401", Strike::Answer("http = 401"), [DENIED_AT_ONCE, DENIED, ACCESS_LOST, NO_LOG, ACCESS_LOST]),
    final_refusal("403", "http = 403"),
    row(
        "403, `Retry-After` in seconds",
        Strike::Answer("http = 403, headers = { Retry-After = '1' }"),
        [PASSED, DENIED, CONTACT_LOST, NO_LOG, PASSED],
    ),
    final_refusal("407", "http = 407"),
    row("400", Strike::Answer("http = 400"), [PASSED, REJECTED, UNDETERMINED, NO_LOG, PASSED]),
    row("404", Strike::Answer("http = 404"), [PASSED, REJECTED, UNDETERMINED, NO_LOG, PASSED]),
    row("the login page", Strike::Answer("page = 'login'"), [DENIED_AT_ONCE, DENIED, UNDETERMINED, NO_LOG, PASSED]),
    row(
        "another page",
        Strike::Answer("body = '<html>hello</html>', content_type = 'text/html'"),
        [PASSED, UNCERTAIN, CONTACT_LOST, NO_LOG, PASSED],
    ),
    row(
        "broken JSON",
        Strike::Answer(r#"body = '{"jobId": 2100, "status": 0'"#),
        [PASSED, UNCERTAIN, CONTACT_LOST, NO_LOG, PASSED],
    ),
    row("an empty body", Strike::Answer("body = ''"), [PASSED, UNCERTAIN, CONTACT_LOST, NO_LOG, PASSED]),
    says_nothing("empty JSON", "body = '{}'", UNCERTAIN),
    says_nothing("no `jobId`, status -1", r#"body = '{"status": -1}'"#, UNCERTAIN),
    says_nothing("no `jobId`, status 0", r#"body = '{"status": 0}'"#, UNCERTAIN),
    says_nothing("no `jobId`, status 1, *not found*", r#"body = '{"status": 1, "details": "not found"}'"#, REJECTED),
    says_nothing("no `jobId`, status 2", r#"body = '{"status": 2}'"#, UNCERTAIN),
    says_nothing("no `jobId`, status 3", r#"body = '{"status": 3}'"#, REJECTED),
    says_nothing("no `jobId`, status 4", r#"body = '{"status": 4}'"#, REJECTED),
    says_nothing("no `jobId`, status 2147483647", r#"body = '{"status": 2147483647}'"#, UNCERTAIN),
    says_nothing("`jobId` 0", r#"body = '{"jobId": 0, "status": 0}'"#, UNCERTAIN),
    says_nothing(
        "`jobId` in a link only",
        r#"body = '{"status": 0, "links": [{"rel": "self", "href": "http://h/aif/rest/V1/jobs/{id}"}]}'"#,
        PASSED,
    ),
    says_nothing("the `jobId` of another job", r#"body = '{"jobId": 9999, "status": -1}'"#, ANOTHERS),
];

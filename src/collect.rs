//! The job's log, read for the lines that tell why it failed.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::Instant;

use crate::diagnose::scan::Scan;
use crate::diagnose::{self, Findings};
use crate::epm::Client;
use crate::epm::download;
use crate::epm::error::ReadError;
use crate::foreign::Foreign;
use crate::wait::{Rules, persist};

/// What RFC 3986 leaves alone in a path segment; everything else is encoded, the separators above all.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Reads the log that EPM names, and keeps what tells.
///
/// # Errors
///
/// Why nothing is known of it: a log that was purged, is not given out, or does not arrive by `until`.
pub async fn log_excerpt(
    client: &Client,
    log_file_name: &Foreign,
    rules: &Rules,
    reasons: &diagnose::rules::Rules,
    until: Instant,
) -> Result<Findings, String> {
    let path = path_of(log_file_name.as_str()).ok_or("its name is not one of a file")?;
    // The same rules as for any read, within the time that the log is worth.
    let left = until.saturating_duration_since(Instant::now());
    let rules = Rules { outage_budget: rules.outage_budget.min(left), ..*rules };
    // Oracle's page gives `%2F`, an older copy of it `%5C` (epm-api.md §4.1).
    let backslashed = path.replace('/', "\\");
    let scan = || Scan::new(reasons, client.mask());
    let mut findings = read(client, &path, &rules, scan, until).await;
    if let Err(download::Error::Refused(_) | download::Error::Read(ReadError::Missing { .. })) = findings {
        findings = read(client, &backslashed, &rules, scan, until).await;
    }
    findings.map_err(|error| error.to_string())
}

async fn read(
    client: &Client,
    path: &str,
    rules: &Rules,
    scan: impl Fn() -> Scan,
    until: Instant,
) -> Result<Findings, download::Error> {
    let name = utf8_percent_encode(path, SEGMENT).to_string();
    let attempt = async || {
        let mut scan = scan();
        match client.download(&name, until, |piece| scan.push(piece)).await {
            Ok(()) => Ok(Ok(scan.finish())),
            Err(download::Error::Read(ReadError::Fault(fault))) => Err(fault),
            Err(error) => Ok(Err(error)),
        }
    };
    persist(rules, || true, attempt, |_| {}).await?
}

/// The path that the download service knows a file by, out of every spelling of `logFileName` that was seen: with
/// backslashes, with one in front, with the absolute path of the server (epm-api.md §3.4).
pub(crate) fn path_of(name: &str) -> Option<String> {
    let path = name.trim().replace('\\', "/");
    let path = path.trim_start_matches('/');
    let path = path.rfind("/outbox/").map_or(path, |at| &path[at + 1..]);
    let is_file = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    is_file.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_log_file_name_leads_to_one_path() {
        let table = [
            ("outbox/logs/X_1881.log", Some("outbox/logs/X_1881.log")),
            ("\\outbox\\logs\\BATCH1_7595.log", Some("outbox/logs/BATCH1_7595.log")),
            ("/u03/inbox/outbox/logs/Vision_271.log", Some("outbox/logs/Vision_271.log")),
            ("/outbox/logs/a b.log", Some("outbox/logs/a b.log")),
            ("Vision.log", Some("Vision.log")),
            ("", None),
            ("..", None),
            ("outbox/../secret", None),
            ("outbox//x", None),
        ];
        for (name, path) in table {
            assert_eq!(path_of(name).as_deref(), path, "{name}");
        }
    }

    #[test]
    fn a_path_is_encoded_as_one_segment() {
        let encoded = |path| utf8_percent_encode(path, SEGMENT).to_string();
        assert_eq!(encoded("outbox/é space.csv"), "outbox%2F%C3%A9%20space.csv");
        assert_eq!(encoded("outbox\\logs\\100%.log"), "outbox%5Clogs%5C100%25.log");
    }
}

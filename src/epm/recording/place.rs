//! What is kept of a path: how it is built, since that is what a record is for, and none of its names.
//!
//! What stands for a file's name leads to what stands for the file's path in the download service, whichever way the gate
//! makes the one from the other: separators and the known folders stay, and the rest is replaced piece by piece.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::table::{Kind, Table};
use super::vocabulary::{Class, known_class};

/// As the gate encodes a file's name, so that both come to the same.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Folders that every pod has.
const FOLDERS: [&str; 6] = ["outbox", "inbox", "logs", "#epminbox", "..", "."];

const EXTENSIONS: [&str; 14] =
    ["log", "txt", "csv", "dat", "zip", "xml", "xlsx", "xls", "pdf", "html", "out", "err", "json", "gz"];

/// Where the paths of the services begin, behind any prefix.
const ROOTS: [&str; 3] = ["/aif/", "/interop/", "/HyperionPlanning/"];

/// Segments of the services' paths.
const SEGMENTS: &str = "aif interop HyperionPlanning rest V1 v1 v2 v3 11.1.2.3.600 applicationsnapshots contents maintenance \
    getdailymaintenancestarttime jobs pipeline";

/// Fields of their queries, beside those that are keys of their answers.
const FIELDS: [&str; 1] = ["showTimeZone"];

/// The name of a file on the server.
pub(super) fn file(table: &mut Table, name: &str) -> String {
    let mut kept = String::new();
    let mut rest = name;
    loop {
        let end = rest.find(['/', '\\']).unwrap_or(rest.len());
        kept.push_str(&component(table, &rest[..end]));
        let Some(separator) = rest.get(end..=end) else { break };
        kept.push_str(separator);
        rest = &rest[end + 1..];
    }
    kept
}

fn component(table: &mut Table, name: &str) -> String {
    if name.is_empty() || FOLDERS.contains(&name) {
        return name.to_owned();
    }
    let extension = name.rsplit_once('.').and_then(|(stem, extension)| {
        let known = EXTENSIONS.iter().find(|known| known.eq_ignore_ascii_case(extension))?;
        (!stem.is_empty()).then_some((stem, *known))
    });
    match extension {
        Some((stem, extension)) => format!("{}.{extension}", table.replace(Kind::File, stem)),
        None => table.replace(Kind::File, name),
    }
}

/// The path of a request, with its query.
pub(super) fn path(table: &mut Table, path: &str, query: Option<&str>) -> String {
    let path = unprefixed(path);
    let mut segments: Vec<String> = Vec::new();
    for segment in path.split('/') {
        let kept = match segments.last().map(String::as_str) {
            Some("jobs") if is_id(segment) => segment.to_owned(),
            Some("applicationsnapshots") => encoded_file(table, segment),
            _ if segment.is_empty() || SEGMENTS.split_ascii_whitespace().any(|known| known == segment) => {
                segment.to_owned()
            }
            _ => "x".to_owned(),
        };
        segments.push(kept);
    }
    let query = query.map(|query| format!("?{}", fields(table, query))).unwrap_or_default();
    segments.join("/") + &query
}

fn is_id(segment: &str) -> bool {
    (1..=20).contains(&segment.len()) && segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// The path without what a gateway puts in front.
fn unprefixed(path: &str) -> &str {
    let start = ROOTS.iter().filter_map(|root| path.find(root)).min();
    start.map_or(path, |start| &path[start..])
}

fn encoded_file(table: &mut Table, segment: &str) -> String {
    let name = percent_decode_str(segment).decode_utf8_lossy();
    utf8_percent_encode(&file(table, &name), SEGMENT).to_string()
}

fn fields(table: &mut Table, query: &str) -> String {
    let field = |field: &str| match field.split_once('=') {
        Some((key, value)) if known_class(key).is_some() || FIELDS.contains(&key) => {
            let value = percent_decode_str(value).decode_utf8_lossy();
            let value = match &*value {
                "true" | "false" if FIELDS.contains(&key) => value.into_owned(),
                _ if known_class(key) == Some(Class::File) => {
                    utf8_percent_encode(&file(table, &value), SEGMENT).to_string()
                }
                _ => table.replace(Kind::Name, &value),
            };
            format!("{key}={value}")
        }
        _ => "x".to_owned(),
    };
    query.split('&').map(field).collect::<Vec<_>>().join("&")
}

/// A URL, absolute or not: how its path is built, and whether it leads to the pod that was asked. `host`: that pod's.
pub(super) fn url(table: &mut Table, url: &str, host: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (rest, origin) = match url[..end].split_once("://") {
        None => (&url[..end], ""),
        Some((_, rest)) => {
            let at = rest.find('/').unwrap_or(rest.len());
            let is_ours = rest[..at].eq_ignore_ascii_case(host);
            (&rest[at..], if is_ours { "https://pod.invalid" } else { "https://elsewhere.invalid" })
        }
    };
    format!("{origin}{}", path(table, rest, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_file_name_stays_and_its_names_do_not() {
        let mut table = Table::default();
        for (name, expected) in [
            ("outbox/logs/ABG_2100.log", "outbox/logs/FILE_1.log"),
            ("\\outbox\\logs\\abg_2100.LOG", "\\outbox\\logs\\FILE_1.log"),
            ("/u03/inbox/outbox/logs/ABG_2100.log", "/FILE_2/inbox/outbox/logs/FILE_1.log"),
            ("outbox//x", "outbox//FILE_3"),
            ("#epminbox/ABG_2100.csv", "#epminbox/FILE_1.csv"),
            ("a.b.secret", "FILE_4"),
            (".log", "FILE_5"),
            ("..", ".."),
            ("", ""),
            (" ", "FILE_6"),
        ] {
            assert_eq!(file(&mut table, name), expected, "{name:?}");
        }
    }

    #[test]
    fn the_path_of_a_request_loses_its_prefix_and_its_names() {
        let mut table = Table::default();
        let files = "/interop/rest/11.1.2.3.600/applicationsnapshots";
        for (given, query, expected) in [
            ("/acme/prod/aif/rest/", None, "/aif/rest/".to_owned()),
            ("/aif/rest/V1/jobs/2100", None, "/aif/rest/V1/jobs/2100".to_owned()),
            ("/aif/rest/V1/jobs/abc", None, "/aif/rest/V1/jobs/x".to_owned()),
            ("/acme/look", None, "/x/x".to_owned()),
            (
                "/aif/rest/V1/pipeline",
                Some("pipelineName=DAILYX&q"),
                "/aif/rest/V1/pipeline?pipelineName=NAME_1&x".to_owned(),
            ),
            (
                "/interop/rest/v2/maintenance/getdailymaintenancestarttime",
                Some("showTimeZone=true"),
                "/interop/rest/v2/maintenance/getdailymaintenancestarttime?showTimeZone=true".to_owned(),
            ),
            (
                &format!("{files}/outbox%2Flogs%2FX%20%C3%A9.log/contents"),
                None,
                format!("{files}/outbox%2Flogs%2FFILE_1.log/contents"),
            ),
            (
                &format!("{files}/X%20%C3%A9.csv/contents"),
                Some("extDirPath=inbox"),
                format!("{files}/FILE_1.csv/contents?extDirPath=inbox"),
            ),
            (&format!("{files}/inbox%5CX%20%C3%A9.csv"), None, format!("{files}/inbox%5CFILE_1.csv")),
            (&format!("{files}/X%20%C3%A9.csv/contents/7049"), None, format!("{files}/FILE_1.csv/contents/x")),
            (
                &format!("{files}/outbox%5Clogs%5CX%20%C3%A9.log/contents"),
                None,
                format!("{files}/outbox%5Clogs%5CFILE_1.log/contents"),
            ),
        ] {
            assert_eq!(path(&mut table, given, query), expected, "{given}");
        }
    }

    #[test]
    fn a_url_tells_whether_it_leads_elsewhere() {
        let mut table = Table::default();
        for (given, expected) in [
            ("https://EPM.example.com/gw/aif/rest/V1/jobs/7?x#y", "https://pod.invalid/aif/rest/V1/jobs/7"),
            ("https://login.example.com/oam/secret", "https://elsewhere.invalid/x/x"),
            ("https:.../2100", "x/x"),
            ("/aif/rest/", "/aif/rest/"),
        ] {
            assert_eq!(url(&mut table, given, "epm.example.com"), expected, "{given}");
        }
    }
}

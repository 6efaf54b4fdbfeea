//! Files. // epm-api.md §4.1

use epm_sandbox::Sandbox;

use crate::harness::{Answer, basic, get, playing, read, request_as, send, submit};

fn download(sandbox: &Sandbox, segment: &str) -> Answer {
    get(sandbox, &format!("/interop/rest/11.1.2.3.600/applicationsnapshots/{segment}/contents"))
}

const WITH_FILES: &str = "[[job]]\nlog = 'log of {name}'\noutput_file = 'outbox/x y.csv'\noutput = 'a,b'\n";

#[test]
fn a_file_is_streamed_as_bytes() {
    let sandbox = playing(WITH_FILES);
    submit(&sandbox, "GL");
    for (segment, content) in [("outbox%2Flogs%2FGL_2100.log", "log of GL"), ("outbox%2Fx%20y.csv", "a,b")] {
        let answer = download(&sandbox, segment);
        assert_eq!(answer.header("content-type").unwrap(), "application/octet-stream");
        assert_eq!((answer.http(), answer.body()), (200, content.as_bytes()));
    }
}

#[test]
fn an_error_is_json_beside_a_200() {
    let sandbox = playing(WITH_FILES);
    submit(&sandbox, "GL");
    for segment in ["outbox%2Flogs%2Fother.log", "outbox%5Clogs%5CGL_2100.log", "outbox%252Flogs%252FGL_2100.log"] {
        let answer = download(&sandbox, segment);
        assert_eq!(answer.header("content-type").unwrap(), "application/json");
        assert_eq!((answer.http(), &answer.json()["status"]), (200, &8.into()), "{segment}");
    }
}

#[test]
fn a_name_with_raw_slashes_is_no_path_of_the_service() {
    let sandbox = playing(WITH_FILES);
    submit(&sandbox, "GL");
    assert_eq!(download(&sandbox, "outbox/logs/GL_2100.log").http(), 404);
}

#[test]
fn a_pod_can_want_backslashes() {
    let sandbox = playing("[[job]]\nlog = 'x'\nlog_file = '\\outbox\\logs\\BATCH1_7595.log'\nlog_separator = '%5C'");
    submit(&sandbox, "GL");
    assert_eq!(download(&sandbox, "outbox%5Clogs%5CBATCH1_7595.log").body(), b"x");
    assert_eq!(download(&sandbox, "outbox%2Flogs%2FBATCH1_7595.log").json()["status"], 8);
}

#[test]
fn a_scripted_answer_comes_before_the_file() {
    let sandbox = playing("[[job]]\nlog = 'x'\ndownload = [{http = 503}, {}]");
    submit(&sandbox, "GL");
    assert_eq!(download(&sandbox, "outbox%2Flogs%2FGL_2100.log").http(), 503);
    assert_eq!(download(&sandbox, "outbox%2Flogs%2FGL_2100.log").body(), b"x");
}

fn rest(sandbox: &Sandbox, headers: &str) -> Answer {
    let path = "/interop/rest/11.1.2.3.600/applicationsnapshots/outbox%2Fx/contents";
    let login = basic(&format!("{}:{}", sandbox.username(), sandbox.password()));
    read(send(sandbox, &request_as(&format!("Authorization: {login}\r\n{headers}"), "GET", path, "")))
}

const FILE: &str = "[[job]]\noutput_file = 'outbox/x'\noutput = '0123456789'\n";

#[test]
fn the_rest_of_a_file_is_given_out() {
    let sandbox = playing(FILE);
    submit(&sandbox, "GL");
    let whole = download(&sandbox, "outbox%2Fx");
    let tag = whole.header("etag").unwrap();
    assert_eq!((whole.http(), whole.header("accept-ranges").as_deref()), (200, Some("bytes")));
    for (headers, http, range, body) in [
        ("Range: bytes=4-\r\n".to_owned(), 206, Some("bytes 4-9/10"), &b"456789"[..]),
        (format!("Range: bytes=4-\r\nIf-Range: {tag}\r\n"), 206, Some("bytes 4-9/10"), b"456789"),
        ("Range: bytes=4-\r\nIf-Range: \"other\"\r\n".to_owned(), 200, None, b"0123456789"),
        ("Range: bytes=10-\r\n".to_owned(), 416, Some("bytes */10"), b""),
    ] {
        let answer = rest(&sandbox, &headers);
        assert_eq!((answer.http(), answer.header("content-range").as_deref()), (http, range), "{headers}");
        assert_eq!(answer.body(), body, "{headers}");
    }
    let asked: Vec<_> = sandbox.requests().into_iter().filter_map(|request| request.range).collect();
    assert_eq!(asked, ["bytes=4-", "bytes=4-", "bytes=4-", "bytes=10-"]);
}

#[test]
fn a_pod_may_not_hear_of_ranges() {
    let sandbox = playing(&format!("{FILE}ranges = false\n"));
    submit(&sandbox, "GL");
    let answer = rest(&sandbox, "Range: bytes=4-\r\n");
    assert_eq!((answer.http(), answer.body(), answer.header("etag")), (200, &b"0123456789"[..], None));
}

#[test]
fn a_file_breaks_off_where_the_scenario_says() {
    for (cut, sent) in [(4, 4), (12, 12), (70_000, 70_000), (200_000, 100_010)] {
        let sandbox = playing(&format!("{FILE}download = [{{ padding = 100000, cut_after = {cut} }}]\n"));
        submit(&sandbox, "GL");
        let answer = download(&sandbox, "outbox%2Fx");
        assert_eq!(answer.header("content-length").as_deref(), Some("100010"));
        assert_eq!(answer.body().len(), sent, "{cut}");
    }
}

#[test]
fn a_rest_is_the_same_wherever_it_begins() {
    let sandbox = playing(&format!("{FILE}download = [{{ padding = 200000 }}]\n"));
    submit(&sandbox, "GL");
    let whole = download(&sandbox, "outbox%2Fx").body().to_vec();
    assert_eq!(whole.len(), 200_010);
    for first in [1, 9, 10, 11, 65_545, 65_546, 65_547, 131_082, 200_009] {
        let answer = rest(&sandbox, &format!("Range: bytes={first}-\r\n"));
        assert_eq!((answer.http(), answer.body() == &whole[first..]), (206, true), "{first}");
    }
}

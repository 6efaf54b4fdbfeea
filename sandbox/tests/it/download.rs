//! Files. // epm-api.md §4.1

use epm_sandbox::Sandbox;

use crate::harness::{Answer, get, playing, submit};

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

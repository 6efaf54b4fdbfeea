//! The inboxes. // epm-api.md §4.2, §4.3

use epm_sandbox::Sandbox;
use serde_json::Value;

use crate::harness::{Answer, get, playing, post, read, request, request_as, send};

const FILES: &str = "/interop/rest/11.1.2.3.600/applicationsnapshots";

fn upload(sandbox: &Sandbox, segment: &str, content: &str) -> Answer {
    read(send(sandbox, &request(sandbox, "POST", &format!("{FILES}/{segment}"), content)))
}

fn delete(sandbox: &Sandbox, segment: &str) -> Answer {
    read(send(sandbox, &request(sandbox, "DELETE", &format!("{FILES}/{segment}"), "")))
}

fn names(sandbox: &Sandbox) -> Vec<String> {
    sandbox.inbox().into_iter().map(|file| file.name).collect()
}

#[test]
fn a_file_goes_to_the_folder_that_is_named_and_comes_back() {
    let sandbox = playing("[[job]]");
    for (segment, name) in [
        ("x%20y.csv/contents?extDirPath=inbox", "inbox/x y.csv"),
        ("x.csv/contents?extDirPath=inbox%2Fa", "inbox/a/x.csv"),
        ("x.csv/contents", "#epminbox/x.csv"),
    ] {
        let answer = upload(&sandbox, segment, "a,1\n");
        assert_eq!((answer.http(), &answer.json()["status"]), (200, &0.into()), "{segment}");
        assert!(names(&sandbox).contains(&name.to_owned()), "{:?}", names(&sandbox));
    }
    for segment in ["inbox%2Fx%20y.csv", "inbox%5Cx%20y.csv"] {
        assert_eq!(get(&sandbox, &format!("{FILES}/{segment}/contents")).body(), b"a,1\n");
    }
    let journal = sandbox.requests();
    let brought = journal[0].upload.as_ref().expect("an upload");
    assert_eq!((brought.size, brought.whole, brought.sha256.len()), (4, true, 64));
}

#[test]
fn nothing_is_overwritten_before_it_is_deleted() {
    let sandbox = playing("[inbox]\nfiles = { 'inbox/x.csv' = 'old' }\n[[job]]");
    let again = || upload(&sandbox, "x.csv/contents?extDirPath=inbox", "new!");
    assert!(again().json()["details"].as_str().expect("details").contains("file or folder exists"));
    assert_eq!(sandbox.inbox()[0].size, 3);
    assert_eq!(delete(&sandbox, "inbox%5Cx.csv").json()["status"], 0);
    assert_eq!(delete(&sandbox, "inbox%5Cx.csv").json()["status"], 8);
    assert_eq!(again().json()["status"], 0);
    assert_eq!(sandbox.inbox()[0].size, 4);
}

#[test]
fn only_the_separator_of_the_scenario_names_a_file() {
    for (separator, right, wrong) in [("%2F", "inbox%2Fx", "inbox%5Cx"), ("%5C", "inbox%5Cx", "inbox%2Fx")] {
        let toml = format!("[inbox]\nseparator = '{separator}'\nfiles = {{ 'inbox/x' = 'old' }}\n[[job]]");
        let sandbox = playing(&toml);
        for (segment, status) in [(wrong, 8), (right, 0)] {
            assert_eq!(delete(&sandbox, segment).json()["status"], status, "{separator} {segment}");
        }
    }
}

#[test]
fn an_upload_is_busy_as_long_as_the_scenario_says() {
    let sandbox = playing("[inbox]\nupload = [{ status = -1, times = 2 }, {}]\n[[job]]");
    let answer = upload(&sandbox, "x/contents?extDirPath=inbox", "x").json();
    assert_eq!((&answer["status"], &answer["links"][1]["rel"]), (&(-1).into(), &"Job Status".into()));
    let href = answer["links"][1]["href"].as_str().expect("a link").to_owned();
    let path = &href[href.find("/interop/").expect("a path")..];
    let asked = || get(&sandbox, path).json()["status"].clone();
    assert_eq!([asked(), asked()], [Value::from(-1), Value::from(0)]);
}

#[test]
fn what_is_refused_is_not_there_and_what_broke_off_only_where_it_is_left() {
    for (inbox, is_there) in [
        ("upload = [{ status = 8, details = 'no' }]", false),
        ("upload = [{ http = 503 }]", false),
        ("upload = [{ fault = 'reset-before' }]", false),
        ("upload = [{ fault = 'reset-after' }]", true),
        ("breaks = [{ after = 2, by = 'reset' }]", false),
        ("breaks = [{ after = 2, by = 'reset', leaves = true }]", true),
    ] {
        let sandbox = playing(&format!("[inbox]\n{inbox}\n[[job]]"));
        upload(&sandbox, "x/contents?extDirPath=inbox", "content");
        assert_eq!(!sandbox.inbox().is_empty(), is_there, "{inbox}");
    }
}

#[test]
fn a_job_that_needs_its_file_fails_without_it() {
    let sandbox = playing("[inbox]\nfiles = { 'inbox/x' = '1' }\n[[job]]\nneeds_file = true\npolls = [{ status = 0 }]");
    for (file, ends) in [("inbox/x", 0), ("x", 0), ("#epminbox/x", 1), ("inbox/y", 1)] {
        let body = serde_json::json!({"jobType": "INTEGRATION", "jobName": "GL", "fileName": file}).to_string();
        let id = post(&sandbox, &body).json()["jobId"].as_u64().expect("an id");
        let poll = || get(&sandbox, &format!("/aif/rest/V1/jobs/{id}")).json();
        let [_, last] = [poll(), poll()];
        assert_eq!(last["status"], ends, "{file}: {last}");
    }
}

#[test]
fn nobody_who_is_not_let_in_brings_a_file() {
    let sandbox = playing("[[job]]");
    let answer = read(send(&sandbox, &request_as("", "POST", &format!("{FILES}/x/contents?extDirPath=inbox"), "x")));
    assert_eq!((answer.http(), sandbox.inbox().len(), sandbox.refused_logins()), (401, 0, 1));
}

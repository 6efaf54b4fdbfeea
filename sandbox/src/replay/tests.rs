use super::{Error, Replay, text_of};
use crate::fault::Fault;
use crate::range::Wish;

const HEAD: &str = r#"{"format":1,"program":"epm-gate 0.1.0","command":"run"}"#;

fn of(lines: &[&str]) -> Result<Replay, Error> {
    Replay::parse("r.jsonl", &format!("{HEAD}\n{}\n", lines.join("\n")))
}

#[test]
fn answers_come_in_the_order_of_the_record_and_the_last_repeats() {
    let job = "/aif/rest/V1/jobs/7";
    let mut replay = of(&[
        r#"{"n":1,"method":"GET","path":"/aif/rest/V1/jobs/7","http":200,"headers":{},"body":{"json":{"status":-1,"jobId":7}}}"#,
        r#"{"n":2,"method":"GET","path":"/aif/rest/V1/jobs/7","fault":"broken"}"#,
        r#"{"n":3,"method":"GET","path":"/aif/rest/V1/jobs/7","http":200,"body":{"json":{"status":1,"status":0,"jobId":7}}}"#,
    ])
    .unwrap();
    let first = replay.answer("GET", job, Wish::default());
    assert_eq!((first.http, first.body.as_slice(), first.taken), (200, &br#"{"status":-1,"jobId":7}"#[..], false));
    assert_eq!(replay.answer("GET", &format!("/gateway{job}"), Wish::default()).fault, Some(Fault::ResetAfter));
    for _ in 0..2 {
        // What stands twice still stands twice.
        assert_eq!(replay.answer("GET", job, Wish::default()).body, br#"{"status":1,"status":0,"jobId":7}"#);
    }
    assert_eq!(replay.answer("POST", job, Wish::default()).http, 404);
    assert_eq!(replay.answer("GET", "/aif/rest/V1/jobs/8", Wish::default()).http, 404);
}

#[test]
fn each_fault_has_the_answer_that_comes_nearest() {
    let file = r#""http":200,"headers":{"content-type":"application/octet-stream"},"body":{"is":"file","size":100}"#;
    for (line, http, fault) in [
        (r#""fault":"unresolved""#, 429, None),
        (r#""fault":"certificate""#, 429, None),
        (r#""fault":"no-connection""#, 429, None),
        (r#""fault":"proxy-refused""#, 429, None),
        (r#""fault":"no-proxy""#, 429, None),
        (r#""fault":"proxy-denied""#, 407, None),
        (r#""fault":"timeout""#, 200, Some(Fault::Hang)),
        (r#""fault":"cut-short""#, 200, Some(Fault::Hang)),
        (r#""fault":"broken""#, 200, Some(Fault::ResetAfter)),
        (&format!(r#""fault":"timeout",{file}"#), 200, Some(Fault::Stall)),
        (&format!(r#""fault":"broken",{file}"#), 200, Some(Fault::HalfBody)),
        (r#""fault":"too-large","http":502"#, 502, None),
    ] {
        let mut replay = of(&[&format!(r#"{{"method":"GET","path":"/aif/rest/",{line}}}"#)]).unwrap();
        let answer = replay.answer("GET", "/aif/rest/", Wish::default());
        assert_eq!((answer.http, answer.fault), (http, fault), "{line}");
        assert_eq!(answer.padding > 0, line.contains("too-large"), "{line}");
    }
}

#[test]
fn bodies_that_are_no_json_are_made_up_to_what_is_known_of_them() {
    let body = |text: &str| {
        let line = format!(r#"{{"method":"GET","path":"/aif/rest/","http":503,"body":{text}}}"#);
        of(&[&line]).unwrap().answer("GET", "/aif/rest/", Wish::default())
    };
    let log = body(r#"{"is":"file","size":300,"sha256":"00","marker":"[BLANK]"}"#);
    assert_eq!((log.body.len(), log.content_type.as_str()), (300, "application/octet-stream"));
    assert!(log.body.starts_with(b"[BLANK]\nxxx"));
    assert_eq!(body(r#"{"is":"file","size":99999999999}"#).body.len(), 1024 * 1024);
    let text = |is: &str| String::from_utf8(body(&format!(r#"{{"is":"{is}","size":7}}"#)).body).unwrap();
    assert!(text("login-page").contains("loginForm") && text("page").contains("503"));
    assert!(text("maintenance-page").contains("aintenance"));
    assert_eq!((text("text").as_str(), text("nothing").as_str()), ("xxxxxxx", ""));
}

#[test]
fn a_date_goes_out_as_it_was_only_beside_another_one() {
    let names = |retry: &str| {
        let line = format!(
            r#"{{"method":"GET","path":"/aif/rest/","http":429,"headers":{{"date":"Sun, 06 Nov 1994 08:49:37 GMT","content-length":"7","retry-after":"{retry}"}}}}"#
        );
        let answer = of(&[&line]).unwrap().answer("GET", "/aif/rest/", Wish::default());
        answer.headers.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("3"), ["retry-after"]);
    assert_eq!(names("Sun, 06 Nov 1994 08:49:39 GMT"), ["date", "retry-after"]);
}

#[test]
fn a_submit_that_made_a_job_counts_as_taken() {
    let taken = |body: &str| {
        let line = format!(r#"{{"method":"POST","path":"/aif/rest/V1/jobs","http":200,"body":{{"json":{body}}}}}"#);
        let answer = of(&[&line]).unwrap().answer("POST", "/aif/rest/V1/jobs", Wish::default());
        (answer.taken, answer.job_id)
    };
    assert_eq!(taken(r#"{"jobId":"2100"}"#), (true, Some(2100)));
    assert_eq!(taken(r#"{"jobID":7}"#), (true, Some(7)));
    assert_eq!(taken(r#"{"status":1,"jobId":null}"#), (false, None));
}

#[test]
fn what_is_no_record_is_an_error_that_names_its_line() {
    let error = |lines: &[&str]| of(lines).unwrap_err().to_string();
    assert_eq!(error(&["{"]), "line 2 of the record `r.jsonl` is wrong");
    assert_eq!(
        error(&["", r#"{"method":"GET","path":"/"}"#]),
        "line 3 of the record `r.jsonl` is wrong: it has neither `http` nor `fault`"
    );
    assert!(error(&[r#"{"method":"GET","path":"/","http":7}"#]).contains("no final status"));
    assert!(error(&[r#"{"method":"GET","path":"/","http":200,"body":{}}"#]).contains("neither `json` nor `is`"));
    let whole = |text: &str| Replay::parse("r.jsonl", text).unwrap_err().to_string();
    assert_eq!(whole("\n"), "the record `r.jsonl` is empty");
    assert!(whole("{\"format\":2}").contains("has the format 2"));
    assert_eq!(whole("about = 'x'"), "line 1 of the record `r.jsonl` is wrong");
}

#[test]
fn an_answer_that_may_have_no_body_has_none() {
    let of_body = |http: u16, body: &str| {
        of(&[&format!(r#"{{"method":"GET","path":"/aif/rest/","http":{http},"body":{body}}}"#)])
    };
    for http in [204, 304] {
        let error = of_body(http, r#"{"json":{}}"#).unwrap_err().to_string();
        assert_eq!(error, "line 2 of the record `r.jsonl` is wrong: its `http` allows no `body`");
        assert!(of_body(http, r#"{"is":"text","size":3}"#).is_err());
        let answer =
            of_body(http, r#"{"is":"nothing","size":0}"#).unwrap().answer("GET", "/aif/rest/", Wish::default());
        assert_eq!((answer.http, answer.body.len()), (http, 0));
    }
}

#[test]
fn the_encodings_of_other_tools_are_read_or_named() {
    let load = |bytes: &[u8]| {
        let replay = text_of("r.jsonl", bytes.to_vec()).and_then(|text| Replay::parse("r.jsonl", &text));
        replay.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(load(format!("\u{feff}{HEAD}\r\n").as_bytes()), Ok(()));
    let wide: Vec<u16> = format!("\u{feff}{HEAD}\n").encode_utf16().collect();
    let pieces = [
        wide.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<_>>(),
        wide.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        wide.iter().skip(1).flat_map(|unit| unit.to_le_bytes()).collect(),
    ];
    for bytes in pieces {
        assert!(load(&bytes).unwrap_err().ends_with("`r.jsonl` is in UTF-16: save it in UTF-8"));
    }
    assert!(load(b"{\"format\":1}\n\xE9").unwrap_err().ends_with("is not in UTF-8"));
}

#[test]
fn a_pipeline_is_known_by_any_name_where_there_is_one() {
    let pipeline = "/aif/rest/V1/pipeline?pipelineName=";
    let line =
        |name: &str| format!(r#"{{"method":"GET","path":"{pipeline}{name}","http":200,"body":{{"json":"{name}"}}}}"#);
    let mut replay = of(&[&line("NAME_1")]).unwrap();
    for name in ["NAME_1", "DAILY", "D%20L"] {
        assert_eq!(replay.answer("GET", &format!("{pipeline}{name}"), Wish::default()).body, b"\"NAME_1\"", "{name}");
    }
    assert_eq!(replay.answer("POST", &format!("{pipeline}DAILY"), Wish::default()).http, 404);
    assert_eq!(replay.answer("GET", "/aif/rest/V1/pipeline", Wish::default()).http, 404);
    let mut replay = of(&[&line("NAME_1"), &line("NAME_2")]).unwrap();
    assert_eq!(replay.answer("GET", &format!("{pipeline}DAILY"), Wish::default()).http, 404);
    assert_eq!(replay.answer("GET", &format!("{pipeline}NAME_2"), Wish::default()).body, b"\"NAME_2\"");
}

#[test]
fn a_file_breaks_off_where_it_did_and_its_rest_fits() {
    let headers = r#""headers":{"content-type":"application/octet-stream","content-length":"100"}"#;
    let rest = r#""headers":{"content-type":"application/octet-stream","content-range":"bytes 30-99/100"}"#;
    let line = |http: u16, headers: &str, size: u64| {
        format!(r#"{{"method":"GET","path":"/interop/x","http":{http},{headers},"body":{{"is":"file","size":{size}}}"#)
    };
    let lines = [
        format!(r#"{},"fault":"broken"}}"#, line(200, headers, 30)),
        format!(r#"{},"fault":"timeout"}}"#, line(206, rest, 40)),
        format!("{}}}", line(206, rest, 30)),
    ];
    let mut replay = of(&lines.each_ref().map(String::as_str)).unwrap();
    let first = replay.answer("GET", "/interop/x", Wish::default());
    assert_eq!((first.http, first.body.len(), first.cut_after, first.fault), (200, 100, Some(30), None));
    let wish = |range| Wish { range: Some(range), if_range: None };
    let second = replay.answer("GET", "/interop/x", wish("bytes=30-"));
    assert_eq!((second.http, &second.body, second.cut_after), (206, &first.body[30..].to_vec(), Some(40)));
    assert_eq!(second.fault, Some(Fault::Stall));
    let last = replay.answer("GET", "/interop/x", wish("bytes=70-"));
    assert_eq!((last.http, &last.body, last.cut_after), (206, &first.body[70..].to_vec(), None));
    // Whoever asks for all of it gets all of it.
    assert_eq!(replay.answer("GET", "/interop/x", Wish::default()).http, 200);
}

#[test]
fn files_of_the_inbox_are_found_under_any_name_in_the_order_of_the_record() {
    let files = "/interop/rest/11.1.2.3.600/applicationsnapshots";
    let line = |method: &str, path: &str, http: u16| {
        format!(r#"{{"method":"{method}","path":"{files}/{path}","http":{http},"body":{{"is":"nothing"}}}}"#)
    };
    let lines = [
        line("GET", "inbox%2FFILE_1.csv/contents", 201),
        line("DELETE", "inbox%5CFILE_1.csv", 202),
        line("DELETE", "inbox%2FFILE_1.csv", 203),
        line("POST", "FILE_1.csv/contents?extDirPath=inbox", 205),
        line("POST", "FILE_3.csv/contents?extDirPath=inbox%2FFILE_2", 206),
        line("GET", "outbox%2FFILE_4.csv/contents", 207),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let asks = |asks: &[(&str, &str, u16)]| {
        let mut replay = of(&lines).unwrap();
        for (method, path, http) in asks {
            let answer = replay.answer(method, &format!("/gw{files}/{path}"), Wish::default());
            assert_eq!(answer.http, *http, "{method} {path}");
        }
    };
    asks(&[
        ("GET", "inbox%2Fa%20b.csv/contents", 201),
        ("GET", "inbox%5Ca%20b.csv/contents", 404),
        ("DELETE", "inbox%5Ca%20b.csv", 202),
        ("DELETE", "inbox%2Fa%20b.csv", 203),
        ("POST", "a%20b.csv/contents?extDirPath=inbox", 205),
        ("POST", "c.csv/contents?extDirPath=inbox", 206),
        ("POST", "d.csv/contents?extDirPath=inbox", 404),
        ("POST", "a%20b.csv/contents?extDirPath=inbox", 205),
        ("GET", "outbox%2Fa.csv/contents", 404),
    ]);
    // A name that the record has is that one.
    asks(&[
        ("POST", "FILE_3.csv/contents?extDirPath=inbox%2FFILE_2", 206),
        ("POST", "x.csv/contents?extDirPath=inbox", 205),
    ]);
}

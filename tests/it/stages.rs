//! The stages of a PIPELINE: which are taken, what is told of them, and what `--fail-on-stage-failure` makes of them.

use epm_sandbox::Sandbox;

use crate::harness::{Gate, Ran, playing, replaying, shipped};

const RUN: [&str; 5] = ["run", "--job-type", "PIPELINE", "--job-name", "DAILY"];
const STRICT: &str = "--fail-on-stage-failure";

fn strictly(sandbox: &Sandbox) -> Ran {
    Gate::against(sandbox).run(RUN.iter().chain(&[STRICT]))
}

/// How often the stages were asked for.
fn asked(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.path.contains("/aif/rest/V1/pipeline")).count()
}

/// A pipeline that passes, with these keys of its `pipeline`.
fn pipeline(keys: &str) -> Sandbox {
    playing(&format!(
        "[[job]]\nid = 2000\nname = 'DAILY'\nexists = true\npolls = [{{ status = 0 }}]\n[job.pipeline]\n{keys}\n"
    ))
}

/// One stage, a job of which ended so.
fn ended(status: &str) -> Sandbox {
    pipeline(&format!("stages = [{{ name = 'LOAD', jobs = [{{ name = 'GL', {status} }}] }}]"))
}

#[test]
fn the_stages_of_a_pipeline_are_asked_for_once_however_it_ended() {
    for (scenario, code) in [("pipeline-succeeds", 0), ("pipeline-fails-in-a-stage", 10)] {
        let sandbox = shipped(scenario);
        let ran = Gate::against(&sandbox).run(RUN);
        assert_eq!((ran.code, asked(&sandbox)), (code, 1), "{ran:?}");
        let path = &sandbox.requests().iter().find(|request| request.path.contains("pipeline")).unwrap().path.clone();
        assert_eq!(path, "/aif/rest/V1/pipeline?pipelineName=DAILY");
    }
}

#[test]
fn a_failed_job_of_a_stage_is_told_with_its_log() {
    let ran = Gate::against(&shipped("pipeline-fails-in-a-stage")).run(RUN);
    ran.says(&[
        "job 2100",
        "job `GL_LOAD` of stage `Load` ended with `FAILED`; its log is `outbox/logs/GL_LOAD_210002.log`",
    ]);
    assert!(!ran.stderr.contains("GL_EXTRACT"), "{ran:?}");
}

#[test]
fn the_log_of_the_failed_job_tells_where_that_of_the_pipeline_does_not() {
    let ran = Gate::against(&shipped("pipeline-fails-in-a-stage")).run(RUN);
    ran.says(&["│ ", "Error: 3303 Member 4711-X Not Found In Database"]);
    assert!(ran.summary.contains("3303 Member 4711-X") && !ran.summary.contains("Pipeline DAILY ended"), "{ran:?}");
    let ran = strictly(&shipped("pipeline-goes-on-past-a-failed-stage"));
    ran.says(&["│ ", "Error: 3303 Member 4711-X Not Found In Database"]);
    // A log of its own that tells is enough.
    let telling = "polls = [{ status = 1 }]\nlog = 'ERROR [AIF]: Connection refused'";
    let sandbox = playing(&format!(
        "[[job]]\n{telling}\n[job.pipeline]\nstages = [{{ name = 'S', jobs = [{{ name = 'GL', status = 1, log = 'ERROR x' }}] }}]"
    ));
    let ran = Gate::against(&sandbox).run(RUN);
    ran.says(&["│ ", "Connection refused"]);
    assert!(!ran.stderr.contains("ERROR x"), "{ran:?}");
}

#[test]
fn a_pass_with_good_stages_has_no_log_read() {
    let sandbox = shipped("pipeline-succeeds");
    let ran = strictly(&sandbox);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert!(sandbox.requests().iter().all(|request| !request.path.ends_with("/contents")), "{ran:?}");
}

#[test]
fn no_other_job_is_asked_for_its_stages() {
    let sandbox = shipped("pipeline-succeeds");
    let ran = Gate::against(&sandbox).run(["run", "--job-name", "GLDATA"]);
    assert_eq!((ran.end(), asked(&sandbox)), ((0, "succeeded"), 0), "{ran:?}");
    let ran = Gate::against(&sandbox).run(["attach", "2000", "--job-name", "Vision"]);
    assert_eq!((ran.end(), asked(&sandbox)), ((0, "succeeded"), 0), "{ran:?}");
}

#[test]
fn stages_that_are_not_ours_or_cannot_be_read_are_a_note_and_change_nothing() {
    let table = [
        ("process_id = 9999", "the latest run of `DAILY` is job 9999"),
        ("replies = [{ http = 302 }]", "HTTP 302"),
        ("replies = [{ http = 401 }]", "HTTP 401"),
        ("replies = [{ http = 403 }]", "HTTP 403"),
        ("replies = [{ http = 404 }]", "HTTP 404"),
        ("replies = [{ http = 429 }]", "HTTP 429"),
        ("replies = [{ http = 500 }]", "HTTP 500"),
        ("replies = [{ page = 'login' }]", "login page"),
        ("replies = [{ body = '{' }]", "not JSON"),
        ("replies = [{ fault = 'hang' }]", ""),
        ("replies = [{ fault = 'reset-before' }]", ""),
        ("replies = [{ fault = 'half-head' }]", ""),
        ("replies = [{ fault = 'half-body' }]", ""),
        ("replies = [{ fault = 'stall' }]", ""),
        ("replies = [{ fault = 'trickle' }]", ""),
        ("replies = [{ padding = 2000000 }]", "larger than"),
        ("replies = [{ body = '{\"status\": 1, \"details\": \"EPMFDM-1: no such code\"}' }]", "EPMFDM-1: no such code"),
        ("replies = [{ body = '{\"status\": 0, \"response\": {\"processId\": 2000, \"stages\": 7}}' }]", "not known"),
        ("replies = [{ body = '{\"status\": 0, \"response\": {\"stages\": []}}' }]", "does not tell which job"),
    ];
    for (keys, why) in table {
        let sandbox = pipeline(keys);
        let run = ["attach", "2000", "--job-name", "DAILY"];
        let lenient = playing(&format!(
            "[[job]]\nid = 2000\nname = 'DAILY'\nexists = true\nprocess_type = 'COMM_PIPELINE'\npolls = [{{ status = 0 }}]\n[job.pipeline]\n{keys}\n"
        ));
        let short =
            |sandbox| Gate::against(sandbox).set("EPM_REQUEST_TIMEOUT", "500ms").set("EPM_OUTAGE_BUDGET", "200ms");
        let ran = short(&lenient).run(run);
        assert_eq!(ran.end(), (0, "succeeded"), "{keys}: {ran:?}");
        assert!(asked(&lenient) > 0, "{keys}: {ran:?}");
        ran.says(&["warning: ", "its stages could not be read", why]);
        let ran = short(&sandbox).run(run.iter().chain(&[STRICT]));
        assert_eq!(ran.end(), (13, "condition-unmet"), "{keys}: {ran:?}");
        ran.says(&["error: ", "its stages could not be read (", why, "`--fail-on-stage-failure` is set"]);
    }
}

#[test]
fn a_pass_needs_every_job_of_every_stage_to_have_passed() {
    let table = [
        ("status = 'SUCCESS'", 0, ""),
        ("status = 0", 0, ""),
        ("status = 'Warning'", 0, ""),
        ("status = 'FAILED'", 13, "job `GL` of stage `LOAD` did not pass (`FAILED`)"),
        ("status = 1", 13, "job `GL` of stage `LOAD` did not pass (`1`)"),
        ("status = 'RUNNING'", 13, "how job `GL` of stage `LOAD` ended cannot be read from `RUNNING`"),
        ("status = 2147483647", 13, "cannot be read from `2147483647`"),
        ("without = ['status']", 13, "EPM does not tell how job `GL` of stage `LOAD` ended"),
        ("status = 'null'", 13, "EPM does not tell how job `GL` of stage `LOAD` ended"),
    ];
    for (status, code, why) in table {
        let ran = Gate::against(&ended(status)).run(["attach", "2000", "--job-name", "DAILY", STRICT]);
        assert_eq!((ran.code, ran.output("status")), (code, "0"), "{status}: {ran:?}");
        if code > 0 {
            assert_eq!(ran.output("outcome"), "condition-unmet");
            ran.says(&["error: ", why, "`--fail-on-stage-failure` is set"]);
        }
    }
    let ran = Gate::against(&pipeline("stages = []")).run(["attach", "2000", "--job-name", "DAILY", STRICT]);
    assert_eq!(ran.end(), (13, "condition-unmet"), "{ran:?}");
    ran.says(&["error: ", "EPM tells of no job in its stages"]);
}

#[test]
fn a_pass_needs_the_run_and_every_stage_to_have_passed_too() {
    let good = r#"{"jobName": "GL", "status": "SUCCESS"}"#;
    let stages = |keys: &str, job: &str| format!(r#""stages": [{{"stageName": "LOAD", {keys}"jobs": [{job}]}}]"#);
    for (keys, code, why) in [
        (format!(r#""status": null, {}"#, stages("", good)), 0, ""),
        (format!(r#""status": 0, {}"#, stages(r#""status": "COMPLETED", "#, good)), 0, ""),
        (
            format!(r#""status": "FAILED", {}"#, stages("", good)),
            13,
            "the run of the pipeline itself did not pass (`FAILED`)",
        ),
        (format!(r#""status": 1, {}"#, stages("", good)), 13, "the run of the pipeline itself did not pass (`1`)"),
        (
            format!(r#""status": "RUNNING", {}"#, stages("", good)),
            13,
            "how the run of the pipeline itself ended cannot be read from `RUNNING`",
        ),
        (stages(r#""status": "FAILED", "#, good), 13, "stage `LOAD` itself did not pass (`FAILED`)"),
        (
            stages("", r#"{"jobName": "GL", "status": 0, "jobStatus": "FAILED"}"#),
            13,
            "job `GL` of stage `LOAD` did not pass (`FAILED`)",
        ),
    ] {
        let body = format!(r#"{{"status": 0, "details": null, "response": {{"processId": 2000, {keys}}}}}"#);
        let sandbox = pipeline(&format!("replies = [{{ body = '{body}' }}]"));
        let ran = Gate::against(&sandbox).recorded().run(["attach", "2000", "--job-name", "DAILY", STRICT]);
        assert_eq!((ran.code, ran.output("status")), (code, "0"), "{keys}: {ran:?}");
        if code > 0 {
            assert_eq!(ran.output("outcome"), "condition-unmet");
            ran.says(&["error: ", why, "`--fail-on-stage-failure` is set"]);
        }
        let again = Gate::against(&replaying(&ran.record)).run(["attach", "2000", "--job-name", "DAILY", STRICT]);
        assert_eq!(again.end(), ran.end(), "{again:?}\nof\n{}", ran.record);
    }
}

#[test]
fn what_is_to_be_read_is_the_log_of_the_failed_job() {
    let ran = strictly(&shipped("pipeline-goes-on-past-a-failed-stage"));
    assert_eq!(ran.end(), (13, "condition-unmet"), "{ran:?}");
    ran.says(&["hint: ", "read `outbox/logs/GL_LOAD_210001.log`, the log of that job"]);
    assert_eq!(strictly(&shipped("pipeline-succeeds")).end(), (0, "succeeded"));
    // A job that failed has failed, whatever its stages say.
    assert_eq!(strictly(&shipped("pipeline-fails-in-a-stage")).end(), (10, "failed"));
}

#[test]
fn without_a_code_there_are_no_stages() {
    let sandbox = ended("status = 0");
    let ran = Gate::against(&sandbox).run(["attach", "2000", STRICT]);
    assert_eq!((ran.end(), asked(&sandbox)), ((13, "condition-unmet"), 0), "{ran:?}");
    ran.says(&["error: ", "the code of its pipeline is not known: give it with `--job-name`"]);
    // EPM may tell the name itself.
    let sandbox = playing(
        "[[job]]\nid = 2000\nname = 'DAILY'\nexists = true\npolls = [{ status = 0, fields = { jobName = 'DAILY' } }]\n\
         [job.pipeline]\nstages = [{ name = 'LOAD', jobs = [{ name = 'GL' }] }]\n",
    );
    let ran = Gate::against(&sandbox).run(["attach", "2000", STRICT]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

#[test]
fn a_fault_is_asked_through_and_a_hang_is_given_up() {
    let good = "stages = [{ name = 'LOAD', jobs = [{ name = 'GL' }] }]";
    let sandbox = pipeline(&format!("replies = [{{ http = 503 }}, {{ fault = 'reset-after' }}, {{}}]\n{good}"));
    let attach = ["attach", "2000", "--job-name", "DAILY", STRICT];
    let ran = Gate::against(&sandbox).run(attach);
    assert_eq!((ran.end(), asked(&sandbox)), ((0, "succeeded"), 3), "{ran:?}");
    let sandbox = pipeline(&format!("replies = [{{ fault = 'hang' }}]\n{good}"));
    let ran = Gate::against(&sandbox).set("EPM_TIMEOUT", "2s").run(attach);
    assert_eq!((ran.end(), ran.output("status")), ((13, "condition-unmet"), "0"), "{ran:?}");
    ran.says(&["error: ", "its stages could not be read", "`--fail-on-stage-failure` is set"]);
}

#[cfg(unix)]
#[test]
fn a_signal_while_the_stages_are_read_fails_closed() {
    let sandbox = pipeline("replies = [{ fault = 'hang' }]");
    let mut running = Gate::against(&sandbox).start(["attach", "2000", "--job-name", "DAILY", STRICT]);
    running.until("the stages are asked for", || asked(&sandbox) == 1);
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!((ran.end(), ran.output("status")), ((13, "condition-unmet"), "0"), "{ran:?}");
    ran.says(&["error: ", "its stages could not be read in time"]);
}

#[test]
fn a_condition_on_stages_is_wrong_usage_for_what_has_none() {
    let refused = |ran: Ran, sandbox: &Sandbox| {
        assert_eq!((ran.end(), sandbox.posts()), ((2, "usage"), 0), "{ran:?}");
        ran.says(&["error: ", "only a PIPELINE has stages, and the job is of type `INTEGRATION`"]);
        ran.says(&["hint: ", "submit a PIPELINE"]);
    };
    let sandbox = shipped("succeeds");
    let gate = || Gate::against(&sandbox);
    refused(gate().run(["run", "--job-name", "GLDATA", STRICT]), &sandbox);
    let body = r#"{"jobType": "INTEGRATION", "jobName": "GLDATA"}"#;
    let file = gate();
    let path = file.file("body.json", body);
    refused(file.run(["run", "--payload", &path, STRICT]), &sandbox);
    refused(gate().piped(body).run(["run", "--payload", "-", STRICT]), &sandbox);
    refused(gate().set("EPM_FAIL_ON_STAGE_FAILURE", "true").run(["run", "--job-name", "GLDATA"]), &sandbox);
    // Off is off, and a pipeline may be spelled in any case.
    let ran = gate().set("EPM_FAIL_ON_STAGE_FAILURE", "false").run(["run", "--job-name", "GLDATA"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let body = r#"{"jobType": "pipeline", "jobName": "DAILY"}"#;
    let ran = Gate::against(&shipped("pipeline-succeeds")).piped(body).run(["run", "--payload", "-", STRICT]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

#[test]
fn hostile_words_in_a_stage_start_nothing() {
    let sandbox = pipeline(
        "stages = [{ name = \"::error::S`\\u001b[31m\", jobs = [{ name = \"##vso[task.complete]\\nG\", status = 'FAILED', log_file = \"x`|<b>\\u0007\" }] }]",
    );
    let ran = Gate::against(&sandbox).on_github().run(["attach", "2000", "--job-name", "DAILY", STRICT]);
    assert_eq!(ran.end(), (13, "condition-unmet"), "{ran:?}");
    ran.says(&["error: ", "did not pass (`FAILED`)"]);
}

#[test]
fn a_record_of_stages_plays_again_without_their_names() {
    let sandbox = pipeline(
        "stages = [{ name = 'Werk Nord', jobs = [{ name = 'GL_SECRET', status = 'FAILED', ended = '2026-03-22 03:24:25' }, { name = 'B' }] }]",
    );
    let ran = Gate::against(&sandbox).recorded().run(["attach", "2000", "--job-name", "DAILY", STRICT]);
    assert_eq!(ran.end(), (13, "condition-unmet"), "{ran:?}");
    for name in ["DAILY", "Werk", "Nord", "GL_SECRET", "03:24"] {
        assert!(!ran.record.contains(name), "{name}: {}", ran.record);
    }
    let again = Gate::against(&replaying(&ran.record)).run(["attach", "2000", "--job-name", "DAILY", STRICT]);
    assert_eq!(again.end(), ran.end(), "{again:?}\nof\n{}", ran.record);
    again.says(&["error: ", "did not pass (`FAILED`)"]);
}

//! The details of a pipeline, as Oracle's page `get_pipeline.html` shows them: an envelope around the definition, which
//! tells of its latest run beside that (epm-api.md §2.2). Whatever might hide a job of a stage makes the whole unreadable:
//! one that was not seen must not pass for one that did not fail.

use crate::foreign::{Foreign, Mask};
use crate::pipeline::{Latest, Step, StepEnd, Whole, between};

use super::{Keys, STATUS, is_absent, job_id, text};

/// What an answer tells of a pipeline.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Its latest run.
    Run(Latest),
    /// Nothing, and why.
    Refused(Option<Foreign>),
    /// Nothing that can be read.
    Garbled,
}

/// Reads `{"status": 0, "details": null, "response": {...}}`. None where it is no JSON object at all.
pub(crate) fn pipeline(body: &[u8], mask: &Mask) -> Option<Told> {
    let envelope: Keys = serde_json::from_str(&text(body)).ok()?;
    if envelope.has(&STATUS) && envelope.agreed(&STATUS) != Some(0) {
        return Some(Told::Refused(envelope.text(&["details"], mask)));
    }
    Some(match envelope.only("response") {
        Ok(None) => Told::Refused(envelope.text(&["details"], mask)),
        Ok(Some(response)) => latest(response, mask).map_or(Told::Garbled, Told::Run),
        Err(Twice) => Told::Garbled,
    })
}

fn latest(response: &str, mask: &Mask) -> Option<Latest> {
    let response: Keys = serde_json::from_str(response).ok()?;
    let (mut steps, mut wholes) = (Vec::new(), vec![whole(None, &response, mask)]);
    for stage in response.ordered("stages", "stageSequence")? {
        let name = stage.text(&["stageDisplayName"], mask).or_else(|| stage.text(&["stageName"], mask));
        let name = name.unwrap_or_else(unnamed);
        wholes.push(whole(Some(&name), &stage, mask));
        for job in stage.ordered("jobs", "jobSeq")? {
            steps.push(step(&name, &job, mask));
        }
    }
    let whole = wholes.into_iter().flatten().rev().max_by_key(|whole| whole.end);
    Some(Latest { whole, ..Latest::new(response.agreed(&["processId"]).and_then(job_id), steps) })
}

/// What the run or a stage says of itself, where it says anything but that it passed. Oracle's page shows no status there,
/// so that none of them says nothing.
fn whole(stage: Option<&Foreign>, keys: &Keys, mask: &Mask) -> Option<Whole> {
    let (status, end) = worst(keys, mask).filter(|(_, end)| *end != StepEnd::Passed)?;
    Some(Whole { stage: stage.cloned(), status, end })
}

/// The worse of the number and the word, as it is told, and what it means.
fn worst(keys: &Keys, mask: &Mask) -> Option<(Foreign, StepEnd)> {
    let told = |name: &str| {
        let status = keys.text(&[name], mask)?;
        // Of two statuses neither decides.
        let end = keys.only(name).map_or(StepEnd::Unknown, |_| StepEnd::of(status.as_str()));
        Some((status, end))
    };
    // Of two that are as bad, the last is taken.
    ["jobStatus", "status"].into_iter().filter_map(told).max_by_key(|(_, end)| *end)
}

fn step(stage: &Foreign, job: &Keys, mask: &Mask) -> Step {
    // A word alone may spoil a pass, and makes none.
    let told = worst(job, mask).filter(|(_, end)| job.has(&STATUS) || *end != StepEnd::Passed);
    let (status, end) = told.map_or((None, StepEnd::Unknown), |(status, end)| (Some(status), end));
    let ended = job.text(&["endTime"], mask);
    let started = job.text(&["startTime"], mask);
    let took = started.zip(ended.as_ref()).and_then(|(start, end)| between(start.as_str(), end.as_str()));
    Step {
        stage: stage.clone(),
        name: job.text(&["jobName"], mask).unwrap_or_else(unnamed),
        job_type: job.text(&["jobType"], mask),
        status,
        end,
        id: job.agreed(&["processId"]).and_then(job_id),
        took,
        ended,
        log: job.name(&["logFile"], mask),
    }
}

fn unnamed() -> Foreign {
    Foreign::new("?")
}

/// A key says one thing and another.
struct Twice;

impl Keys {
    /// What a key says, where all of its values that say something agree.
    fn only<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Twice> {
        let mut values = self.under(name).filter(|value| !is_absent(value));
        let Some(first) = values.next() else { return Ok(None) };
        if values.all(|other| other == first) { Ok(Some(first)) } else { Err(Twice) }
    }

    /// The objects of a list, in the order that the number under `key` gives them. None where something stands there that
    /// is no such list.
    fn ordered(&self, list: &str, key: &str) -> Option<Vec<Self>> {
        let Some(list) = self.only(list).ok()? else { return Some(Vec::new()) };
        let mut objects: Vec<Self> = serde_json::from_str(list).ok()?;
        objects.sort_by_key(|object| object.agreed(&[key]).unwrap_or(i128::MAX));
        Some(objects)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::job::JobId;

    fn read(body: &str) -> Told {
        pipeline(body.as_bytes(), &Mask::new(["hunter2!".to_owned()])).unwrap()
    }

    fn run(response: &str) -> Latest {
        match read(&format!(r#"{{"status":0,"details":null,"response":{response}}}"#)) {
            Told::Run(latest) => latest,
            other => panic!("{other:?}"),
        }
    }

    fn told(latest: &Latest) -> Vec<String> {
        let told = |step: &Step| format!("{} {} {:?}", step.stage.as_str(), step.name.as_str(), step.end);
        latest.steps.iter().map(told).collect()
    }

    #[test]
    fn stages_and_their_jobs_are_read_in_the_order_of_their_numbers() {
        let latest = run(
            r#"{"name":"DAILY","displayName":"Daily","id":1,"parallelJobs":2,"partName":null,"processId":"2100","variables":[{"varName":"X"}],
            "stages":[
              {"stageName":"S2","stageDisplayName":"Load","stageSequence":"2","stageParallel":"N","jobs":[
                {"jobType":"INTEGRATION","jobName":"b","jobSeq":20,"status":"FAILED","startTime":"2026-03-22 03:24:25","endTime":"2026-03-22 03:24:27","logFile":"outbox/logs/b.log","processId":2102,"parameters":[{"paramName":"x"}]},
                {"jobType":"INTEGRATION","jobName":"a","jobSeq":"3","status":0,"processId":"2101"}]},
              {"stageName":"S1","stageDisplayName":"","stageSequence":1,"jobs":[{"jobName":"null","status":null,"logFile":"null"}]},
              {"stageName":"S9","jobs":null}]}"#,
        );
        assert_eq!(latest.id, JobId::new(2100));
        assert_eq!(told(&latest), ["S1 ? Unknown", "Load a Passed", "Load b Failed"]);
        let failed = &latest.steps[2];
        assert_eq!((failed.id, failed.took.map(|took| took.as_secs())), (JobId::new(2102), Some(2)));
        assert_eq!(failed.log.as_ref().map(Foreign::as_str), Some("outbox/logs/b.log"));
        assert_eq!(failed.job_type.as_ref().map(Foreign::as_str), Some("INTEGRATION"));
        assert_eq!((&latest.steps[0].log, &latest.steps[0].status), (&None, &None));
    }

    #[test]
    fn an_answer_without_a_run_says_why() {
        let refused = |details: Option<&str>| Told::Refused(details.map(Foreign::new));
        for (body, expected) in [
            (
                r#"{"status":1,"details":"no such pipeline","response":{"stages":[]}}"#,
                refused(Some("no such pipeline")),
            ),
            (r#"{"status":"1","details":"null"}"#, refused(None)),
            (r#"{"status":0,"status":1,"response":{}}"#, refused(None)),
            (r#"{"status":"OK","response":{}}"#, refused(None)),
            (r#"{"status":0,"details":"x","response":null}"#, refused(Some("x"))),
            ("{}", refused(None)),
            (r#"{"status":0,"response":[]}"#, Told::Garbled),
            (r#"{"status":0,"response":"x"}"#, Told::Garbled),
            (r#"{"status":0,"response":{},"response":{"stages":[]}}"#, Told::Garbled),
        ] {
            assert_eq!(read(body), expected, "{body}");
        }
        for none in ["", "[]", "null", "<html>", "7"] {
            assert_eq!(pipeline(none.as_bytes(), &Mask::default()), None, "{none}");
        }
    }

    #[test]
    fn what_might_hide_a_job_makes_the_whole_unreadable() {
        for response in [
            r#"{"stages":{}}"#,
            r#"{"stages":"none"}"#,
            r#"{"stages":[7]}"#,
            r#"{"stages":[{"jobs":{}}]}"#,
            r#"{"stages":[{"jobs":[null]}]}"#,
            r#"{"stages":[{"jobs":[],"jobs":[{}]}]}"#,
            r#"{"stages":[],"stages":[{}]}"#,
        ] {
            assert_eq!(read(&format!(r#"{{"status":0,"response":{response}}}"#)), Told::Garbled, "{response}");
        }
    }

    #[test]
    fn what_is_absent_in_any_spelling_is_absent() {
        for response in [
            "{}",
            r#"{"stages":null,"processId":null}"#,
            r#"{"stages":"null","processId":"null"}"#,
            r#"{"stages":"","processId":""}"#,
        ] {
            assert_eq!(run(response), Latest { id: None, steps: Vec::new(), more: 0, whole: None }, "{response}");
        }
        for id in ["0", "-1", "\"x\"", "7.5", "[7]"] {
            assert_eq!(run(&format!(r#"{{"processId":{id}}}"#)).id, None, "{id}");
        }
        assert_eq!(run(r#"{"processId":7,"processId":8}"#).id, None);
    }

    #[test]
    fn a_status_that_is_not_plain_decides_nothing() {
        for (status, end) in [
            (r#""status":0"#, StepEnd::Passed),
            (r#""status":"0""#, StepEnd::Passed),
            (r#""status":"SUCCESS","status":"SUCCESS""#, StepEnd::Passed),
            (r#""status":"FAILED","status":"SUCCESS""#, StepEnd::Unknown),
            (r#""status":0.0"#, StepEnd::Unknown),
            (r#""status":true"#, StepEnd::Unknown),
            (r#""status":["SUCCESS"]"#, StepEnd::Unknown),
            (r#""status":{"a":0}"#, StepEnd::Unknown),
            (r#""Status":0"#, StepEnd::Unknown),
        ] {
            let latest = run(&format!(r#"{{"stages":[{{"jobs":[{{"jobName":"a",{status}}}]}}]}}"#));
            assert_eq!(latest.steps[0].end, end, "{status}");
        }
    }

    #[test]
    fn a_status_of_the_run_or_of_a_stage_is_kept_where_it_is_no_pass() {
        let stage = |status: &str| format!(r#""stages":[{{"stageName":"A",{status}"jobs":[]}}]"#);
        for (response, expected) in [
            (r#""status":null"#.to_owned(), None),
            (r#""status":0,"jobStatus":"SUCCESS""#.to_owned(), None),
            (r#""status":"FAILED""#.to_owned(), Some((false, "FAILED", StepEnd::Failed))),
            (r#""status":1"#.to_owned(), Some((false, "1", StepEnd::Failed))),
            (r#""status":0,"jobStatus":"ERROR""#.to_owned(), Some((false, "ERROR", StepEnd::Failed))),
            (r#""status":["FAILED"]"#.to_owned(), Some((false, r#"["FAILED"]"#, StepEnd::Unknown))),
            (stage(r#""status":"COMPLETED","#), None),
            (stage(r#""status":"FAILED","#), Some((true, "FAILED", StepEnd::Failed))),
            (
                format!(r#""status":"RUNNING",{}"#, stage(r#""status":"FAILED","#)),
                Some((true, "FAILED", StepEnd::Failed)),
            ),
            (format!(r#""status":"FAILED",{}"#, stage(r#""status":1,"#)), Some((false, "FAILED", StepEnd::Failed))),
        ] {
            let whole = run(&format!("{{{response}}}")).whole;
            let told = whole.as_ref().map(|whole| (whole.stage.is_some(), whole.status.as_str(), whole.end));
            assert_eq!(told, expected, "{response}");
        }
    }

    #[test]
    fn the_worse_of_a_number_and_a_word_is_how_a_job_ended() {
        for (job, status, end) in [
            (r#""status":0,"jobStatus":"SUCCESS""#, Some("0"), StepEnd::Passed),
            (r#""status":0,"jobStatus":null"#, Some("0"), StepEnd::Passed),
            (r#""status":0,"jobStatus":"FAILED""#, Some("FAILED"), StepEnd::Failed),
            (r#""status":1,"jobStatus":"SUCCESS""#, Some("1"), StepEnd::Failed),
            (r#""status":0,"jobStatus":"RUNNING""#, Some("RUNNING"), StepEnd::Unknown),
            (r#""jobStatus":"SUCCESS""#, None, StepEnd::Unknown),
            (r#""jobStatus":"FAILED""#, Some("FAILED"), StepEnd::Failed),
        ] {
            let step = &run(&format!(r#"{{"stages":[{{"jobs":[{{{job}}}]}}]}}"#)).steps[0];
            assert_eq!((step.status.as_ref().map(Foreign::as_str), step.end), (status, end), "{job}");
        }
    }

    /// A JSON value, mostly one that stands in the details of a pipeline.
    fn value() -> impl Strategy<Value = String> {
        let plain = "[1-9][0-9]{0,2}|null|true|-1|0|\"\"|\"SUCCESS\"|\"FAILED\"|\"\\\\ud83d\"|\\[\\]|\\{\\}";
        let key = "status|details|response|stages|stageSequence|jobs|jobSeq|jobName|processId|logFile|x";
        plain.prop_recursive(6, 48, 4, move |inner| {
            let object = vec((key, inner.clone()), 0..5).prop_map(|pairs| {
                let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", pairs.join(","))
            });
            prop_oneof![vec(inner, 0..4).prop_map(|values| format!("[{}]", values.join(","))), object]
        })
    }

    proptest! {
        #[test]
        fn a_job_passes_only_where_its_status_is_told_to(status in value()) {
            let latest = run(&format!(r#"{{"stages":[{{"jobs":[{{"status":{status}}}]}}]}}"#));
            let passes = latest.steps[0].end == StepEnd::Passed;
            prop_assert_eq!(passes, matches!(status.as_str(), "0" | "\"SUCCESS\""));
        }

        #[test]
        fn any_answer_is_read_or_refused(body in value(), bytes in vec(any::<u8>(), 0..64)) {
            let mask = Mask::default();
            let whole = format!(r#"{{"status":0,"response":{{"stages":[{{"jobs":[{body}]}}]}}}}"#);
            pipeline(&bytes, &mask);
            pipeline(body.as_bytes(), &mask);
            let is_read = matches!(pipeline(whole.as_bytes(), &mask), Some(Told::Run(_)));
            prop_assert_eq!(is_read, body.starts_with('{'));
        }
    }

    #[test]
    fn three_hundred_jobs_are_cut_and_the_failed_one_is_kept() {
        let job = |n: usize| {
            format!(r#"{{"jobName":"j{n}","jobSeq":{n},"status":"{}"}}"#, if n == 299 { "FAILED" } else { "SUCCESS" })
        };
        let jobs: Vec<String> = (0..300).map(job).collect();
        let latest = run(&format!(r#"{{"stages":[{{"stageName":"S","jobs":[{}]}}]}}"#, jobs.join(",")));
        assert_eq!((latest.steps.len(), latest.more), (200, 100));
        assert_eq!(latest.steps[199].name.as_str(), "j299");
    }

    #[test]
    fn texts_of_others_are_masked_and_cleaned() {
        let latest = run(
            r#"{"stages":[{"stageName":"\u001b[31mS\u0007hunter2!","jobs":[{"jobName":"::error::x\u202e","jobType":["INTEGRATION"],"status":"\u001b[0mhunter2!","endTime":{"a":1},"logFile":["x"]}]}]}"#,
        );
        let step = &latest.steps[0];
        assert_eq!((step.stage.as_str(), step.name.as_str()), ("S***", "::error::x"));
        assert_eq!(step.status.as_ref().map(Foreign::as_str), Some("***"));
        assert_eq!((step.end, &step.log, step.took), (StepEnd::Unknown, &None, None));
    }
}

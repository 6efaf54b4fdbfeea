use serde_json::json;

use super::*;

fn draft(parts: &[(Field, &str)]) -> Draft {
    Draft { parts: parts.iter().map(|(field, value)| (*field, (*value).to_owned())).collect(), ..Draft::default() }
}

fn payload(job_type: JobType, parts: &[(Field, &str)]) -> Result<Value, Error> {
    Payload::of_draft(job_type, &draft(parts)).map(|payload| payload.value())
}

#[test]
fn every_job_type_has_its_documented_payload() {
    use Field::{EndPeriod, ExportMode, FileName, ImportMode, JobName, PeriodName, StartPeriod};
    let table = [
        (
            JobType::Integration,
            vec![
                (JobName, "GLDATA"),
                (PeriodName, "{Mar-20}"),
                (ImportMode, "Replace"),
                (ExportMode, "Merge"),
                (FileName, "inbox/GLBALANCE.txt"),
            ],
            json!({"jobType": "INTEGRATION", "jobName": "GLDATA", "periodName": "{Mar-20}", "importMode": "Replace",
                   "exportMode": "Merge", "fileName": "inbox/GLBALANCE.txt"}),
        ),
        (
            JobType::DataRule,
            vec![
                (JobName, "aso to bso"),
                (StartPeriod, "Dec-15"),
                (EndPeriod, "Dec-15"),
                (ImportMode, "REPLACE"),
                (ExportMode, "STORE_DATA"),
                (FileName, "x.csv"),
            ],
            json!({"jobType": "DATARULE", "jobName": "aso to bso", "startPeriod": "Dec-15", "endPeriod": "Dec-15",
                   "importMode": "REPLACE", "exportMode": "STORE_DATA", "fileName": "x.csv"}),
        ),
        (JobType::Batch, vec![(JobName, "BatchDataLoad")], json!({"jobType": "BATCH", "jobName": "BatchDataLoad"})),
        (JobType::Pipeline, vec![(JobName, "DAILYLOAD")], json!({"jobType": "PIPELINE", "jobName": "DAILYLOAD"})),
        (
            JobType::MappingImport,
            vec![(JobName, "ACCOUNT"), (FileName, "inbox/m.csv"), (ImportMode, "MERGE")],
            json!({"jobType": "MAPPINGIMPORT", "jobName": "ACCOUNT", "importMode": "MERGE", "fileName": "inbox/m.csv"}),
        ),
        (
            JobType::MappingExport,
            vec![(JobName, "ACCOUNT"), (FileName, "m.csv")],
            json!({"jobType": "MAPPINGEXPORT", "jobName": "ACCOUNT", "fileName": "m.csv"}),
        ),
        (JobType::Report, vec![(JobName, "TB")], json!({"jobType": "REPORT", "jobName": "TB"})),
    ];
    for (job_type, parts, expected) in table {
        assert_eq!(payload(job_type, &parts), Ok(expected), "{job_type:?}");
        assert_eq!(JobType::of_word(&job_type.word().to_lowercase()), Some(job_type));
    }
    assert_eq!(JobType::of_word("INTEGRATIONS"), None);
}

#[test]
fn every_documented_mode_is_taken_in_any_case_and_sent_as_documented() {
    for job_type in JobType::ALL {
        for field in [Field::ImportMode, Field::ExportMode] {
            for mode in job_type.modes(field) {
                for spelled in [(*mode).to_owned(), mode.to_lowercase(), mode.to_uppercase(), format!(" {mode} ")] {
                    let sent = payload(job_type, &[(Field::JobName, "X"), (field, &spelled)]).unwrap();
                    assert_eq!(sent[field.key()], **mode, "{job_type:?} {spelled}");
                }
            }
        }
    }
}

#[test]
fn a_mode_of_another_type_is_refused_with_the_right_ones() {
    let error = payload(JobType::Integration, &[(Field::JobName, "X"), (Field::ExportMode, "STORE_DATA")]).unwrap_err();
    assert_eq!(error.to_string(), "`STORE_DATA` is not one of the `exportMode` values of INTEGRATION");
    assert_eq!(error.help(), "use one of `Merge`, `Replace`, `Accumulate`, `Subtract`, `No Export`, `Check`");
    assert_eq!(error.field(), Some(Field::ExportMode));
    for (job_type, mode) in [(JobType::DataRule, "No Import"), (JobType::MappingImport, "Append")] {
        let error = payload(job_type, &[(Field::JobName, "X"), (Field::ImportMode, mode)]).unwrap_err();
        assert!(matches!(error, Error::Mode { .. }), "{error}");
    }
}

#[test]
fn a_part_that_the_type_does_not_have_is_refused() {
    for job_type in JobType::ALL {
        for field in Field::ALL.into_iter().filter(|field| !job_type.takes(*field) && *field != Field::Variables) {
            let parts = match field {
                Field::StartPeriod | Field::EndPeriod => vec![(Field::StartPeriod, "a"), (Field::EndPeriod, "b")],
                _ => vec![(field, "x")],
            };
            let error = payload(job_type, &[vec![(Field::JobName, "X")], parts].concat()).unwrap_err();
            assert!(matches!(error, Error::NotTaken { .. }), "{job_type:?} {field:?}: {error}");
            assert!(!error.help().is_empty());
        }
    }
    assert_eq!(payload(JobType::Batch, &[]), Err(Error::NoName { job_type: JobType::Batch }));
}

#[test]
fn periods_get_their_braces_and_broken_ones_are_named() {
    let table = [
        ("Jan-26", Ok("{Jan-26}")),
        ("{Jan-26}", Ok("{Jan-26}")),
        (" {Jan-26} ", Ok("{Jan-26}")),
        ("{Jan-26}{Mar-26}", Ok("{Jan-26}{Mar-26}")),
        ("{Jan#FY26}", Ok("{Jan#FY26}")),
        ("{Jun#FY19}{Aug#FY19}", Ok("{Jun#FY19}{Aug#FY19}")),
        ("{GLOBAL_POV}", Ok("{GLOBAL_POV}")),
        ("GLOBAL_POV", Ok("{GLOBAL_POV}")),
        ("January 2026", Ok("{January 2026}")),
        ("{Jan-26", Err("it must begin with `{` and end with `}`")),
        ("Jan-26}", Err("it must begin with `{` and end with `}`")),
        ("{Jan-26}x", Err("it must begin with `{` and end with `}`")),
        ("{{Jan-26}}", Err("its braces do not pair up")),
        ("{Jan-26} {Mar-26}", Err("its braces do not pair up")),
        ("{}", Err("a pair of braces is empty")),
        ("{Jan-26}{}", Err("a pair of braces is empty")),
        ("{a}{b}{c}", Err("a range has two ends")),
        ("  ", Err("it is empty")),
    ];
    for (given, expected) in table {
        let sent = payload(JobType::Integration, &[(Field::JobName, "X"), (Field::PeriodName, given)]);
        match expected {
            Ok(period) => assert_eq!(sent.unwrap()["periodName"], period, "{given}"),
            Err(problem) => {
                let error = Error::Period { field: Field::PeriodName, value: given.to_owned(), problem };
                assert_eq!(sent, Err(error), "{given}");
            }
        }
    }
}

#[test]
fn a_data_rule_wants_both_ends_of_its_range_without_braces() {
    let rule = |parts: &[(Field, &str)]| payload(JobType::DataRule, &[&[(Field::JobName, "X")], parts].concat());
    assert_eq!(rule(&[(Field::StartPeriod, "Jan-26")]), Err(Error::HalfRange { given: Field::StartPeriod }));
    assert_eq!(rule(&[(Field::EndPeriod, "Jan-26")]), Err(Error::HalfRange { given: Field::EndPeriod }));
    let error = rule(&[(Field::StartPeriod, "{Jan-26}"), (Field::EndPeriod, "Jan-26")]).unwrap_err();
    assert_eq!(error.to_string(), "`{Jan-26}` is not a period: periods of a DATARULE have no braces");
}

#[test]
fn variables_are_texts_in_their_order_and_belong_to_a_pipeline() {
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let named = draft(&[(Field::JobName, "DAILY")]);
    let with = |variables| Draft { variables, ..named.clone() };
    let sent = Payload::of_draft(JobType::Pipeline, &with(pairs(&[("STARTPERIOD", "Jan-23"), ("ATTACH_LOGS", "")])));
    assert_eq!(
        sent.unwrap().body(),
        r#"{"jobType":"PIPELINE","jobName":"DAILY","variables":{"STARTPERIOD":"Jan-23","ATTACH_LOGS":""}}"#
    );
    let twice = Payload::of_draft(JobType::Pipeline, &with(pairs(&[("A", "1"), ("A", "2")])));
    assert_eq!(twice, Err(Error::Twice { key: "A".to_owned() }));
    let batch = Payload::of_draft(JobType::Batch, &with(pairs(&[("A", "1")])));
    assert_eq!(batch, Err(Error::NotTaken { job_type: JobType::Batch, field: Field::Variables }));
}

#[test]
fn other_keys_are_set_but_not_those_that_have_a_flag() {
    let with = |set: &[(&str, Value)]| {
        let set = set.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        Payload::of_draft(JobType::Report, &Draft { set, ..draft(&[(Field::JobName, "TB")]) })
    };
    let sent = with(&[("reportFormatType", json!("PDF")), ("parameters", json!({"Period": "Jan-26"}))]).unwrap();
    assert_eq!(sent.value()["parameters"]["Period"], "Jan-26");
    for (key, flag) in [("jobName", "job-name"), ("PERIODNAME", "period-name"), ("jobType", "job-type")] {
        assert_eq!(with(&[(key, json!("x"))]), Err(Error::OwnFlag { key: key.to_owned(), flag }));
    }
    assert_eq!(with(&[("a", json!(1)), ("a", json!(2))]), Err(Error::Twice { key: "a".to_owned() }));
}

#[test]
fn a_whole_body_is_sent_as_it_was_written() {
    let text = "\u{feff}{\n \"jobType\": \"CUSTOM\", \"amount\": 1.10 }\n";
    let payload = Payload::of_text(text).unwrap();
    assert_eq!(payload.body(), "{\n \"jobType\": \"CUSTOM\", \"amount\": 1.10 }");
    assert_eq!((payload.job_type(), payload.job_name()), ("CUSTOM", None));
}

#[test]
fn a_body_that_is_no_object_with_a_type_is_refused_with_its_place() {
    let error = Payload::of_text("{\"jobType\": \"BATCH\",\n  \"jobName\": }").unwrap_err();
    assert_eq!(error.to_string(), "the payload is not JSON: expected value, at line 2, column 14");
    assert_eq!(Payload::of_text("[1]"), Err(Error::NotAnObject { found: "an array" }));
    assert_eq!(Payload::of_text("\"x\""), Err(Error::NotAnObject { found: "a string" }));
    for text in ["{}", "{\"jobType\":\"\"}", "{\"jobType\":7}"] {
        assert_eq!(Payload::of_text(text), Err(Error::NoJobType), "{text}");
    }
    assert!(matches!(Payload::of_text(""), Err(Error::NotJson { .. })));
}

#[test]
fn the_two_inboxes_are_told_apart() {
    assert!(file_place("inbox/x.csv").contains("Data Integration"));
    assert!(file_place("#epminbox/x.csv").contains("Planning"));
    assert!(file_place("x.csv").contains("definition"));
}

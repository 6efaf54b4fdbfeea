//! The JSON that speaks of a job. // epm-api.md §3.3

use serde_json::{Map, Value, json};

use crate::scenario::Changes;

/// What is true of a job, whatever its answers say.
pub(crate) struct Facts {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) process_type: String,
    pub(crate) executed_by: String,
    pub(crate) log_file: String,
    pub(crate) output_file: Option<String>,
}

impl Facts {
    /// Puts the job's id and name where a scenario's text says `{id}` and `{name}`.
    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("{id}", &self.id.to_string()).replace("{name}", &self.name)
    }

    /// The job's envelope in the order of keys that a pod has.
    pub(crate) fn envelope(&self, changes: &Changes, base: &str) -> Value {
        let status = changes.status.clone().unwrap_or_else(|| json!(-1));
        let number = number(&status);
        let file = |name: &str| number.is_some_and(is_finished).then(|| name.to_owned());
        let url = format!("{base}/aif/rest/V1/jobs/{}", self.id);
        let envelope = json!({
            "links": [{"rel": "self", "href": url, "action": "GET"}],
            "status": status,
            "details": changes.details,
            "jobId": self.id,
            "jobStatus": changes.job_status.as_deref().or_else(|| text(number?)),
            "logFileName": file(&self.log_file),
            "outputFileName": self.output_file.as_deref().and_then(file),
            "processType": self.process_type,
            "executedBy": self.executed_by,
        });
        self.changed(envelope, changes)
    }

    /// The envelope of a submit that created no job: it has no id. // epm-api.md §2.7
    pub(crate) fn refusal(&self, changes: &Changes) -> Value {
        let status = changes.status.clone().unwrap_or_else(|| json!(1));
        self.changed(json!({"status": status, "details": changes.details, "links": []}), changes)
    }

    fn changed(&self, envelope: Value, changes: &Changes) -> Value {
        let Value::Object(mut keys) = envelope else {
            return envelope;
        };
        keys.extend(changes.fields.clone());
        keys.retain(|key, _| !changes.without.contains(key));
        self.filled(keys)
    }

    fn filled(&self, keys: Map<String, Value>) -> Value {
        let filled = |value| match value {
            Value::String(text) => Value::String(self.fill(&text)),
            other => other,
        };
        keys.into_iter().map(|(k, v)| (k, filled(v))).collect()
    }
}

/// An answer that is about no job.
pub(crate) fn refusal(status: i64, details: &str) -> Value {
    json!({"status": status, "details": details, "links": []})
}

/// A status comes as a number or as a decimal string. // epm-api.md §1 (4)
fn number(status: &Value) -> Option<i64> {
    status.as_i64().or_else(|| status.as_str()?.parse().ok())
}

fn is_finished(status: i64) -> bool {
    matches!(status, 0 | 1 | 3 | 4)
}

/// The documented texts; which one goes with 2, 3 and 4 is not documented, so that is our choice. // epm-api.md §3.4
fn text(status: i64) -> Option<&'static str> {
    match status {
        -1 | 2 => Some("RUNNING"),
        0 => Some("SUCCESS"),
        1 | 3 | 4 => Some("FAILED"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Facts, text};
    use crate::scenario::Changes;

    const BASE: &str = "https://example.invalid";

    fn facts() -> Facts {
        Facts {
            id: 2100,
            name: "ABG_EDPExp".into(),
            process_type: "COMM_LOAD_BALANCES".into(),
            executed_by: "dddsx".into(),
            log_file: "outbox/logs/ABG_EDPExp_2100.log".into(),
            output_file: Some("outbox/dasdsa.dat".into()),
        }
    }

    fn of_status(status: impl Into<Value>) -> Changes {
        Changes { status: Some(status.into()), ..Changes::default() }
    }

    #[test]
    fn a_finished_job_reads_as_a_pod_said_it() {
        // shared/fixtures/seen-success-numbers.json, byte for byte but for spaces
        let seen = r#"{"links":[{"rel":"self","href":"https://example.invalid/aif/rest/V1/jobs/2100","action":"GET"}],"status":0,"details":null,"jobId":2100,"jobStatus":"SUCCESS","logFileName":"outbox/logs/ABG_EDPExp_2100.log","outputFileName":"outbox/dasdsa.dat","processType":"COMM_LOAD_BALANCES","executedBy":"dddsx"}"#;
        assert_eq!(facts().envelope(&of_status(0), BASE).to_string(), seen);
    }

    #[test]
    fn files_have_names_once_the_job_is_finished() {
        for (status, has_files) in [(-1, false), (0, true), (1, true), (2, false), (3, true), (4, true), (7, false)] {
            let envelope = facts().envelope(&of_status(status), BASE);
            assert_eq!(envelope["logFileName"].is_string(), has_files, "{status}");
            assert_eq!(envelope["outputFileName"].is_string(), has_files, "{status}");
        }
        assert!(facts().envelope(&of_status("0"), BASE)["logFileName"].is_string());
    }

    #[test]
    fn each_number_has_its_text() {
        let texts = [-1, 0, 1, 2, 3, 4, 2_147_483_647].map(text);
        let (running, failed) = (Some("RUNNING"), Some("FAILED"));
        assert_eq!(texts, [running, Some("SUCCESS"), failed, running, failed, failed, None]);
    }

    #[test]
    fn fields_are_added_then_keys_taken_away_then_names_filled_in() {
        let mut changes = of_status("0");
        changes.fields.insert("jobId".into(), json!("{id}"));
        changes.fields.insert("jobName".into(), json!("{name}"));
        changes.without = vec!["links".into(), "executedBy".into()];
        let envelope = facts().envelope(&changes, BASE);
        assert_eq!(envelope["jobId"], "2100");
        assert_eq!(envelope["jobName"], "ABG_EDPExp");
        assert_eq!(envelope["status"], "0");
        assert!(envelope.get("links").is_none() && envelope.get("executedBy").is_none());
    }

    #[test]
    fn a_refusal_has_no_id() {
        let changes =
            Changes { details: Some("EPMFDM-140149: Invalid Integration Name: {name}".into()), ..of_status(1) };
        let seen = json!({"status": 1, "details": "EPMFDM-140149: Invalid Integration Name: ABG_EDPExp", "links": []});
        assert_eq!(facts().refusal(&changes), seen);
    }
}

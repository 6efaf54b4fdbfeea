//! GitLab CI: folds of its log, and the links that it shows beside a job (ci-contracts.md §2). Its step outputs are the
//! dotenv file.

use jiff::Timestamp;
use serde_json::json;

use crate::foreign::log_line;
use crate::job::JobId;
use crate::report::Report;
use crate::report::values::json_line;

use super::Fold;

/// A section of the log. Two of one name would be one, so the job is part of it.
pub fn section(title: &str, id: Option<JobId>, now: Timestamp) -> Fold {
    let name = id.map_or_else(|| "epm_gate_log".to_owned(), |id| format!("epm_gate_log_{id}"));
    let now = now.as_second();
    Fold {
        open: format!("\u{1b}[0Ksection_start:{now}:{name}\r\u{1b}[0K{}", log_line(title)),
        close: format!("\u{1b}[0Ksection_end:{now}:{name}\r\u{1b}[0K"),
    }
}

/// The file of `artifacts:reports:annotations`: a link to the service for each job. EPM has no address for a single job.
pub fn annotations(report: &Report) -> String {
    let Some(url) = &report.url else { return "{}\n".to_owned() };
    let link = |label: String| json!({"external_link": {"label": label, "url": url.web().as_str()}});
    let links: Vec<_> = report.jobs.iter().filter_map(|job| job.id).take(MOST_LINKS).map(label).map(link).collect();
    if links.is_empty() {
        return "{}\n".to_owned();
    }
    json_line(&json!({"Oracle EPM": links})) + "\n"
}

/// How many jobs have a link of their own.
const MOST_LINKS: usize = 50;

fn label(id: JobId) -> String {
    format!("job {id} (Data Integration, Process Details)")
}

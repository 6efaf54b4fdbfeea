//! Azure Pipelines: the commands that its agent reads from the log (ci-contracts.md §3.1).

use std::path::Path;

use crate::foreign::{defused, log_line};

use super::Fold;

/// The longest value, in bytes. Later steps get every variable in their environment, and no program starts with one
/// that is longer than 32,766 characters (Windows; azure-pipelines-agent `Handler.cs`) or 128 KiB (Linux).
const LONGEST: usize = 30_000;

/// A step output. The agent finds it on standard output; with `isOutput` later jobs and stages see it too. What is too
/// long is left out: half of the JSON in `jobs` would be none.
///
/// The agent mixes a step's two streams chunk by chunk, so that the log could part a line, and a command within the value
/// would stand by itself: it is broken as in the log. So is `$(name)`: before each later step the agent expands all
/// variables in each other, secrets too (`StepsRunner.cs`, `Variables.cs`).
pub fn variable(name: &str, value: &str) -> String {
    let value = if value.len() > LONGEST { String::new() } else { defused(value).replace("$(", "$ (") };
    format!("##vso[task.setvariable variable={};isOutput=true]{}", escaped(name), escaped(&value))
}

/// An issue of the step, which the page of the build shows. `level` is `error` or `warning`.
pub fn issue(level: &str, message: &str) -> String {
    format!("##vso[task.logissue type={level}]{}", escaped(&log_line(message)))
}

/// Puts a file of markdown onto the page of the build, under the file's name without its ending. The agent reads it some
/// time before the job ends (`JobServerQueue.cs`), so nothing may change it afterwards.
pub fn upload_summary(file: &Path) -> String {
    format!("##vso[task.uploadsummary]{}", escaped(&file.display().to_string()))
}

/// A fold of the log.
pub fn group(title: &str) -> Fold {
    Fold { open: format!("##[group]{}", log_line(title)), close: "##[endgroup]".to_owned() }
}

/// A text as data or as a property: the agent takes the same escapes back in both, `%` last
/// (`CommandStringConvertor.cs`).
fn escaped(text: &str) -> String {
    text.replace('%', "%AZP25").replace(';', "%3B").replace('\r', "%0D").replace('\n', "%0A").replace(']', "%5D")
}

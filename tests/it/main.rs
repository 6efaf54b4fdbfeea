//! The program from outside: the real binary, in a scrubbed environment, against a sandbox of its own. The harness
//! looks through every byte of every run: no secret, no command for the runner, outputs that agree with the exit code.

mod harness;

mod answers;
mod attach;
mod bad_input;
mod check;
mod collect;
mod conditions;
mod corpus;
mod crash;
#[cfg(unix)]
mod deadline;
mod diagnosis;
#[cfg(unix)]
mod faults;
mod help;
#[cfg(unix)]
mod killed;
mod ledger;
mod log_format;
#[cfg(unix)]
mod login;
mod maintenance;
mod many;
mod metrics;
mod networks;
mod notify;
#[cfg(unix)]
mod oauth;
mod outputs;
mod payloads;
#[cfg(unix)]
mod platforms;
mod recording;
mod renewal;
mod report;
mod retries;
mod scenarios;
#[path = "../schema/report.rs"]
mod schema;
#[cfg(unix)]
mod secrets;
#[cfg(unix)]
mod signals;
mod stages;
mod status;
#[cfg(target_os = "linux")]
mod streams;
mod submit;
mod summary;
mod telemetry;
mod upload;

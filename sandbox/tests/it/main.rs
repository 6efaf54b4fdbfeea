//! The sandbox, held to what is known of the services (epm-api.md), over plain sockets.
#![allow(clippy::unwrap_used, reason = "the helpers of a test are tests")]

mod assertion;
mod device;
mod download;
mod exec;
mod faults;
mod fixtures;
mod harness;
mod inbox;
mod jobs;
mod journal;
mod login;
mod maintenance;
mod pipeline;
mod program;
mod replay;
mod shipped;
mod tls;
mod tokens;

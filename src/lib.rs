//! A stage gate for Oracle Fusion Cloud EPM Data Integration jobs.
//!
//! The story: [`cli`] turns flags and variables into a plan; [`ci`] opens every output; [`gate`] looks, submits
//! through [`epm`], waits with [`wait`], reads the log with [`collect`]; [`report`] holds what is known at each
//! moment and is written on every way out, with the exit code of [`outcome`]; [`notify`] and [`telemetry`] tell others afterwards.
//!
//! The modules stand in the order of their dependencies: each knows only those above it.

pub mod bounded;
pub mod digest;
pub mod durable;
pub mod foreign;
pub mod job;
pub mod json;
pub mod maintenance;
pub mod outcome;
pub mod pace;
pub mod payload;
pub mod pipeline;

pub mod inbox;

pub mod diagnose;

pub mod http;

pub mod auth;

pub mod epm;

pub mod ledger;

pub mod wait;

pub mod submit;

pub mod collect;

pub mod report;

pub mod ci;

pub mod notify;
pub mod telemetry;

pub mod gate;

pub mod crash;

pub mod check;
pub mod explain;
pub mod login;
pub mod signals;

pub mod cli;

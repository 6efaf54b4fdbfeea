//! What a scenario says about the pod's release and its daily maintenance.

use std::time::Duration;

use serde::Deserialize;

use super::reply::Reply;
use super::{duration, of_no_job};

/// The `[maintenance]` of a scenario.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Keys")]
pub(crate) struct MaintenanceScript {
    pub(crate) begins: Begins,
    /// The time zone that the window was set in, and the hour there.
    pub(crate) zone: Option<Zone>,
    pub(crate) build: Option<String>,
    pub(crate) replies: Vec<Reply>,
}

/// When the window begins.
#[derive(Clone, Debug, Default)]
pub(crate) enum Begins {
    /// At an hour that is some hours away.
    #[default]
    FarAway,
    /// So long after the sandbox has started.
    In(Duration),
    /// As it is written.
    At(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) hour: String,
}

/// The keys as a user writes them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    hour: Option<String>,
    #[serde(default, rename = "in", deserialize_with = "some_duration")]
    away: Option<Duration>,
    zone: Option<Zone>,
    build: Option<String>,
    #[serde(default, deserialize_with = "of_no_job")]
    replies: Vec<Reply>,
}

impl TryFrom<Keys> for MaintenanceScript {
    type Error = &'static str;

    fn try_from(keys: Keys) -> Result<Self, Self::Error> {
        let begins = match (keys.hour, keys.away) {
            (Some(_), Some(_)) => return Err("`hour` and `in`: the maintenance has one of them"),
            (Some(hour), None) => Begins::At(hour),
            (None, Some(away)) => Begins::In(away),
            (None, None) => Begins::FarAway,
        };
        Ok(Self { begins, zone: keys.zone, build: keys.build, replies: keys.replies })
    }
}

fn some_duration<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    duration(from).map(Some)
}

//! What the service says of itself, and what it answers to the questions that Oracle's pages leave open
//! (epm-api.md §12). All of it is read; none of it decides what becomes of a job.

pub mod shape;

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::Method;

use crate::foreign::{Foreign, quote};
use crate::http::Allowance;
use crate::maintenance::Hour;

use super::error::{Fault, ReadError, words};
use super::reply::Reply;
use super::{Client, Purpose, wire};

/// A job that cannot exist: its id is the largest `int` of Java, which no count of jobs has reached. One that is larger
/// might be refused for its size.
const NO_JOB: &str = "/aif/rest/V1/jobs/2147483647";

/// How the time zone is called that an hour is understood in.
const UTC: [&str; 4] = ["UTC", "Etc/UTC", "GMT", "Z"];

/// What the service says of its release and its daily maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its release, such as `26.04.40`.
    pub release: Option<Foreign>,
    /// When its daily maintenance begins; none where that cannot be read.
    pub hour: Option<Hour>,
    /// The time zone that the hour is told in, where that is not UTC, the usual one (epm-api.md §6): no other is known
    /// here, so that such an hour cannot be read.
    pub zone: Option<Foreign>,
    /// What it says beside that.
    pub details: Option<Foreign>,
    /// When it said so, by its own clock where it has one.
    pub now: Timestamp,
}

impl Service {
    fn of(told: wire::Told, now: Timestamp) -> Self {
        let zone = told.zone.filter(|zone| !UTC.iter().any(|utc| utc.eq_ignore_ascii_case(zone.as_str().trim())));
        let hour = told.hour.filter(|_| zone.is_none()).and_then(|hour| Hour::parse(&hour));
        Self { release: told.release, hour, zone, details: told.details, now }
    }

    /// Why the hour is not known, where it is not, in a sentence.
    pub fn silence(&self) -> String {
        match &self.zone {
            Some(zone) => format!("EPM tells it in the time zone {}, and not in UTC", quote(zone.first_line())),
            None => format!("EPM's answer does not tell it{}", words(self.details.as_ref())),
        }
    }
}

impl Client {
    /// Sends a request that shows no credentials: who answers, and what time it is there. What the answer says otherwise
    /// is nothing to go by.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub async fn greet(&self, path: &str) -> Result<Reply, ReadError> {
        let lane = self.lane().await.ok_or(Fault::Late)?;
        let (url, allowance) = (self.url.below(path), self.allowance(self.limits.request));
        Ok(self.exchange("GET", &url, lane.client.get(url.clone()), allowance, None).await?)
    }

    /// Gets what is shown at each request, at the identity service where it comes from there.
    ///
    /// # Errors
    ///
    /// Why there is nothing to show.
    pub async fn obtain(&self) -> Result<(), ReadError> {
        self.authorizer.show(self.allowance(self.limits.request)).await?;
        Ok(())
    }

    /// Asks about a job that cannot exist.
    ///
    /// # Errors
    ///
    /// No answer, or a 401.
    pub async fn ask_about_no_job(&self) -> Result<Reply, ReadError> {
        self.read(self.url.below(NO_JOB), Purpose::Look).await
    }

    /// Asks for the list of jobs, as it comes.
    ///
    /// # Errors
    ///
    /// No answer, or a 401.
    pub async fn ask_for_jobs(&self) -> Result<Reply, ReadError> {
        self.read(self.url.jobs(), Purpose::Look).await
    }

    /// Asks for the versions of the services, as they come.
    ///
    /// # Errors
    ///
    /// No answer, or a 401.
    pub async fn ask_for_versions(&self) -> Result<Reply, ReadError> {
        self.read(self.url.versions(), Purpose::Look).await
    }

    /// Asks for release and daily maintenance.
    ///
    /// # Errors
    ///
    /// Whatever is no answer of the service.
    pub async fn service(&self) -> Result<Service, ReadError> {
        let reply = self.read(self.url.maintenance(), Purpose::Look).await?;
        self.told_by(&reply)
    }

    /// Asks the same once and for so long at most, with what is shown now: nothing is renewed for it, and no answer
    /// changes what is known of the credentials.
    ///
    /// # Errors
    ///
    /// Whatever is no answer of the service.
    pub async fn glance(&self, most: Duration) -> Result<Service, ReadError> {
        let lane = self.lane().await.ok_or(Fault::Late)?;
        let allowance: Allowance = self.allowance(most.min(self.limits.request));
        let shown = self.authorizer.show(allowance).await?;
        let reply = self.send(&lane, &Method::GET, &self.url.maintenance(), &shown, allowance).await?;
        self.told_by(&reply)
    }

    fn told_by(&self, reply: &Reply) -> Result<Service, ReadError> {
        let mask = self.mask();
        reply.check(&mask)?;
        let told = wire::service(&reply.body, &mask).ok_or(Fault::NotJson { status: reply.status })?;
        let now =
            Timestamp::try_from(reply.date().unwrap_or_else(SystemTime::now)).unwrap_or_else(|_| Timestamp::now());
        Ok(Service::of(told, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_known_in_utc_alone() {
        let service = |zone: Option<&str>| {
            let (zone, hour) = (zone.map(Foreign::new), Some("19:00".to_owned()));
            Service::of(wire::Told { release: None, hour, zone, details: None }, Timestamp::UNIX_EPOCH)
        };
        for utc in [None, Some("UTC"), Some("Etc/UTC"), Some("GMT"), Some("Z"), Some(" utc ")] {
            assert_eq!(service(utc).hour, Hour::parse("19:00"), "{utc:?}");
        }
        for other in ["America/Los_Angeles", "Asia/Tokyo", "UTC+9", "GMT-08:00", "CET", "0"] {
            let service = service(Some(other));
            assert_eq!(service.hour, None, "{other}");
            assert_eq!(service.silence(), format!("EPM tells it in the time zone `{other}`, and not in UTC"));
        }
    }
}

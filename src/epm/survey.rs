//! What the service says of itself, and what it answers to the questions that Oracle's pages leave open
//! (epm-api.md §12). All of it is read; none of it decides what becomes of a job.

pub mod shape;

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::foreign::Foreign;
use crate::http::Allowance;
use crate::maintenance::Hour;

use super::error::{Fault, ReadError};
use super::reply::Reply;
use super::{Client, Purpose, wire};

/// A job that cannot exist: its id is the largest `int` of Java, which no count of jobs has reached. One that is larger
/// might be refused for its size.
const NO_JOB: &str = "/aif/rest/V1/jobs/2147483647";

/// What the service says of its release and its daily maintenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its release, such as `26.04.40`.
    pub release: Option<Foreign>,
    /// When its daily maintenance begins; none where that cannot be read.
    pub hour: Option<Hour>,
    /// What it says beside that.
    pub details: Option<Foreign>,
    /// When it said so, by its own clock where it has one.
    pub now: Timestamp,
}

impl Client {
    /// Sends a request that shows no credentials: who answers, and what time it is there. What the answer says otherwise
    /// is nothing to go by.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub async fn greet(&self, path: &str) -> Result<Reply, ReadError> {
        let (url, allowance) = (self.url.below(path), self.allowance(self.limits.request));
        Ok(self.exchange("GET", &url, self.reads.get(url.clone()), allowance, None).await?)
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
        let allowance: Allowance = self.allowance(most.min(self.limits.request));
        let shown = self.authorizer.show(allowance).await?;
        let reply = self.get(&self.url.maintenance(), &shown, allowance).await?;
        self.told_by(&reply)
    }

    fn told_by(&self, reply: &Reply) -> Result<Service, ReadError> {
        let mask = self.mask();
        reply.check(&mask)?;
        let told = wire::service(&reply.body, &mask).ok_or(Fault::NotJson { status: reply.status })?;
        let now =
            Timestamp::try_from(reply.date().unwrap_or_else(SystemTime::now)).unwrap_or_else(|_| Timestamp::now());
        let hour = told.hour.and_then(|hour| Hour::parse(&hour));
        Ok(Service { release: told.release, hour, details: told.details, now })
    }
}

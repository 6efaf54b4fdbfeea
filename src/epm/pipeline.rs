//! The stages of a pipeline, asked for by its code.

use crate::foreign::Foreign;
use crate::pipeline::Latest;

use super::error::{Fault, ReadError, words};
use super::wire::pipeline::{Told, pipeline};
use super::{Client, Purpose};

/// Why nothing is told of a pipeline.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// No answer, or none that lets us in.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// EPM says why not: in an envelope, with HTTP 200 (epm-api.md §2.2).
    #[error("EPM does not tell them{}", words(.0.as_ref()))]
    Refused(Option<Foreign>),
    /// JSON of another shape, or with a part that might hide a job.
    #[error("EPM's answer is in a shape that is not known")]
    Garbled,
}

impl Client {
    /// Asks about the latest run of a pipeline, which may be that of any job.
    ///
    /// # Errors
    ///
    /// Whatever does not tell the whole of it.
    pub async fn pipeline(&self, code: &str) -> Result<Latest, Error> {
        let reply = self.read(self.url.pipeline(code), Purpose::Ask).await?;
        reply.check(&self.mask())?;
        let not_json = || ReadError::from(Fault::NotJson { status: reply.status });
        match pipeline(&reply.body, &self.mask()).ok_or_else(not_json)? {
            Told::Run(latest) => Ok(latest),
            Told::Refused(why) => Err(Error::Refused(why)),
            Told::Garbled => Err(Error::Garbled),
        }
    }
}

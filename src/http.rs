//! HTTP as both EPM and the identity service are talked to: TLS, roots, proxies, redirects, and how long a request may
//! take. Here alone, and below, reqwest and rustls are set up.

pub mod certificate;
pub mod delivery;
pub mod fault;
#[cfg(test)]
mod issuing;
pub mod lanes;
pub mod proxy;
pub mod roots;
pub mod url;
pub mod verify;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::tls::{TlsInfo, Version};
use reqwest::{RequestBuilder, Response};
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use certificate::Certificate;
use fault::Fault;
use proxy::Proxies;
use roots::Roots;
use verify::Verifier;

/// How long a connection may take to open, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// The largest answer that is read; a stack trace in `details` stays far below it.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// What lies between this machine and a server.
#[derive(Clone, Default)]
pub struct Network {
    /// Who vouches for the server.
    pub roots: Roots,
    /// Which proxy leads to it.
    pub proxies: Proxies,
}

/// Makes clients that share one TLS configuration.
pub struct Transport {
    tls: ClientConfig,
    proxies: Arc<Proxies>,
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// HTTP cannot be set up.
    #[error("cannot set up HTTP")]
    Http(#[source] reqwest::Error),
}

impl Transport {
    /// TLS 1.2 and 1.3.
    ///
    /// # Errors
    ///
    /// None is known; rustls may refuse its own defaults.
    pub fn new(network: &Network) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Arc::new(Verifier::new(&network.roots, &provider));
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Error::Tls)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self { tls, proxies: Arc::new(network.proxies.clone()) })
    }

    /// A client that keeps one connection between reads.
    ///
    /// # Errors
    ///
    /// None is known; reqwest may refuse what it was given.
    pub fn for_reads(&self) -> Result<reqwest::Client, Error> {
        built(self.builder(CONNECT).pool_max_idle_per_host(1))
    }

    /// A client for one request that must not be sent twice: its connection is newly made, because a reset of one that
    /// had idled could not be told from a request that acted. Opening it takes at most half of what is `left`, so that a
    /// connection that never opens is told from an answer that never comes.
    ///
    /// # Errors
    ///
    /// None is known; reqwest may refuse what it was given.
    pub fn for_one_request(&self, left: Duration) -> Result<reqwest::Client, Error> {
        built(self.builder(CONNECT.min(left / 2)).pool_max_idle_per_host(0))
    }

    fn builder(&self, connect: Duration) -> reqwest::ClientBuilder {
        let proxies = Arc::clone(&self.proxies);
        reqwest::Client::builder()
            .proxy(reqwest::Proxy::custom(move |url| proxies.on_the_way_to(url).cloned()))
            .user_agent(concat!("epm-gate/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(self.tls.clone())
            .tls_info(true)
            .connect_timeout(connect)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
    }
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
    builder.build().map_err(|error| Error::Http(error.without_url()))
}

/// How long one request may take, and by when it must have ended.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// How long.
    pub length: Duration,
    /// By when.
    pub end: Instant,
}

impl Allowance {
    /// From now on, and at most until `end`.
    pub fn until(end: Instant, most: Duration) -> Self {
        let now = Instant::now();
        let length = most.min(end.saturating_duration_since(now));
        Self { length, end: now + length }
    }

    /// Does one step of a request within it.
    ///
    /// # Errors
    ///
    /// Why the step brought nothing.
    pub async fn spend<T>(self, host: &str, step: impl Future<Output = reqwest::Result<T>>) -> Result<T, Fault> {
        match timeout_at(self.end, step).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Fault::of(&error.without_url(), host, self.length)),
            Err(_) => Err(self.is_spent(host)),
        }
    }

    /// That it was not enough.
    pub fn is_spent(self, host: &str) -> Fault {
        Fault::Timeout { host: host.to_owned(), limit: self.length }
    }
}

/// An answer as it came, its body read to the end.
pub struct Answer {
    /// The HTTP code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// Who has shown a certificate; nobody where there was no TLS.
    pub peer: Option<Peer>,
}

/// The other end of a connection over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which TLS was agreed on.
    pub version: &'static str,
    /// Its certificate in DER.
    certificate: Vec<u8>,
}

impl Peer {
    fn of(response: &Response) -> Option<Self> {
        let info: &TlsInfo = response.extensions().get()?;
        let version = if info.version() == Some(Version::TLS_1_3) { "TLS 1.3" } else { "TLS 1.2" };
        Some(Self { version, certificate: info.peer_certificate()?.to_owned() })
    }

    /// The certificate, as far as people ask for it.
    pub fn certificate(&self) -> Option<Certificate> {
        Certificate::read(&self.certificate)
    }
}

/// Sends a request and reads its answer.
///
/// # Errors
///
/// Why there is none.
pub async fn exchange(request: RequestBuilder, host: &str, allowance: Allowance) -> Result<Answer, Fault> {
    let response = allowance.spend(host, request.send()).await?;
    read(response, host, allowance).await
}

/// Sends a request whose body goes out piece by piece, and waits for the head of its answer. Each time that `moved` tells
/// of a piece, it has a new `allowance`.
///
/// # Errors
///
/// Why there is none.
pub async fn send(
    request: RequestBuilder,
    host: &str,
    mut moved: impl AsyncFnMut(),
    allowance: impl Fn() -> Allowance,
) -> Result<Response, Fault> {
    let mut sending = pin!(request.send());
    loop {
        let allowance = allowance();
        tokio::select! {
            biased;
            answer = allowance.spend(host, sending.as_mut()) => return answer,
            () = moved() => {}
        }
    }
}

/// Reads a body to its end, or to where it is larger than any answer.
///
/// # Errors
///
/// A body that is too large, or that breaks off.
pub async fn read(mut response: Response, host: &str, allowance: Allowance) -> Result<Answer, Fault> {
    let mut body = Vec::new();
    while let Some(bytes) = allowance.spend(host, response.chunk()).await? {
        body.extend_from_slice(&bytes);
        if body.len() > LARGEST_ANSWER {
            return Err(Fault::TooLarge { status: response.status().as_u16(), limit: LARGEST_ANSWER });
        }
    }
    let (status, headers, peer) = (response.status().as_u16(), response.headers().clone(), Peer::of(&response));
    Ok(Answer { status, headers, body, peer })
}

#[cfg(test)]
mod tests;

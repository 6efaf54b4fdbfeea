//! A real HTTP server that behaves as the Data Integration services of Oracle Fusion Cloud EPM do: for tests, for
//! the quick start, and for rehearsing a pipeline without a pod.
//!
//! ```
//! use epm_sandbox::{Sandbox, Scenario};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start(Scenario::shipped("succeeds")?)?;
//! // ... hold a client against sandbox.url(), sandbox.username(), sandbox.password() ...
//! assert_eq!(sandbox.posts(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! The map: a [`Scenario`] is what a TOML file says; the `pod` decides by it what each request is answered and
//! never sees a socket, as does the `identity` service for tokens; the `server` puts that on a `wire` that also commits the faults an HTTP server refuses to
//! commit; the `journal` keeps every [`Request`]; a [`Sandbox`] is all of it, running.

mod answer;
mod clock;
mod desk;
mod envelope;
mod fault;
mod file;
mod identity;
mod journal;
mod login;
mod page;
mod parcel;
mod pod;
mod range;
mod replay;
mod route;
mod sandbox;
mod scenario;
mod script;
mod server;
mod tls;
mod wire;

pub use fault::Fault;
pub use identity::{
    CLIENT_ID, CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, JWT_KEY_ID, JWT_KEY_PKCS1, JWT_KEY_PKCS8, REFRESH_TOKEN, SCOPE,
};
pub use journal::{Request, Upload};
pub use login::{DOMAIN, PASSWORD, USERNAME};
pub use pod::Stored;
pub use replay::{Error as ReplayError, Replay};
pub use sandbox::{Options, Sandbox};
pub use scenario::{Error, Scenario};
pub use tls::{TLS_CA, TLS_CERT, TLS_KEY};

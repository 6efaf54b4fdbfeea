//! Which client asks, and is it the one it says?

use percent_encoding::percent_decode_str;

use super::form::Form;
use super::refusal::Refusal;
use crate::login::credentials;

/// The client that has no secret.
pub const CLIENT_ID: &str = "sandbox-public";

/// The client that proves itself with [`CLIENT_SECRET`].
pub const CONFIDENTIAL_CLIENT_ID: &str = "sandbox-confidential";

/// The confidential client's secret: it must be form-encoded before it goes into Basic. // RFC 6749 §2.3.1
pub const CLIENT_SECRET: &str = "sbx-secret-9+/=&Qz";

/// A client that the service knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Client {
    Public,
    Confidential,
}

impl Client {
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Public => CLIENT_ID,
            Self::Confidential => CONFIDENTIAL_CLIENT_ID,
        }
    }

    /// The client that a request for tokens comes from.
    pub(super) fn authenticated(authorization: Option<&str>, form: &Form) -> Result<Self, Refusal> {
        let Some(authorization) = authorization else {
            return match Self::named(form)? {
                Self::Confidential => Err(refused("the confidential client sends its secret by Basic authentication")),
                Self::Public => Ok(Self::Public),
            };
        };
        let (id, secret) = proof(authorization).ok_or_else(|| refused("the `Authorization` is not Basic"))?;
        if form.value("client_id").is_some_and(|other| other != id) {
            return Err(refused("`client_id` and the `Authorization` name two clients"));
        }
        match Self::of_id(&id)? {
            Self::Confidential if secret == CLIENT_SECRET => Ok(Self::Confidential),
            Self::Confidential => Err(refused("the client's secret is wrong")),
            Self::Public => Err(refused("the public client has no secret: send `client_id` in the form")),
        }
    }

    /// The client that a form names.
    pub(super) fn named(form: &Form) -> Result<Self, Refusal> {
        Self::of_id(form.value("client_id").ok_or_else(|| refused("no client is named"))?)
    }

    fn of_id(id: &str) -> Result<Self, Refusal> {
        let known = [Self::Public, Self::Confidential].into_iter().find(|client| client.id() == id);
        known.ok_or_else(|| refused("no such client"))
    }
}

/// How a request calls its client, known or not.
pub(super) fn called(authorization: Option<&str>, form: &Form) -> Option<String> {
    let proven = authorization.and_then(proof).map(|(id, _)| id);
    proven.or_else(|| form.value("client_id").map(Into::into))
}

/// The id and the secret of a Basic authentication, each form-encoded within it.
fn proof(authorization: &str) -> Option<(String, String)> {
    let (id, secret) = credentials(authorization)?;
    Some((decoded(&id)?, decoded(&secret)?))
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Into::into)
}

fn refused(why: &str) -> Refusal {
    Refusal::of("invalid_client", format!("EPM sandbox: {why}"))
}

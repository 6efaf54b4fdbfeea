//! What goes into `Authorization`, and where it comes from.

pub mod authorizer;
pub mod device;
pub mod error;
pub mod exchange;
pub mod identity;
pub mod jwt;
pub mod secret;
pub mod token_file;

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::foreign::{quote, quote_path};

pub use error::{Denial, Fault, NoToken};

use exchange::{Grant, Way};
use secret::{Error, check, forms};

/// One complete way to authenticate.
pub enum Credentials {
    /// A user of the identity domain and its password, sent with each request.
    Basic {
        /// `user`, or `domain.user`.
        user: String,
        /// Its password.
        password: SecretString,
    },
    /// An OAuth 2.0 access token, as somebody else got it.
    AccessToken {
        /// The token itself.
        token: SecretString,
        /// The file it came from: a sidecar may have renewed it there.
        file: Option<PathBuf>,
    },
    /// OAuth 2.0: access tokens that are had at the identity service, as many as are needed.
    OAuth(Box<Way>),
}

impl Credentials {
    /// Which way it is, for people.
    pub fn way(&self) -> String {
        match self {
            Self::Basic { user, .. } => format!("user {} with a password", quote(user)),
            Self::AccessToken { file: Some(file), .. } => format!("the access token in {}", quote_path(file)),
            Self::AccessToken { file: None, .. } => "the access token in `EPM_ACCESS_TOKEN`".to_owned(),
            Self::OAuth(way) => {
                let grant = match &way.grant {
                    Grant::RefreshToken(..) => "the refresh token in `EPM_REFRESH_TOKEN`".to_owned(),
                    Grant::RefreshTokenFile(kept) => format!("the refresh token in {}", quote_path(kept.file.path())),
                    Grant::Assertion(signer) => format!("a JWT assertion about user {}", quote(signer.subject())),
                };
                format!("client {} with {grant}", quote(&way.identity.client_id))
            }
        }
    }

    /// Where tokens come from, where they are exchanged.
    pub fn token_url(&self) -> Option<&Url> {
        match self {
            Self::OAuth(way) => Some(&way.identity.token_url),
            _ => None,
        }
    }

    /// Whether the identity service compares its clock with ours.
    pub fn are_of_a_moment(&self) -> bool {
        matches!(self, Self::OAuth(way) if matches!(way.grant, Grant::Assertion(_)))
    }

    /// Checks that they can be sent.
    ///
    /// # Errors
    ///
    /// A user name or a secret that no header can carry.
    pub fn checked(self) -> Result<Self, Error> {
        match &self {
            Self::Basic { user, .. } if user.contains(':') => return Err(Error::Colon),
            Self::Basic { password, .. } => check(password, "password")?,
            Self::AccessToken { token, .. } => check(token, "access token")?,
            Self::OAuth(way) => {
                way.identity.client_secret.as_ref().map_or(Ok(()), |secret| check(secret, "client secret"))?;
                if let Grant::RefreshToken(token, _) = &way.grant {
                    check(&token.borrow(), "refresh token")?;
                }
            }
        }
        Ok(self)
    }

    /// The value of the header. None where the secret has characters that no header carries, or is yet to be had.
    fn header(&self) -> Option<HeaderValue> {
        match self {
            Self::Basic { .. } => sensitive(format!("Basic {}", self.basic())),
            Self::AccessToken { token, .. } => bearer(token),
            Self::OAuth(_) => None,
        }
    }

    /// Shows that what these exchange could be kept.
    ///
    /// # Errors
    ///
    /// A token file that cannot be replaced: then nothing may be exchanged.
    pub fn prove(&self) -> Result<(), token_file::Error> {
        match self {
            Self::OAuth(way) => match &way.grant {
                Grant::RefreshTokenFile(kept) => {
                    kept.file.read()?;
                    kept.file.prove()
                }
                Grant::RefreshToken(..) | Grant::Assertion(_) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Every form in which a secret of these could come back in a text of others.
    fn forms(&self) -> Vec<String> {
        match self {
            Self::Basic { password, .. } => forms([password.expose_secret(), &self.basic()]),
            Self::AccessToken { token, .. } => forms([token.expose_secret()]),
            Self::OAuth(way) => {
                let mut all = way.identity.forms();
                if let Grant::RefreshToken(token, _) = &way.grant {
                    all.extend(forms([token.borrow().expose_secret()]));
                }
                all
            }
        }
    }

    fn basic(&self) -> String {
        let Self::Basic { user, password } = self else { return String::new() };
        STANDARD.encode(format!("{user}:{}", password.expose_secret()))
    }
}

fn bearer(token: &SecretString) -> Option<HeaderValue> {
    sensitive(format!("Bearer {}", token.expose_secret()))
}

fn sensitive(value: String) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(value).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic { user: user.to_owned(), password: SecretString::from(password) }
    }

    #[test]
    fn basic_is_utf8_base64_and_marked_as_sensitive() {
        let header = basic("acme.böb@example.com", "pä:ss").header().unwrap();
        assert_eq!(header.to_str().unwrap(), "Basic YWNtZS5iw7ZiQGV4YW1wbGUuY29tOnDDpDpzcw==");
        assert!(header.is_sensitive());
    }

    #[test]
    fn a_secret_is_known_in_every_form_it_could_come_back_in() {
        let forms = basic("bob", "k9+S/=&\"Q z~").forms();
        let expected = [
            "k9+S/=&\"Q z~",
            "azkrUy89JiJRIHp+",
            "Ym9iOms5K1MvPSYiUSB6fg==",
            "k9%2BS%2F%3D%26%22Q%20z~",
            "k9%2bs%2f%3d%26%22q%20z~",
            "k9%2BS%2F%3D%26%22Q+z%7E",
            "k9+S/=&\\\"Q z~",
            "k9+S/=&amp;&quot;Q z~",
        ];
        for form in expected {
            assert!(forms.contains(&form.to_owned()), "{form} in {forms:?}");
        }
    }

    #[test]
    fn what_no_header_carries_is_refused() {
        assert!(matches!(basic("a:b", "x").checked(), Err(Error::Colon)));
        assert!(matches!(basic("a", "x\n").checked(), Err(Error::Control { what: "password" })));
        assert!(basic("a", "x y:ü").checked().is_ok());
    }
}

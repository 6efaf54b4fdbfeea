//! JWT user assertions (RFC 7523), signed with RS256: the grant that suits CI, since nothing of it rotates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// How long an assertion holds. It is used at once; clocks may differ by a few minutes.
const LASTS: Duration = Duration::from_mins(5);

/// What signs assertions for a user.
pub struct Signer {
    key: KeyPair,
    key_id: String,
    subject: String,
    audience: Vec<String>,
}

/// A key that signs nothing. No variant carries any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No PEM block of a private key.
    #[error("it holds no private key in PEM")]
    NoKey,
    /// The key is locked by a passphrase.
    #[error("the private key is encrypted")]
    Encrypted,
    /// An elliptic curve, or whatever else.
    #[error("the private key is not an RSA key")]
    NotRsa,
    /// Damaged, or of a size that ring does not sign with: below 2048 or above 4096 bits.
    #[error("the RSA key cannot be used: it is damaged, or has fewer than 2048 or more than 4096 bits")]
    Unusable,
    /// No randomness, or a bug.
    #[error("the assertion could not be signed")]
    Unsigned,
}

impl Error {
    /// What would be right.
    pub fn help(self) -> &'static str {
        match self {
            Self::NoKey => {
                "give the whole file, from `-----BEGIN PRIVATE KEY-----` to its end line, in PKCS#8 or PKCS#1"
            }
            Self::Encrypted => {
                "take the passphrase off with `openssl pkey -in KEY -out NEW`, and keep the file as a secret"
            }
            Self::NotRsa | Self::Unusable => {
                "make a key with `openssl genrsa 2048`, and give its certificate to the application at the identity service"
            }
            Self::Unsigned => "try again",
        }
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a [String],
    iat: u64,
    exp: u64,
    jti: &'a str,
}

impl Signer {
    /// Reads a private key in PEM, of PKCS#8 or PKCS#1.
    ///
    /// # Errors
    ///
    /// What is no RSA key that can sign.
    pub fn new(pem: &SecretString, key_id: String, subject: String, audience: Vec<String>) -> Result<Self, Error> {
        Ok(Self { key: key(pem.expose_secret())?, key_id, subject, audience })
    }

    /// The user whom it vouches for.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// An assertion of this client about the user, good from `now` on. `jti` is not used twice.
    ///
    /// # Errors
    ///
    /// A signature that could not be made.
    pub fn sign(&self, client_id: &str, jti: &str, now: SystemTime) -> Result<SecretString, Error> {
        let iat = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let header = Header { alg: "RS256", typ: "JWT", kid: &self.key_id };
        let (sub, aud) = (self.subject.as_str(), self.audience.as_slice());
        let claims = Claims { iss: client_id, sub, aud, iat, exp: iat + LASTS.as_secs(), jti };
        let signed = format!("{}.{}", part(&header)?, part(&claims)?);
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| Error::Unsigned)?;
        Ok(SecretString::from(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

fn part(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_vec(value).map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|_| Error::Unsigned)
}

fn key(pem: &str) -> Result<KeyPair, Error> {
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(Error::Encrypted);
    }
    match PrivateKeyDer::from_pem_slice(lines(pem).as_bytes()) {
        Ok(PrivateKeyDer::Pkcs1(key)) => of_pkcs1(&key),
        Ok(PrivateKeyDer::Pkcs8(key)) => of_pkcs8(&key),
        Ok(_) => Err(Error::NotRsa),
        Err(_) => Err(Error::NoKey),
    }
}

/// The lines of a PEM that a CI has made one of: with `\\n` or spaces in their place, as a variable of one line holds it.
fn lines(pem: &str) -> String {
    if pem.trim().contains('\n') {
        return pem.to_owned();
    }
    let parts: Vec<&str> = pem.trim().split("-----").map(str::trim).collect();
    match parts[..] {
        ["", begin, body, end, ""] => {
            let body: String = body.replace("\\n", " ").split_whitespace().collect();
            format!("-----{begin}-----\n{body}\n-----{end}-----\n")
        }
        _ => pem.to_owned(),
    }
}

fn of_pkcs1(key: &PrivatePkcs1KeyDer<'_>) -> Result<KeyPair, Error> {
    KeyPair::from_der(key.secret_pkcs1_der()).map_err(|_| Error::Unusable)
}

fn of_pkcs8(key: &PrivatePkcs8KeyDer<'_>) -> Result<KeyPair, Error> {
    KeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|rejected| match rejected.to_string().as_str() {
        "WrongAlgorithm" => Error::NotRsa,
        _ => Error::Unusable,
    })
}

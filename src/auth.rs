//! What goes into `Authorization`, and where it comes from.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::bounded;
use crate::foreign::quote_path;

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
}

/// A credential that cannot be used. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read {}", quote_path(path))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is larger than any secret.
    #[error("{} is larger than {LARGEST} bytes, so it is not a file with a secret", quote_path(path))]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The file is UTF-16, as Windows PowerShell's `>` and `Out-File` write it.
    #[error("{} is UTF-16", quote_path(path))]
    Utf16 {
        /// Which file.
        path: PathBuf,
    },
    /// The file is neither UTF-8 nor UTF-16.
    #[error("{} is not UTF-8 text", quote_path(path))]
    NotText {
        /// Which file.
        path: PathBuf,
    },
    /// The file holds nothing.
    #[error("{} is empty", quote_path(path))]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// A user name with a colon, at which RFC 7617 ends the name.
    #[error("the user name contains a colon")]
    Colon,
    /// A secret with a line end or another control character.
    #[error("the {what} contains a line break or another control character")]
    Control {
        /// What it is.
        what: &'static str,
    },
}

impl Error {
    /// What would be right.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "name a file that exists and that this user may read",
            Self::TooLarge { .. } => "name the file that holds the secret alone",
            Self::Utf16 { .. } | Self::NotText { .. } => {
                "write the file in UTF-8, in PowerShell with `Out-File -Encoding utf8`"
            }
            Self::Empty { .. } => "write the secret into the file",
            Self::Colon => "give the user's name alone; its domain goes to `--identity-domain`",
            Self::Control { .. } => "give the secret alone, on one line",
        }
    }
}

/// How long reading a token again may take.
const RENEWAL: Duration = Duration::from_secs(1);

/// No secret is larger; a file that is was named by mistake.
const LARGEST: u64 = 64 * 1024;

impl Credentials {
    /// Checks that they can be sent.
    ///
    /// # Errors
    ///
    /// A user name or a secret that no header can carry.
    pub fn checked(self) -> Result<Self, Error> {
        let (what, secret) = match &self {
            Self::Basic { user, .. } if user.contains(':') => return Err(Error::Colon),
            Self::Basic { password, .. } => ("password", password),
            Self::AccessToken { token, .. } => ("access token", token),
        };
        if secret.expose_secret().chars().any(char::is_control) {
            return Err(Error::Control { what });
        }
        Ok(self)
    }

    /// The value of the header. None where the secret has characters that no header carries.
    pub fn header(&self) -> Option<HeaderValue> {
        let value = match self {
            Self::Basic { .. } => format!("Basic {}", self.basic()),
            Self::AccessToken { token, .. } => format!("Bearer {}", token.expose_secret()),
        };
        let mut header = HeaderValue::try_from(value).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// Gets a newer secret, where there is a way to. Whether there is one now that was not there before.
    pub fn renew(&mut self) -> bool {
        let Self::AccessToken { token, file: Some(file) } = self else { return false };
        let path = file.clone();
        // A pipe that nobody writes to would hold the whole gate.
        let Ok(Ok(newer)) = bounded::within(RENEWAL, move || read_secret(&path)) else { return false };
        if newer.expose_secret() == token.expose_secret() {
            return false;
        }
        let newer = Self::AccessToken { token: newer, file: Some(file.clone()) };
        let Ok(newer) = newer.checked() else { return false };
        *self = newer;
        true
    }

    /// Whether a refusal of what had worked is worth one more try with the same secret: a pod that is being restarted
    /// refuses good passwords for a moment.
    pub fn may_be_shown_again(&self) -> bool {
        matches!(self, Self::Basic { .. })
    }

    /// Every form in which the secret could come back in a text of others.
    pub fn forms(&self) -> Vec<String> {
        let (secret, sent) = match self {
            Self::Basic { password, .. } => (password.expose_secret(), self.basic()),
            Self::AccessToken { token, .. } => (token.expose_secret(), token.expose_secret().to_owned()),
        };
        let mut forms = encoded(secret);
        forms.extend(encoded(&sent));
        forms.sort();
        forms.dedup();
        forms
    }

    fn basic(&self) -> String {
        let Self::Basic { user, password } = self else { return String::new() };
        STANDARD.encode(format!("{user}:{}", password.expose_secret()))
    }
}

/// What RFC 3986 leaves alone.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a form leaves alone (WHATWG URL §5.2); its spaces become `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');

/// A text as it is, in base64, in a URL, in a form, in a JSON string, and in HTML.
fn encoded(text: &str) -> Vec<String> {
    let url = utf8_percent_encode(text, UNRESERVED).to_string();
    let form = utf8_percent_encode(text, FORM).to_string();
    let json = serde_json::Value::from(text).to_string();
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    vec![
        text.to_owned(),
        STANDARD.encode(text),
        url.to_lowercase(),
        url,
        form.replace("%20", "+").to_lowercase(),
        form.replace("%20", "+"),
        form,
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        json.trim_matches('"').to_owned(),
        html.replace('"', "&quot;").replace('\'', "&#39;"),
        html.replace('"', "&#34;").replace('\'', "&#x27;"),
        html,
    ]
}

/// Reads a secret from a file, without the one line end that editors and `echo` leave.
///
/// # Errors
///
/// A file that cannot be read, holds nothing, or is not UTF-8.
pub fn read_secret(path: &Path) -> Result<SecretString, Error> {
    let path = || path.to_owned();
    let mut bytes = Vec::new();
    std::fs::File::open(path())
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|source| Error::Unreadable { path: path(), source })?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::TooLarge { path: path() });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0) {
        return Err(Error::Utf16 { path: path() });
    }
    let text = String::from_utf8(bytes).map_err(|_| Error::NotText { path: path() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let secret = text.strip_suffix('\n').map_or(text, |rest| rest.strip_suffix('\r').unwrap_or(rest));
    if secret.is_empty() {
        return Err(Error::Empty { path: path() });
    }
    Ok(SecretString::from(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic { user: user.to_owned(), password: SecretString::from(password) }
    }

    fn secret_of(bytes: &[u8]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let name = file.path().display().to_string();
        read_secret(file.path())
            .map(|secret| secret.expose_secret().to_owned())
            .map_err(|error| error.to_string().replace(&name, "FILE"))
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
    fn a_secrets_file_loses_one_line_end_and_no_more() {
        assert_eq!(secret_of(b"pass\n"), Ok("pass".into()));
        assert_eq!(secret_of(b"pass\r\n"), Ok("pass".into()));
        assert_eq!(secret_of(b"pass\n\n"), Ok("pass\n".into()));
        assert_eq!(secret_of(b" pass "), Ok(" pass ".into()));
        assert_eq!(secret_of("\u{feff}pass".as_bytes()), Ok("pass".into()));
    }

    #[test]
    fn a_file_that_holds_no_secret_is_named() {
        assert_eq!(secret_of(b""), Err("`FILE` is empty".into()));
        assert_eq!(secret_of(b"\n"), Err("`FILE` is empty".into()));
        assert_eq!(secret_of(&[0xff, 0xfe, b'p', 0]), Err("`FILE` is UTF-16".into()));
        assert_eq!(secret_of(&[b'p', 0, b'a', 0]), Err("`FILE` is UTF-16".into()));
        assert_eq!(secret_of(&[b'p', 0xe4]), Err("`FILE` is not UTF-8 text".into()));
        assert_eq!(
            secret_of(&b"p".repeat(70_000)),
            Err("`FILE` is larger than 65536 bytes, so it is not a file with a secret".into())
        );
    }

    #[test]
    fn what_no_header_carries_is_refused() {
        assert!(matches!(basic("a:b", "x").checked(), Err(Error::Colon)));
        assert!(matches!(basic("a", "x\n").checked(), Err(Error::Control { what: "password" })));
        assert!(basic("a", "x y:ü").checked().is_ok());
    }

    #[test]
    fn only_a_token_from_a_file_that_has_changed_is_renewed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "new").unwrap();
        let mut token =
            Credentials::AccessToken { token: SecretString::from("old"), file: Some(file.path().to_owned()) };
        assert!(token.renew());
        assert_eq!(token.header().unwrap().to_str().unwrap(), "Bearer new");
        assert!(!token.renew());
        assert!(!basic("a", "b").renew());
    }
}

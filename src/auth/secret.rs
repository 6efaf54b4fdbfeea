//! Secrets: read from files, checked before they are sent, and known in every form in which they could come back.

use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

use crate::foreign::quote_path;

/// No secret is larger; a file that is was named by mistake.
const LARGEST: u64 = 64 * 1024;

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

/// Refuses what no header and no form carries.
///
/// # Errors
///
/// A secret with a control character; `what` names it.
pub fn check(secret: &SecretString, what: &'static str) -> Result<(), Error> {
    if secret.expose_secret().chars().any(char::is_control) {
        return Err(Error::Control { what });
    }
    Ok(())
}

/// Every form in which these could come back in a text of others.
pub fn forms<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut forms: Vec<String> = secrets.into_iter().flat_map(encoded).collect();
    forms.sort();
    forms.dedup();
    forms
}

/// A text as a form carries it (RFC 6749 §2.3.1 has client id and secret so, even within Basic authentication).
pub(super) fn form_encoded(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string().replace("%20", "+")
}

/// What RFC 3986 leaves alone.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a form leaves alone (WHATWG URL §5.2); its spaces become `+`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');

/// A text as it is, in base64, in a URL, in a form, in a JSON string, and in HTML.
fn encoded(text: &str) -> Vec<String> {
    let url = utf8_percent_encode(text, UNRESERVED).to_string();
    let form = form_encoded(text);
    let json = serde_json::Value::from(text).to_string();
    let html = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    vec![
        text.to_owned(),
        STANDARD.encode(text),
        URL_SAFE_NO_PAD.encode(text),
        url.to_lowercase(),
        url,
        form.to_lowercase(),
        form.replace('+', "%20"),
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

    fn secret_of(bytes: &[u8]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let name = file.path().display().to_string();
        read_secret(file.path())
            .map(|secret| secret.expose_secret().to_owned())
            .map_err(|error| error.to_string().replace(&name, "FILE"))
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
}

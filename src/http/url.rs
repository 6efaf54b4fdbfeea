//! URLs that are given: over `https` alone, but for this machine itself, and with nothing in them but a host and a path.

use url::{Host, Url};

use crate::foreign::quote;

/// A URL that cannot be used. No variant shows a password that stood in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No `https://` in front.
    #[error("{} does not begin with `https://`", quote(given))]
    NoScheme {
        /// What was given.
        given: String,
    },
    /// A scheme that is not HTTP.
    #[error("the scheme {} is not `https`", quote(scheme))]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// Nothing where the host should be.
    #[error("the URL has no host")]
    NoHost,
    /// A user name, maybe a password too.
    #[error("the URL has a user in it")]
    User,
    /// A query or a fragment.
    #[error("the URL has a query or a fragment")]
    Query,
    /// Credentials would travel in the clear.
    #[error("{} is asked over plain `http`", quote(host))]
    PlainHttp {
        /// The host.
        host: String,
    },
    /// Anything else the URL standard forbids.
    #[error("this is not a URL: {problem}")]
    Invalid {
        /// What the parser says.
        problem: String,
    },
}

impl Error {
    /// What would be right, such as `example`.
    pub fn help(&self, example: &str) -> String {
        match self {
            Self::User => {
                "leave it out: a user comes by `--username`, and a password by its variable or file".to_owned()
            }
            Self::PlainHttp { .. } => {
                "use `https://`; plain `http://` is for loopback alone, such as the sandbox".to_owned()
            }
            _ => format!("write `https://HOST`, such as `{example}`"),
        }
    }
}

/// Reads a URL.
///
/// # Errors
///
/// What is not `https`, or plain `http` beyond loopback, or has more in it than a host and a path.
pub fn parse(text: &str) -> Result<Url, Error> {
    let given = text.trim();
    if let Some((_, "")) = given.split_once("://") {
        return Err(Error::NoHost);
    }
    let Some((_, rest)) = given.split_once("://") else {
        // Whatever stands before an `@` may be a password.
        let given = given.rsplit('@').next().unwrap_or_default();
        return Err(Error::NoScheme { given: given.to_owned() });
    };
    if rest.starts_with(['/', '\\', '?', '#', ':']) {
        return Err(Error::NoHost);
    }
    let url = Url::parse(given).map_err(|error| Error::Invalid { problem: error.to_string() })?;
    check(&url)?;
    Ok(url)
}

/// The host as the URL spells it, with its port where that is not the usual one.
pub fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether what is sent there can be read by nobody on the way: over `https`, or within this machine.
pub fn is_private(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => is_loopback(url),
        _ => false,
    }
}

fn check(url: &Url) -> Result<(), Error> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::User);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Error::Query);
    }
    match url.scheme() {
        _ if is_private(url) => Ok(()),
        "http" => Err(Error::PlainHttp { host: url.host_str().unwrap_or_default().to_owned() }),
        scheme => Err(Error::Scheme { scheme: scheme.to_owned() }),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        let no_scheme = |given: &str| Error::NoScheme { given: given.to_owned() };
        let table = [
            ("", no_scheme("")),
            ("epm.example.com", no_scheme("epm.example.com")),
            ("epm.example.com:443/x", no_scheme("epm.example.com:443/x")),
            ("bob:secret@epm.example.com", no_scheme("epm.example.com")),
            ("https://", Error::NoHost),
            ("https:///epmcloud", Error::NoHost),
            ("https://:443", Error::NoHost),
            ("https://bob@epm.example.com", Error::User),
            ("https://bob:secret@epm.example.com", Error::User),
            ("https://epm.example.com/?x=1", Error::Query),
            ("https://epm.example.com/#x", Error::Query),
            ("ftp://epm.example.com", Error::Scheme { scheme: "ftp".to_owned() }),
            ("http://epm.example.com", Error::PlainHttp { host: "epm.example.com".to_owned() }),
            ("http://localhost.example.com", Error::PlainHttp { host: "localhost.example.com".to_owned() }),
            ("http://128.0.0.1", Error::PlainHttp { host: "128.0.0.1".to_owned() }),
        ];
        for (given, expected) in table {
            let error = parse(given).unwrap_err();
            assert!(!format!("{error} {}", error.help("https://x")).contains("secret"));
            assert_eq!(error, expected, "{given}");
        }
        assert!(matches!(parse("https://a b"), Err(Error::Invalid { .. })));
        assert!(matches!(parse("https://epm.example.com:99999"), Err(Error::Invalid { .. })));
    }
}

//! Who is let in?

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// The user that the sandbox knows.
pub const USERNAME: &str = "close.bot@example.com";

/// The user's password, unless another one is set: hard on quoting and on base64, and found nowhere by accident.
pub const PASSWORD: &str = "k9+Sand/box=&\"Qz7>~?";

/// The identity domain that may stand before the user's name. // epm-api.md §5.1
pub const DOMAIN: &str = "acme";

/// Whether a request may go on to the pod.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Entry {
    LetIn,
    /// No login, or a wrong one.
    Stranger,
    /// A bearer token that is not let in, and what the pod says of it.
    Refused(&'static str),
}

/// The token of a bearer's `Authorization` header.
pub(crate) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// The one login there is.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: String,
}

impl Login {
    /// Whether an `Authorization` header is this login's.
    pub(crate) fn entry(&self, authorization: Option<&str>) -> Entry {
        if self.lets_in(authorization) { Entry::LetIn } else { Entry::Stranger }
    }

    fn lets_in(&self, authorization: Option<&str>) -> bool {
        let Some((username, password)) = authorization.and_then(credentials) else {
            return false;
        };
        let known = [self.username.clone(), format!("{DOMAIN}.{}", self.username)];
        password == self.password && known.contains(&username)
    }
}

/// What stands before and behind the colon of a Basic `Authorization` header.
pub(crate) fn credentials(authorization: &str) -> Option<(String, String)> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (username, password) = text.split_once(':')?;
    scheme.eq_ignore_ascii_case("Basic").then(|| (username.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::Login;

    #[test]
    fn only_the_user_with_or_without_the_domain_is_let_in() {
        let login = Login { username: "bot@example.com".into(), password: "a:b".into() };
        for (user, let_in) in [
            ("bot@example.com:a:b", true),
            ("acme.bot@example.com:a:b", true),
            ("other.bot@example.com:a:b", false),
            ("bot@example.com:a", false),
            ("bot@example.com", false),
            (":", false),
        ] {
            let header = format!("Basic {}", BASE64_STANDARD.encode(user));
            assert_eq!(login.lets_in(Some(&header)), let_in, "{user}");
        }
        for header in [None, Some(""), Some("Basic"), Some("Basic %"), Some("Bearer Ym90OmE=")] {
            assert!(!login.lets_in(header), "{header:?}");
        }
    }
}

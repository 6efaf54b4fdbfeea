//! As whom: exactly one complete way to authenticate.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::auth::exchange::{Grant, Kept, Way};
use crate::auth::identity::Identity;
use crate::auth::jwt::Signer;
use crate::auth::secret::{self, read_secret};
use crate::auth::token_file::TokenFile;
use crate::auth::{Credentials, token_file};
use crate::foreign::quote;
use crate::http;

use super::Error;
use super::given::{Given, Values, variable};

const TOKEN_URL: &str = "https://idcs-0123456789abcdef.identity.oraclecloud.com/oauth2/v1/token";

/// The audiences that Oracle's pages and working clients name for a user assertion: what IDCS and identity domains call
/// themselves in every token, and the identity domain's URL
/// (docs.oracle.com/en-us/iaas/Content/Identity/api-getstarted/ClientAssertion.htm). One that is right is enough.
const ORACLE: &str = "https://identity.oraclecloud.com/";

/// A way to authenticate of which something is given, and where that came from.
struct Begun {
    what: &'static str,
    origin: String,
}

/// The one complete way to authenticate; none where nothing of any is given.
pub(super) fn credentials(values: &Values<'_>) -> Result<Option<Credentials>, Error> {
    let ways = [
        begun(values, "user and password", &["username", "identity-domain", "password-file"], "EPM_PASSWORD")?,
        begun(values, "an access token", &["access-token-file"], "EPM_ACCESS_TOKEN")?,
        begun(values, "a refresh token", &["refresh-token-file"], "EPM_REFRESH_TOKEN")?,
        begun(
            values,
            "a JWT user assertion",
            &["jwt-key-file", "jwt-key-id", "jwt-subject", "jwt-audience"],
            "EPM_JWT_KEY",
        )?,
    ];
    let application = begun(
        values,
        "an application of the identity service",
        &["token-url", "client-id", "client-secret-file", "scope"],
        "EPM_CLIENT_SECRET",
    )?;
    let is_exchanged = ways[2].is_some() || ways[3].is_some();
    let stray = application.as_ref().filter(|_| !is_exchanged && ways.iter().any(Option::is_some));
    let given: Vec<&Begun> = ways.iter().flatten().chain(stray).collect();
    if let [first, second, ..] = given[..] {
        return Err(two(first, second));
    }
    match (&ways, application) {
        ([Some(_), ..], _) => basic(values).map(Some),
        ([_, Some(_), ..], _) => access_token(values).map(Some),
        ([_, _, Some(_), _], _) => refresh_token(values).map(Some),
        ([.., Some(_)], _) => assertion(values).map(Some),
        (_, Some(application)) => Err(Error::of(
            &application.origin,
            "there is no refresh token and no JWT key beside it",
            "set `EPM_REFRESH_TOKEN`, `--refresh-token-file`, `EPM_JWT_KEY` or `--jwt-key-file`",
        )),
        (_, None) => Ok(None),
    }
}

/// What helps where nothing of any way to authenticate is given.
pub(super) fn no_credentials() -> Error {
    Error::new(
        "no credentials are given",
        "set `--username` with `EPM_PASSWORD` or `--password-file`; or `EPM_ACCESS_TOKEN` or `--access-token-file`; or \
         `--token-url` and `--client-id` with a refresh token or a JWT key: docs/authentication.md tells which suits",
    )
}

/// The identity service, for a login that is to bring a token into a file; and that file.
pub(super) fn login(values: &Values<'_>) -> Result<(Identity, TokenFile), Error> {
    let Some(file) = values.one("refresh-token-file")? else {
        return Err(Error::new("no file is given for the refresh token", "set `--refresh-token-file`"));
    };
    Ok((identity(values)?, TokenFile::at(Path::new(&file.value))))
}

/// What of these flags, or of the variable that holds the secret, is given.
fn begun(values: &Values<'_>, what: &'static str, flags: &[&str], secret: &str) -> Result<Option<Begun>, Error> {
    if values.secret(secret)?.is_some() {
        return Ok(Some(Begun { what, origin: secret.to_owned() }));
    }
    for flag in flags {
        if let Some(given) = values.one(flag)? {
            return Ok(Some(Begun { what, origin: given.origin }));
        }
    }
    Ok(None)
}

fn two(first: &Begun, second: &Begun) -> Error {
    let problem = format!(
        "two ways to authenticate are given: {} (`{}`) and {} (`{}`)",
        first.what, first.origin, second.what, second.origin
    );
    Error::new(problem, "give one of them")
}

/// `origin` is where the secret comes from.
fn checked(credentials: Credentials, origin: &str) -> Result<Credentials, Error> {
    credentials.checked().map_err(|error| match error {
        secret::Error::Colon => Error::of("--username", error.to_string(), error.help()),
        error => Error::of(origin, error.to_string(), error.help()),
    })
}

fn basic(values: &Values<'_>) -> Result<Credentials, Error> {
    let password = secret(values, "EPM_PASSWORD", "password-file")?;
    let domain = values.one("identity-domain")?;
    match (values.one("username")?, password) {
        (Some(user), Some(password)) => {
            let user = match domain {
                Some(domain) if user.value.starts_with(&format!("{}.", domain.value)) => {
                    let problem = format!("it begins with the domain {} already", quote(&domain.value));
                    return Err(
                        user.error(problem, format!("leave `{}` out, or the domain in the name", domain.origin))
                    );
                }
                Some(domain) => format!("{}.{}", domain.value, user.value),
                None => user.value,
            };
            checked(Credentials::Basic { user, password: password.value }, &password.origin)
        }
        (Some(user), None) => {
            Err(user.error("there is no password beside it", "set `EPM_PASSWORD` or `--password-file`"))
        }
        (None, password) => {
            let origin = password.map(|password| password.origin).or(domain.map(|domain| domain.origin));
            let help = "set `--username` or `EPM_USERNAME`";
            Err(Error::of(&origin.unwrap_or_default(), "there is no user beside it", help))
        }
    }
}

fn access_token(values: &Values<'_>) -> Result<Credentials, Error> {
    let Some(token) = secret(values, "EPM_ACCESS_TOKEN", "access-token-file")? else { return Err(no_credentials()) };
    if token.value.expose_secret().get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        return Err(Error::of(&token.origin, "it begins with `Bearer `", "give the token alone"));
    }
    checked(Credentials::AccessToken { token: token.value, file: token.file }, &token.origin)
}

fn refresh_token(values: &Values<'_>) -> Result<Credentials, Error> {
    let Some(token) = secret(values, "EPM_REFRESH_TOKEN", "refresh-token-file")? else { return Err(no_credentials()) };
    let identity = identity_beside(values, &token.origin)?;
    let grant = match token.file {
        Some(file) => {
            secret::check(&token.value, "refresh token").map_err(|error| of_secret(&token.origin, &error))?;
            Grant::RefreshTokenFile(Box::new(Kept::new(TokenFile::at(&file))))
        }
        None => Grant::RefreshToken(RefCell::new(token.value), Cell::new(false)),
    };
    checked(Credentials::OAuth(Box::new(Way { identity, grant })), &token.origin)
}

fn assertion(values: &Values<'_>) -> Result<Credentials, Error> {
    let Some(key) = secret(values, "EPM_JWT_KEY", "jwt-key-file")? else {
        let begun = ["jwt-key-id", "jwt-subject", "jwt-audience"].into_iter().find_map(|flag| values.one(flag).ok()?);
        let origin = begun.map(|given| given.origin).unwrap_or_default();
        return Err(Error::of(&origin, "there is no private key beside it", "set `EPM_JWT_KEY` or `--jwt-key-file`"));
    };
    let beside = |flag: &str, what: &str, which: &str| {
        let missing = || {
            let help = format!("set `--{flag}` or `{}`: {which}", variable(flag));
            Error::of(&key.origin, format!("there is no {what} beside it"), help)
        };
        values.one(flag)?.map(|given| given.value).ok_or_else(missing)
    };
    let key_id = beside("jwt-key-id", "key id", "the alias of the key's certificate at the identity service")?;
    let subject = beside("jwt-subject", "subject", "the user whom the jobs run as")?;
    let identity = identity_beside(values, &key.origin)?;
    let audience = match values.one("jwt-audience")? {
        Some(given) => vec![given.value],
        None => vec![
            ORACLE.to_owned(),
            format!("https://{}/", http::url::host(&identity.token_url)),
            identity.token_url.to_string(),
        ],
    };
    let signer = Signer::new(&key.value, key_id, subject, audience)
        .map_err(|error| Error::of(&key.origin, error.to_string(), error.help()))?;
    checked(
        Credentials::OAuth(Box::new(Way { identity, grant: Grant::Assertion(Box::new(signer)) })),
        "EPM_CLIENT_SECRET",
    )
}

/// The identity service, whose absence makes what `origin` holds useless.
fn identity_beside(values: &Values<'_>, origin: &str) -> Result<Identity, Error> {
    for (flag, what) in [("token-url", "token URL"), ("client-id", "client id")] {
        if values.one(flag)?.is_none() {
            let help = format!("set `--{flag}` or `{}`", variable(flag));
            return Err(Error::of(origin, format!("there is no {what} beside it"), help));
        }
    }
    identity(values)
}

fn identity(values: &Values<'_>) -> Result<Identity, Error> {
    let missing = |flag: &str, what: &str| {
        Error::new(format!("no {what} is given"), format!("set `--{flag}` or `{}`", variable(flag)))
    };
    let given = values.one("token-url")?.ok_or_else(|| missing("token-url", "token URL"))?;
    let mut token_url =
        http::url::parse(&given.value).map_err(|error| given.error(error.to_string(), error.help(TOKEN_URL)))?;
    if token_url.path() == "/" {
        // The host alone is meant so: it has one token endpoint (epm-api.md §5.2).
        token_url.set_path("/oauth2/v1/token");
    }
    let client_id = values.one("client-id")?.ok_or_else(|| missing("client-id", "client id"))?.value;
    let client_secret = secret(values, "EPM_CLIENT_SECRET", "client-secret-file")?;
    if let Some(secret) = &client_secret {
        secret::check(&secret.value, "client secret").map_err(|error| of_secret(&secret.origin, &error))?;
    }
    let scope = values.one("scope")?.map(|given| given.value);
    Ok(Identity { token_url, client_id, client_secret: client_secret.map(|secret| secret.value), scope })
}

/// A secret, and where it came from.
pub(super) struct Secret {
    pub(super) value: SecretString,
    pub(super) origin: String,
    file: Option<PathBuf>,
}

/// A secret from its variable or its file.
pub(super) fn secret(values: &Values<'_>, variable: &str, flag: &str) -> Result<Option<Secret>, Error> {
    match (values.secret(variable)?, values.one(flag)?) {
        (Some(_), Some(file)) => {
            Err(file.error(format!("`{variable}` is set as well"), "give the secret by one of the two"))
        }
        (Some(value), None) => Ok(Some(Secret { value, origin: variable.to_owned(), file: None })),
        (None, Some(file)) => {
            let path = PathBuf::from(&file.value);
            let value = read_secret(&path).map_err(|error| match of_file(&file, &error) {
                wrong if flag == "refresh-token-file" && !path.exists() => {
                    Error { help: "get a token with `epm-gate login`, which writes it there".to_owned(), ..wrong }
                }
                wrong => wrong,
            })?;
            Ok(Some(Secret { value, origin: file.origin, file: Some(path) }))
        }
        (None, None) => Ok(None),
    }
}

fn of_file(file: &Given, error: &secret::Error) -> Error {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    file.error(format!("{error}{cause}"), error.help())
}

fn of_secret(origin: &str, error: &secret::Error) -> Error {
    Error::of(origin, error.to_string(), error.help())
}

/// That the token's file cannot be replaced, before anything is exchanged.
pub(super) fn unprovable(error: &token_file::Error) -> Error {
    Error::of("--refresh-token-file", error.to_string(), error.help())
}

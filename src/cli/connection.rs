//! Where to, and as whom.

use std::path::PathBuf;

use secrecy::SecretString;

use crate::auth::{self, Credentials, read_secret};
use crate::epm::url::EpmUrl;
use crate::foreign::{log_line, quote};

use super::Error;
use super::given::{Given, Values, variable};

/// The URL, held to the host that was expected.
pub(super) fn url(values: &Values<'_>) -> Result<EpmUrl, Error> {
    let Some(given) = values.one("url")? else {
        return Err(Error::new(
            "no URL is given",
            "set `--url` or `EPM_URL` to `https://HOST`, such as `https://epm-acme.epm.us-phoenix-1.ocs.oraclecloud.com`",
        ));
    };
    let url = EpmUrl::parse(&given.value).map_err(|error| given.error(error.to_string(), error.help()))?;
    match values.one("expect-host")? {
        Some(expected) if !url.is_host(&expected.value) => Err(expected.error(
            format!("{} is expected, and the URL leads to {}", quote(&expected.value), quote(&url.host())),
            "mend the one that is wrong: a host name alone is expected, without `https://`",
        )),
        _ => Ok(url),
    }
}

/// The one complete way to authenticate; none where nothing of any is given.
pub(super) fn credentials(values: &Values<'_>) -> Result<Option<Credentials>, Error> {
    let basic = basic(values)?;
    let token = access_token(values)?;
    match (basic, token) {
        (Some(_), Some((_, origin))) => Err(Error::new(
            format!("two ways to authenticate are given: user and password, and an access token (`{origin}`)"),
            "give one of them",
        )),
        (Some((basic, origin)), None) => checked(basic, &origin).map(Some),
        (None, Some((token, origin))) => checked(token, &origin).map(Some),
        (None, None) => Ok(None),
    }
}

/// What helps where nothing of any way to authenticate is given.
pub(super) fn no_credentials() -> Error {
    Error::new(
        "no credentials are given",
        "set `--username` with `EPM_PASSWORD` or `--password-file`; or `EPM_ACCESS_TOKEN` or `--access-token-file`",
    )
}

/// `origin` is where the secret comes from.
fn checked(credentials: Credentials, origin: &str) -> Result<Credentials, Error> {
    credentials.checked().map_err(|error| match error {
        auth::Error::Colon => Error::of("--username", error.to_string(), error.help()),
        error => Error::of(origin, error.to_string(), error.help()),
    })
}

fn basic(values: &Values<'_>) -> Result<Option<(Credentials, String)>, Error> {
    let password = secret(values, "EPM_PASSWORD", "password-file")?;
    let domain = values.one("identity-domain")?;
    match (values.one("username")?, password) {
        (Some(user), Some((password, origin, _))) => {
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
            Ok(Some((Credentials::Basic { user, password }, origin)))
        }
        (Some(user), None) => {
            Err(user.error("there is no password beside it", "set `EPM_PASSWORD` or `--password-file`"))
        }
        (None, Some((_, origin, _))) => {
            Err(Error::of(&origin, "there is no user beside it", "set `--username` or `EPM_USERNAME`"))
        }
        (None, None) => match domain {
            Some(domain) => Err(domain.error("there is no user beside it", "set `--username` or `EPM_USERNAME`")),
            None => Ok(None),
        },
    }
}

fn access_token(values: &Values<'_>) -> Result<Option<(Credentials, String)>, Error> {
    let token = secret(values, "EPM_ACCESS_TOKEN", "access-token-file")?;
    Ok(token.map(|(token, origin, file)| (Credentials::AccessToken { token, file }, origin)))
}

/// A secret from its variable or its file, where it came from, and the file.
fn secret(
    values: &Values<'_>,
    variable: &str,
    flag: &str,
) -> Result<Option<(SecretString, String, Option<PathBuf>)>, Error> {
    match (values.secret(variable)?, values.one(flag)?) {
        (Some(_), Some(file)) => {
            Err(file.error(format!("`{variable}` is set as well"), "give the secret by one of the two"))
        }
        (Some(secret), None) => Ok(Some((secret, variable.to_owned(), None))),
        (None, Some(file)) => {
            let path = PathBuf::from(&file.value);
            let secret = read_secret(&path).map_err(|error| of_file(&file, &error))?;
            Ok(Some((secret, file.origin, Some(path))))
        }
        (None, None) => Ok(None),
    }
}

fn of_file(file: &Given, error: &auth::Error) -> Error {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    file.error(format!("{error}{cause}"), error.help())
}

/// The flags with which a later `attach` reaches the same service as the same user.
///
/// `key`: what the CI gave as the ledger's key, which is another one wherever the attach runs.
pub(super) fn attach_flags(values: &Values<'_>, url: &EpmUrl, key: Option<&str>) -> Result<String, Error> {
    let mut flags = format!(" --url {}", shell_quoted(&url.to_string()));
    for flag in
        ["username", "identity-domain", "password-file", "access-token-file", "ledger", "ledger-key", "job-name"]
    {
        let Some(given) = values.one(flag)? else { continue };
        match flag {
            // A label is not worth a command that means something else.
            "job-name" if !is_printed_as_it_is(&given.value) => {}
            _ if is_printed_as_it_is(&given.value) => {
                flags = format!("{flags} --{flag} {}", shell_quoted(given.value.trim()));
            }
            _ => flags = format!("{flags} --{flag} \"${}\"", variable(flag)),
        }
    }
    if let Some(key) = key.filter(|key| is_printed_as_it_is(key)) {
        flags = format!("{flags} --ledger-key {}", shell_quoted(key));
    }
    Ok(flags)
}

/// Whether the log and the summary show a text as it is: what makes others harmless there would change the command.
fn is_printed_as_it_is(text: &str) -> bool {
    !text.contains('`') && log_line(text) == text
}

/// A word as a POSIX shell takes it.
fn shell_quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_./:@%+=,-".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell_where_they_need_it() {
        assert_eq!(shell_quoted("https://epm.example.com:8443/x"), "https://epm.example.com:8443/x");
        assert_eq!(shell_quoted("GL $(touch x)"), "'GL $(touch x)'");
        assert_eq!(shell_quoted("it's"), "'it'\\''s'");
        assert_eq!(shell_quoted(""), "''");
    }
}

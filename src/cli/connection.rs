//! Where to, and on which way.

use std::path::Path;

use crate::epm::url::EpmUrl;
use crate::foreign::{log_line, quote};
use crate::http::Network;
use crate::http::proxy::Proxies;
use crate::http::roots::Roots;

use super::Error;
use super::given::{Given, Values, variable};

const EXAMPLE: &str = "https://epm-acme.epm.us-phoenix-1.ocs.oraclecloud.com";

/// The URL, held to the host that was expected.
pub(super) fn url(values: &Values<'_>) -> Result<EpmUrl, Error> {
    let Some(given) = values.one("url")? else {
        return Err(Error::new(
            "no URL is given",
            format!("set `--url` or `EPM_URL` to `https://HOST`, such as `{EXAMPLE}`"),
        ));
    };
    let url = EpmUrl::parse(&given.value).map_err(|error| given.error(error.to_string(), error.help(EXAMPLE)))?;
    match values.one("expect-host")? {
        Some(expected) if !url.is_host(&expected.value) => Err(expected.error(
            format!("{} is expected, and the URL leads to {}", quote(&expected.value), quote(&url.host())),
            "mend the one that is wrong: a host name alone is expected, without `https://`",
        )),
        _ => Ok(url),
    }
}

/// What lies between this machine and the services: roots that are added, and proxies.
pub(super) fn network(values: &Values<'_>) -> Result<Network, Error> {
    Ok(Network { roots: roots(values)?, proxies: proxies(values)? })
}

fn roots(values: &Values<'_>) -> Result<Roots, Error> {
    let given = match values.one("ca-cert")? {
        Some(given) => Some(given),
        None => values.foreign("SSL_CERT_FILE")?,
    };
    let Some(file) = given else { return Ok(Roots::default()) };
    Roots::read(Path::new(&file.value)).map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        file.error(format!("{error}{cause}"), error.help())
    })
}

/// The variables that may give a proxy, and what is reached past it. Upper case before lower, as most programs have it.
pub(super) const PROXY: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
pub(super) const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The first of these variables that is set.
pub(super) fn first_of(values: &Values<'_>, names: &[&str]) -> Result<Option<Given>, Error> {
    names.iter().map(|name| values.foreign(name)).find_map(Result::transpose).transpose()
}

fn proxies(values: &Values<'_>) -> Result<Proxies, Error> {
    let https = first_of(values, &PROXY)?;
    let no = first_of(values, &NO_PROXY)?;
    let value = |given: &Option<Given>| given.as_ref().map(|given| given.value.clone());
    Proxies::parse(value(&https).as_deref(), value(&no).as_deref()).map_err(|error| {
        let origin = https.map(|given| given.origin).unwrap_or_default();
        Error::of(&origin, error.to_string(), error.help())
    })
}

/// What a later `attach` needs beside the URL.
const ATTACHING: [&str; 18] = [
    "username",
    "identity-domain",
    "password-file",
    "access-token-file",
    "token-url",
    "client-id",
    "scope",
    "client-secret-file",
    "refresh-token-file",
    "jwt-key-file",
    "jwt-key-id",
    "jwt-subject",
    "jwt-audience",
    "ca-cert",
    "ledger",
    "ledger-key",
    "job-name",
    "notify-key",
];

/// What the user has asked of a pass.
const CONDITIONS: [&str; 6] =
    ["fail-on-warning", "require-output", "min-duration", "max-rejected", "min-rows", "fail-on-stage-failure"];

/// The flags with which a later `attach` reaches the same service as the same user, and asks as much of a pass.
///
/// `key`: what the CI gave as the ledger's key, which is another one wherever the attach runs. `incident`: what the
/// incident of this run is called, by names that an attach does not know.
pub(super) fn attach_flags(
    values: &Values<'_>,
    url: &EpmUrl,
    key: Option<&str>,
    incident: Option<&str>,
) -> Result<String, Error> {
    let mut flags = format!(" --url {}", shell_quoted(&url.to_string()));
    for flag in ATTACHING {
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
    for flag in CONDITIONS {
        if let Some(given) = values.one(flag)? {
            flags = format!("{flags} --{flag}={}", shell_quoted(given.value.trim()));
        }
    }
    for (flag, key) in [("ledger-key", key), ("notify-key", incident)] {
        if let Some(key) = key.filter(|key| is_printed_as_it_is(key)) {
            flags = format!("{flags} --{flag} {}", shell_quoted(key));
        }
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

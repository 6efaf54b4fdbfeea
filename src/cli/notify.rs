//! Who is told of the end, and of which. An address is a secret: no flag takes one, and no error shows one.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::http;
use crate::job::JobId;
use crate::notify::{self, Address, Audience, Key, Kind, is_address};
use crate::payload::{JobType, Payload};

use super::credentials::secret;
use super::given::{Given, Values, is_placeholder};
use super::{Error, connection, job};

/// Those who are told, none where no address is given; and what was said in vain.
pub(super) fn audience(values: &Values<'_>, submits: bool) -> Result<(Option<Audience>, Vec<String>), Error> {
    let flags = [values.one("notify-file")?, values.one("notify-on")?, values.one("notify-key")?];
    let [file, on, key] = &flags;
    if let Some(given) = file.iter().chain(on).find(|given| is_address(&given.value)) {
        let help = "set `EPM_NOTIFY` to it, or write it to the file that `--notify-file` names";
        return Err(given.error("it is an address, which is a secret and has no place here", help));
    }
    let addresses = secret(values, "EPM_NOTIFY", "notify-file")?;
    let always = match on {
        Some(given) => given.word(&[("failure", false), ("always", true)])?,
        None => false,
    };
    let Some(given) = addresses else { return Ok((None, flags.iter().flatten().map(in_vain).collect())) };
    let addresses = addresses_of(&given.value, &given.origin)?;
    // What is wrong with the way is told by the plan. By another one nobody is told.
    let Ok(network) = connection::network(values) else { return Ok((None, Vec::new())) };
    let job = if addresses.iter().any(|to| to.kind == Kind::PagerDuty) { job(values, submits) } else { None };
    let key = Key { given: key.as_ref().map(|given| given.value.clone()), host: host(values), job };
    Ok((Some(Audience { addresses, always, key, network }), Vec::new()))
}

/// No mistake to fail for: the secret may be missing where it must not be, such as in the run of a fork.
fn in_vain(given: &Given) -> String {
    format!("`{}`: nobody is told of the end: there is neither `EPM_NOTIFY` nor `--notify-file`", given.origin)
}

fn addresses_of(text: &SecretString, origin: &str) -> Result<Vec<Address>, Error> {
    let lines = text.expose_secret().lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(index, line)| {
        Address::parse(index + 1, line, is_placeholder)
            .map_err(|wrong| Error::of(origin, format!("line {}: {wrong}", index + 1), wrong.help()))
    });
    let addresses: Vec<Address> = parsed.collect::<Result<_, _>>()?;
    if addresses.is_empty() {
        return Err(Error::of(origin, "it holds no address", "write an address, such as `slack=URL`, or leave it out"));
    }
    Ok(addresses)
}

/// The host on the command line, where that can be read.
fn host(values: &Values<'_>) -> Option<String> {
    let url = values.one("url").ok()??.value;
    http::url::parse(&url).ok().map(|url| http::url::host(&url))
}

/// What the job is called by the command line, as far as that can be read. `attach` knows no type.
fn job(values: &Values<'_>, submits: bool) -> Option<String> {
    let name = values.one("job-name").ok()?.map(|given| given.value);
    if !submits {
        return Some(format!(":{}", name.or_else(|| ids(values))?));
    }
    if let Some(file) = values.one_or("payload", "EPM_PAYLOAD_FILE").ok()? {
        return notify::job(&payload(Path::new(&file.value))?);
    }
    let word = values.one("job-type").ok()?.map(|given| given.value);
    let job_type = word.map_or(Some(JobType::Integration), |word| JobType::of_word(word.trim()))?;
    Some(format!("{}:{}", job_type.word(), name?))
}

/// The ids, in whichever order they were given.
fn ids(values: &Values<'_>) -> Option<String> {
    let mut ids: Vec<u64> = job::ids(values).ok()?.into_iter().map(JobId::number).collect();
    ids.sort_unstable();
    Some(ids.iter().map(u64::to_string).collect::<Vec<_>>().join(","))
}

/// The payload in a file. A pipe is read once, and the plan comes after this.
fn payload(file: &Path) -> Option<Payload> {
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    let bytes = if is_file { job::read(file).ok()? } else { return None };
    Payload::of_bytes(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_wrong_is_named_by_its_number() {
        let addresses = |text: &str| addresses_of(&SecretString::from(text), "EPM_NOTIFY");
        let read = addresses("\nslack=https://a.example.com/x\r\n\n  teams=https://b.example.com/y\n").unwrap();
        assert_eq!(read.iter().map(|address| address.line).collect::<Vec<_>>(), [2, 4]);
        let error = addresses("slack=https://a.example.com/x\n\nslack=s3cret").err().unwrap();
        assert_eq!(error.to_string(), "`EPM_NOTIFY`: line 3: its address is not a URL");
        assert!(addresses(" \n").is_err());
    }
}

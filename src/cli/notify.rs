//! Who is told of the end, and of which. An address is a secret: no flag takes one, and no error shows one.

use secrecy::{ExposeSecret, SecretString};

use crate::http;
use crate::notify::{Address, Audience, Key, is_address};

use super::Error;
use super::connection;
use super::credentials::secret;
use super::given::{Given, Values, is_placeholder};

/// Those who are told, none where no address is given; and what was said in vain.
pub(super) fn audience(values: &Values<'_>) -> Result<(Option<Audience>, Vec<String>), Error> {
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
    let key = Key { given: key.as_ref().map(|given| given.value.clone()), ..subject(values) };
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

/// What the run is about by the command line, as far as that can be read.
fn subject(values: &Values<'_>) -> Key {
    let text = |flag| values.one(flag).ok().flatten().map(|given| given.value);
    let host = text("url").and_then(|url| http::url::parse(&url).ok()).map(|url| http::url::host(&url));
    Key { given: None, host, job_type: text("job-type").map(|word| word.to_uppercase()), job_name: text("job-name") }
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

//! When a job that failed is tried again.

use std::time::Duration;

use crate::diagnose::category::Category;
use crate::foreign::{backticked, quote};
use crate::gate::Task;
use crate::gate::retry::Retries;
use crate::gate::source::Source;
use crate::payload::{Field, Payload};

use super::given::{Given, Values};
use super::{Error, duration};

/// Modes that add to what is there: what a failed job has loaded would be there twice.
const ADDING: [&str; 5] = ["Accumulate", "Subtract", "ADD_DATA", "SUBTRACT_DATA", "Append"];

/// Types of which nobody here knows what they load, and how.
const OPAQUE: [&str; 2] = ["PIPELINE", "BATCH"];

/// The rules; none for whatever does not submit and wait.
pub(super) fn retries(values: &Values<'_>, task: &Task) -> Result<Retries, Error> {
    let Task::Run(source) = task else { return Ok(Retries::default()) };
    let given = values.one("retries")?;
    let retries = Retries {
        most: given.as_ref().map(number).transpose()?.unwrap_or_default(),
        on: values.one("retry-on")?.as_ref().map(categories).transpose()?,
        delay: duration(values, "retry-delay", Duration::from_secs(30))?,
        anyway: values.switch("retry-anyway")?,
    };
    match given.filter(|_| retries.most > 0 && !retries.anyway).zip(danger(source)) {
        Some((given, danger)) => Err(given.error(
            format!("{danger}: what a failed job has loaded before its end would be loaded twice"),
            "leave it out, or set `--retry-anyway` where that does no harm",
        )),
        None => Ok(retries),
    }
}

fn number(given: &Given) -> Result<u32, Error> {
    const MOST: u32 = 100;
    let number = given.value.parse().ok().filter(|number| *number <= MOST);
    number.ok_or_else(|| {
        given.error(format!("{} is not a number of attempts", quote(&given.value)), "write a number from 0 to 100")
    })
}

fn categories(given: &Given) -> Result<Vec<Category>, Error> {
    let words = given.value.split([',', ' ', '\n']).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| category(given, word)).collect()
}

fn category(given: &Given, word: &str) -> Result<Category, Error> {
    Category::of_word(&word.to_ascii_lowercase()).ok_or_else(|| {
        let right = Category::ALL.map(Category::word);
        given.error(format!("{} is not a category", quote(word)), format!("use some of {}", backticked(&right)))
    })
}

/// Why a second attempt could be a second load.
fn danger(source: &Source) -> Option<String> {
    let payload = match source {
        Source::Ready(payload) if !payload.is_given() => payload,
        _ => return Some("`--payload` gives a body whose meaning is not known here".to_owned()),
    };
    if let Some(opaque) = OPAQUE.into_iter().find(|opaque| payload.job_type().eq_ignore_ascii_case(opaque)) {
        return Some(format!("what a {opaque} loads, and how, is not known here"));
    }
    adding(payload).map(|(field, mode)| format!("`--{}` is {}, which adds to what is there", field.flag(), quote(mode)))
}

fn adding(payload: &Payload) -> Option<(Field, &str)> {
    let modes = [Field::ImportMode, Field::ExportMode];
    let mut modes = modes.into_iter().filter_map(|field| Some((field, payload.text(field.key())?)));
    modes.find(|(_, mode)| ADDING.iter().any(|adding| adding.eq_ignore_ascii_case(mode)))
}

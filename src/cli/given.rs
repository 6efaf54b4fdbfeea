//! A value that somebody gave, and where: an error names the flag or the variable that is to be mended.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;
use secrecy::SecretString;

use crate::foreign::{backticked, quote};

use super::Error;

/// The variables of the environment, read once.
///
/// A value that is not UTF-8 is kept apart: guessing at it could send a wrong password.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    set: BTreeMap<String, String>,
    unreadable: BTreeSet<String>,
}

impl Environment {
    /// Those of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
    pub fn of_process() -> Self {
        let mut environment = Self::default();
        for (name, value) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            match value.into_string() {
                Ok(value) => {
                    environment.set.insert(name, value);
                }
                Err(_) => {
                    environment.unreadable.insert(name);
                }
            }
        }
        environment
    }

    /// These, for a test.
    #[cfg(test)]
    pub(super) fn of(set: &[(&str, &str)]) -> Self {
        let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { set, ..Self::default() }
    }

    /// A variable; an empty one is an unset one.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = self.set.get(name)?.replace('\r', "");
        (!value.trim().is_empty()).then_some(value)
    }
}

/// A text, and the flag or the variable that it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) origin: String,
    pub(super) value: String,
}

impl Given {
    fn checked(self) -> Result<Self, Error> {
        if self.value.trim().is_empty() {
            return Err(self.error("it is empty", "give a value, or leave it out"));
        }
        if is_placeholder(&self.value) {
            return Err(unexpanded(&self.origin, Some(&self.value)));
        }
        Ok(self)
    }

    /// That this value is wrong, and what would be right.
    pub(super) fn error(&self, problem: impl Into<String>, help: impl Into<String>) -> Error {
        Error { origin: Some(self.origin.clone()), problem: problem.into(), help: help.into() }
    }

    /// The one of these words that was given, in any case.
    pub(super) fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, Error> {
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(self.value.trim()));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let right: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.error(format!("{} is not known", quote(&self.value)), format!("use one of {}", backticked(&right)))
        })
    }

    /// A duration of at most a year.
    pub(super) fn duration(&self) -> Result<Duration, Error> {
        const LONGEST: Duration = Duration::from_hours(365 * 24);
        const RIGHT: &str = "write it with its unit, such as `90s`, `15m` or `2h30m`";
        let duration = humantime::parse_duration(self.value.trim())
            .map_err(|_| self.error(format!("{} is not a duration", quote(&self.value)), RIGHT))?;
        if duration > LONGEST {
            return Err(self.error(format!("{} is longer than a year", quote(&self.value)), RIGHT));
        }
        Ok(duration)
    }

    /// A duration that is not zero.
    pub(super) fn positive_duration(&self) -> Result<Duration, Error> {
        match self.duration()? {
            Duration::ZERO => Err(self.error("it must be longer than nothing", "write a duration such as `30s`")),
            duration => Ok(duration),
        }
    }

    /// A whole number from 0.
    pub(super) fn whole_number(&self) -> Result<u64, Error> {
        let text = self.value.trim();
        let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        number.ok_or_else(|| {
            let problem = format!("{} is not a whole number", quote(&self.value));
            self.error(problem, "write digits alone, without separators, such as `0` or `1000`")
        })
    }

    /// Key and value at the first `=`. A value that is a placeholder was to be filled in as well.
    pub(super) fn pair(&self) -> Result<(&str, &str), Error> {
        match self.value.split_once('=') {
            Some((key, _)) if key.trim_end_matches(':').trim().is_empty() => {
                Err(self.error(format!("{} has no key", quote(&self.value)), "write `KEY=VALUE`"))
            }
            Some((_, value)) if is_placeholder(value) => Err(unexpanded(&self.origin, Some(&self.value))),
            Some((key, value)) => Ok((key.trim(), value)),
            None => Err(self.error(format!("{} has no `=`", quote(&self.value)), "write `KEY=VALUE`")),
        }
    }
}

/// Whether a value is nothing but a placeholder that its CI did not expand: `$(name)` of Azure, `${name}`, `${{ ... }}`.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim();
    let within = |open: &str, close: &str| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    within("${{", "}}").is_some_and(|inner| !inner.contains("}}"))
        || within("${", "}").is_some_and(|inner| !inner.contains(['{', '}']))
        || within("$(", ")").is_some_and(|inner| !inner.contains(['(', ')']))
}

fn unexpanded(origin: &str, shown: Option<&str>) -> Error {
    let what = shown.map_or_else(|| "it".to_owned(), quote);
    Error {
        origin: Some(origin.to_owned()),
        problem: format!("{what} is a placeholder that nobody has filled in"),
        help: "define the variable in the pipeline, or map the secret into the step's environment".to_owned(),
    }
}

/// The command line together with the environment.
pub(super) struct Values<'a> {
    matches: &'a ArgMatches,
    environment: &'a Environment,
}

impl<'a> Values<'a> {
    pub(super) fn new(matches: &'a ArgMatches, environment: &'a Environment) -> Self {
        Self { matches, environment }
    }

    /// The value of a flag, or of the variable with its name.
    pub(super) fn one(&self, flag: &str) -> Result<Option<Given>, Error> {
        self.one_or(flag, &variable(flag))
    }

    /// The value of a flag, or of a variable with another name.
    pub(super) fn one_or(&self, flag: &str, variable: &str) -> Result<Option<Given>, Error> {
        let given = match self.typed(flag).pop() {
            Some(typed) => Some(typed),
            None => self.variable(variable)?,
        };
        let given = given.map(Given::checked).transpose()?;
        // A block of YAML ends in a line end, which nobody means.
        Ok(given.map(|given| Given { value: given.value.trim().to_owned(), ..given }))
    }

    /// The values of a flag that may be repeated, or the lines of a variable.
    pub(super) fn many(&self, flag: &str, variable: &str) -> Result<Vec<Given>, Error> {
        self.many_of(self.typed(flag), variable)
    }

    /// The same, where an empty value is as good as none.
    pub(super) fn many_or_empty(&self, flag: &str, variable: &str) -> Result<Vec<Given>, Error> {
        let typed = self.typed(flag);
        let is_empty = !typed.is_empty() && typed.iter().all(|given| given.value.trim().is_empty());
        if is_empty { Ok(Vec::new()) } else { self.many_of(typed, variable) }
    }

    fn many_of(&self, typed: Vec<Given>, variable: &str) -> Result<Vec<Given>, Error> {
        if !typed.is_empty() {
            return typed.into_iter().map(Given::checked).collect();
        }
        let Some(Given { origin, value }) = self.variable(variable)? else { return Ok(Vec::new()) };
        let lines = value.lines().filter(|line| !line.trim().is_empty());
        lines.map(|line| Given { origin: origin.clone(), value: line.to_owned() }.checked()).collect()
    }

    /// A switch.
    pub(super) fn switch(&self, flag: &str) -> Result<bool, Error> {
        match self.one(flag)? {
            Some(given) => given.word(&[("true", true), ("false", false), ("1", true), ("0", false)]),
            None => Ok(false),
        }
    }

    /// A secret from the environment, the only place where one may stand beside a file.
    pub(super) fn secret(&self, variable: &str) -> Result<Option<SecretString>, Error> {
        match self.variable(variable)? {
            Some(Given { value, .. }) if is_placeholder(&value) => Err(unexpanded(variable, None)),
            given => Ok(given.map(|given| SecretString::from(given.value))),
        }
    }

    /// Whether a variable is set at all.
    pub(super) fn is_set(&self, variable: &str) -> bool {
        self.environment.get(variable).is_some()
    }

    /// Whether a flag stands on the command line.
    pub(super) fn is_typed(&self, flag: &str) -> bool {
        !self.typed(flag).is_empty()
    }

    fn variable(&self, name: &str) -> Result<Option<Given>, Error> {
        if self.environment.unreadable.contains(name) {
            return Err(Error::of(name, "it is not UTF-8 text", "set it in UTF-8"));
        }
        Ok(self.environment.get(name).map(|value| Given { origin: name.to_owned(), value }))
    }

    /// The value of a variable that is none of ours.
    pub(super) fn foreign(&self, name: &str) -> Result<Option<Given>, Error> {
        self.variable(name)?.map(Given::checked).transpose()
    }

    fn typed(&self, flag: &str) -> Vec<Given> {
        let on_line = self.matches.try_contains_id(flag).unwrap_or(false)
            && self.matches.value_source(flag) == Some(ValueSource::CommandLine);
        if !on_line {
            return Vec::new();
        }
        let origin = match flag {
            "job-id" => "JOB_ID".to_owned(),
            "logfile" => "LOGFILE".to_owned(),
            flag => format!("--{flag}"),
        };
        let values = self.matches.try_get_many::<String>(flag).ok().flatten().into_iter().flatten();
        values.map(|value| Given { origin: origin.clone(), value: value.clone() }).collect()
    }
}

/// The variable that stands in for a flag.
pub(super) fn variable(flag: &str) -> String {
    format!("EPM_{}", flag.replace('-', "_").to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: &str) -> Given {
        Given { origin: "EPM_X".to_owned(), value: value.to_owned() }
    }

    #[test]
    fn a_placeholder_is_told_from_a_value() {
        for text in ["$(epmUrl)", "${EPM_URL}", "${{ secrets.EPM_URL }}", " $(x) ", "$()", "${{ a.b['{c}'] }}"] {
            assert!(is_placeholder(text), "{text}");
            assert!(given(text).checked().is_err());
        }
        for text in ["", "$x", "pa$(ss)", "$(a)b", "{Jan-26}", "$(a)$(b)", "${a}-${b}"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn durations_have_units_and_bounds() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h30m", 9000), (" 1h ", 3600), ("0s", 0)] {
            assert_eq!(given(text).duration().unwrap(), Duration::from_secs(seconds), "{text}");
        }
        for text in ["90", "", "soon", "-5s", "5 parsecs", "400d", "99999999999999999999h"] {
            let error = given(text).duration().unwrap_err();
            assert_eq!(error.origin.as_deref(), Some("EPM_X"), "{text}");
            assert!(error.help.contains("90s"), "{text}");
        }
        assert!(given("0s").positive_duration().is_err());
    }

    #[test]
    fn a_whole_number_is_digits_alone() {
        for (text, number) in [("0", 0), ("1000", 1000), (" 007 ", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(given(text).whole_number().unwrap(), number, "{text}");
        }
        for text in ["", "-1", "+1", "1,000", "1.000", "1_000", "1 000", "1e3", "10%", "٣", "18446744073709551616"] {
            let error = given(text).whole_number().unwrap_err();
            assert!(error.help.contains("without separators"), "{text}");
        }
    }

    #[test]
    fn a_pair_is_split_at_the_first_sign() {
        assert_eq!(given("A=b=c").pair().unwrap(), ("A", "b=c"));
        assert_eq!(given("A=").pair().unwrap(), ("A", ""));
        for text in ["A", "=b", " =b", ":=1", "A=$(b)"] {
            assert!(given(text).pair().is_err(), "{text}");
        }
    }

    #[test]
    fn variables_are_unset_when_empty_and_lose_carriage_returns() {
        let set = |value: &str| {
            let set = BTreeMap::from([("EPM_X".to_owned(), value.to_owned())]);
            Environment { set, ..Environment::default() }.get("EPM_X")
        };
        assert_eq!(set(""), None);
        assert_eq!(set(" \r\n"), None);
        assert_eq!(set("a\r\nb\r\n"), Some("a\nb\n".to_owned()));
        assert_eq!(variable("poll-min"), "EPM_POLL_MIN");
    }
}

//! GitHub Actions: the grammar of its output file and of its log (ci-contracts.md §1.1, §1.3).

use std::fmt::Write;

use crate::foreign::log_line;

use super::Fold;

/// One output in the form that may hold any text: `name<<delimiter`, the value, the delimiter. Whoever writes the value
/// must not guess the delimiter (CVE-2022-35954), so it is random, and refused where the value holds it.
///
/// # Errors
///
/// A delimiter that stands in the value, which no random one does.
pub fn output(name: &str, value: &str, delimiter: &str) -> Result<String, DelimiterError> {
    if value.contains(delimiter) || name.contains(delimiter) {
        return Err(DelimiterError);
    }
    Ok(format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"))
}

/// The delimiter stands in the value.
#[derive(Debug, thiserror::Error)]
#[error("the delimiter stands in the value")]
pub struct DelimiterError;

/// A delimiter that nobody can guess.
///
/// # Errors
///
/// A system without randomness.
pub fn delimiter() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold("ghadelimiter_".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// An annotation of the step. `level` is `error`, `warning` or `notice`; the runner cuts the message at 4096 characters.
pub fn annotation(level: &str, title: &str, message: &str) -> String {
    format!("::{level} title={}::{}", property(title), data(message))
}

/// A fold of the log.
pub fn group(title: &str) -> Fold {
    Fold { open: format!("::group::{}", data(title)), close: "::endgroup::".to_owned() }
}

fn data(text: &str) -> String {
    log_line(text).replace('%', "%25")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How the runner reads its file (`FileCommandManager.cs`), written anew from ci-contracts.md §1.1.
    fn parse(file: &str) -> Result<Vec<(String, String)>, String> {
        let mut lines = file.split_inclusive('\n');
        let mut outputs = Vec::new();
        while let Some(line) = lines.next() {
            let line = line.strip_suffix('\n').unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let (equals, heredoc) = (line.find('='), line.find("<<"));
            match (equals, heredoc) {
                (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
                    outputs.push((line[..equals].to_owned(), line[equals + 1..].to_owned()));
                }
                (_, Some(heredoc)) => {
                    let (name, delimiter) = (&line[..heredoc], &line[heredoc + 2..]);
                    if name.is_empty() || delimiter.is_empty() {
                        return Err("name and delimiter must not be empty".to_owned());
                    }
                    let mut value = String::new();
                    loop {
                        let next = lines.next().ok_or("no delimiter")?;
                        if next.strip_suffix('\n').unwrap_or(next) == delimiter {
                            break;
                        }
                        value.push_str(next);
                    }
                    let value = value.strip_suffix('\n').ok_or("EOF marker missing new line")?;
                    outputs.push((name.to_owned(), value.to_owned()));
                }
                _ => return Err(format!("invalid format {line:?}")),
            }
        }
        Ok(outputs)
    }

    #[test]
    fn no_two_delimiters_are_alike() {
        let (one, two) = (delimiter().unwrap(), delimiter().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), "ghadelimiter_".len() + 32);
    }

    #[test]
    fn a_value_that_holds_the_delimiter_is_refused() {
        assert!(output("details", "a\nghadelimiter_x\nstatus=0", "ghadelimiter_x").is_err());
    }

    #[test]
    fn annotations_are_escaped_for_their_place() {
        assert_eq!(
            annotation("error", "a: b, c", "100%\n::error::x ##[y]"),
            "::error title=a%3A b%2C c::100%25 ::error::x # #[y]"
        );
    }

    proptest! {
        #[test]
        fn hostile_values_come_back_as_they_were(
            values in prop::collection::vec("([=<\n\r%:a]|ghadelimiter_|EOF|<<|status=0\n|\\PC){0,30}", 1..5)
        ) {
            let file: String = values.iter().enumerate()
                .map(|(index, value)| output(&format!("name{index}"), value, &delimiter().unwrap()).unwrap())
                .collect();
            let expected: Vec<_> =
                values.iter().enumerate().map(|(index, value)| (format!("name{index}"), value.clone())).collect();
            prop_assert_eq!(parse(&file), Ok(expected));
        }

        #[test]
        fn an_annotation_is_one_command_whatever_it_says(title in "\\PC{0,20}|::|[\r\n,:%]{0,9}", message in any::<String>()) {
            let line = annotation("error", &title, &message);
            prop_assert!(!line.contains(['\n', '\r']));
            let (head, rest) = line.strip_prefix("::error title=").unwrap().split_once("::").unwrap();
            prop_assert!(!head.contains([':', ',']));
            prop_assert!(!rest.contains("##["));
        }
    }
}

//! How the runners of GitHub and Azure read what a step writes, written anew from their sources (ci-contracts.md §1.1,
//! §1.3, §3.1): `ActionCommand.cs`, `FileCommandManager.cs`, `Command.cs`.

/// A command that a runner would obey.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) data: String,
}

/// All commands in a log. Every name counts, those included that no runner knows yet.
pub(super) fn commands(log: &str) -> Vec<Command> {
    log.split(['\n', '\r']).filter_map(|line| command(line).or_else(|| bracketed(line))).collect()
}

/// `::name key=value,...::data` at the start of a line.
fn command(line: &str) -> Option<Command> {
    let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let pairs = properties.trim().split(',').filter_map(|pair| pair.split_once('='));
    let title = pairs.rev().find(|(key, value)| *key == "title" && !value.is_empty());
    let title = title.map(|(_, value)| unescaped(value, &["%0D", "%0A", "%3A", "%2C", "%25"]));
    Some(Command { name: name.to_owned(), title, data: unescaped(data, &["%0D", "%0A", "%25"]) })
}

/// `##[name]data` and `##vso[name]data`, anywhere in a line.
fn bracketed(line: &str) -> Option<Command> {
    let at = ["##[", "##vso["].into_iter().find_map(|key| Some(line.find(key)? + key.len()))?;
    Some(Command { name: line[at..].to_owned(), title: None, data: String::new() })
}

fn unescaped(text: &str, escapes: &[&str]) -> String {
    escapes.iter().fold(text.to_owned(), |text, escape| {
        let code = u8::from_str_radix(&escape[1..], 16).expect("an escape is a number");
        text.replace(escape, &char::from(code).to_string())
    })
}

/// The outputs that a file of step outputs holds, or why the step would fail for it. On Windows `\r\n` ends a line too.
pub(super) fn outputs(file: &str, on_windows: bool) -> Result<Vec<(String, String)>, String> {
    let mut lines = file.split_inclusive('\n');
    let mut outputs = Vec::new();
    while let Some(line) = lines.next() {
        let line = without_end(line, on_windows);
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        match (equals, heredoc) {
            (None, None) if line.is_empty() => {}
            (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
                outputs.push((line[..equals].to_owned(), line[equals + 1..].to_owned()));
            }
            (_, Some(heredoc)) => {
                let delimiter = &line[heredoc + 2..];
                outputs.push((line[..heredoc].to_owned(), heredoc_value(&mut lines, delimiter, on_windows)?));
            }
            _ => return Err(format!("invalid format {line:?}")),
        }
    }
    Ok(outputs)
}

fn heredoc_value<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    delimiter: &str,
    on_windows: bool,
) -> Result<String, String> {
    let mut value = String::new();
    loop {
        let line = lines.next().ok_or("no delimiter")?;
        if without_end(line, on_windows) == delimiter {
            return Ok(without_end(&value, on_windows).to_owned());
        }
        value.push_str(line);
    }
}

fn without_end(line: &str, on_windows: bool) -> &str {
    let without = line.strip_suffix('\n').unwrap_or(line);
    if on_windows && without.len() < line.len() { without.strip_suffix('\r').unwrap_or(without) } else { without }
}

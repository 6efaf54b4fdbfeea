//! How the runners of GitHub and Azure read what a step writes, written anew from their sources (ci-contracts.md §1.1,
//! §1.3, §3.1): `ActionCommand.cs`, `FileCommandManager.cs`, `Command.cs`.

/// A command that a runner would obey.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) data: String,
}

/// All commands in a log. Every name counts, those included that no runner knows yet. Azure's agent warns of a bare
/// `##vso` too.
pub(super) fn commands(log: &str) -> Vec<Command> {
    log.split(['\n', '\r']).filter_map(|line| command(line).or_else(|| bracketed(line))).collect()
}

/// What Azure's agent makes of a line (`Command.cs`, `CommandStringConvertor.cs`).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AzureCommand {
    /// Area and event.
    pub(super) name: String,
    pub(super) properties: Vec<(String, String)>,
    pub(super) data: String,
}

pub(super) fn azure(line: &str) -> Option<AzureCommand> {
    let (_, rest) = line.split_once("##vso[")?;
    let (head, data) = rest.split_once(']')?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        // An empty value is dropped with its key.
        (!value.is_empty()).then(|| (key.to_owned(), of_azure(value.trim_start_matches('='))))
    };
    let properties = properties.split(';').filter_map(pair).collect();
    Some(AzureCommand { name: name.to_owned(), properties, data: of_azure(data) })
}

fn of_azure(text: &str) -> String {
    let text = [("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]")]
        .iter()
        .fold(text.to_owned(), |text, (escape, char)| text.replace(escape, char));
    text.replace("%AZP25", "%")
}

/// The sections that GitLab opens or closes in a log, wherever they stand: kind, name, and what follows on the line
/// (`ansi2json/converter.rb`, `Gitlab::Regex.build_trace_section_regex`).
pub(super) fn sections(log: &str) -> Vec<(&'static str, String, String)> {
    let section = |at: usize| {
        let rest = log[at..].strip_prefix("section_")?;
        let (kind, rest) = rest
            .strip_prefix("start:")
            .map(|rest| ("start", rest))
            .or(rest.strip_prefix("end:").map(|rest| ("end", rest)))?;
        let (time, rest) = rest.split_once(':')?;
        let name_end = rest.find(|char: char| !char.is_ascii_alphanumeric() && !"_.-".contains(char))?;
        let (name, rest) = rest.split_at(name_end);
        let rest = rest.strip_prefix('[').map_or(Some(rest), |options| Some(options.split_once(']')?.1))?;
        let rest = rest.strip_prefix("\r\u{1b}[0K")?;
        let is_time = !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
        (is_time && !name.is_empty())
            .then(|| (kind, name.to_owned(), rest.lines().next().unwrap_or_default().to_owned()))
    };
    log.match_indices("section_").filter_map(|(at, _)| section(at)).collect()
}

/// The variables of a dotenv report, or why GitLab refuses it (`parse_dotenv_artifact_service.rb`).
pub(super) fn dotenv(file: &str) -> Result<Vec<(String, String)>, String> {
    if file.len() >= 5 * 1024 {
        return Err("too large".to_owned());
    }
    let variables: Result<Vec<_>, String> = file
        .split_inclusive('\n')
        .map(|line| {
            let (key, value) = line.trim_end_matches('\n').split_once('=').ok_or("invalid format")?;
            let (key, value) = (key.trim(), value.trim());
            let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if is_key { Ok((key.to_owned(), value.to_owned())) } else { Err(format!("key {key:?}")) }
        })
        .collect();
    variables.and_then(|list| if list.len() > 20 { Err("too many".to_owned()) } else { Ok(list) })
}

/// The same file as Java reads properties, as far as it concerns a line without a continuation (`Properties.load`).
pub(super) fn property(line: &str) -> Option<(String, String)> {
    let line = line.trim_start_matches([' ', '\t', '\u{c}']);
    if line.is_empty() || line.starts_with(['#', '!']) || line.contains('\\') {
        return None;
    }
    let end = line.find(['=', ':', ' ', '\t', '\u{c}'])?;
    let value = line[end..].trim_start_matches([' ', '\t', '\u{c}']);
    let value = value.strip_prefix(['=', ':']).unwrap_or(value).trim_start_matches([' ', '\t', '\u{c}']);
    Some((line[..end].to_owned(), value.to_owned()))
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

/// `##[name]data` and `##vso`, anywhere in a line.
fn bracketed(line: &str) -> Option<Command> {
    let at = ["##[", "##vso"].into_iter().find_map(|key| Some(line.find(key)? + key.len()))?;
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

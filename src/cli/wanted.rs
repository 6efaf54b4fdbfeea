//! Which outputs are wanted, and where: what a run that is wrong in anything else still writes to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::ci::{Form, Platform, Print, Wanted};
use crate::collect;
use crate::durable;
use crate::foreign::quote_path;
use crate::inbox;
use crate::report::console::Format;

use super::given::{Environment, Given, Values};
use super::{Error, flags, log_format};

/// The flags that say where to.
const FLAGS: [&str; 11] = [
    "ci",
    "print",
    "outputs-dir",
    "summary",
    "report",
    "dotenv",
    "junit",
    "html",
    "annotations",
    "attestation",
    "metrics",
];

/// The words of `--collect`.
const COLLECTED: [(&str, &str); 2] = [("log", "log"), ("output", "output")];

/// The files that are read or kept, none of which an output may overwrite: the flag and the variable of each.
const KEPT: [(&str, &str); 10] = [
    ("ledger", "EPM_LEDGER"),
    ("payload", "EPM_PAYLOAD_FILE"),
    ("password-file", "EPM_PASSWORD_FILE"),
    ("access-token-file", "EPM_ACCESS_TOKEN_FILE"),
    ("refresh-token-file", "EPM_REFRESH_TOKEN_FILE"),
    ("client-secret-file", "EPM_CLIENT_SECRET_FILE"),
    ("jwt-key-file", "EPM_JWT_KEY_FILE"),
    ("ca-cert", "EPM_CA_CERT"),
    ("rules", "EPM_RULES"),
    ("notify-file", "EPM_NOTIFY_FILE"),
];

/// What is written beside some of them: locks, and a token or a ledger on its way to its place.
const BESIDE: [(&str, &[&str]); 2] =
    [("ledger", &["part", "lock", "writing"]), ("refresh-token-file", &["room", "next", "lock"])];

/// The outputs, and the first thing that is wrong with them. What is wrong is left out.
pub(super) fn wanted(values: &Values<'_>, environment: &Environment) -> (Wanted, Option<Error>) {
    let mut wanted = by_environment(environment);
    let mut errors = Vec::new();
    if let Some(platform) = kept(platform(values, environment), &mut errors) {
        wanted.platform = platform;
    }
    wanted.print = kept(print(values, wanted.platform), &mut errors).unwrap_or_default();
    let dir = kept(values.one("outputs-dir"), &mut errors).flatten();
    wanted.outputs_dir = dir.map(|given| PathBuf::from(given.value));
    wanted.summary = kept(summary(values), &mut errors).flatten();
    wanted.download_dir = kept(download_dir(values), &mut errors).flatten();
    let mut taken = wanted.others();
    taken.extend(read_or_kept(values));
    for form in Form::ALL {
        let Some(path) = kept(file(values, form.flag(), &taken), &mut errors).flatten() else { continue };
        taken.push((form.flag(), path.clone()));
        wanted.documents.push((form, path));
    }
    wanted.metrics = kept(file(values, "metrics", &taken), &mut errors).flatten();
    (wanted, errors.into_iter().next())
}

/// The files that are there already, each with what it is.
fn read_or_kept(values: &Values<'_>) -> Vec<(&'static str, PathBuf)> {
    let file = |(flag, variable): (&'static str, &str)| {
        let given = values.one_or(flag, variable).ok().flatten().filter(|given| given.value != "-")?;
        Some((flag, PathBuf::from(given.value)))
    };
    let bundle =
        values.foreign("SSL_CERT_FILE").ok().flatten().map(|given| ("SSL_CERT_FILE", PathBuf::from(given.value)));
    let uploads = values.many("upload", "EPM_UPLOAD").unwrap_or_default();
    let uploads = uploads.iter().map(|given| ("upload", PathBuf::from(inbox::split(given.value.trim()).0)));
    let mut files: Vec<_> = KEPT.into_iter().filter_map(file).chain(bundle).chain(uploads).collect();
    for (flag, suffixes) in BESIDE {
        let beside = files.iter().find(|(what, _)| *what == flag).map(|(_, path)| durable::resolve(path));
        files
            .extend(beside.iter().flat_map(|path| suffixes.iter().map(|suffix| (flag, durable::beside(path, suffix)))));
    }
    files
}

/// The file of the record, which is none that is read, kept or written by anything else.
pub(super) fn record(values: &Values<'_>, environment: &Environment) -> Result<Option<Given>, Error> {
    let Some(given) = values.one("record")? else { return Ok(None) };
    own_file(&given, &places(values, environment))?;
    Ok(Some(given))
}

/// Where the summary goes. It is no JSON, and so it cannot stand where a log of JSON does.
fn summary(values: &Values<'_>) -> Result<Option<PathBuf>, Error> {
    match values.one("summary")? {
        Some(given) if given.value == "-" && log_format::is_json(values).unwrap_or(false) => Err(given.error(
            "the log is JSON, and the summary would stand in its midst",
            "name a file, or leave `--log-format json` out",
        )),
        given => Ok(given.map(|given| PathBuf::from(given.value))),
    }
}

/// The folder that files of a job are saved to.
fn download_dir(values: &Values<'_>) -> Result<Option<PathBuf>, Error> {
    match values.one("download-dir")? {
        Some(given) if given.value == "-" => Err(given.error("files are saved to a folder alone", "name a folder")),
        given => Ok(given.map(|given| PathBuf::from(given.value))),
    }
}

/// Which files of a job are saved, and where.
pub(super) fn collecting(values: &Values<'_>, environment: &Environment) -> Result<Option<collect::Wanted>, Error> {
    let (mut log, mut output) = (true, false);
    if let Some(given) = values.one("collect")? {
        let words = given.value.split(',').map(str::trim).filter(|word| !word.is_empty());
        let words = words.map(|word| Given { value: word.to_owned(), ..given.clone() }.word(&COLLECTED));
        let words = words.collect::<Result<Vec<_>, _>>()?;
        (log, output) = (words.contains(&"log"), words.contains(&"output"));
        if words.is_empty() {
            return Err(given.error("it names nothing", "write `log`, `output` or `log,output`"));
        }
        if output && download_dir(values)?.is_none() {
            return Err(given.error("there is no folder to save an output to", "name one with `--download-dir`"));
        }
    }
    let Some(dir) = download_dir(values)? else { return Ok(None) };
    let record = values.one("record")?.map(|given| PathBuf::from(given.value));
    let places = places(values, environment).into_iter().map(|(_, place)| place).chain(record);
    let others = places.filter_map(|place| name_in(&dir, &place)).collect();
    Ok(Some(collect::Wanted { dir, log, output, others }))
}

/// Everything that is read, kept or written, and what each is.
fn places(values: &Values<'_>, environment: &Environment) -> Vec<(&'static str, PathBuf)> {
    let (wanted, _) = wanted(values, environment);
    let documents = wanted.documents.iter().map(|(form, path)| (form.flag(), path.clone()));
    wanted.others().into_iter().chain(documents).chain(read_or_kept(values)).collect()
}

/// The name of a file that lies in this very folder.
fn name_in(dir: &Path, place: &Path) -> Option<String> {
    let is_there = durable::folder(place).canonicalize().ok()? == dir.canonicalize().ok()?;
    is_there.then(|| place.file_name().map(|name| name.to_string_lossy().into_owned()))?
}

/// The outputs that the environment alone asks for.
pub fn by_environment(environment: &Environment) -> Wanted {
    let path = |name: &str| environment.get(name).map(|path| PathBuf::from(path.trim()));
    Wanted {
        platform: Platform::detect(|name| environment.get(name)),
        print: Print::None,
        github_output: path("GITHUB_OUTPUT"),
        github_summary: path("GITHUB_STEP_SUMMARY"),
        outputs_dir: path("EPM_OUTPUTS_DIR"),
        summary: path("EPM_SUMMARY"),
        azure_summary: azure_summary(environment),
        documents: Vec::new(),
        metrics: None,
        download_dir: None,
    }
}

/// The outputs that a command line asks for which is wrong in something else, so that no success of an earlier run is
/// left in them.
pub(super) fn despite(arguments: &[OsString], environment: &Environment, format: Format) -> Wanted {
    let wanted = told(arguments, environment);
    let summary = wanted.summary.filter(|path| format == Format::Text || path.as_os_str() != "-");
    Wanted { summary, ..wanted }
}

fn told(arguments: &[OsString], environment: &Environment) -> Wanted {
    if arguments.get(1).is_some_and(|command| is_about_no_job(&command.to_string_lossy())) {
        return of_no_job(by_environment(environment).platform);
    }
    let mut words = vec![OsString::from("epm-gate"), OsString::from("status")];
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let text = word.to_string_lossy();
        let Some(flag) = text.strip_prefix("--") else { continue };
        let (name, is_whole) = flag.split_once('=').map_or((flag, false), |(name, _)| (name, true));
        if FLAGS.contains(&name) {
            words.push(word.clone());
            if !is_whole {
                words.extend(rest.next().cloned());
            }
        }
    }
    let matches = flags::command().try_get_matches_from(words);
    match matches.as_ref().ok().and_then(clap::ArgMatches::subcommand) {
        Some((_, matches)) => wanted(&Values::new(matches, environment), environment).0,
        None => by_environment(environment),
    }
}

/// Whether a command must not pass for a job's: no file that another command of the step fills is touched.
pub(super) fn is_about_no_job(command: &str) -> bool {
    matches!(command, "explain" | "login")
}

/// The outputs of such a command.
pub(super) fn of_no_job(platform: Platform) -> Wanted {
    Wanted { platform, ..Wanted::default() }
}

/// The platform that is named, or that the environment speaks of.
pub(super) fn platform(values: &Values<'_>, environment: &Environment) -> Result<Platform, Error> {
    let detected = Platform::detect(|name| environment.get(name));
    let mut words: Vec<(&str, Platform)> = vec![("auto", detected)];
    words.extend(Platform::ALL.map(|platform| (platform.word(), platform)));
    values.one("ci")?.map_or(Ok(detected), |given| given.word(&words))
}

fn print(values: &Values<'_>, platform: Platform) -> Result<Print, Error> {
    let Some(given) = values.one("print")? else { return Ok(Print::None) };
    match given.word(&[("none", Print::None), ("json", Print::Json), ("jobId", Print::JobId)])? {
        Print::None => Ok(Print::None),
        _ if platform == Platform::Azure => Err(given.error(
            "on Azure, standard output carries the commands for the agent",
            "use `--outputs-dir` there, or `--ci none`",
        )),
        print => Ok(print),
    }
}

/// The file of a document or of the metrics, which holds nothing else: it replaces what stands there.
fn file(values: &Values<'_>, flag: &'static str, taken: &[(&str, PathBuf)]) -> Result<Option<PathBuf>, Error> {
    let Some(given) = values.one(flag)? else { return Ok(None) };
    own_file(&given, taken).map(Some)
}

/// The file that is given, which is no other's.
fn own_file(given: &Given, taken: &[(&str, PathBuf)]) -> Result<PathBuf, Error> {
    // Elsewhere `-` is stderr or stdin; here it would be a file of that name.
    if given.value == "-" {
        return Err(
            given.error("it is written to a file alone", "name a file; `--summary -` shows the summary on stderr")
        );
    }
    let path = PathBuf::from(&given.value);
    match taken.iter().find(|(_, other)| is_same(other, &path)) {
        Some((what, _)) => {
            let problem = format!("{} is the file of `{what}` already, which it would overwrite", quote_path(&path));
            Err(given.error(problem, "give each a file of its own"))
        }
        None => Ok(path),
    }
}

/// Whether two paths lead to one file, as far as it is there; a device holds nothing that could be lost.
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let whole = path.canonicalize().ok();
        whole.or_else(|| Some(parent.canonicalize().ok()?.join(path.file_name()?))).unwrap_or_else(|| path.to_owned())
    };
    let is_device = other.metadata().is_ok_and(|metadata| !metadata.is_file());
    !is_device && place(one) == place(other)
}

/// A file of the step's own in the folder that the agent empties when the job ends, after it has taken the file.
fn azure_summary(environment: &Environment) -> Option<PathBuf> {
    let folder = environment.get("AGENT_TEMPDIRECTORY")?;
    let step = environment.get("SYSTEM_TASKINSTANCENAME").unwrap_or_default();
    // The file's name is the title that people see.
    Some(Path::new(&folder).join(format!("epm-gate-{step}")).join("epm-gate.md"))
}

fn kept<T>(result: Result<T, Error>, errors: &mut Vec<Error>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}

//! The files of a job: its log, read for the lines that tell why it failed, and whatever is to be saved. Which file, from
//! where, to where, and how long it is tried.

mod name;
mod store;

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::utf8_percent_encode;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::bounded;
use crate::diagnose::Findings;
use crate::diagnose::rules::Rules as Reasons;
use crate::diagnose::scan::Scan;
use crate::epm::Client;
use crate::epm::download::{self, Part, Piece};
use crate::epm::error::{Fault, ReadError, Refusal};
use crate::epm::url::SEGMENT;
use crate::foreign::Foreign;
use crate::http::fault as http;
use crate::job::JobId;
use crate::wait::{Rules, persist};

use name::Names;
pub use store::Saved;
use store::Store;

/// How long after the end of its time a file is cut off: the requests for it end by then, and know better why. What is
/// left is a disk that does not answer, or a file without end.
const GRACE: Duration = Duration::from_millis(100);

/// What is to be saved, and where.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The folder, which is there.
    pub dir: PathBuf,
    /// The log.
    pub log: bool,
    /// The output.
    pub output: bool,
    /// The names in it that are of files which the gate reads or writes itself.
    pub others: Vec<String>,
}

/// The folder that files are saved to, and what they are called there.
pub struct Folder {
    wanted: Wanted,
    names: RefCell<Names>,
}

impl Folder {
    /// A folder that nothing was saved to yet.
    pub fn new(wanted: Wanted) -> Self {
        let names = RefCell::new(Names::of_others(wanted.others.iter().map(String::as_str)));
        Self { wanted, names }
    }

    /// What is to be saved there.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Whether a file lies where one of this name would, if it were the first.
    pub fn is_in_the_way(&self, path: &Path, name: &Foreign) -> bool {
        let called = |path: &Path| path.file_name().map(|name| name.to_string_lossy().to_lowercase());
        called(path) == called(Path::new(&name::on_disk(name.as_str())))
    }

    /// Moves the file of an earlier attempt, that of this job, out of the way of a newer one; where it lies then.
    ///
    /// # Errors
    ///
    /// What the system says; it lies where it lay.
    pub fn move_away(&self, path: &Path, name: &Foreign, id: JobId) -> io::Result<PathBuf> {
        let mut names = self.names.borrow_mut();
        let place = self.wanted.dir.join(names.take_with_id(name.as_str(), id));
        let (from, to) = (path.to_owned(), place.clone());
        bounded::write(move || std::fs::rename(from, to))?;
        names.give_back(name.as_str());
        Ok(place)
    }

    /// The place of a file of this job, which is no other's.
    pub fn place(&self, name: &Foreign, id: JobId) -> PathBuf {
        self.wanted.dir.join(self.names.borrow_mut().take(name.as_str(), id))
    }
}

/// A file that is to be had.
pub struct Order<'a> {
    /// Who has it.
    pub client: &'a Client,
    /// What EPM calls it.
    pub name: &'a Foreign,
    /// The rules of any read.
    pub rules: &'a Rules,
    /// By when it is given up, at the latest.
    pub until: Instant,
}

impl Order<'_> {
    /// What a fault means that is the last: the time for the file may be over.
    fn missed(&self, fault: Fault) -> Missed {
        match fault {
            Fault::Http(http::Fault::Timeout { .. }) if Instant::now() >= self.until => Missed::Late,
            fault => download::Error::from(fault).into(),
        }
    }
}

/// What became of a file.
pub struct Collected {
    /// What it says; none where it was not to be read.
    pub findings: Option<Result<Findings, Missed>>,
    /// Where it lies; none where it was not to be saved.
    pub saved: Option<Result<Saved, Missed>>,
    /// Whether something tells that it came to its end.
    pub is_proven: bool,
}

/// Why a file is not to be had.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Missed {
    /// What EPM calls it leads to no file.
    #[error("its name is not one of a file")]
    NoName,
    /// It does not come.
    #[error(transparent)]
    Download(Box<download::Error>),
    /// It did not come in time.
    #[error("it had not come in time")]
    Late,
    /// It came, and could not be written.
    #[error("{0}")]
    Unsaved(String),
}

impl From<download::Error> for Missed {
    fn from(error: download::Error) -> Self {
        Self::Download(Box::new(error))
    }
}

impl Missed {
    /// Whether EPM has it no more, or does not give it to us: that is how things are there, and no failure of ours. Logs
    /// are purged after 7 days, and who may run a job may not be allowed to read its files (epm-api.md §1.10, §4.1).
    pub fn is_withheld(&self) -> bool {
        use download::Error;
        match self {
            Self::NoName => true,
            Self::Download(error) => match &**error {
                Error::Refused(_) => true,
                Error::Read(error) => {
                    matches!(error, ReadError::Missing { .. } | ReadError::Refused(Refusal::Forbidden { .. }))
                }
                Error::NotTaken => false,
            },
            Self::Late | Self::Unsaved(_) => false,
        }
    }

    /// Whether there may be such a file under another spelling of its name.
    fn is_not_there(&self) -> bool {
        let Self::Download(error) = self else { return false };
        matches!(&**error, download::Error::Refused(_) | download::Error::Read(ReadError::Missing { .. }))
    }
}

/// Has a file read for its reasons, saved, or both; it comes once. `told` hears of the first time that it breaks off, and after how many
/// bytes.
///
/// What broke off goes on where it stopped, or begins anew where EPM does not do that. It is given up when the outage
/// budget has passed since the last byte that had not come before, and never later than the order says.
pub async fn collect(
    order: &Order<'_>,
    reasons: Option<&Reasons>,
    place: Option<PathBuf>,
    told: &mut dyn FnMut(u64, &Fault),
) -> Collected {
    let scan = reasons.map(|reasons| Scan::new(reasons, order.client.mask()));
    let keeping = place.map_or(Keeping::Nothing, |place| Keeping::Open(Store::begin(place)));
    let mut intake = Intake { client: order.client, reasons, scan, keeping };
    let end = order.until + GRACE;
    let fetched = timeout_at(end, fetch(order, &mut intake, told)).await.unwrap_or(Err(Missed::Late));
    intake.finish(fetched, end).await
}

/// Who takes what comes of a file.
struct Intake<'a> {
    client: &'a Client,
    reasons: Option<&'a Reasons>,
    scan: Option<Scan>,
    keeping: Keeping,
}

enum Keeping {
    Nothing,
    Open(Store),
    Lost(io::Error),
}

impl Intake<'_> {
    /// Takes a piece. False where nobody wants more: a disk that is full is no reason not to read on.
    async fn take(&mut self, piece: Piece<'_>) -> bool {
        if let (Some(scan), Some(reasons)) = (&mut self.scan, self.reasons) {
            match piece {
                Piece::Start => *scan = Scan::new(reasons, self.client.mask()),
                Piece::Bytes(bytes) => scan.push(bytes),
            }
        }
        if let Keeping::Open(store) = &mut self.keeping {
            let kept = match piece {
                Piece::Start => store.start().await,
                Piece::Bytes(bytes) => store.push(bytes).await,
            };
            if let Err(error) = kept {
                self.keeping = Keeping::Lost(error);
            }
        }
        self.scan.is_some() || matches!(self.keeping, Keeping::Open(_))
    }

    async fn finish(self, fetched: Result<Fetch, Missed>, end: Instant) -> Collected {
        let is_proven = fetched.as_ref().is_ok_and(|fetch| fetch.is_proven);
        let saved = match (self.keeping, &fetched) {
            (Keeping::Nothing, _) => None,
            (Keeping::Lost(error), _) => Some(Err(Missed::Unsaved(error.to_string()))),
            (Keeping::Open(_), Err(missed)) => Some(Err(missed.clone())),
            (Keeping::Open(store), Ok(_)) => Some(match timeout_at(end, store.finish()).await {
                Ok(saved) => saved.map_err(|error| Missed::Unsaved(error.to_string())),
                Err(_) => Err(Missed::Late),
            }),
        };
        Collected { findings: self.scan.map(|scan| fetched.map(|_| scan.finish())), saved, is_proven }
    }
}

/// What is known of a file that came.
#[derive(Clone, Copy, Debug)]
struct Fetch {
    is_proven: bool,
}

async fn fetch(order: &Order<'_>, intake: &mut Intake<'_>, told: &mut dyn FnMut(u64, &Fault)) -> Result<Fetch, Missed> {
    let path = path_of(order.name.as_str()).ok_or(Missed::NoName)?;
    // Oracle's page gives `%2F`, an older copy of it `%5C` (epm-api.md §4.1).
    let backslashed = path.replace('/', "\\");
    match transfer(order, &path, intake, told).await {
        Err(missed) if missed.is_not_there() => transfer(order, &backslashed, intake, told).await,
        done => done,
    }
}

/// How one try ended.
enum Try {
    Whole,
    /// It brought something that had not come before, and broke off.
    Broke(Fault),
    Over(download::Error),
}

async fn transfer(
    order: &Order<'_>,
    path: &str,
    intake: &mut Intake<'_>,
    told: &mut dyn FnMut(u64, &Fault),
) -> Result<Fetch, Missed> {
    let name = utf8_percent_encode(path, SEGMENT).to_string();
    let (mut part, mut furthest) = (Part::default(), 0);
    loop {
        let again = async || {
            let mut take = async |piece: Piece<'_>| intake.take(piece).await;
            let done = order.client.download(&name, &mut part, order.until, &mut take).await;
            let is_new = part.bytes() > furthest;
            furthest = furthest.max(part.bytes());
            match done {
                Ok(()) => Ok(Try::Whole),
                Err(download::Error::Read(ReadError::Fault(fault))) if is_new => Ok(Try::Broke(fault)),
                Err(download::Error::Read(ReadError::Fault(fault))) => Err(fault),
                Err(error) => Ok(Try::Over(error)),
            }
        };
        let left = order.until.saturating_duration_since(Instant::now());
        // The same rules as for any read, within the time that the file is worth.
        let rules = Rules { outage_budget: order.rules.outage_budget.min(left), ..*order.rules };
        match persist(&rules, || true, again, |_| {}).await.map_err(|fault| order.missed(fault))? {
            Try::Whole => return Ok(Fetch { is_proven: part.is_proven() }),
            Try::Over(error) => return Err(error.into()),
            Try::Broke(fault) => {
                let next = Instant::now() + order.rules.pace.min;
                if next >= order.until.min(order.rules.deadline.last_poll()) {
                    return Err(order.missed(fault));
                }
                told(furthest, &fault);
                sleep_until(next).await;
            }
        }
    }
}

/// The path that the download service knows a file by, out of every spelling of `logFileName` that was seen: with
/// backslashes, with one in front, with the absolute path of the server (epm-api.md §3.4).
pub(crate) fn path_of(name: &str) -> Option<String> {
    let path = name.trim().replace('\\', "/");
    let path = path.trim_start_matches('/');
    let path = path.rfind("/outbox/").map_or(path, |at| &path[at + 1..]);
    let is_file = path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    is_file.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_log_file_name_leads_to_one_path() {
        let table = [
            ("outbox/logs/X_1881.log", Some("outbox/logs/X_1881.log")),
            ("\\outbox\\logs\\BATCH1_7595.log", Some("outbox/logs/BATCH1_7595.log")),
            ("/u03/inbox/outbox/logs/Vision_271.log", Some("outbox/logs/Vision_271.log")),
            ("/outbox/logs/a b.log", Some("outbox/logs/a b.log")),
            ("Vision.log", Some("Vision.log")),
            ("", None),
            ("..", None),
            ("outbox/../secret", None),
            ("outbox//x", None),
        ];
        for (name, path) in table {
            assert_eq!(path_of(name).as_deref(), path, "{name}");
        }
    }

    #[test]
    fn a_path_is_encoded_as_one_segment() {
        let encoded = |path| utf8_percent_encode(path, SEGMENT).to_string();
        assert_eq!(encoded("outbox/é space.csv"), "outbox%2F%C3%A9%20space.csv");
        assert_eq!(encoded("outbox\\logs\\100%.log"), "outbox%5Clogs%5C100%25.log");
    }
}

//! Files on their way to the inbox: how far the newest has come, and what may lie there if that is all.

use tokio::time::Instant;

use super::Desk;
use crate::epm::upload::Progress;
use crate::foreign::{quote, quote_path};
use crate::inbox::{Parcel, Remote, size};
use crate::outcome::Outcome;
use crate::pace::brief;
use crate::report::{End, Event, Uploaded};

/// A file that is being brought.
#[derive(Clone)]
pub(super) struct Carried {
    parcel: Parcel,
    since: Instant,
    progress: Progress,
    /// Whether a part of it may lie there.
    is_sent: bool,
    /// Whether what lay there was deleted for it.
    has_deleted: bool,
    /// Whether it lay there already.
    is_found: bool,
}

impl Desk {
    /// A file is to be brought.
    pub fn brings(&self, parcel: &Parcel) {
        let (remote, bytes) = (quote(parcel.remote.as_str()), size(parcel.measured.bytes));
        let line = format!("uploading {} ({bytes}) to {remote}", quote_path(&parcel.local));
        let (parcel, since, progress) = (parcel.clone(), Instant::now(), Progress::default());
        let carried = Carried { parcel, since, progress, is_sent: false, has_deleted: false, is_found: false };
        *self.carried.borrow_mut() = Some(carried);
        self.say(0, &line);
    }

    /// Whether a part of it may lie there from now on.
    pub fn sending(&self, is_sent: bool) {
        self.change_carried(|carried| carried.is_sent = is_sent);
    }

    /// What lay there in its place is gone.
    pub fn deleted(&self) {
        self.change_carried(|carried| carried.has_deleted = true);
        let remote = self.carried.borrow().as_ref().map(|carried| quote(carried.parcel.remote.as_str()));
        // It may have been another's, who would look for what became of it.
        if let Some(remote) = remote {
            self.tell(0, &format!("deleted what lay there as {remote}"));
        }
    }

    /// It lies there already.
    pub fn lies_there(&self) {
        self.change_carried(|carried| carried.is_found = true);
    }

    /// EPM has it, and is not done with it.
    pub fn tell_busy(&self) {
        self.say(0, "EPM has the file and is still busy with it (status -1); asking again");
    }

    /// It is there.
    pub fn brought(&self, parcel: &Parcel) {
        let Some(carried) = self.carried.borrow_mut().take() else { return };
        let (remote, bytes, was_there) = (parcel.remote.to_string(), parcel.measured.bytes, carried.is_found);
        let line = if was_there {
            format!("{} holds the same already; left as it is", quote(&remote))
        } else {
            format!("uploaded {} in {}", quote(&remote), brief(carried.since.elapsed()))
        };
        self.say(0, &line);
        let (local, sha256) = (parcel.local.clone(), parcel.measured.sha256.clone());
        self.note(|report| {
            let job = &mut report.jobs[0];
            job.trouble = None;
            job.mark(Instant::now(), Event::Uploaded { remote: remote.clone(), bytes, was_there });
            report.uploads.push(Uploaded { local, remote, bytes, sha256, was_there });
        });
    }

    /// What hears how far the file has come.
    pub fn progress(&self) -> Progress {
        self.carried.borrow().as_ref().map(|carried| carried.progress.clone()).unwrap_or_default()
    }

    /// How far it has come, for a heartbeat.
    pub(super) fn carrying(&self) -> Option<String> {
        let carried = self.carried.borrow();
        let Carried { parcel, since, progress, .. } = carried.as_ref()?;
        let (sent, bytes) = (size(progress.sent()), size(parcel.measured.bytes));
        Some(format!("uploading {}, {sent} of {bytes} after {}", quote(parcel.remote.as_str()), brief(since.elapsed())))
    }

    /// What lies in the inbox, or may, of a run that ends without a submit; an end to its sentence.
    pub fn left_in_inbox(&self) -> Option<String> {
        let mut left = Vec::new();
        if let Some(Carried { parcel, is_sent, has_deleted, .. }) = &*self.carried.borrow() {
            let remote = quote(parcel.remote.as_str());
            if *is_sent {
                left.push(format!("{remote} may lie in the inbox, as a whole or in part"));
            }
            if *has_deleted {
                left.push(format!("what lay there as {remote} was deleted"));
            }
        }
        let brought = self.read(|report| report.uploads.iter().map(|up| quote(&up.remote)).collect::<Vec<_>>());
        if !brought.is_empty() {
            left.push(format!("{} lies in the inbox", brought.join(", ")));
        }
        (!left.is_empty()).then(|| left.join("; "))
    }

    /// The same end, with what the next run takes where a name that was given is taken by then, or may be.
    pub fn hint_at_taken(&self, end: End) -> End {
        let help = match (&end.help, end.outcome) {
            _ if !self.leaves_given() => None,
            (Some(help), _) if help.contains("--overwrite") => None,
            (Some(help), _) => {
                Some(format!("{help}; run it again with `--overwrite` then, since EPM refuses a name that is taken"))
            }
            (None, Outcome::Interrupted(_) | Outcome::Unreachable) => {
                Some("run it again with `--overwrite`, since EPM refuses a name that is taken".to_owned())
            }
            (None, _) => None,
        };
        End { help: help.or(end.help), ..end }
    }

    /// Whether something lies in the inbox under a name that was given, or may.
    fn leaves_given(&self) -> bool {
        let is_given = |up: &Uploaded| {
            Remote::of_content(&up.local, &up.sha256).map_or(true, |remote| remote.as_str() != up.remote)
        };
        let carried = self.carried.borrow();
        carried.as_ref().is_some_and(|carried| carried.is_sent && !carried.parcel.is_named_by_content)
            || self.read(|report| report.uploads.iter().any(is_given))
    }

    fn change_carried(&self, change: impl FnOnce(&mut Carried)) {
        if let Some(carried) = &mut *self.carried.borrow_mut() {
            change(carried);
        }
    }
}

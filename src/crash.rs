//! What a bug leaves behind: a panic, on whichever thread, ends the process with 101, and the desk is closed before.
//!
//! The release profile has no unwinding, so nothing here relies on it: all is done in the hook, which never returns. A
//! panic within a hook would abort the process, so the thread that plays has the desk closed in another one; and there a
//! panic is that of any thread beside.

use std::cell::OnceCell;
use std::panic;
use std::pin::pin;
use std::process::exit;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

use tokio::sync::Notify;

use crate::bounded::within_or_here;
use crate::gate::desk::Desk;
use crate::outcome::Outcome;
use crate::report::console::{Format, write_to_log};

/// How long closing may take: the ledger, and half a second for each output that is a pipe.
const CLOSING: Duration = Duration::from_secs(10);

/// How long a thread beside waits for the one that plays, before it ends the process by itself.
const HEARING: Duration = Duration::from_secs(2);

/// Told when a thread beside the one that plays has panicked.
static BESIDE: Notify = Notify::const_new();

/// Whether that was heard.
static HEARD: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The desk of the run that this thread plays.
    static DESK: OnceCell<Rc<Desk>> = const { OnceCell::new() };
}

/// From now on a panic ends the process, and is told in this format. The thread that calls this is the one that plays.
pub fn watch(format: Format) {
    let player = thread::current().id();
    panic::set_hook(Box::new(move |panic| {
        // A panic's message may hold text of others, and nobody may be listening.
        drop(write_to_log(format.last_line(&panic.to_string())));
        exit(i32::from(last_words(player).code()))
    }));
}

/// The desk that a panic of this thread is to close. The first one counts.
pub fn closes(desk: &Rc<Desk>) {
    DESK.with(|kept| drop(kept.set(Rc::clone(desk))));
}

/// Plays the story, and ends it where a thread beside it has panicked.
pub async fn guarded(story: impl Future<Output = Outcome>) -> Outcome {
    let mut story = pin!(story);
    tokio::select! {
        biased;
        () = BESIDE.notified() => {
            HEARD.store(true, Ordering::Relaxed);
            close()
        }
        outcome = &mut story => outcome,
    }
}

/// What the thread that has panicked still sees to.
#[expect(clippy::disallowed_methods, reason = "the thread that sleeps is one beside, and parking may end at once")]
fn last_words(player: ThreadId) -> Outcome {
    if thread::current().id() == player {
        return close();
    }
    BESIDE.notify_one();
    // The thread that plays ends the process. It hears nothing while it is held, or waits for this one.
    thread::sleep(HEARING);
    if HEARD.load(Ordering::Relaxed) {
        thread::sleep(CLOSING);
    }
    Outcome::Panic
}

/// Closes the desk of this thread, in another one.
fn close() -> Outcome {
    let closing = DESK.with(|desk| desk.get().map(|desk| desk.closing()));
    closing.and_then(|closing| within_or_here(CLOSING, || closing.close_after_panic())).unwrap_or(Outcome::Panic)
}

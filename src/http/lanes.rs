//! How many connections there are to one server at a time.
//!
//! A lane is a client that sends one request after the other, so that it has one connection. One client for them all would
//! not do: each request that finds no idle connection opens another, also where one that comes back is quicker.

use std::cell::RefCell;
use std::rc::Rc;

use reqwest::Client;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::yield_now;
use tokio::time::{Instant, timeout_at};

use super::{Error, Transport};

/// So many connections at most, whatever is asked for at a time.
pub const LANES: u32 = 8;

/// So many of them at most for transfers, which may take long: the others are for questions alone.
const TRANSFERS: usize = 3;

/// The lanes to one server. Whoever waits for one has it in the order of asking.
pub struct Lanes {
    transport: Rc<Transport>,
    /// Those that nobody is in, the one left last at the end: few requests at a time are few connections.
    free: RefCell<Vec<Client>>,
    all: Semaphore,
    transfers: Semaphore,
}

/// A lane that is somebody's, until it is dropped.
pub struct Lane<'a> {
    /// What to send the request with.
    pub client: Client,
    lanes: &'a Lanes,
    // Given back after the client is.
    _permits: (SemaphorePermit<'a>, Option<SemaphorePermit<'a>>),
}

impl Lanes {
    /// Lanes that nobody is in.
    ///
    /// # Errors
    ///
    /// A client that cannot be made.
    pub fn new(transport: Rc<Transport>) -> Result<Self, Error> {
        let free = RefCell::new(vec![transport.for_reads()?]);
        Ok(Self { transport, free, all: Semaphore::new(LANES as usize), transfers: Semaphore::new(TRANSFERS) })
    }

    /// A lane for a question. None where none is free before `until`.
    pub async fn for_question(&self, until: Instant) -> Option<Lane<'_>> {
        timeout_at(until, self.enter(None)).await.ok()?
    }

    /// A lane for a transfer. None where none is free before `until`.
    pub async fn for_transfer(&self, until: Instant) -> Option<Lane<'_>> {
        let entered = async { self.enter(Some(self.transfers.acquire().await.ok()?)).await };
        timeout_at(until, entered).await.ok()?
    }

    async fn enter<'a>(&'a self, transfer: Option<SemaphorePermit<'a>>) -> Option<Lane<'a>> {
        let permit = self.all.acquire().await.ok()?;
        // A connection goes back to its client in a task of its own, a moment after its answer was read to the end.
        yield_now().await;
        let free = self.free.borrow_mut().pop();
        // One more is made like the first, which could be.
        let client = free.map_or_else(|| self.transport.for_reads(), Ok).ok()?;
        Some(Lane { client, lanes: self, _permits: (permit, transfer) })
    }
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        self.lanes.free.borrow_mut().push(self.client.clone());
    }
}

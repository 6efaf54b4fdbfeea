//! The stretches in which no usable answer came, read off what happened to a job.

use std::time::Duration;

use super::{Event, JobReport, Moment};

/// A stretch without a usable answer.
#[derive(Debug)]
pub(super) struct Outage<'a> {
    /// Its beginning.
    pub(super) from: &'a Moment,
    /// What came after it: an answer, or that the wait was given up. None while it lasts.
    pub(super) until: Option<&'a Moment>,
    /// What stood in the way, each once.
    pub(super) reasons: Vec<&'a str>,
}

impl Outage<'_> {
    /// How long it lasted; none while it does.
    pub(super) fn length(&self) -> Option<Duration> {
        Some(self.until?.after.saturating_sub(self.from.after))
    }
}

/// The outages of a job, in their order.
pub(super) fn outages(job: &JobReport) -> Vec<Outage<'_>> {
    let mut outages: Vec<Outage<'_>> = Vec::new();
    for moment in &job.moments {
        let open = outages.last_mut().filter(|outage| outage.until.is_none());
        match (&moment.event, open) {
            (Event::Trouble(what), Some(open)) => {
                if !open.reasons.contains(&what.as_str()) {
                    open.reasons.push(what);
                }
            }
            (Event::Trouble(what), None) => outages.push(Outage { from: moment, until: None, reasons: vec![what] }),
            (_, Some(open)) => open.until = Some(moment),
            (_, None) => {}
        }
    }
    outages
}

//! A picture of what happened when: a lane for each attempt and job, a bar for each stretch between two moments, and a mark
//! where it ended. Colours stand in attributes too, since Jenkins lets no style through; no text of others gets into it.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;

use crate::job::State;
use crate::pace::{brief, utc};

use super::markup::escaped;
use super::{Event, JobReport, Moment, Report};

/// The most lanes, and moments in each.
const MOST_LANES: usize = 12;
const MOST_MOMENTS: usize = 200;

/// The picture's width, its margins, and the height of a lane, in its own units.
const WIDTH: f64 = 640.0;
const MARGIN: f64 = 32.0;
const LANE: f64 = 50.0;

/// How many ticks the axis has at most.
const MOST_TICKS: u32 = 6;

/// The steps between two of them, in milliseconds.
const STEPS: [u64; 23] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    900_000, 1_800_000, 3_600_000, 7_200_000,
];

/// A kind of stretch or mark: its words, its class, its colour where there is no style, and whether it is an end.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    words: &'static str,
    class: &'static str,
    color: &'static str,
    is_end: bool,
}

const fn bar(words: &'static str, class: &'static str, color: &'static str) -> Look {
    Look { words, class, color, is_end: false }
}

const fn end(words: &'static str, class: &'static str, color: &'static str) -> Look {
    Look { words, class, color, is_end: true }
}

/// In the order in which the legend has them.
const LOOKS: [Look; 12] = [
    bar("uploaded", "known", "#8c959f"),
    bar("submit sent", "sent", "#8250df"),
    bar("known to EPM", "known", "#8c959f"),
    bar("in progress", "runs", "#0969da"),
    bar("cancel pending", "odd", "#bf8700"),
    bar("unknown status", "odd", "#bf8700"),
    bar("no usable answer", "trouble", "#d1590a"),
    end("success", "good", "#1a7f37"),
    end("error", "bad", "#cf222e"),
    end("cancelled", "bad", "#cf222e"),
    end("invalid parameter", "bad", "#cf222e"),
    end("given up", "odd", "#bf8700"),
];

fn look(event: &Event) -> Look {
    LOOKS[match event {
        Event::Uploaded { .. } => 0,
        Event::Sent => 1,
        Event::Submitted | Event::Attached => 2,
        Event::State(State::InProgress, _) => 3,
        Event::State(State::CancelPending, _) => 4,
        Event::State(State::Unknown(_), _) => 5,
        Event::Trouble(_) => 6,
        Event::State(State::Succeeded, _) => 7,
        Event::State(State::Failed, _) => 8,
        Event::State(State::Cancelled, _) => 9,
        Event::State(State::InvalidParameter, _) => 10,
        Event::GaveUp(_) => 11,
    }]
}

/// What happened to one job, from a beginning that all share.
struct Lane<'a> {
    label: String,
    /// From that beginning to the job's own.
    offset: Duration,
    moments: Vec<&'a Moment>,
}

impl Lane<'_> {
    fn at(&self, moment: &Moment) -> Duration {
        self.offset + moment.after
    }

    fn end(&self) -> Duration {
        self.moments.last().map(|moment| self.at(moment)).unwrap_or_default()
    }
}

/// Draws the picture; none where nothing has happened.
pub(super) fn draw(report: &Report) -> Option<String> {
    let jobs: Vec<(&JobReport, String)> =
        labelled(report).filter(|(job, _)| !job.moments.is_empty()).take(MOST_LANES).collect();
    let begun = jobs.iter().filter_map(|(job, _)| beginning(job)).min()?;
    let lanes: Vec<Lane<'_>> = jobs.into_iter().map(|(job, label)| lane(job, label, begun)).collect();
    let whole = lanes.iter().map(Lane::end).max()?.max(Duration::from_millis(1));
    let (mut bars, mut bottom) = (String::new(), 0.0);
    for lane in &lanes {
        bars.push_str(&draw_lane(lane, bottom, whole));
        bottom += LANE;
    }
    let axis = axis(bottom, whole, begun);
    let (legend, height) = legend(&lanes, bottom + 54.0);
    Some(format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"timeline what\" font-family=\"sans-serif\" \
         font-size=\"16\">\n<title id=\"timeline\">Timeline from {}</title>\n<desc id=\"what\">{}</desc>\n{axis}{bars}{legend}</svg>\n",
        utc(begun),
        escaped(&lanes.iter().map(told).collect::<Vec<_>>().join(". "))
    ))
}

/// Every attempt and job, and what its lane is called.
fn labelled(report: &Report) -> impl Iterator<Item = (&JobReport, String)> {
    let several = !report.attempts.is_empty();
    report.attempts.iter().chain(&report.jobs).map(move |job| {
        let attempt = if several { format!("attempt {}: ", job.attempt) } else { String::new() };
        let id = job.id.map_or_else(|| "no job".to_owned(), |id| format!("job {id}"));
        let end = job.end.as_ref().map_or("not ended", |end| end.outcome.word());
        let took = job.duration.map(|took| format!(" after {}", brief(took))).unwrap_or_default();
        (job, format!("{attempt}{id}, {end}{took}"))
    })
}

/// When we began with a job, on the wall clock.
fn beginning(job: &JobReport) -> Option<Timestamp> {
    let first = job.moments.first()?;
    first.at.checked_sub(jiff::SignedDuration::try_from(first.after).ok()?).ok()
}

fn lane(job: &JobReport, label: String, begun: Timestamp) -> Lane<'_> {
    let offset = beginning(job).and_then(|own| Duration::try_from(own.duration_since(begun)).ok());
    Lane { label, offset: offset.unwrap_or_default(), moments: job.moments.iter().take(MOST_MOMENTS).collect() }
}

/// A lane in words, for whoever cannot see it.
fn told(lane: &Lane<'_>) -> String {
    let told = lane.moments.iter().map(|moment| format!("{} at {}", look(&moment.event).words, brief(lane.at(moment))));
    format!("{}: {}", lane.label, told.collect::<Vec<_>>().join(", "))
}

/// The place of a moment from left to right.
fn place(at: Duration, whole: Duration) -> f64 {
    MARGIN + (WIDTH - 2.0 * MARGIN) * at.as_secs_f64() / whole.as_secs_f64()
}

fn draw_lane(lane: &Lane<'_>, top: f64, whole: Duration) -> String {
    let mut drawn = format!("<text x=\"{MARGIN}\" y=\"{}\">{}</text>\n", top + 18.0, escaped(&lane.label));
    let nexts = lane.moments.iter().skip(1).map(|next| lane.at(next)).chain([lane.end()]);
    let stretches: Vec<(&&Moment, Duration)> = lane.moments.iter().zip(nexts).collect();
    // The marks of the ends lie above all bars.
    for is_end in [false, true] {
        for (moment, until) in stretches.iter().filter(|(moment, _)| look(&moment.event).is_end == is_end) {
            drawn.push_str(&draw_stretch(look(&moment.event), lane.at(moment), *until, top + 26.0, whole));
        }
    }
    drawn
}

fn draw_stretch(look: Look, from: Duration, until: Duration, top: f64, whole: Duration) -> String {
    let (x, Look { words, class, color, .. }) = (place(from, whole), look);
    let from_told = brief(from);
    if look.is_end {
        let y = top + 8.0;
        return format!(
            "<circle class=\"{class}\" fill=\"{color}\" cx=\"{x:.1}\" cy=\"{y}\" r=\"8\"><title>{words} at {from_told}</title></circle>\n"
        );
    }
    let width = (place(until, whole) - x).max(1.5);
    format!(
        "<rect class=\"{class}\" fill=\"{color}\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"16\">\
         <title>{words} from {from_told} for {}</title></rect>\n",
        brief(until.saturating_sub(from))
    )
}

/// The axis of time with its ticks, and when it begins.
fn axis(bottom: f64, whole: Duration, begun: Timestamp) -> String {
    let step = STEPS.into_iter().map(Duration::from_millis).find(|step| *step * MOST_TICKS >= whole);
    let step = step.unwrap_or(whole / MOST_TICKS).max(Duration::from_millis(1));
    let y = bottom + 8.0;
    let mut axis = format!(
        "<line class=\"axis\" stroke=\"#8c959f\" x1=\"{MARGIN}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\"/>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">since {}</text>\n",
        WIDTH - MARGIN,
        WIDTH - MARGIN,
        bottom + 46.0,
        utc(begun)
    );
    for tick in (0..=MOST_TICKS).map(|count| step * count).take_while(|tick| *tick <= whole) {
        let x = place(tick, whole);
        let _ = write!(
            axis,
            "<line class=\"axis\" stroke=\"#8c959f\" x1=\"{x:.1}\" y1=\"{y}\" x2=\"{x:.1}\" y2=\"{}\"/>\n\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            y + 5.0,
            y + 21.0,
            brief(tick)
        );
    }
    axis
}

/// What the colours mean that are there, and where that ends.
fn legend(lanes: &[Lane<'_>], top: f64) -> (String, f64) {
    const COLUMN: f64 = 150.0;
    let is_there =
        |look: &Look| lanes.iter().flat_map(|lane| &lane.moments).any(|moment| self::look(&moment.event) == *look);
    let (mut drawn, mut x, mut y) = (String::new(), MARGIN, top + 14.0);
    for Look { words, class, color, is_end } in LOOKS.into_iter().filter(is_there) {
        if x + COLUMN > WIDTH {
            (x, y) = (MARGIN, y + 22.0);
        }
        let radius = if is_end { 6 } else { 0 };
        let _ = writeln!(
            drawn,
            "<rect class=\"{class}\" fill=\"{color}\" x=\"{x}\" y=\"{}\" width=\"12\" height=\"12\" rx=\"{radius}\"/>\
             <text x=\"{}\" y=\"{y}\">{words}</text>",
            y - 11.0,
            x + 18.0
        );
        x += COLUMN;
    }
    (drawn, y + 8.0)
}

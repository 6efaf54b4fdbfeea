//! What a way of polling costs, computed and not drawn at random: seconds late, and a price for each poll.

/// How many seconds of waiting one poll is worth: the default of `--poll-cost`.
pub(crate) const POLL: f64 = 0.1;

/// Lengths are averaged over this factor either way, since the phase of a single one says nothing: a job that ends just
/// before a poll costs no way of polling anything.
const BLUR: f64 = 1.2;

/// How many standard deviations of a log-normal length are looked at, and in how many steps.
const REACH: f64 = 3.5;
const STEPS: u32 = 400;

/// The moments of the polls of one wait, in seconds since it began, until one that no job outlasts.
pub(crate) fn polls(first: f64, longest: f64, mut interval: impl FnMut(f64) -> f64) -> Vec<f64> {
    let mut moments = vec![first];
    let mut now = first;
    while now < longest {
        now += interval(now);
        moments.push(now);
    }
    moments
}

/// What the best fixed interval costs at this length, chosen with hindsight and met in a random phase: half of it late,
/// and a poll each, is least at √(2 × poll × length).
pub(crate) fn hindsight(length: f64) -> f64 {
    (2.0 * POLL * length).sqrt() + POLL / 2.0
}

/// What such polls cost a job of this length.
fn cost(polls: &[f64], length: f64) -> f64 {
    let before = polls.partition_point(|poll| *poll < length);
    polls[before] - length + POLL * count(before + 1)
}

fn count(polls: usize) -> f64 {
    f64::from(u32::try_from(polls).unwrap_or(u32::MAX))
}

/// The integral of [`cost`] over all lengths between two.
fn cost_between(polls: &[f64], from: f64, to: f64) -> f64 {
    let (mut sum, mut start) = (0.0, from);
    for (index, poll) in polls.iter().enumerate().skip(polls.partition_point(|poll| *poll <= from)) {
        let end = poll.min(to);
        sum += (end - start) * (poll - f64::midpoint(start, end) + POLL * count(index + 1));
        start = end;
        if end >= to {
            break;
        }
    }
    sum
}

/// What such waits cost on average around this length, as a multiple of what hindsight does.
pub(crate) fn ratio(waits: &[Vec<f64>], length: f64) -> f64 {
    let (from, to) = (length / BLUR, length * BLUR);
    let ours: f64 = waits.iter().map(|polls| cost_between(polls, from, to)).sum::<f64>() / count(waits.len());
    let roots = (2.0 * POLL).sqrt() * 2.0 / 3.0 * (to.powf(1.5) - from.powf(1.5));
    ours / (roots + POLL / 2.0 * (to - from))
}

/// The same where lengths scatter log-normally around the one expected.
pub(crate) fn scattered(waits: &[Vec<f64>], expected: f64, sigma: f64) -> f64 {
    let (mut ours, mut theirs) = (0.0, 0.0);
    for step in 0..=STEPS {
        let deviation = REACH * (2.0 * f64::from(step) / f64::from(STEPS) - 1.0);
        let (weight, length) = ((-deviation * deviation / 2.0).exp(), expected * (sigma * deviation).exp());
        ours += weight * waits.iter().map(|polls| cost(polls, length)).sum::<f64>() / count(waits.len());
        theirs += weight * hindsight(length);
    }
    ours / theirs
}

/// Lengths from one to another, each this much longer than the one before.
pub(crate) fn lengths(from: f64, to: f64, factor: f64) -> Vec<f64> {
    std::iter::successors(Some(from), |length| Some(length * factor)).take_while(|length| *length <= to).collect()
}

/// The greatest ratio, and where.
pub(crate) fn worst(waits: &[Vec<f64>], lengths: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let ratios = lengths.into_iter().map(|length| (ratio(waits, length), length));
    ratios.fold((0.0, 0.0), |worst, next| if next.0 > worst.0 { next } else { worst })
}

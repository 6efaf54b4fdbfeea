//! How dense polls are where it is roughly known how long a job takes (`--expect-duration`). All in seconds.

/// How sharply jobs are expected to end at the length expected, as the exponent of a log-logistic distribution: as a
/// log-normal one of σ 0.13, between the 0.1 and 0.2 that it is made for.
const SHARPNESS: i32 = 14;

/// How much of the belief stays with a length of which nothing is known, so that a job that is late is polled less and
/// less again.
const DOUBT: f64 = 0.005;

/// The longest interval, as a multiple of the one without a hint: what a hint that misleads may cost, which is below
/// twice what the best interval would. What `FIRST` and bounds take away is lost to the hint, hence a little above two.
const SPARSEST: f64 = 2.13;

/// By how many polls' worth it is shorter, since the first few polls of a job that is over soon weigh most.
const FIRST: f64 = 2.2;

/// The steps of bisection; the interval is then exact to a millionth.
const STEPS: u32 = 20;

/// The interval after having waited for so long, before bounds and jitter.
///
/// The law is the one without a hint, d = √(2 × cost / h), with another hazard h of ending now. Since that rises steeply
/// towards the end expected, its mean over the interval itself is taken, and no interval jumps over the end: the longest
/// d with d² × mean hazard ≤ 2 × cost, where the mean hazard is ln(left(t) / left(t + d)) / d.
pub(super) fn interval(cost: f64, expected: f64, waited: f64) -> f64 {
    let (mut short, mut long) = (0.0, (SPARSEST * 2.0 * (cost * waited).sqrt() - FIRST * cost).max(0.0));
    let now = left(waited / expected);
    let is_worth = |interval: f64| interval * (now / left((waited + interval) / expected)).ln() <= 2.0 * cost;
    if is_worth(long) {
        return long;
    }
    for _ in 0..STEPS {
        let middle = f64::midpoint(short, long);
        if is_worth(middle) {
            short = middle;
        } else {
            long = middle;
        }
    }
    short
}

/// How many jobs are still in progress at this multiple of the length expected; only the ratio of two counts.
fn left(multiple: f64) -> f64 {
    (1.0 + multiple.powi(SHARPNESS)).recip() + DOUBT / multiple.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_are_sparse_before_the_end_expected_dense_around_it_and_as_usual_long_after_it() {
        let without_hint = |waited: f64| 2.0 * (0.1 * waited).sqrt();
        let multiple = |waited: f64| interval(0.1, 600.0, waited) / without_hint(waited);
        assert!((1.9..SPARSEST).contains(&multiple(60.0)), "{}", multiple(60.0));
        assert!((0.2..0.4).contains(&multiple(600.0)), "{}", multiple(600.0));
        assert!((0.2..0.5).contains(&multiple(900.0)), "{}", multiple(900.0));
        assert!((0.9..1.1).contains(&multiple(6000.0)), "{}", multiple(6000.0));
    }

    #[test]
    fn no_interval_jumps_over_the_end_expected() {
        for expected in [10.0, 60.0, 600.0, 28_800.0] {
            for percent in 50..95 {
                let waited = expected * f64::from(percent) / 100.0;
                let next = waited + interval(0.1, expected, waited);
                assert!(next < expected * 1.03, "{waited} s, then {next} s of {expected} s");
            }
        }
    }

    #[test]
    fn odd_numbers_give_an_interval() {
        for waited in [0.0, 1e-9, 1.0, 1e12, 1.8e19] {
            for expected in [1e-3, 60.0, 1e9] {
                let interval = interval(0.1, expected, waited);
                assert!(interval >= 0.0, "{interval} after {waited} of {expected}");
            }
        }
    }
}

//! `Retry-After`: seconds or a date, against a calendar that is not `httpdate`'s.

use std::time::{Duration, SystemTime};

use epm_gate::pace::retry_after;
use jiff::civil::DateTime;

/// In the corpus: the value, the `Date` beside it, our own clock in seconds; a line each, the last two as one likes.
pub(super) fn holds(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let (value, date) = (lines.next().unwrap_or_default(), lines.next().filter(|date| !date.is_empty()));
    let seconds: u32 = lines.next().and_then(|now| now.parse().ok()).unwrap_or_default();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
    let wish = retry_after(value, date, now);
    if let Some(seconds) = digits(value.trim()) {
        assert_eq!(wish, Some(Duration::from_secs(seconds)));
        return;
    }
    // Everything else is a date of four digits for the year, or cannot be read.
    assert!(wish.is_none_or(|wish| wish < Duration::from_hours(10_000 * 366 * 24)), "{wish:?}");
    let now = DateTime::constant(1970, 1, 1, 0, 0, 0, 0) + Duration::from_secs(seconds.into());
    let Some(from) = date.map_or(Some(now), |date| day(date.trim())) else { return };
    if let Some(until) = day(value.trim()) {
        let left = until.duration_since(from).max(jiff::SignedDuration::ZERO);
        assert_eq!(wish, Some(left.unsigned_abs()));
    }
}

fn digits(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let step = |number: u64, byte: u8| number.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
    Some(text.bytes().fold(0, step))
}

/// A date in the one form that is still to be sent (RFC 9110 §5.6.7), after 1970.
fn day(text: &str) -> Option<DateTime> {
    const FORM: &str = "%a, %d %b %Y %H:%M:%S GMT";
    let date = DateTime::strptime(FORM, text).ok()?;
    (date.year() >= 1970 && date.strftime(FORM).to_string() == text).then_some(date)
}

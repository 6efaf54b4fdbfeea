//! What can block, with budgets that would outlast the deadline: the deadline ends it, and every output stands.
//! How soon after it is measured by tests/pipelines/deadline.sh.

use super::front::Door;
use super::place::Strike;
use super::play_all;
use super::table::{ATTACHED, Cell, NO_LOG, PASSED, REFUSED_ONCE, Row, TIMED_OUT, UNCERTAIN, UNREACHABLE};

type Places = [Option<Cell>; 4];

const fn row(name: &'static str, strike: Strike, cells: Places) -> Row<4> {
    Row { name, strike, cells }
}

/// Whatever keeps an answer from coming.
const fn blocks(name: &'static str, strike: Strike) -> Row<4> {
    row(name, strike, [UNREACHABLE, UNCERTAIN, TIMED_OUT, NO_LOG])
}

/// Whatever keeps a connection from being made: a submit is known not to have been sent.
const fn shut(name: &'static str, door: Door) -> Row<4> {
    row(name, Strike::Shut(door), [UNREACHABLE, UNREACHABLE, TIMED_OUT, NO_LOG])
}

static ROWS: [Row<4>; 12] = [
    row("unresolved", Strike::Unresolved, [UNREACHABLE, UNREACHABLE, ATTACHED, None]),
    row("silent TLS", Strike::SilentTls, [UNREACHABLE, UNREACHABLE, ATTACHED, None]),
    shut("refused", Door::Refuses),
    shut("never opens", Door::NeverOpens),
    blocks("reset", Strike::Holds("fault = 'reset-after'")),
    blocks("hang", Strike::Holds("fault = 'hang'")),
    blocks("late", Strike::Holds("delay = '1h'")),
    blocks("stall", Strike::Holds("fault = 'stall'")),
    blocks("trickle", Strike::Holds("fault = 'trickle'")),
    row("endless", Strike::Holds("fault = 'endless'"), [PASSED, UNCERTAIN, TIMED_OUT, NO_LOG]),
    blocks("503 for a day", Strike::Answer("http = 503, headers = { Retry-After = '86400' }")),
    row(
        "429 for ever",
        Strike::Answer("http = 429, headers = { Retry-After = '99999999999999999999' }"),
        [UNREACHABLE, REFUSED_ONCE, TIMED_OUT, NO_LOG],
    ),
];

#[test]
fn whatever_blocks_ends_at_the_deadline_with_every_output_written() {
    play_all(&ROWS, &["--timeout", "2s"]);
}

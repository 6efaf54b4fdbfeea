//! The table in docs/reliability.md, made from what the runs gave.

use super::place::{Place, Played};
use super::table::Row;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reliability.md");
const BEGIN: &str = "<!-- faults:begin -->\n";
const END: &str = "<!-- faults:end -->\n";

/// What one must know to read the table.
const LEGEND: &str = "\
Each row was played with everything else going well: the fault strikes the look, the submit, each poll until a budget is
spent, two polls alone, or the log of a job that failed. A host that is gone from the start leaves no job to poll: there
the polls are those of `attach`. No cell saw more than one submit taken; where it reads 30, 31 or 32 none was.

";

/// Set, it has the table written anew.
const WRITE: &str = "EPM_GATE_WRITE_DOCS";

/// The places in the order of the columns.
const COLUMNS: [(Place, &str); 5] = [
    (Place::Look, "look"),
    (Place::Submit, "submit"),
    (Place::Poll, "polls"),
    (Place::TwoPolls, "two polls"),
    (Place::Log, "log"),
];

/// Holds the document to the runs, or writes it.
pub(super) fn compare(rows: &[Row], played: &[[Option<Played>; 5]]) {
    let text = std::fs::read_to_string(FILE).expect("docs/reliability.md");
    let (before, rest) = text.split_once(BEGIN).expect("the marker where the table begins");
    let (table, after) = rest.split_once(END).expect("the marker where the table ends");
    let made = rendered(rows, played);
    if is_to_be_written() {
        std::fs::write(FILE, format!("{before}{BEGIN}{made}{END}{after}")).expect("docs/reliability.md can be written");
    } else {
        assert_eq!(
            table, made,
            "docs/reliability.md tells otherwise: write it anew with `{WRITE}=1 cargo test faults`"
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a switch of this test, not an input of the gate")]
fn is_to_be_written() -> bool {
    std::env::var_os(WRITE).is_some_and(|value| value == "1")
}

fn rendered(rows: &[Row], played: &[[Option<Played>; 5]]) -> String {
    let line = |first: &str, cells: [String; 5]| format!("| {first} | {} |\n", cells.join(" | "));
    let mut table = LEGEND.to_owned() + &line("fault", COLUMNS.map(|(_, name)| name.to_owned()));
    table.push_str(&"|---".repeat(COLUMNS.len() + 1));
    table.push_str("|\n");
    for (row, cells) in rows.iter().zip(played) {
        table.push_str(&line(row.name, COLUMNS.map(|(place, _)| told(place, cells[place as usize].as_ref()))));
    }
    table
}

fn told(place: Place, played: Option<&Played>) -> String {
    let Some(played) = played else { return String::new() };
    let (code, outcome) = played.ran.end();
    let log = match (place, played.has_log()) {
        (Place::Log, true) => ", with the log",
        (Place::Log, false) => ", without the log",
        _ => "",
    };
    format!("{code} `{outcome}`{log}")
}

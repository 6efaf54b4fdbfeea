//! What no bytes that come from outside may ever do to the gate: each law is checked by means of its own, and one that
//! is broken panics. The fuzz targets look for such bytes; `tests/it/corpus.rs` tries again those that were found.

mod answers;
mod certificate;
mod escapes;
mod excerpt;
mod ledger;
mod markdown;
mod retry_after;
mod runner;

type Law = fn(&[u8]);

/// Each target and its law. Its corpus lies in the folder of the same name.
pub(crate) const ALL: [(&str, Law); 8] = [
    ("status_answer", answers::status),
    ("submit_answer", answers::submit),
    ("retry_after", retry_after::holds),
    ("log_excerpt", excerpt::holds),
    ("escapes", escapes::hold),
    ("summary", markdown::holds),
    ("ledger", ledger::holds),
    ("certificate", certificate::holds),
];

/// Checks the law of a target.
pub(crate) fn hold(target: &str, bytes: &[u8]) {
    let (_, law) = ALL.iter().find(|(name, _)| *name == target).expect("a target has a law");
    law(bytes);
}

/// The texts of an input, which stand in it with this between them.
fn texts(all: &str) -> Vec<&str> {
    all.split('\u{1f}').collect()
}

/// What must never be seen, wherever it is quoted.
const SECRET: &str = "s3cret-token";

fn mask() -> epm_gate::foreign::Mask {
    epm_gate::foreign::Mask::new([SECRET.to_owned()])
}

/// Text of others holds nothing that a terminal obeys, that hides, or that turns the direction of writing.
fn is_clean(text: &str) -> bool {
    const INVISIBLE: [char; 14] = [
        '\u{200b}', '\u{200e}', '\u{200f}', '\u{61c}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
        '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}', '\u{feff}',
    ];
    !text.chars().any(|char| (char.is_control() && char != '\n' && char != '\t') || INVISIBLE.contains(&char))
}

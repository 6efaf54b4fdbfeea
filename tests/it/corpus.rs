//! The bytes that fuzzing found worth keeping, tried again: `fuzz/` looks for more of them.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

#[path = "../../fuzz/laws/mod.rs"]
mod laws;

/// What one input may weigh: a corpus is read by people too.
const LARGEST: usize = 4096;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The files of a folder, sorted by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn every_input_of_every_corpus_keeps_the_law() {
    let mut broken = Vec::new();
    for (target, _) in laws::ALL {
        let inputs = files(&fuzz().join("corpus").join(target));
        assert!(!inputs.is_empty(), "`{target}` has no corpus");
        for input in inputs {
            let bytes = std::fs::read(&input).expect("a readable input");
            assert!(bytes.len() < LARGEST, "{} is too large", input.display());
            if std::panic::catch_unwind(|| laws::hold(target, &bytes)).is_err() {
                broken.push(input);
            }
        }
    }
    assert!(broken.is_empty(), "these break a law, for the reasons above: {broken:#?}");
}

#[test]
fn every_target_has_a_law_and_every_law_a_target() {
    let named: Vec<String> = files(&fuzz().join("targets"))
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    let mut laws = laws::ALL.map(|(target, _)| target.to_owned());
    laws.sort();
    assert_eq!(named, laws);
    let corpora = files(&fuzz().join("corpus"));
    assert_eq!(corpora.len(), laws.len(), "{corpora:?}");
}

/// What means something to a runner, a shell, a parser of markdown, XML or JSON.
const HOSTILE: &str = "([:#\\[\\]=;,%$&<>'\"`|\\\\\u{1b}\u{200b}\u{fffe}\r\n\t ]|::error::|##vso\\[task.complete\\]|##\\[group\\]|\
    section_start:1:x\r\u{1b}\\[0K|%0A|%AZP25|%25|%5D|ghadelimiter_|EOF|<<|\\$\\(touch x\\)|]]>|<!--|</pre>|<script>|-->|\
    \\[\\[ATTACHMENT|KEY=value\n|\\PC){0,40}";

proptest! {
    #[test]
    fn hostile_texts_in_every_field_keep_the_grammar_of_every_platform(fields in prop::collection::vec(HOSTILE, 1..13)) {
        let fields = fields.join("\u{1f}");
        laws::hold("escapes", fields.as_bytes());
        laws::hold("summary", fields.as_bytes());
    }
}

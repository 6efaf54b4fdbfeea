//! Counts the places of words in a log, in each way in turn, and prints the CPU seconds of the fastest of three runs as
//! JSON: WORDS LOG.

#[path = "../../../src/diagnose/literals.rs"]
mod literals;

use std::{env, error::Error, fs};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use memchr::memmem::Finder;

fn ours(words: &[&str], log: &[u8]) -> usize {
    let literals = literals::Literals::new(words.iter().copied());
    let (mut found, mut from) = (0, 0);
    while let Some(at) = literals.next(log, from) {
        (found, from) = (found + 1, at + 1);
    }
    found
}

fn aho(kind: Option<AhoCorasickKind>, words: &[&str], log: &[u8]) -> usize {
    AhoCorasick::builder().kind(kind).build(words).map_or(0, |words| words.find_iter(log).count())
}

fn memmem(words: &[&str], log: &[u8]) -> usize {
    words.iter().map(|word| Finder::new(word).find_iter(log).count()).sum()
}

/// How long this process has run on a processor, in seconds: on a busy machine that tells more than a clock.
fn spent() -> f64 {
    let told = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

fn seconds(search: impl Fn() -> usize) -> f64 {
    let once = || {
        let start = spent();
        std::hint::black_box(search());
        spent() - start
    };
    (0..3).map(|_| once()).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = env::args().skip(1).collect();
    let (words, log) = (fs::read_to_string(&files[0])?, fs::read(&files[1])?);
    let words: Vec<&str> = words.lines().collect();
    let (ours, auto) = (seconds(|| ours(&words, &log)), seconds(|| aho(None, &words, &log)));
    let nfa = seconds(|| aho(Some(AhoCorasickKind::ContiguousNFA), &words, &log));
    let memmem = seconds(|| memmem(&words, &log));
    println!("{{\"own\": {ours}, \"aho-corasick\": {auto}, \"aho-corasick, NFA\": {nfa}, \"memmem\": {memmem}}}");
    Ok(())
}

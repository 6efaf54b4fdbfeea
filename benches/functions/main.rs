//! The functions that are called most, each beside a plain pass over the same bytes: `cargo bench --bench functions`.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use epm_gate::diagnose::rules::Rules;
use epm_gate::diagnose::scan::Scan;
use epm_gate::foreign::{Mask, log_line};
use epm_gate::job::JobId;
use epm_gate::pace::Pace;

/// A line as Data Integration logs it, without a word that tells.
const LINE: &str =
    "2026-03-22 03:24:26,101 DEBUG [AIF]: Fetching rule file from essbase server for data loading: AIF0029\n";

/// What a log is read in: a piece of a download.
const PIECE: usize = 64 * 1024;

fn log(criterion: &mut Criterion) {
    let piece = LINE.repeat(PIECE / LINE.len()).into_bytes();
    let mut group = criterion.benchmark_group("a piece of a log");
    group.throughput(Throughput::Bytes(piece.len() as u64));
    group.bench_function("its lines counted", |bencher| {
        bencher.iter(|| memchr::memchr_iter(b'\n', black_box(&piece)).count());
    });
    let mut scan = Scan::new(&Rules::built_in(), Mask::default());
    group.bench_function("diagnosed", |bencher| bencher.iter(|| scan.push(black_box(&piece))));
    group.finish();
}

fn text(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a line of foreign text");
    group.throughput(Throughput::Bytes(LINE.len() as u64));
    group.bench_function("copied", |bencher| bencher.iter(|| black_box(LINE).to_owned()));
    group.bench_function("made harmless for the log", |bencher| bencher.iter(|| log_line(black_box(LINE))));
    group.finish();
}

fn interval(criterion: &mut Criterion) {
    let pace = |expected| Pace {
        min: Duration::from_secs(1),
        max: Duration::from_mins(5),
        cost: Duration::from_millis(100),
        jitter: Pace::JITTER,
        expected,
    };
    let (plain, hinted) = (pace(None), pace(Some(Duration::from_mins(10))));
    let waited = Duration::from_secs(500);
    let mut group = criterion.benchmark_group("an interval");
    group.bench_function("without a hint", |bencher| bencher.iter(|| plain.interval(black_box(waited), 0.5)));
    group.bench_function("with one", |bencher| bencher.iter(|| hinted.interval(black_box(waited), 0.5)));
    group.finish();
}

fn id(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a job id");
    group.bench_function("as a number", |bencher| bencher.iter(|| black_box("2100").parse::<u64>()));
    group.bench_function("read", |bencher| bencher.iter(|| black_box("2100").parse::<JobId>()));
    group.finish();
}

criterion_group! {
    name = functions;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = log, text, interval, id
}
criterion_main!(functions);

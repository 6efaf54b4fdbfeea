//! What polling costs by our law, with and without a hint, and by those of others: `cargo bench --bench pace` prints it
//! and writes it to `benches/results/pace.json`.

mod simulation;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use epm_gate::pace::Pace;
use fastrand::Rng;
use serde_json::{Value, json};

use simulation::{POLL, lengths, polls, ratio, scattered, worst};

/// From 2 s to 8 h.
const SHORTEST: f64 = 2.0;
const LONGEST: f64 = 28_800.0;

/// How many waits are averaged where intervals are random.
const WAITS: u64 = 200;

/// The lengths that are hinted at, in seconds.
const EXPECTED: [f64; 14] =
    [5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 180.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14_400.0, LONGEST];

/// How far a hint may mislead.
const MISLED: (f64, f64) = (1.0 / 60.0, 12.0);

fn main() -> Result<(), Box<dyn Error>> {
    let grid = lengths(SHORTEST, LONGEST, 1.05);
    let policies: Vec<Value> = policies().into_iter().map(|(name, waits)| policy(name, &waits, &grid)).collect();
    let hints: Vec<Value> = EXPECTED.into_iter().map(hint).collect();
    print(&policies, &hints);
    let results = json!({ "poll_cost": POLL, "lengths": grid, "policies": policies, "hints": hints });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results/pace.json");
    std::fs::write(file, serde_json::to_string(&results)? + "\n")?;
    Ok(())
}

/// How the gate polls by default.
fn pace(expected: Option<f64>) -> Pace {
    Pace {
        min: Duration::from_secs(1),
        max: Duration::from_mins(if expected.is_some() { 5 } else { 1 }),
        cost: Duration::from_secs_f64(POLL),
        jitter: Pace::JITTER,
        expected: expected.map(Duration::from_secs_f64),
    }
}

/// The gate's own waits for a job that it has submitted.
fn ours(expected: Option<f64>, longest: f64) -> Vec<Vec<f64>> {
    let pace = pace(expected);
    let wait = |seed| {
        let mut random = Rng::with_seed(seed);
        let mut interval =
            |waited| pace.interval(Duration::from_secs_f64(waited), random.f64().mul_add(2.0, -1.0)).as_secs_f64();
        polls(pace.min.as_secs_f64(), longest, &mut interval)
    };
    (0..WAITS).map(wait).collect()
}

/// Every way of polling, by its waits.
fn policies() -> Vec<(&'static str, Vec<Vec<f64>>)> {
    let longest = LONGEST * 2.0;
    let fixed = |interval: f64| vec![polls(interval, longest, |_| interval)];
    vec![
        ("epm-gate", ours(None, longest)),
        ("fixed 3 s", fixed(3.0)),
        ("fixed 5 s", fixed(5.0)),
        ("fixed 10 s", fixed(10.0)),
        ("fixed 15 s", fixed(15.0)),
        ("fixed 30 s", fixed(30.0)),
        ("tfci", vec![tfci(longest)]),
        ("Smithy", (0..WAITS).map(|seed| smithy(seed, longest)).collect()),
        ("a tenth, at most 15 s", vec![polls(1.0, longest, |waited| (waited / 10.0).clamp(1.0, 15.0))]),
    ]
}

/// The Fibonacci numbers times 2 s, at most 7 s, asking at once: hashicorp/tfc-workflows-tooling
/// `internal/cloud/retry.go` with sethvargo/go-retry `backoff_fibonacci.go`.
fn tfci(longest: f64) -> Vec<f64> {
    let mut last = (0.0_f64, 2.0_f64);
    polls(0.0, longest, |_| {
        last = (last.1, last.0 + last.1);
        last.1.min(7.0)
    })
}

/// Whole seconds at random between 2 and a bound that doubles to 120, asking at once: smithy-lang/smithy-rs
/// `aws-smithy-runtime/src/client/waiters/backoff.rs`.
fn smithy(seed: u64, longest: f64) -> Vec<f64> {
    let (shortest, widest, ceiling) = (2_u32, 120_u32, 6);
    let (mut random, mut attempt) = (Rng::with_seed(seed), 0);
    polls(0.0, longest, |_| {
        attempt += 1;
        let bound = if attempt > ceiling { widest } else { shortest << (attempt - 1) };
        f64::from(random.u32(shortest..=bound))
    })
}

fn policy(name: &str, waits: &[Vec<f64>], grid: &[f64]) -> Value {
    let ratios: Vec<f64> = grid.iter().map(|length| rounded(ratio(waits, *length))).collect();
    let (most, at) = worst(waits, grid.iter().copied());
    json!({ "name": name, "worst": rounded(most), "at": rounded(at), "ratios": ratios })
}

/// What a hint brings where lengths scatter around it, and what it costs at most where it misleads.
fn hint(expected: f64) -> Value {
    let waits = ours(Some(expected), (expected * MISLED.1 * 2.0).max(60.0));
    let misled = lengths((expected * MISLED.0).max(SHORTEST), (expected * MISLED.1).min(LONGEST), 1.05);
    let ratios: Vec<f64> = misled.iter().map(|length| rounded(ratio(&waits, *length))).collect();
    let (most, at) = worst(&waits, misled.iter().copied());
    json!({
        "expected": expected,
        "scattered_20": rounded(scattered(&waits, expected, 0.2)),
        "scattered_10": rounded(scattered(&waits, expected, 0.1)),
        "misled": rounded(most),
        "misled_at": rounded(at / expected),
        "lengths": misled.into_iter().map(rounded).collect::<Vec<_>>(),
        "ratios": ratios,
    })
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[expect(clippy::print_stdout, reason = "a bench prints what it has found")]
fn print(policies: &[Value], hints: &[Value]) {
    println!("cost of polling against the best fixed interval chosen with hindsight, at worst from 2 s to 8 h");
    for policy in policies {
        println!("  {:<24} {:>7} at {} s", policy["name"].as_str().unwrap_or_default(), policy["worst"], policy["at"]);
    }
    println!("with a hint: lengths scattered by 0.2, by 0.1, and at worst where it misleads");
    for hint in hints {
        println!(
            "  {:>7} s {:>7} {:>7} {:>7} at {} times it",
            hint["expected"], hint["scattered_20"], hint["scattered_10"], hint["misled"], hint["misled_at"]
        );
    }
}

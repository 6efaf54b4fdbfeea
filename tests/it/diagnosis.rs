//! Why a job failed: the logs of tests/logs, docs/diagnosis.md, and the command `explain`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use epm_gate::diagnose::category::Category;
use epm_gate::diagnose::markers::{self, Role};
use epm_gate::diagnose::rules::Rules;
use epm_gate::diagnose::scan::Scan;
use epm_gate::foreign::{Foreign, Mask};
use epm_gate::job::State;
use serde_json::Value;

use crate::harness::{Gate, Ran, shipped, text_of};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diagnosis.md");
const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/logs");
const COMPOSED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/composed-process-log.txt");

/// Set, it has the tables written anew.
const WRITE: &str = "EPM_GATE_WRITE_DOCS";

/// The logs, each with the category that its name tells.
fn logs() -> Vec<(PathBuf, Category)> {
    let entries = std::fs::read_dir(LOGS).expect("tests/logs").map(|entry| entry.expect("an entry").path());
    let mut logs: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
    logs.sort();
    let category = |path: &Path| name(path).split("--").next().and_then(Category::of_word).expect("a category");
    logs.into_iter().map(|path| (path.clone(), category(&path))).collect()
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// What the gate says of it.
fn told(log: &Path) -> (Category, bool) {
    let rules = Rules::built_in();
    let mut scan = Scan::new(&rules, Mask::default());
    for piece in std::fs::read(log).expect("a log").chunks(7) {
        scan.push(piece);
    }
    let details = std::fs::read_to_string(log.with_extension("details")).ok().map(|text| Foreign::new(&text));
    let diagnosis = rules.diagnose(State::Failed, details.as_ref(), Some(&scan.finish()));
    (diagnosis.category, diagnosis.transient)
}

/// Holds a part of the page to what is so, or writes it.
fn compare(part: &str, made: &str) {
    let page = text_of(Path::new(PAGE));
    let (begin, end) = (format!("<!-- {part} -->\n"), format!("<!-- /{part} -->"));
    let (before, rest) = page.split_once(&begin).expect("the mark where it begins");
    let (table, after) = rest.split_once(&end).expect("the mark where it ends");
    if is_to_be_written() {
        std::fs::write(PAGE, format!("{before}{begin}{made}{end}{after}")).expect("the page can be written");
    } else {
        assert_eq!(table, made, "write it anew with `{WRITE}=1 cargo test --test it diagnosis -- --test-threads 1`");
    }
}

#[expect(clippy::disallowed_methods, reason = "a switch of this test, not an input of the gate")]
fn is_to_be_written() -> bool {
    std::env::var_os(WRITE).is_some_and(|value| value == "1")
}

#[test]
fn every_log_is_told_as_the_page_says() {
    let logs = logs();
    assert!(logs.len() >= 36, "{} logs", logs.len());
    let mut table = "\n| category | logs | told right |\n|---|---|---|\n".to_owned();
    let mut wrong = Vec::new();
    for category in Category::ALL.into_iter().filter(|category| *category != Category::Cancelled) {
        let of_it: Vec<_> = logs.iter().filter(|(_, expected)| *expected == category).collect();
        assert!(of_it.len() >= 3, "{}", category.word());
        let right = of_it.iter().filter(|(log, expected)| told(log).0 == *expected).count();
        wrong.extend(of_it.iter().map(|(log, _)| (name(log), told(log).0)).filter(|(_, told)| *told != category));
        let _ = writeln!(table, "| `{}` | {} | {right} |", category.word(), of_it.len());
    }
    let _ = writeln!(table, "| all | {} | {} |\n", logs.len(), logs.len() - wrong.len());
    compare("told", &table);
    assert!(wrong.is_empty(), "told wrong: {wrong:?}");
}

#[test]
fn what_passes_by_itself_is_told_so_but_not_behind_an_export() {
    for (log, category) in logs() {
        let began = ["connectivity--after-the-export-began"].contains(&name(&log).as_str());
        assert_eq!(told(&log).1, category.is_transient() && !began, "{}", name(&log));
    }
}

#[test]
fn every_log_says_what_it_is_composed_from() {
    let readme = text_of(&Path::new(LOGS).join("README.md"));
    let rows = readme.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, logs().len());
    for (log, _) in logs() {
        assert!(readme.contains(&format!("| `{}` |", name(&log))), "{}", name(&log));
    }
}

#[test]
fn the_page_lists_every_rule_with_its_source() {
    let mut table = "\n| category | words | source |\n|---|---|---|\n".to_owned();
    for category in Category::ALL {
        for marker in markers::ALL.iter().filter(|marker| marker.why == Some(category)) {
            let text = marker.text.trim_end();
            let number = match marker.role {
                Role::Words | Role::Level | Role::Row(_) => "",
                Role::Number | Role::Rejected | Role::Invalid => " and a number above 0",
                Role::Imported | Role::Exported | Role::Staged => " and 0",
            };
            let source = marker.source.unwrap_or("unverified");
            let _ = writeln!(table, "| `{}` | `{text}`{number} | {source} |", category.word());
        }
    }
    compare("rules", &(table + "\n"));
}

/// The rules that the page shows.
fn example() -> String {
    let page = text_of(Path::new(PAGE));
    let (_, rest) = page.split_once("```json\n").expect("an example");
    rest.split_once("```").expect("its end").0.to_owned()
}

/// What `explain` ended with. It is about no job: it touches no output.
fn explained(gate: Gate, arguments: &[&str]) -> Ran {
    let ran = gate.run([&["explain"], arguments].concat());
    assert!(ran.files.is_empty() && ran.summary.is_empty(), "{ran:?}");
    ran
}

fn printed(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[test]
fn the_example_of_the_page_works() {
    let gate = Gate::nowhere();
    let rules = gate.file("rules.json", example());
    let log = gate.file("a.log", "INFO  [AIF]: fine\n2026 ERROR [AIF]: QUOTA-17 exceeded\n");
    let ran = explained(gate, &[&log, "--rules", &rules, "--print", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = printed(&ran);
    assert_eq!((said["category"].as_str(), said["transient"].as_bool()), (Some("service"), Some(true)));
    assert_eq!((said["basis"].as_str(), said["evidence"]["line"].as_u64()), (Some("user"), Some(2)));
    assert_eq!(said["advice"], "ask the storage team for room on the share, then run the job again");
}

#[test]
fn a_log_is_explained_to_people() {
    let ran = explained(Gate::nowhere(), &[COMPOSED]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    ran.mentions(&[
        "rejected-rows, not worth trying again as it is\n",
        "shown by line 7: `2026-03-22 03:24:28,930 ERROR [AIF]: Error: 3303 Member 4711-X Not Found In Database`\n",
        "told by words that have a source\n",
        "advice: add the members shown to the target application, ",
        "the export had begun: a part may be loaded\n",
        "rows that were not taken: 3\n",
        "`[BLANK]`, a field is blank: 1\n",
        "members concerned: `4711-X`\n",
        "4 telling lines, of 7 in the log:\n",
    ]);
}

#[test]
fn a_log_is_explained_to_programs() {
    let said = printed(&explained(Gate::nowhere(), &[COMPOSED, "--print", "json", "-q"]));
    let rejected = &said["rejected"];
    assert_eq!((rejected["total"].as_u64(), rejected["kinds"][1]["marker"].as_str()), (Some(3), Some("[NN]")));
    assert_eq!(rejected["kinds"][2]["first"][0]["line"], 7);
    assert_eq!((&rejected["members"][0], &rejected["hasMoreMembers"]), (&"4711-X".into(), &false.into()));
    assert_eq!((&said["rows"], &said["exportBegan"]), (&Value::Null, &true.into()));
    assert_eq!((&said["excerpt"]["total"], &said["excerpt"]["telling"]), (&7.into(), &4.into()));
}

#[test]
fn standard_input_and_details_alone_are_explained() {
    let log = "INFO  [AIF]: [NN] 3,abc\n";
    let said = printed(&explained(Gate::nowhere().piped(log), &["-", "--print", "json"]));
    assert_eq!((&said["category"], &said["basis"]), (&"rejected-rows".into(), &"sourced".into()));
    let details = ["--details", "java.io.FileNotFoundException: inbox/x.csv\n\tat x", "--print", "json"];
    let said = printed(&explained(Gate::nowhere(), &details));
    assert_eq!((&said["category"], &said["basis"]), (&"file-missing".into(), &"unverified".into()));
    assert_eq!((&said["evidence"]["line"], &said["excerpt"]["total"]), (&Value::Null, &0.into()));
    let said = printed(&explained(Gate::nowhere().piped(""), &["-", "--details", "", "--print", "json"]));
    assert_eq!((&said["category"], &said["evidence"]), (&"unclassified".into(), &Value::Null));
}

#[test]
fn what_cannot_be_explained_is_wrong_usage() {
    let gate = Gate::nowhere();
    let rules = gate.file("rules.json", "[{\"pattern\": \"a\",\n  \"category\": \"perod\"}]");
    let mistaken = explained(gate, &[COMPOSED, "--rules", &rules]);
    assert_eq!(mistaken.code, 2, "{mistaken:?}");
    mistaken
        .says(&["`--rules`: `", "rules.json`, line 2, column 15: rule 1 has a category that is not known, `perod`"]);
    mistaken.says(&["hint: use one of `invalid-name`, `file-missing`, `permission`"]);
    for (arguments, problem) in [
        (&["/nowhere/at.log"][..], "`/nowhere/at.log` cannot be read: "),
        (&["/"], "`/` cannot be read: "),
        (&[], "nothing is given to explain"),
        (&[COMPOSED, "--rules", "/nowhere/rules"], "`--rules`: `/nowhere/rules` cannot be read: "),
        (&[COMPOSED, "--print", "jobId"], "`--print`: `jobId` is not known"),
        (&[COMPOSED, "--url", "https://pod.example.com"], "`--url` is not a flag of this command"),
    ] {
        let ran = explained(Gate::nowhere(), arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        ran.says(&[problem]);
    }
}

#[test]
fn a_run_says_why_in_its_outputs_and_by_the_rules_of_the_user() {
    let sandbox = shipped("fails-connectivity");
    let ran = Gate::against(&sandbox).run(["attach", "2000"]);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    assert_eq!((ran.output("category"), ran.output("transient")), ("connectivity", "true"));
    ran.says(&["hint: check that the host in the line is up"]);

    let sandbox = shipped("fails-connectivity");
    let gate = Gate::against(&sandbox);
    let rules = r#"[{"pattern": "erp\\.example", "category": "locked", "transient": false, "advice": "call Bo"}]"#;
    let rules = gate.file("rules.json", rules);
    let ran = gate.set("EPM_RULES", rules).run(["attach", "2000"]);
    assert_eq!((ran.output("category"), ran.output("transient")), ("locked", "false"), "{ran:?}");
    ran.mentions(&["hint: call Bo", "; the log says `java.net.UnknownHostException: erp.example.com`"]);

    let sandbox = shipped("quick-success");
    let gate = Gate::against(&sandbox);
    let rules = gate.file("rules.json", "[{}]");
    let ran = gate.run(["attach", "2000", "--rules", &rules]);
    assert_eq!((ran.end(), ran.output("category")), ((2, "usage"), ""), "{ran:?}");
}

#[test]
fn each_category_is_told_end_to_end() {
    for (scenario, end, category) in [
        ("fails-invalid-name", 10, "invalid-name"),
        ("fails-file-missing", 10, "file-missing"),
        ("fails-permission", 10, "permission"),
        ("fails-connectivity", 10, "connectivity"),
        ("fails-service", 10, "service"),
        ("fails-locked", 10, "locked"),
        ("fails-period", 10, "period"),
        ("fails-mapping", 10, "mapping"),
        ("fails-with-rejected-rows", 10, "rejected-rows"),
        ("fails-no-data", 10, "no-data"),
        ("cancelled", 11, "cancelled"),
        ("fails-for-no-known-reason", 10, "unclassified"),
        ("fails-with-details", 10, "unclassified"),
    ] {
        let ran = Gate::against(&shipped(scenario)).run(["attach", "2000"]);
        assert_eq!((ran.code, ran.output("category")), (end, category), "{scenario}: {ran:?}");
    }
}

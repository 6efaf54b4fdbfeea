use super::*;

fn findings(rules: &Rules, log: &str) -> Findings {
    let mut scan = Scan::new(rules, Mask::default());
    scan.push(log.as_bytes());
    scan.finish()
}

fn diagnosis(rules: &str, state: State, details: &str, log: &str) -> Diagnosis {
    let rules = Rules::parse(rules).unwrap();
    let details = Some(Foreign::new(details)).filter(|details| !details.as_str().is_empty());
    let log = Some(findings(&rules, log)).filter(|_| !log.is_empty());
    rules.diagnose(state, details.as_ref(), log.as_ref())
}

/// Its category, where the evidence stands (0 is `details`), and whether it passes by itself.
fn told(state: State, details: &str, log: &str) -> (&'static str, Option<u64>, bool) {
    let diagnosis = diagnosis("[]", state, details, log);
    let line = diagnosis.evidence.map(|evidence| evidence.line.unwrap_or_default());
    (diagnosis.category.word(), line, diagnosis.transient)
}

#[test]
fn details_count_before_the_log_and_the_first_category_wins() {
    let log = "INFO a\nERROR [AIF]: Connection refused\nERROR [AIF]: No Records Imported\n";
    let table = [
        ("", log, ("connectivity", Some(2), true)),
        ("EPMFDM-140149: Invalid Integration Name: X", log, ("invalid-name", Some(0), false)),
        ("No Records Imported", log, ("no-data", Some(0), false)),
        ("no reason in it", log, ("connectivity", Some(2), true)),
        ("", "Insufficient Privileges\nFileNotFoundException\n", ("file-missing", Some(2), false)),
        ("", "", ("unclassified", None, false)),
    ];
    for (details, log, expected) in table {
        assert_eq!(told(State::Failed, details, log), expected, "{details} {log}");
    }
}

#[test]
fn a_wordy_line_tells_only_where_no_other_does() {
    let mapping = "2026-03-22 03:24:27,327 DEBUG [AIF]: EPMFDM-140274:Message - Exception while applying X mapping\n";
    assert_eq!(told(State::Failed, "", mapping).0, "mapping");
    assert_eq!(told(State::Failed, "", &format!("{mapping}INFO [AIF]: [NN] 3\n")).0, "rejected-rows");
    assert_eq!(
        told(State::Failed, "", &format!("{mapping}INFO [AIF]: Data Rows Imported from Source: 0\n")).0,
        "no-data"
    );
}

#[test]
fn what_is_said_by_the_way_tells_only_where_no_error_does_and_is_never_transient() {
    let retried = "INFO  [AIF]: Connection timed out, retrying\nINFO  [AIF]: connected\n";
    let table = [
        (format!("{retried}ERROR [TC] 1 x\n"), ("rejected-rows", Some(3), false)),
        (format!("{retried}INFO  [AIF]: [TC] 1 x\n"), ("rejected-rows", Some(3), false)),
        (format!("{retried}INFO  [AIF]: Rows Rejected: 4\n"), ("rejected-rows", Some(3), false)),
        (format!("{retried}ERROR [AIF]: No period mapping exists\n"), ("period", Some(3), false)),
        (format!("{retried}java.io.FileNotFoundException: x\n"), ("file-missing", Some(3), false)),
        (retried.to_owned(), ("connectivity", Some(1), false)),
        ("WARN  [AIF]: POV is locked\n".to_owned(), ("locked", Some(1), false)),
        ("DEBUG [AIF]: Connection reset\nINFO x\n".to_owned(), ("connectivity", Some(1), false)),
        ("ERROR [AIF]: Connection reset\n".to_owned(), ("connectivity", Some(1), true)),
        ("ERROR [AIF]: Connection reset\nINFO [AIF]: [NN] 3\n".to_owned(), ("connectivity", Some(1), false)),
    ];
    for (log, expected) in table {
        assert_eq!(told(State::Failed, "", &log), expected, "{log}");
    }
    let rule = r#"[{"pattern": "quota", "category": "service"}]"#;
    assert!(diagnosis(rule, State::Failed, "", "INFO quota\n").transient);
    assert!(!diagnosis(rule, State::Failed, "", "INFO quota\nINFO [NN] 3\n").transient);
}

#[test]
fn a_file_that_may_not_be_read_is_no_missing_one() {
    let denied = "java.io.FileNotFoundException: /u03/inbox/a.csv (Permission denied)";
    assert_eq!(told(State::Failed, denied, "").0, "permission");
    assert_eq!(told(State::Failed, "java.io.FileNotFoundException: /u03/inbox/a.csv", "").0, "file-missing");
}

#[test]
fn the_composed_log_is_one_of_rejected_rows_shown_by_its_error() {
    let log = include_str!("../../../tests/fixtures/composed-process-log.txt");
    let diagnosis = diagnosis("[]", State::Failed, "", log);
    assert_eq!(
        (diagnosis.category, diagnosis.transient, diagnosis.basis),
        (Category::RejectedRows, false, Basis::Sourced)
    );
    let evidence = diagnosis.evidence.unwrap();
    assert_eq!(evidence.message(), "Error: 3303 Member 4711-X Not Found In Database");
    assert!(diagnosis.advice.starts_with("add the members"), "{}", diagnosis.advice);
}

#[test]
fn what_began_to_export_is_never_transient() {
    let began = "INFO [AIF]: Loading data into cube using data file...\n";
    let refused = "ERROR [AIF]: Connection refused\n";
    assert_eq!(told(State::Failed, "", refused), ("connectivity", Some(1), true));
    assert_eq!(told(State::Failed, "", &format!("{began}{refused}")), ("connectivity", Some(2), false));
    assert_eq!(told(State::Failed, "Connection refused", began), ("connectivity", Some(0), false));
    let rule = r#"[{"pattern": "Connection", "category": "service", "transient": true}]"#;
    assert!(diagnosis(rule, State::Failed, "", refused).transient);
    assert!(!diagnosis(rule, State::Failed, "", &format!("{refused}{began}")).transient);
}

#[test]
fn a_cancelled_job_is_cancelled_unless_the_user_says_otherwise() {
    assert_eq!(told(State::Cancelled, "Connection refused", "ERROR x\n"), ("cancelled", None, false));
    let rule = r#"[{"pattern": "Connection", "category": "locked"}]"#;
    assert_eq!(diagnosis(rule, State::Cancelled, "Connection refused", "").category, Category::Locked);
}

#[test]
fn what_no_rule_knows_is_shown_by_its_first_line() {
    assert_eq!(told(State::Failed, "something\nelse", "ERROR x\n"), ("unclassified", Some(0), false));
    assert_eq!(told(State::Failed, "", "WARN  x\nERROR y\nERROR z\nINFO w\n"), ("unclassified", Some(3), false));
    assert_eq!(told(State::Failed, "", "INFO x\n"), ("unclassified", None, false));
    assert!(diagnosis("[]", State::InvalidParameter, "", "").advice.starts_with("compare name, period"));
}

#[test]
fn a_count_of_no_rows_tells_only_where_there_were_none_at_all() {
    let none = "INFO [AIF]: Data Rows Imported from Source: 0\n";
    assert_eq!(told(State::Failed, "", none), ("no-data", Some(1), false));
    assert_eq!(
        told(State::Failed, "", &format!("{none}INFO [AIF]: Data Rows Imported from Source: 5\n")).0,
        "unclassified"
    );
    assert_eq!(
        told(State::Failed, "", "INFO [AIF]: Rows Rejected: 0\nINFO [AIF]: Error= 0 records\n").0,
        "unclassified"
    );
}

#[test]
fn the_rules_of_the_user_come_first_in_their_order() {
    let rules = r#"[
        {"pattern": "second|refused$", "category": "service", "advice": "call the storage team. "},
        {"pattern": "first", "category": "period", "transient": true}
    ]"#;
    let found = diagnosis(rules, State::Failed, "", "first\nINFO x\nERROR Connection refused\n");
    assert_eq!((found.category, found.transient, found.basis), (Category::Service, true, Basis::User));
    assert_eq!((found.advice.as_str(), found.evidence.unwrap().line), ("call the storage team", Some(3)));
    let found = diagnosis(rules, State::Failed, "the first", "second\n");
    assert_eq!((found.category, found.transient), (Category::Period, true));
    assert_eq!((found.advice.as_str(), found.evidence.unwrap().line), (Category::Period.advice(), None));
}

#[test]
fn an_advice_is_one_clean_line_of_a_bounded_length() {
    let rule = |advice: &str| format!(r#"[{{"pattern": "x", "category": "service", "advice": "{advice}"}}]"#);
    let given = |advice: &str| diagnosis(&rule(advice), State::Failed, "x", "").advice;
    assert_eq!(given(r"call\n\u001b[31m Bo\u202e now.\r\n"), "call Bo now");
    assert_eq!(given(r"\n \u001b[0m"), Category::Service.advice());
    assert!((490..=500).contains(&given(&"long ".repeat(300)).len()));
}

#[test]
fn a_bad_file_of_rules_is_told_with_its_place_and_with_what_would_be_right() {
    let table = [
        ("", "line 1, column 1: it is no JSON array", "write an array"),
        ("[\n{},]", "line 2, column 4: it is no JSON array", "write an array"),
        ("[\n {}\n]", "line 2, column 3: rule 1 cannot be read: missing field `pattern`", "`pattern` and `category`"),
        (
            "[{\"pattern\": \"a\", \"category\": \"period\"},\n  {\n   \"patern\": \"a\"}]",
            "line 3, column 11: rule 2 cannot be read: unknown field `patern`",
            "`transient`",
        ),
        (
            "[{\"pattern\": 3, \"category\": \"period\"}]",
            "line 1, column 14: rule 1 cannot be read: invalid type",
            "`advice`",
        ),
        (
            "[{\"pattern\": \"ä\", \"category\": \"perod\"}]",
            "line 1, column 31: rule 1 has a category that is not known, `perod`",
            "use one of `invalid-name`, `file-missing`",
        ),
        (
            "[{\"pattern\": \"a(\", \"category\": \"period\"}]",
            "line 1, column 14: the pattern of rule 1 cannot be read",
            "twice",
        ),
        (
            "[{\"pattern\": \".\", \"category\": \"period\"}]",
            "line 1, column 14: the pattern of rule 1 matches every line",
            "hold",
        ),
        (
            "[{\"pattern\": \"(?:[a-y ]{0,40}){0,40}[a-y]{0,900}Z!Q\", \"category\": \"period\"}]",
            "line 1, column 14: the pattern of rule 1 cannot be read: ",
            "repeat less",
        ),
        (
            "[{\"pattern\": \"a*\", \"category\": \"period\"}]",
            "line 1, column 14: the pattern of rule 1 matches every line",
            "hold",
        ),
    ];
    for (text, problem, help) in table {
        let error = Rules::parse(text).unwrap_err();
        assert!(error.to_string().starts_with(problem), "{text}: {error}");
        assert!(error.help().contains(help), "{text}: {}", error.help());
    }
    assert_eq!(Rules::parse("[]").unwrap().count(), 0);
}

#[test]
fn every_advice_is_a_sentence_of_orders_without_a_full_stop() {
    let advice = ALL.iter().map(super::super::markers::Marker::advice).filter(|advice| !advice.is_empty());
    for advice in advice.chain(Category::ALL.map(Category::advice)) {
        let first = advice.split(' ').next().unwrap_or_default();
        let orders = ["add", "ask", "check", "compare", "correct", "fill", "find", "look", "open"];
        assert!(orders.contains(&first) && !advice.ends_with('.') && advice.len() < 250, "{advice}");
    }
}

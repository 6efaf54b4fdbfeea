use proptest::prelude::*;

use super::super::rejected::Kind;
use super::*;

fn scan(rules: &Rules, pieces: &[&[u8]]) -> Findings {
    let mut scan = Scan::new(rules, Mask::new(["topsecret".to_owned()]));
    for piece in pieces {
        scan.push(piece);
    }
    scan.finish()
}

fn found(log: &[u8]) -> Findings {
    scan(&Rules::built_in(), &[log])
}

fn excerpt(log: &[u8]) -> Excerpt {
    found(log).excerpt
}

fn shown(excerpt: &Excerpt) -> Vec<(u64, &str)> {
    excerpt.lines.iter().map(|(number, line)| (*number, line.as_str())).collect()
}

fn counts(findings: &Findings) -> Vec<(&str, u64)> {
    findings.rejected.kinds.iter().map(|kind| (kind.marker, kind.count)).collect()
}

fn members(findings: &Findings) -> Vec<&str> {
    findings.rejected.members.iter().map(crate::foreign::Foreign::as_str).collect()
}

#[test]
fn the_telling_lines_are_found_across_pieces() {
    let log: [&[u8]; 3] = [b"INFO  fine\n2026-03-22 03:24:28,930 ER", b"ROR [AIF]: Error: 33", b"03 x\r\nINFO end"];
    let excerpt = scan(&Rules::built_in(), &log).excerpt;
    assert_eq!(shown(&excerpt), [(2, "2026-03-22 03:24:28,930 ERROR [AIF]: Error: 3303 x")]);
    assert_eq!(excerpt.title(), "1 telling line, of 3 in the log");
}

#[test]
fn the_composed_log_is_cut_to_what_tells_and_its_rows_are_counted() {
    let findings = found(include_bytes!("../../../tests/fixtures/composed-process-log.txt"));
    let numbers: Vec<u64> = findings.excerpt.lines.iter().map(|(number, _)| *number).collect();
    assert_eq!((numbers, findings.excerpt.total), (vec![3, 4, 5, 7], 7));
    assert_eq!(counts(&findings), [("[BLANK]", 1), ("[NN]", 1), ("Error: 3303", 1)]);
    assert_eq!((members(&findings), findings.rejected.total), (vec!["4711-X"], 3));
    assert_eq!((findings.rows, findings.export_began), (None, true));
}

#[test]
fn the_reason_is_the_last_error_or_else_the_first_line_that_tells() {
    let reason = |log: &str| excerpt(log.as_bytes()).reason().map(|(number, _)| *number);
    assert_eq!(reason("ERROR [AIF]: a\nFATAL [AIF]: b\nWARN  [AIF]: c\n"), Some(2));
    assert_eq!(reason("INFO  [AIF]: [BLANK] 2\nINFO  [AIF]: [NN] 3\n"), Some(1));
    assert_eq!(reason("INFO  [AIF]: fine\n"), None);
}

#[test]
fn a_log_in_which_nothing_tells_shows_its_end() {
    let lines: Vec<String> = (1..=100).map(|number| format!("INFO line {number}\n\n")).collect();
    let excerpt = excerpt(lines.concat().as_bytes());
    assert_eq!(excerpt.lines.len(), TAIL_LINES);
    assert_eq!(shown(&excerpt)[14], (199, "INFO line 100"));
    assert_eq!(excerpt.title(), "the last 15 of 200 lines of the log");
    // The end of what fits, and what did not.
    let log = [b"one\n".to_vec(), b"x".repeat(600_000), b"\n\nlast".to_vec()].concat();
    let numbers: Vec<u64> = found(&log).excerpt.lines.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 4]);
}

#[test]
fn memory_is_bounded_and_the_count_goes_on() {
    let long = [b"x".repeat(5_000_000), b" ERROR hidden\n".to_vec()].concat();
    let excerpt = excerpt(&[long, b" ERROR again\n".repeat(1000)].concat());
    assert_eq!((excerpt.total, excerpt.telling, excerpt.lines.len()), (1001, 1001, MOST_LINES));
    assert_eq!(excerpt.title(), "the first 40 of 1001 telling lines, of 1001 in the log");
    assert!(excerpt.lines.iter().all(|(_, line)| line.as_str().len() <= 400));
    assert!(excerpt.lines[0].1.as_str().ends_with("xxx ERROR hidden"));
}

#[test]
fn a_marker_is_found_wherever_it_stands_in_a_line_of_any_length() {
    for length in [299, 301, 1000, HEAD, ROOM - 30, ROOM - 10, ROOM, ROOM + 10, 3 * ROOM - 5, 10_000_000] {
        let log = [b"INFO a\n".to_vec(), b"y".repeat(length), b"Error: 3303 Member A-1 Not Found In Database".to_vec()];
        let findings = found(&[log.concat(), b"\nINFO b\n".to_vec()].concat());
        assert_eq!((findings.excerpt.total, findings.excerpt.telling), (3, 1), "{length}");
        assert_eq!((counts(&findings), members(&findings)), (vec![("Error: 3303", 1)], vec!["A-1"]), "{length}");
        let (number, line) = &findings.excerpt.lines[0];
        assert_eq!(*number, 2);
        assert!(line.as_str().ends_with("yError: 3303 Member A-1 Not Found In Database"), "{length}: {line:?}");
    }
}

#[test]
fn a_line_is_looked_at_alike_wherever_it_lies() {
    let line = [b"z".repeat(ROOM + 77), b" [TC] 4".to_vec(), b"z".repeat(ROOM), b" [NN] 5\n".to_vec()].concat();
    let alone = found(&line);
    for before in [1, 100, ROOM / 2, ROOM - 1, ROOM, ROOM + 1] {
        let log = [b"-".repeat(before - 1), b"\n".to_vec(), line.clone()].concat();
        let findings = found(&log);
        assert_eq!(findings.excerpt.lines[0].1, alone.excerpt.lines[0].1, "{before}");
        assert_eq!(counts(&findings), [("[NN]", 1)]);
        assert_eq!(findings.rejected.kinds[0].first[0].1, alone.rejected.kinds[0].first[0].1, "{before}");
    }
}

#[test]
fn a_level_tells_with_and_without_a_time_before_it() {
    let excerpt = excerpt(b"ERROR [AIF]: a\nWARN  [AIF]: b\nINFO  NOERROR c\n2026-03-22 FATAL d\n");
    let numbers: Vec<u64> = excerpt.lines.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 2, 4]);
}

#[test]
fn a_secret_longer_than_a_line_is_masked_whole() {
    let token: String = "eyJhbGciOiJSUzI1NiJ9.".chars().cycle().take(3000).collect();
    let mut scan = Scan::new(&Rules::built_in(), Mask::new([token.clone()]));
    scan.push(format!("ERROR the token {token} was refused\n").as_bytes());
    assert_eq!(shown(&scan.finish().excerpt), [(1, "ERROR the token *** was refused")]);
}

#[test]
fn what_is_shown_is_clean_and_masked() {
    let excerpt = excerpt(b"\x1b[31m ERROR \xff topsecret ::x\x1b[0m\n");
    assert_eq!(shown(&excerpt), [(1, " ERROR ÿ *** ::x")]);
    assert_eq!(found(b"").excerpt, Excerpt::default());
}

#[test]
fn half_a_secret_is_not_shown_where_a_line_is_cut() {
    // What cleaning takes away leaves room for the end of what was read.
    let log = [b" ERROR ".to_vec(), b"\x1b[0m".repeat(248), b" topsecret and more\n".to_vec()].concat();
    assert_eq!(shown(&excerpt(&log)), [(1, " ERROR")]);
    let whole = [b" ERROR ".to_vec(), b"\x1b[0m".repeat(100), b" topsecret t\n".to_vec()].concat();
    assert_eq!(shown(&excerpt(&whole)), [(1, " ERROR  *** t")]);
}

#[test]
fn half_a_secret_is_not_shown_at_either_end_of_a_window() {
    let secret = "topsecret";
    for before in 80..130 {
        for behind in (380..420).step_by(3) {
            let parts = [
                &"a".repeat(1000),
                secret,
                &"b".repeat(before),
                "[TC]",
                &"c".repeat(behind),
                secret,
                &"d".repeat(1000),
            ];
            let findings = found(parts.concat().as_bytes());
            let line = findings.excerpt.lines[0].1.as_str();
            assert!(line.contains("[TC]") && line.len() <= 400, "{line}");
            let letters = line.replace("[TC]", "").replace('*', "");
            assert!(letters.trim_matches('…').chars().all(|char| "abc".contains(char)), "{before} {behind}: {line}");
        }
    }
}

#[test]
fn every_encoding_is_read() {
    let log = "INFO Größe\n2026 ERROR [AIF]: Error: 3303 Member Größe Not Found In Database\r\n";
    let utf16 = |of: fn(u16) -> [u8; 2]| log.encode_utf16().flat_map(of).collect::<Vec<u8>>();
    let latin: Vec<u8> = log.chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
    let little = [vec![0xff, 0xfe], utf16(u16::to_le_bytes)].concat();
    let big = [vec![0xfe, 0xff], utf16(u16::to_be_bytes)].concat();
    for (text, name) in [(little, "Größe"), (big, "Größe"), (log.into(), "Größe"), (latin, "Größe")] {
        let findings = found(&text);
        assert_eq!((members(&findings), findings.excerpt.total), (vec![name], 2));
    }
}

#[test]
fn a_log_that_is_no_text_says_so_and_others_are_read() {
    let row = "2026 INFO  [AIF]: [NN] 3\n";
    let unmarked: Vec<u8> = row.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!((found(&unmarked).rejected.total, found(&unmarked).unreadable), (1, None));
    let old = found(b"INFO a\rINFO [NN] 3\rINFO [NN] 4\r");
    assert_eq!((old.rejected.total, old.excerpt.total, old.unreadable), (2, 3, None));
    let wide: Vec<u8> = row.chars().flat_map(|char| u32::from(char).to_le_bytes()).collect();
    let marked = [&[0xff, 0xfe, 0, 0][..], &wide].concat();
    for log in [&wide[..], &marked, b"\x1f\x8b\x08\0\0\0\0\0\0\x03+I-.\x01\0", b"PK\x03\x04\x14\0\0\0x"] {
        assert!(found(log).unreadable.is_some(), "{log:?}");
    }
}

#[test]
fn a_row_counts_once_and_the_first_few_of_each_kind_are_kept() {
    let log: String =
        (1..=25).map(|row| format!("Error: 3303 Member M{row} Not Found In Database\n")).collect::<Vec<_>>().concat();
    let findings = found(format!("{log}{log}INFO [NULL ACCOUNT VALUE] [BLANK] x\nINFO [NNX]\n").as_bytes());
    assert_eq!(counts(&findings), [("[BLANK]", 1), ("Error: 3303", 50)]);
    let Kind { first, meaning, .. } = &findings.rejected.kinds[1];
    let numbers: Vec<u64> = first.iter().map(|(number, _)| *number).collect();
    assert_eq!((numbers, *meaning), (vec![1, 2, 3], "Essbase does not know a member"));
    assert_eq!((members(&findings).len(), findings.rejected.has_more_members), (20, true));
    assert_eq!(members(&findings)[..2], ["M1", "M2"]);
    let exactly = found(&log.as_bytes()[..log.find("Error: 3303 Member M21 ").unwrap()]);
    assert_eq!((members(&exactly).len(), exactly.rejected.has_more_members), (20, false));
}

#[test]
fn a_summary_that_speaks_of_more_rows_than_were_seen_is_believed() {
    let total = |log: &str| found(log.as_bytes()).rejected.total;
    assert_eq!(total("[NN] 1\nRows Rejected: 7\n"), 7);
    assert_eq!(total("[NN] 1\n[NN] 2\nRows Rejected: 1\n"), 2);
    assert_eq!(total("Rows Rejected: 1,000\nData Rows Marked as Invalid: 5\n"), 1005);
    assert_eq!(total("Rows Rejected: 2\nTotal Rows Rejected: 2\n"), 2);
    assert_eq!(total("Rows Rejected: 0\nRows Rejected: none\n"), 0);
}

#[test]
fn only_a_sentence_that_refuses_a_member_is_a_row() {
    for line in ["The member Actual of dimension Scenario is resolved", "The member list has been refreshed"] {
        let findings = found(format!("INFO  [AIF]: {line}\n").as_bytes());
        assert_eq!((findings.rejected.total, findings.export_began, findings.excerpt.telling), (0, false, 0), "{line}");
    }
    let refused = found(b"INFO  [AIF]: The member A-1 is Invalid for the cube\n");
    assert_eq!((members(&refused), refused.rejected.total, refused.export_began), (vec!["A-1"], 1, true));
    for row in ["Error: 3303 x", "Member X Not Found In Database", "The member X does not exist", "[NN] 3"] {
        let findings = found(format!("2026-03-22 03:24:27,327 DEBUG [AIF]: {row}\n").as_bytes());
        assert_eq!((findings.rejected.total, findings.export_began), (0, false), "{row}");
        assert_eq!((members(&findings), findings.told.best()), (vec![], None), "{row}");
    }
}

#[test]
fn a_row_may_go_on_behind_its_mark_in_any_way() {
    for row in ["[NN],3,FY26,Actual,abc", "[NN] 3,FY26,Actual,abc", "[NN], 3", "[NN]"] {
        let findings = found(format!("INFO  [AIF]: {row}\n").as_bytes());
        assert_eq!(findings.rejected.total, 1, "{row}");
    }
}

#[test]
fn a_mark_within_a_statement_or_a_list_is_no_row() {
    for line in [
        "WHERE a LIKE '%[NULL ACCOUNT VALUE]%' OR b = '[NN]'",
        "kinds counted: [NN], [TC], [BLANK]",
        "\"[TC]\" is a mark",
    ] {
        assert_eq!(counts(&found(format!("INFO  [AIF]: {line}\n").as_bytes())), [], "{line}");
    }
    assert_eq!(counts(&found(b"INFO [NN], [TC] are marks: [NN] 3,x\n")), [("[NN]", 1)]);
}

#[test]
fn a_count_of_rejected_rows_is_read_wherever_it_stands_or_the_log_says_that_it_is_not() {
    for line in ["5 Rows Rejected", "Rows Rejected - 5", "Rows Rejected (5)", "Rows Rejected for period Jan-26: 5"] {
        let findings = found(format!("2026-03-22 03:24:27,402 INFO  [AIF]: {line}\n").as_bytes());
        assert_eq!((findings.rejected.total, findings.unreadable), (5, None), "{line}");
    }
    assert_eq!(found(b"INFO 3 Data Rows Marked as Invalid\n").rejected.total, 3);
    assert_eq!(found(b"INFO Rows Rejected: none\nINFO No Rows Rejected\n").unreadable, None);
    for line in ["Rows Rejected by the target", "Data Rows Marked as Invalid: see the file"] {
        let findings = found(format!("INFO  [AIF]: {line}\n").as_bytes());
        assert_eq!(findings.unreadable, Some(UNCOUNTED), "{line}");
        assert_eq!((findings.rejected.total, findings.excerpt.telling), (0, 0), "{line}");
    }
    assert_eq!(found(b"DEBUG Rows Rejected by the target\n").unreadable, None);
}

#[test]
fn rows_are_counted_over_all_periods_and_by_the_last_step_that_tells() {
    let rows = |log: &str| found(log.as_bytes()).rows;
    let imported = "Data Rows Imported from Source: 1,200\nData Rows Imported from Source: 34\n";
    assert_eq!(rows(imported), Some(1234));
    assert_eq!(rows(&format!("{imported}Total Data Rows Imported from Source: 1,234\n")), Some(1234));
    assert_eq!(rows(&format!("{imported}Total Data Rows Available for Export to Target: 0\n")), Some(0));
    assert_eq!(rows("Rows Loaded: 60\n"), Some(60));
    assert_eq!(rows("Rows Loaded\nINFO fine\n"), None);
}

#[test]
fn the_first_match_of_each_rule_of_the_user_is_kept() {
    let rules = Rules::parse(
        r#"[{"pattern": "QUOTA-\\d+", "category": "service"}, {"pattern": "never", "category": "period"}]"#,
    );
    let long = "q".repeat(HEAD - 8);
    let findings = scan(&rules.unwrap(), &[format!("a\n{long}QUOTA-12\nQUOTA-3\n").as_bytes()]);
    let (rule, (line, shown)) = findings.told.first_of_user().unwrap();
    assert_eq!((rule, *line), (0, 2));
    assert!(shown.as_str().ends_with("qQUOTA-12") && shown.as_str().len() <= 400, "{shown:?}");
    assert_eq!((findings.excerpt.total, findings.excerpt.telling), (3, 0));
}

#[test]
fn rules_of_the_user_that_take_too_long_are_given_up_and_the_others_go_on() {
    let rules = Rules::parse(r#"[{"pattern": "never", "category": "service"}]"#).unwrap();
    let mut scan = Scan::new(&rules, Mask::default());
    scan.trial = Duration::ZERO;
    scan.push(b"a\nnever\nINFO [NN] 3\n");
    let findings = scan.finish();
    assert!(findings.rules_given_up && findings.told.first_of_user().is_none());
    assert_eq!((findings.rejected.total, findings.excerpt.total), (1, 3));
    assert!(!self::scan(&rules, &[b"a\nnever\n"]).rules_given_up);
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        lines in proptest::collection::vec("( ERROR |\\[TC\\]|Error: 3303|Rows Rejected: 3|topsecret|DEBUG|x|é|\r){0,6}", 0..6),
        repeated in 1_usize..6000,
        cuts in proptest::collection::vec(1_usize..300_000, 0..4),
    ) {
        let log: Vec<u8> = lines.iter().flat_map(|line| [line.repeat(repeated), "\n".to_owned()]).collect::<String>().into();
        let whole = found(&log);
        let mut rest = log.as_slice();
        let mut pieces = Vec::new();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        prop_assert_eq!(scan(&Rules::built_in(), &pieces), whole);
    }
}

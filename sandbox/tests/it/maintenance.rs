//! The release, the hour of the daily maintenance, and the clock. // epm-api.md §6

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use epm_sandbox::{Sandbox, Scenario};
use serde_json::{Value, json};

use crate::harness::{Answer, get, look, playing, usual};

const HOUR: &str = "/interop/rest/v2/maintenance/getdailymaintenancestarttime";

fn item(sandbox: &Sandbox, query: &str) -> Value {
    get(sandbox, &format!("{HOUR}{query}")).json()["items"][0].clone()
}

/// The minute of the day, so long from now.
fn minute_of_day(away: Duration) -> u64 {
    (SystemTime::now() + away).duration_since(UNIX_EPOCH).unwrap().as_secs() / 60 % (24 * 60)
}

fn told(sandbox: &Sandbox) -> u64 {
    let item = item(sandbox, "");
    let (hours, minutes) = item["amwTime"].as_str().unwrap().split_once(':').unwrap();
    hours.parse::<u64>().unwrap() * 60 + minutes.parse::<u64>().unwrap()
}

#[test]
fn release_and_hour_are_told_as_documented() {
    let sandbox = playing("[maintenance]\nhour = '19:00'\nbuild = '22.09.40'\n[[job]]");
    let printed = json!({
        "details": null, "status": 0,
        "items": [{"buildVersion": "22.09.40", "amwTime": "19:00", "timeZone": "Etc/UTC"}],
        "links": [{"href": format!("http://pod.example{HOUR}"), "action": "GET", "rel": "self", "data": null}],
    });
    assert_eq!(get(&sandbox, &format!("{HOUR}?showTimeZone=true")).json().to_string(), printed.to_string());
    assert_eq!(item(&sandbox, ""), json!({"buildVersion": "22.09.40", "amwTime": "19:00"}));
}

#[test]
fn a_zone_has_an_hour_of_its_own() {
    let zone = "zone = { name = 'America/Los_Angeles', hour = '14:00' }";
    let sandbox = playing(&format!("[maintenance]\nhour = '22:00'\n{zone}\n[[job]]"));
    assert_eq!(item(&sandbox, "")["amwTime"], "22:00");
    let shown = item(&sandbox, "?showTimeZone=true");
    assert_eq!((&shown["amwTime"], &shown["timeZone"]), (&json!("14:00"), &json!("America/Los_Angeles")));
}

#[test]
fn a_window_is_near_where_asked_and_else_far() {
    let half_an_hour = Duration::from_mins(30);
    let before = minute_of_day(half_an_hour);
    let told_near = told(&playing("[maintenance]\nin = '30m'\n[[job]]"));
    assert!([before, minute_of_day(half_an_hour)].contains(&told_near), "{told_near}");
    let away = (told(&usual()) + 24 * 60 - minute_of_day(Duration::ZERO)) % (24 * 60);
    assert!((10 * 60..=12 * 60).contains(&away), "{away}");
}

#[test]
fn a_reply_can_take_the_place_of_the_hour() {
    let sandbox = playing("[maintenance]\nreplies = [{ http = 403 }, {}]\n[[job]]");
    assert_eq!([(); 2].map(|()| get(&sandbox, HOUR).http()), [403, 200]);
}

#[test]
fn the_pod_tells_its_hour_to_those_it_knows() {
    assert_eq!(look(&usual(), "sbx-access-9-x").http(), 401);
    assert_eq!(get(&usual(), "/interop/rest/v2/maintenance/other").http(), 404);
}

#[test]
fn every_answer_has_the_date_of_the_sandbox_s_clock() {
    let off = Duration::from_mins(7);
    let (slow, fast) = (playing("clock = '-7m'\n[[job]]"), playing("clock = '+7m'\n[[job]]"));
    for path in ["/aif/rest/", "/nowhere", "/aif/rest/V1/jobs", HOUR] {
        let before = SystemTime::now() - Duration::from_secs(1);
        let (behind, ahead) = (date(&get(&slow, path)), date(&get(&fast, path)));
        let after = SystemTime::now();
        assert!((before - off..=after - off).contains(&behind), "{path}: {behind:?}");
        assert!((before + off..=after + off).contains(&ahead), "{path}: {ahead:?}");
    }
}

fn date(answer: &Answer) -> SystemTime {
    httpdate::parse_http_date(&answer.header("date").unwrap()).unwrap()
}

#[test]
fn the_shipped_maintenance_is_soon() {
    let sandbox = Sandbox::start(Scenario::shipped("maintenance-soon").unwrap()).unwrap();
    let away = (told(&sandbox) + 24 * 60 - minute_of_day(Duration::ZERO)) % (24 * 60);
    assert!((28..=30).contains(&away), "{away}");
}

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use proptest::prelude::*;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;
use tempfile::TempDir;

use super::vocabulary::{is_composed, is_word};
use super::*;
use crate::http::fault::Fault;

/// What is secret in a run.
#[derive(Clone, Debug)]
struct Secrets {
    host: String,
    user: String,
    /// Nothing in them is a word of the vocabulary.
    names: Vec<String>,
    /// Made of such words, so that only the payload tells that they are names.
    phrases: Vec<String>,
    period: String,
    file: String,
    password: String,
    amount: String,
}

impl Secrets {
    /// Those that must not be found. Shorter ones stand in every text, and a word of the vocabulary is nobody's.
    fn all(&self) -> impl Iterator<Item = &str> {
        let single = [&self.host, &self.user, &self.period, &self.file, &self.password, &self.amount];
        let all = single.into_iter().chain(&self.names).chain(&self.phrases).map(String::as_str);
        all.filter(|secret| secret.chars().count() >= 4 && !is_word(secret) && !is_word(&secret.to_uppercase()))
    }

    fn payload(&self) -> Payload {
        let (first, second) = (&self.names[0], &self.phrases[0]);
        let variables: Map<String, Value> =
            self.names.iter().zip(&self.phrases).map(|(name, phrase)| (name.clone(), phrase.as_str().into())).collect();
        let payload = json!({
            "jobType": "PIPELINE",
            "jobName": second,
            "periodName": format!("{{{}}}{{{}}}", self.period, self.phrases[1]),
            "fileName": format!("inbox/{}.csv", self.file),
            "variables": variables,
            "sourceFilters": { self.phrases[2].as_str(): self.amount },
            "importMode": first,
            first.as_str(): { self.names[1].as_str(): [self.user, self.phrases[2]] },
            "amount": self.amount.parse::<f64>().expect("a number"),
        });
        Payload::of_text(&payload.to_string()).expect("a payload")
    }
}

/// Letters of several scripts, and what would break out of a place that is not escaped.
fn odd() -> impl Strategy<Value = String> {
    "[A-Za-z]{1,4}(Qx|9z|Ä|é|漢|\\\\|\"|%|_k|/)[A-Za-z0-9 ._-]{2,10}[a-z0-9]"
}

fn phrase() -> impl Strategy<Value = String> {
    let word = || {
        prop::sample::select(vec!["Load", "data", "Daily", "ERROR", "Rule", "Target", "import", "Process", "planning"])
    };
    (word(), prop::sample::select(vec![" ", "_", "-", "", " & "]), word(), prop::option::of(word())).prop_map(
        |(first, between, second, third)| {
            format!("{first}{between}{second}{}", third.map(|third| between.to_owned() + third).unwrap_or_default())
        },
    )
}

fn secrets() -> impl Strategy<Value = Secrets> {
    (
        "[a-z]{4,9}-[a-z]{4,9}\\.epm\\.[a-z]{5}-[a-z]{4}\\.example\\.com",
        "[a-z]{3,8}\\.[a-zäö]{4,9}@[a-z]{4,9}\\.example",
        prop::collection::vec(odd(), 3),
        prop::collection::vec(phrase(), 3),
        "[A-Z][a-z]{2}(-|#FY)[0-9]{2}",
        odd().prop_map(|name| name.replace(['/', '\\'], "+")),
        "[!-~]{4}[A-Za-z0-9]{4}[!-~]{4,12}",
        // Long enough to be in no hash by chance, and none that reads as the number of one of EPM's codes.
        "[2-9][0-9]{7,8}\\.[0-9]{2}",
    )
        .prop_map(|(host, user, names, phrases, period, file, password, amount)| Secrets {
            host,
            user,
            names,
            phrases,
            period,
            file,
            password,
            amount,
        })
}

/// A record of a run against this host.
struct Record {
    dir: TempDir,
    recording: Recording,
}

impl Record {
    fn of(url: &str, user: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sink = Sink::open(&dir.path().join("record.jsonl")).unwrap();
        let beginning = Beginning { sink, command: "run", known: vec![(Kind::User, user.to_owned())] };
        let recording = Recording::begin(beginning, &EpmUrl::parse(url).unwrap(), |note| panic!("{note}"));
        Self { dir, recording }
    }

    fn noted(&self, method: &'static str, url: &str) -> Noted<'_> {
        Noted(Some(self.recording.exchange(method, &Url::parse(url).unwrap())))
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("record.jsonl")).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn answer(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> http::Answer {
    let header = |(name, value): &(&'static str, &str)| {
        Some((HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    http::Answer { status, headers: headers.iter().filter_map(header).collect(), body: body.to_vec(), peer: None }
}

/// Every key that means something, and some that do not.
const KEYS: [&str; 34] = [
    "status",
    "details",
    "jobStatus",
    "descriptiveStatus",
    "detailedStatus",
    "processType",
    "executedBy",
    "jobName",
    "logFileName",
    "outputFileName",
    "fileName",
    "href",
    "rel",
    "action",
    "items",
    "response",
    "buildVersion",
    "amwTime",
    "timeZone",
    "period",
    "periodName",
    "application",
    "category",
    "location",
    "variables",
    "parameters",
    "message",
    "size",
    "count",
    "name",
    "jobId",
    "x",
    "someNewKey",
    "version",
];

/// Texts in which a secret stands.
fn texts(secret: &str) -> Vec<String> {
    let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let mut texts = vec![
        secret.to_owned(),
        secret.to_uppercase(),
        encoded.clone(),
        STANDARD_NO_PAD.encode(secret),
        format!("EPMFDM-{secret}"),
        format!("java.lang.{secret}Exception: Error: 3303 {secret}"),
        format!("Invalid Integration Name: {secret}, and the rule {secret}{secret} failed for '{secret}'"),
        format!("https://{secret}/aif/rest/V1/jobs/{secret}?{secret}#{secret}"),
        format!("https://h/aif/rest/V1/jobs/7/{secret}"),
        format!("/u03/{secret}/outbox/logs/{secret}.log"),
        format!("\\outbox\\{secret}\\{secret}"),
        format!("{{{secret}}}{{{secret}#{secret}}}"),
        format!("\u{1b}]{secret}\u{7}"),
        format!("\u{9d}{secret}\u{9c}{secret}\u{200b}\u{202e}"),
    ];
    texts.push(texts.join("\n"));
    texts
}

/// Answers that hold this secret in every place, and in each in another text.
fn tell(record: &Record, secret: &str, amount: &str, turn: usize) {
    let mask = Mask::default;
    let texts = texts(secret);
    let text = |place: usize| texts[(place + turn) % texts.len()].as_str();
    let mut body: Map<String, Value> =
        KEYS.iter().enumerate().map(|(place, key)| ((*key).to_owned(), text(place).into())).collect();
    body.insert(text(0).to_owned(), json!({ text(1): [text(2), { text(3): null }] }));
    let whole = Value::Object(body).to_string();
    let numbers: Vec<String> = KEYS.iter().map(|key| format!("\"{key}\":{amount}")).collect();
    // An id is told: it is what the paths hold.
    let (whole_amount, _) = amount.split_once('.').expect("an amount");
    let wholes: Vec<String> =
        KEYS.iter().filter(|key| **key != "jobId").map(|key| format!("\"{key}\":{whole_amount}")).collect();
    let encoded = |place| utf8_percent_encode(text(place), NON_ALPHANUMERIC);
    let file = format!(
        "https://h/interop/rest/11.1.2.3.600/applicationsnapshots/{}/contents?{}={}&jobName={}",
        encoded(4),
        encoded(5),
        encoded(6),
        encoded(7)
    );
    let names = [
        "content-type",
        "content-length",
        "date",
        "retry-after",
        "www-authenticate",
        "location",
        "server",
        "content-range",
    ];
    let headers: Vec<_> = names.iter().enumerate().map(|(place, name)| (*name, text(place))).collect();
    let challenge = format!("Bearer realm=\"{}\", error=\"{secret}\", error_description=\"{}\"", text(8), text(9));
    let bodies = [
        whole.as_str(),
        &format!("{{{}}}", numbers.join(",")),
        &format!("{{{}}}", wholes.join(",")),
        whole.trim_end_matches('}'),
        &format!("<html>{}</html>", text(10)),
        &format!("[{}]", Value::from(text(11))),
    ];
    for body in bodies {
        record.noted("GET", &file).ended(&Ok(answer(200, &headers, body.as_bytes())), mask);
    }
    let nowhere = format!("https://h/{}/{}", encoded(12), encoded(0));
    record.noted("GET", &nowhere).ended(&Ok(answer(401, &[("www-authenticate", &challenge)], b"")), mask);
    let fault = Fault::Broken { host: text(1).to_owned(), reason: text(2).to_owned() };
    record.noted("GET", "https://h/aif/rest/").ended(&Err(fault), mask);
}

/// A secret in every form in which it could stand in a text.
fn forms(secret: &str) -> Vec<String> {
    let json = Value::from(secret).to_string();
    vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ]
}

/// What customers call things in words that are Oracle's too, and none that stands in an answer on its own account.
fn plain_name() -> impl Strategy<Value = String> {
    let word = || {
        prop::sample::select(vec![
            "Load", "data", "Daily", "RULE", "Target", "import", "Process", "planning", "General", "Core", "Final",
            "Global", "Stage", "Warnings", "Account", "Map", "Batch", "SYNC", "Direct",
        ])
    };
    let between = prop::sample::select(vec![" ", "_", "-", "", " & "]);
    (word(), between, prop::collection::vec(word(), 0..3))
        .prop_map(|(first, between, rest)| rest.into_iter().fold(first.to_owned(), |name, word| name + between + word))
}

/// Where a name stands as itself, and not as a part of another word.
fn stands_in(name: &str, text: &str) -> bool {
    let is_end = |char: Option<char>| !char.is_some_and(char::is_alphanumeric);
    let (name, text) = (name.to_lowercase(), text.to_lowercase());
    text.match_indices(&name).any(|(place, _)| {
        is_end(text[..place].chars().next_back()) && is_end(text[place + name.len()..].chars().next())
    })
}

/// How a customer's own word is told to be one, each with its value.
fn naming(name: &str) -> Vec<(&'static str, Value)> {
    let pairs = [
        ("jobName", json!(name)),
        ("ruleName", json!(name)),
        ("targetApplication", json!(name)),
        ("category", json!(name)),
        ("executedBy", json!(name)),
        ("logFileName", json!(format!("outbox/logs/{name}.log"))),
        ("periodName", json!(format!("{{{name}}}"))),
        ("variables", json!({ "VERSION": name })),
        ("variables", json!({ name: "x" })),
        ("parameters", json!([{ "value": name }])),
        ("importMode", json!(name)),
    ];
    pairs.into_iter().collect()
}

proptest! {
    /// Whether the key that tells a name stands before it or behind it.
    #[test]
    fn a_name_of_plain_words_is_replaced_wherever_it_stands(name in plain_name(), turn in 0..11_usize, is_first in any::<bool>()) {
        // A mode is one of Oracle's words in its own place.
        prop_assume!(!(vocabulary::is_mode(&name) && turn == 10));
        let told = naming(&name).swap_remove(turn);
        let told = format!("{}:{}", Value::from(told.0), told.1);
        let places = [
            json!({ "details": format!("{name} failed") }),
            json!({ "details": name, "message": format!("the rule '{name}', {name}: {name}"), "status": name }),
            json!({ name.as_str(): 1, "someNewKey": name, "x": [name, { name.as_str(): [name] }] }),
            json!({ "loadRule": name, "title": format!("x/{name}.{name}"), "detail": format!("({name})"), "version": name }),
            json!({ "fileName": name, "user": name, "paramValue": name, "amwTime": name, "jobId": name, "count": name }),
        ];
        let record = Record::of("https://epm.example.com", "somebody");
        let with_its_key = |place: &Value| {
            let place = place.to_string();
            let pairs = &place[1..place.len() - 1];
            if is_first { format!("{{{told},{pairs}}}") } else { format!("{{{pairs},{told}}}") }
        };
        let answers: Vec<String> = places.iter().map(with_its_key).collect();
        for body in &answers {
            prop_assert!(serde_json::from_str::<Value>(body).is_ok(), "{}", body);
            let challenge = format!("Bearer error=\"{name}\", error_description=\"for {name}\"");
            let headers = [("www-authenticate", challenge.as_str()), ("location", &format!("/{}", name.replace(' ', "%20")))];
            record.noted("GET", "https://epm.example.com/aif/rest/").ended(&Ok(answer(200, &headers, body.as_bytes())), Mask::default);
        }
        let text = record.text();
        prop_assert!(!stands_in(&name, &text), "{name:?} stands there:\n{}\nof\n{}", text, answers.join("\n"));
    }

    /// Nothing tells that it is a name but the word before it.
    #[test]
    fn what_a_sentence_names_is_lost(name in plain_name(), what in prop::sample::select(vec![
        "application", "Integration", "rule", "location", "period", "user", "member", "file", "dimension", "category", "rules",
        "Integration Name:", "application name is", "job =", "entity '",
    ])) {
        // The word that announces it is no name.
        prop_assume!(!stands_in(&name, what));
        let text = format!("the {what} {name}");
        let kept = text::redacted(&Table::default(), &text);
        prop_assert!(!stands_in(&name, &kept), "{text:?} became {kept:?}");
    }

    #[test]
    fn nothing_of_a_run_stands_in_its_record(secrets in secrets(), turn in 0..15_usize) {
        let record = Record::of(&format!("https://{}/{}", secrets.host, "gateway"), &secrets.user);
        let payload = secrets.payload();
        record.recording.learn(&payload, &Mask::default());
        for secret in secrets.all().skip(turn % 3).step_by(3) {
            // What is made of the vocabulary is known for a name only because the payload said so.
            if !is_composed(secret) || record.recording.table.borrow().known(secret).is_some() {
                tell(&record, secret, &secrets.amount, turn);
            }
        }
        let mut submit = record.noted("POST", &format!("https://{}/aif/rest/V1/jobs", secrets.host));
        submit.sends(Some(&payload), Mask::default);
        drop(submit);
        let text = record.text().to_lowercase();
        let amount = secrets.amount.split('.').next().unwrap_or_default();
        for secret in secrets.all().chain([amount]) {
            for form in forms(secret) {
                prop_assert!(!text.contains(&form.to_lowercase()), "{secret:?} stands there as {form:?}:\n{}",
                    text.lines().find(|line| line.contains(&form.to_lowercase())).unwrap_or_default());
            }
        }
    }

    /// What the gate asks for, when it was told the redacted name, is what stands in the record as asked for.
    #[test]
    fn a_redacted_name_leads_to_the_redacted_path(
        parts in prop::collection::vec(prop_oneof!["outbox|logs|inbox|u03", odd(), "[ .a]{0,3}", "x\u{200b}y"], 1..5),
        separators in prop::collection::vec("[/\\\\]{1,2}", 5),
        (lead, extension) in ("[/\\\\ ]{0,2}", "|[.]log|[.]LOG|[.]secret| "),
        backslashed in any::<bool>(),
    ) {
        let body: String = parts.iter().zip(&separators).flat_map(|(part, separator)| [part.as_str(), separator]).collect();
        let name = format!("{lead}{}{extension}", body.trim_end_matches(['/', '\\']));
        let path = |name: &str| {
            let path = crate::collect::path_of(Mask::default().foreign(name).as_str())?;
            Some(if backslashed { path.replace('/', "\\") } else { path })
        };
        let mut table = Table::default();
        let told = Redaction { table: &mut table, mask: &Mask::default(), host: "h" }.body(json!({ "logFileName": name }).to_string().as_bytes());
        let told: Value = serde_json::from_str(told.unwrap().get()).unwrap();
        let asked = path(&name).map(|path| {
            let segment = utf8_percent_encode(&path, NON_ALPHANUMERIC);
            let kept = place::path(&mut table, &format!("/interop/rest/11.1.2.3.600/applicationsnapshots/{segment}/contents"), None);
            percent_decode_str(kept.split('/').nth(5).unwrap()).decode_utf8().unwrap().into_owned()
        });
        prop_assert_eq!(path(told["logFileName"].as_str().unwrap()), asked);
    }

    /// What the gate makes of an answer is what it would make of the record of it.
    #[test]
    fn an_answer_means_the_same_afterwards(
        status in prop_oneof!["-1|0|1|2|3|4|8|2147483647|7000|-12345|0\\.0|-0|null|true|\"\"|\"0\"|\"-1\"|\"null\"|\"00\"|\"RUNNING\"|\"\u{200b}0\"|\\[\\]|\\{\\}"],
        id in "7|\"7\"|0|-5|null|\"J-1\"|18446744073709551615|99999999999999999999|7\\.0|\\[7\\]",
        other in "|,\"status\":0|,\"jobID\":8|,\"jobID\":null|,\"jobID\":\"7\"",
        texts in prop::collection::vec("null|\"\"|\"null\"|\"SUCCESS\"|\"WARNING\"|\"Completed with Warnings\"|\"Müller\"|7|\\{\\}|\"\\\\ud83d\"", 3),
        link in "https://h/aif/rest/V1/jobs/7|https://h/gw/aif/rest/V1/jobs/9/\\?x|/aif/rest/V1/jobs/0|nowhere",
    ) {
        use super::super::wire;
        let body = format!(
            r#"{{"status":{status},"jobId":{id}{other},"details":{},"jobStatus":{},"descriptiveStatus":{},"links":[{{"rel":"self","href":"{link}"}}]}}"#,
            texts[0], texts[1], texts[2],
        );
        let mut table = Table::default();
        let kept = Redaction { table: &mut table, mask: &Mask::default(), host: "h" }.body(body.as_bytes()).unwrap();
        let meaning = |body: &[u8]| {
            let answer = wire::answer(body, &Mask::default()).unwrap();
            let state = answer.status.map(crate::job::State::of).map(|state| format!("{state:?}").split('(').next().unwrap().to_owned());
            let facts = &answer.facts;
            let texts = (facts.details.is_some(), facts.is_warning(), facts.job_status.is_some(), facts.descriptive_status.is_some());
            (answer.job_id, state, answer.is_garbled, texts, wire::id_in_links(body), wire::names_a_job(body))
        };
        prop_assert_eq!(meaning(body.as_bytes()), meaning(kept.get().as_bytes()), "{} became {}", body, kept);
    }
}

#[test]
fn a_release_and_its_hour_are_told_in_every_spelling() {
    use super::super::wire;
    for item in [
        r#"{"buildVersion":"26.04.40","amwTime":"22:00","timeZone":"Etc/UTC"}"#,
        r#"{"buildVersion":"22.09.40","amwTime":"19"}"#,
        r#"{"amwTime":19}"#,
        r#"{"amwTime":null}"#,
    ] {
        let body = format!(r#"{{"details":null,"status":0,"items":[{item}]}}"#);
        let (mut table, mask) = (Table::default(), Mask::default());
        let kept = Redaction { table: &mut table, mask: &mask, host: "h" }.body(body.as_bytes()).unwrap();
        let told = |body: &[u8]| wire::service(body, &mask).map(|told| (told.release, told.hour, told.details));
        assert_eq!(told(kept.get().as_bytes()), told(body.as_bytes()), "{kept}");
    }
    let (mut table, mask) = (Table::default(), Mask::default());
    let versions = r#"{"items":[{"version":"V1"},{"version":"11.1.2.3.600"},{"version":"4711.25"},{"version":"V9x"}]}"#;
    let kept = Redaction { table: &mut table, mask: &mask, host: "h" }.body(versions.as_bytes()).unwrap();
    let expected = r#"{"items":[{"version":"V1"},{"version":"11.1.2.3.600"},{"version":"x"},{"version":"x"}]}"#;
    assert_eq!(kept.get(), expected);
}

#[test]
fn an_exchange_stands_in_the_record_however_it_ends() {
    let record = Record::of("https://epm.example.com", "bob");
    let url = "https://epm.example.com/aif/rest/V1/jobs/7";
    let late = Fault::Timeout { host: "epm.example.com".to_owned(), limit: std::time::Duration::from_secs(1) };
    record.noted("GET", url).ended(&Err(late), Mask::default);
    drop(record.noted("POST", "https://epm.example.com/aif/rest/V1/jobs"));
    record.noted("GET", url).ended(&Err(Fault::TooLarge { status: 200, limit: 1 }), Mask::default);
    record.noted("GET", url).ended(&Ok(answer(200, &[], br#"{"jobId":7}"#)), Mask::default);
    let lines = record.lines();
    assert_eq!((&lines[0]["format"], &lines[0]["command"]), (&json!(1), &json!("run")));
    let told = |line: &Value| (line["n"].clone(), line["method"].clone(), line["fault"].clone(), line["http"].clone());
    assert_eq!(told(&lines[1]), (json!(1), json!("GET"), json!("timeout"), Value::Null));
    assert_eq!(told(&lines[2]), (json!(2), json!("POST"), json!("cut-short"), Value::Null));
    assert_eq!(told(&lines[3]), (json!(3), json!("GET"), json!("too-large"), json!(200)));
    assert_eq!(told(&lines[4]), (json!(4), json!("GET"), Value::Null, json!(200)));
    assert_eq!(lines[4]["body"], json!({ "json": { "jobId": 7 } }));
}

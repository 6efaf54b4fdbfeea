//! Holds a report to docs/report.schema.json, by as much of JSON Schema as that uses; what it does not know, it refuses.

use serde_json::Value;

/// The schema.
pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/report.schema.json")).expect("the schema is JSON")
}

/// What is wrong with a report, each with its place.
pub(crate) fn faults(report: &Value) -> Vec<String> {
    let root = schema();
    let mut check = Check { root: &root, faults: Vec::new() };
    check.value("report", report, &root);
    check.faults
}

/// The part of the schema that speaks of `jobs[].timeline[].at`; none where it has no such place.
pub(crate) fn part<'a>(root: &'a Value, place: &str) -> Option<&'a Value> {
    place.split('.').try_fold(root, |part, step| {
        let (name, depth) = (step.trim_end_matches("[]"), step.matches("[]").count());
        let part = object(root, part)?["properties"].get(name)?;
        (0..depth).try_fold(part, |part, _| resolved(root, part).get("items"))
    })
}

/// What a `$ref` leads to.
fn resolved<'a>(root: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(place) => root.pointer(place.trim_start_matches('#')).unwrap_or_else(|| panic!("{place} is not there")),
        None => part,
    }
}

/// The object that a part of the schema allows.
fn object<'a>(root: &'a Value, part: &'a Value) -> Option<&'a Value> {
    let part = resolved(root, part);
    match part["anyOf"].as_array() {
        Some(parts) => parts.iter().find_map(|part| object(root, part)),
        None => Some(part).filter(|part| part.get("properties").is_some()),
    }
}

struct Check<'a> {
    root: &'a Value,
    faults: Vec<String>,
}

impl<'a> Check<'a> {
    fn fault(&mut self, place: &str, what: &str) {
        self.faults.push(format!("{place}: {what}"));
    }

    fn value(&mut self, place: &str, value: &Value, part: &'a Value) {
        for (keyword, rule) in part.as_object().unwrap_or_else(|| panic!("{part} is no schema")) {
            match keyword.as_str() {
                "$ref" => self.value(place, value, resolved(self.root, part)),
                "type" => self.of_type(place, value, rule),
                "const" if value != rule => self.fault(place, &format!("{value} is not {rule}")),
                "enum" if !rule.as_array().expect("a list").contains(value) => {
                    self.fault(place, &format!("{value} is none of {rule}"));
                }
                "minimum" if value.as_f64().is_some_and(|value| value < rule.as_f64().expect("a number")) => {
                    self.fault(place, &format!("{value} is below {rule}"));
                }
                "pattern" => self.of_pattern(place, value, rule.as_str().expect("a text")),
                "anyOf" => self.any(place, value, rule.as_array().expect("a list")),
                "items" => {
                    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.value(&format!("{place}[{at}]"), item, rule);
                    }
                }
                "properties" if value.is_object() => self.keys(place, value, part),
                "const"
                | "enum"
                | "minimum"
                | "properties"
                | "required"
                | "additionalProperties"
                | "$schema"
                | "$id"
                | "$defs"
                | "title"
                | "description" => {}
                other => panic!("the keyword {other} is not known here"),
            }
        }
        if let (Some(others), Some(keys), None) =
            (part["additionalProperties"].as_object(), value.as_object(), part.get("properties"))
        {
            assert!(others.keys().eq(["type"]), "{others:?}");
            keys.iter().for_each(|(key, value)| self.of_type(&format!("{place}.{key}"), value, &others["type"]));
        }
    }

    /// The keys are those of the schema, all of them, in its order.
    fn keys(&mut self, place: &str, value: &Value, part: &'a Value) {
        let named = part["properties"].as_object().expect("an object");
        let keys = value.as_object().expect("an object");
        if !keys.keys().eq(named.keys()) {
            let (keys, named): (Vec<_>, Vec<_>) = (keys.keys().collect(), named.keys().collect());
            self.fault(place, &format!("the keys are {keys:?} and not {named:?}"));
        }
        for (key, part) in named {
            if let Some(value) = keys.get(key) {
                self.value(&format!("{place}.{key}"), value, part);
            }
        }
    }

    fn any(&mut self, place: &str, value: &Value, parts: &'a [Value]) {
        let tries = parts.iter().map(|part| {
            let mut check = Check { root: self.root, faults: Vec::new() };
            check.value(place, value, part);
            check.faults
        });
        let tries: Vec<Vec<String>> = tries.collect();
        if !tries.iter().any(Vec::is_empty) {
            self.faults.extend(tries.into_iter().flatten());
        }
    }

    fn of_type(&mut self, place: &str, value: &Value, rule: &Value) {
        let words: Vec<&str> = match rule {
            Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
            word => word.as_str().into_iter().collect(),
        };
        let is = |word: &&str| match *word {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_i64() || value.is_u64(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("the type {other} is not known here"),
        };
        if !words.iter().any(is) {
            self.fault(place, &format!("{value} is no {rule}"));
        }
    }

    /// Of the two patterns that there are.
    fn of_pattern(&mut self, place: &str, value: &Value, pattern: &str) {
        let Some(text) = value.as_str() else { return };
        let fits = match pattern {
            "^[0-9a-f]{64}$" => {
                text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            }
            time if time.starts_with("^[0-9]{4}-[0-9]{2}-[0-9]{2}T") => {
                text.len() == 24 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
            }
            other => panic!("the pattern {other} is not known here"),
        };
        if !fits {
            self.fault(place, &format!("{value} does not fit {pattern}"));
        }
    }
}

/// Every object of the schema needs every one of its keys, in its order, and has no other.
#[test]
fn the_schema_leaves_nothing_open() {
    fn closed(part: &Value) {
        if let Some(named) = part["properties"].as_object() {
            let needed: Vec<&str> =
                part["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
            assert!(named.keys().eq(needed), "{part}");
            assert_eq!(part["additionalProperties"], false, "{part}");
            named.values().for_each(closed);
        }
    }
    let schema = schema();
    closed(&schema);
    schema["$defs"].as_object().expect("an object").values().for_each(closed);
}

#[test]
fn a_report_with_another_key_or_value_is_faulted() {
    let sound = |change: &dyn Fn(&mut Value)| {
        let mut outage = serde_json::json!({
            "from": "2026-03-22T03:24:20.500Z", "until": null, "durationSeconds": 1.5, "reasons": ["x"]
        });
        change(&mut outage);
        let root = schema();
        let mut check = Check { root: &root, faults: Vec::new() };
        check.value("outage", &outage, &root["$defs"]["outage"]);
        check.faults.is_empty()
    };
    assert!(sound(&|_| {}));
    assert!(!sound(&|outage| outage["more"] = 1.into()));
    assert!(!sound(&|outage| drop(outage.as_object_mut().expect("an object").remove("until"))));
    assert!(!sound(&|outage| outage["from"] = "2026-03-22 03:24:20".into()));
    assert!(!sound(&|outage| outage["from"] = Value::Null));
    assert!(!sound(&|outage| outage["durationSeconds"] = (-1).into()));
    assert!(!sound(&|outage| outage["reasons"][0] = 1.into()));
}

#[test]
fn a_place_is_found_by_its_path() {
    let schema = schema();
    for place in
        ["version", "payload.sha256", "jobs[].timeline[].at", "jobs[].diagnosis.evidence.line", "uploads[].bytes"]
    {
        assert!(part(&schema, place).is_some(), "{place}");
    }
    for place in ["vers", "payload[].sha256", "jobs.timeline", "jobs[].timeline[].when"] {
        assert!(part(&schema, place).is_none(), "{place}");
    }
}

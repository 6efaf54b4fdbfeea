//! The shape of an answer, in a sentence: whoever has a pod can tell by it what Oracle's pages do not. No sentence
//! shows a value that a user has chosen, but for the texts of EPM's own errors.

use serde_json::Value;

use crate::epm::error::words;
use crate::epm::reply::Reply;
use crate::epm::wire;
use crate::foreign::{Mask, quote};

/// How many keys, or versions, are named.
const MOST: usize = 20;

/// What is answered for an id that no job has: code, status, details, keys.
pub fn of_no_job(reply: &Reply, mask: &Mask) -> String {
    let answer = wire::answer(&reply.body, mask).unwrap_or_default();
    let status = answer.status.map(|status| format!(", status {status}")).unwrap_or_default();
    format!("{}{status}{}", of_body(reply, mask), words(answer.facts.details.as_ref()))
}

/// How the list of jobs is built: how many, in which order, and which keys a job has.
pub fn of_jobs(reply: &Reply, mask: &Mask) -> String {
    let Some(Value::Array(items)) = parsed(reply).and_then(|mut body| Some(body.get_mut("items")?.take())) else {
        return of_body(reply, mask);
    };
    let count = if items.len() == 1 { "1 job".to_owned() } else { format!("{} jobs", items.len()) };
    let first = items.first().map(|job| format!("; of the first, {}", keys(job, mask))).unwrap_or_default();
    format!("{}: {count}{}{first}", of_body(reply, mask), order(&items))
}

/// The versions that are listed.
pub fn of_versions(reply: &Reply, mask: &Mask) -> String {
    let body = parsed(reply);
    let items = body.as_ref().and_then(|body| body.get("items")?.as_array());
    let versions: Vec<String> = items.into_iter().flatten().take(MOST).filter_map(|item| version(item, mask)).collect();
    if versions.is_empty() {
        of_body(reply, mask)
    } else {
        format!("{}: {}", of_body(reply, mask), versions.join(", "))
    }
}

fn version(item: &Value, mask: &Mask) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str).map(|text| quote(mask.foreign(text).as_str()));
    let lifecycle = text("lifecycle").map(|lifecycle| format!(" ({lifecycle})")).unwrap_or_default();
    Some(format!("{}{lifecycle}", text("version")?))
}

/// Code, kind and keys.
fn of_body(reply: &Reply, mask: &Mask) -> String {
    let shape = match (parsed(reply), reply.start(mask)) {
        (Some(value), _) => format!("JSON, {}", keys(&value, mask)),
        (None, Some(start)) => format!("no JSON, but {}", quote(start.first_line())),
        (None, None) => "an empty body".to_owned(),
    };
    format!("HTTP {}, {shape}", reply.status)
}

fn parsed(reply: &Reply) -> Option<Value> {
    serde_json::from_slice(&reply.body).ok()
}

fn keys(value: &Value, mask: &Mask) -> String {
    let named = match value {
        Value::Object(object) if object.is_empty() => return "an object without keys".to_owned(),
        Value::Object(object) => object,
        Value::Array(items) => return format!("a list of {}", items.len()),
        Value::String(_) => return "a text".to_owned(),
        Value::Number(_) => return "a number".to_owned(),
        Value::Bool(_) | Value::Null => return "a bare value".to_owned(),
    };
    let told: Vec<String> = named.keys().take(MOST).map(|key| quote(mask.foreign(key).as_str())).collect();
    let more = named.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("keys {}{more}", told.join(", "))
}

/// By their ids.
fn order(items: &[Value]) -> &'static str {
    let id = |item: &Value| {
        let id = item.get("jobId").or_else(|| item.get("jobID"))?;
        id.as_u64().or_else(|| id.as_str()?.parse().ok())
    };
    let ids: Option<Vec<u64>> = items.iter().map(id).collect();
    match ids {
        None => ", not all with an id",
        Some(ids) if ids.len() < 2 => "",
        Some(ids) if ids.is_sorted_by(|one, next| one > next) => ", the highest id first",
        Some(ids) if ids.is_sorted_by(|one, next| one < next) => ", the lowest id first",
        Some(_) => ", in no order of their ids",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(shape: fn(&Reply, &Mask) -> String, status: u16, body: &str) -> String {
        shape(&Reply::of(status, body), &Mask::new(["s3cret".to_owned()]))
    }

    #[test]
    fn the_answer_for_no_job_is_told_by_code_keys_status_and_details() {
        let table = [
            (
                404,
                r#"{"status":4,"details":"no such job"}"#,
                "HTTP 404, JSON, keys `status`, `details`, status 4: `no such job`",
            ),
            (200, r#"{"status":"1","jobId":null}"#, "HTTP 200, JSON, keys `status`, `jobId`, status 1"),
            (500, "<html>\n<b>x</b>", "HTTP 500, no JSON, but `<html>`"),
            (404, "", "HTTP 404, an empty body"),
            (200, "[]", "HTTP 200, JSON, a list of 0"),
            (200, "{}", "HTTP 200, JSON, an object without keys"),
            (200, "null", "HTTP 200, JSON, a bare value"),
            (200, "7", "HTTP 200, JSON, a number"),
            (200, "\"x\"", "HTTP 200, JSON, a text"),
        ];
        for (status, body, expected) in table {
            assert_eq!(told(of_no_job, status, body), expected, "{body}");
        }
    }

    #[test]
    fn the_list_of_jobs_is_told_by_number_order_and_the_keys_of_its_first() {
        let table = [
            (r#"{"items":[]}"#, "HTTP 200, JSON, keys `items`: 0 jobs"),
            (
                r#"{"items":[{"jobId":7,"x":1}]}"#,
                "HTTP 200, JSON, keys `items`: 1 job; of the first, keys `jobId`, `x`",
            ),
            (
                r#"{"items":[{"jobId":7},{"jobId":"6"}]}"#,
                "HTTP 200, JSON, keys `items`: 2 jobs, the highest id first; of the first, keys `jobId`",
            ),
            (
                r#"{"items":[{"jobID":6},{"jobID":7}]}"#,
                "HTTP 200, JSON, keys `items`: 2 jobs, the lowest id first; of the first, keys `jobID`",
            ),
            (
                r#"{"items":[{"jobId":6},{"jobId":6}]}"#,
                "HTTP 200, JSON, keys `items`: 2 jobs, in no order of their ids; of the first, keys `jobId`",
            ),
            (
                r#"{"items":[{"jobId":6},{}]}"#,
                "HTTP 200, JSON, keys `items`: 2 jobs, not all with an id; of the first, keys `jobId`",
            ),
            (r#"{"jobs":[]}"#, "HTTP 200, JSON, keys `jobs`"),
        ];
        for (body, expected) in table {
            assert_eq!(told(of_jobs, 200, body), expected, "{body}");
        }
    }

    #[test]
    fn the_versions_are_told_by_name() {
        let body = r#"{"items":[{"version":"V1","lifecycle":"active"},{"version":"V2"},{"other":1}],"links":[]}"#;
        assert_eq!(told(of_versions, 200, body), "HTTP 200, JSON, keys `items`, `links`: `V1` (`active`), `V2`");
        assert_eq!(told(of_versions, 404, "{}"), "HTTP 404, JSON, an object without keys");
    }

    #[test]
    fn no_key_shows_a_secret_or_opens_a_command() {
        let told = told(of_jobs, 200, r###"{"s3cret":1,"##vso[x]":2,"`a`":3,"a\nb":4}"###);
        assert_eq!(told, "HTTP 200, JSON, keys `***`, `# #vso[x]`, `'a'`, `a b`");
        let many: Vec<String> = (0..25).map(|number| format!("\"k{number}\":1")).collect();
        let told = told_many(&many.join(","));
        assert!(told.contains("`k19` and 5 more") && !told.contains("k20"), "{told}");
    }

    fn told_many(pairs: &str) -> String {
        told(of_no_job, 200, &format!("{{{pairs}}}"))
    }
}

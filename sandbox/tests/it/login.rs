//! Basic authentication. // epm-api.md §5.1

use epm_sandbox::{DOMAIN, PASSWORD, USERNAME};

use crate::harness::{Answer, basic, integration, read, request_as, send, usual};

fn look_as(sandbox: &epm_sandbox::Sandbox, headers: &str) -> Answer {
    read(send(sandbox, &request_as(headers, "GET", "/aif/rest/", "")))
}

#[test]
fn lets_the_user_in_with_and_without_the_domain() {
    let sandbox = usual();
    for user in [USERNAME.to_owned(), format!("{DOMAIN}.{USERNAME}")] {
        let login = basic(&format!("{user}:{PASSWORD}"));
        assert_eq!(look_as(&sandbox, &format!("Authorization: {login}\r\n")).http(), 200, "{user}");
    }
    assert_eq!(sandbox.refused_logins(), 0);
}

#[test]
fn challenges_everyone_else_and_counts_them() {
    let sandbox = usual();
    let wrong = basic(&format!("{USERNAME}:wrong"));
    for headers in [String::new(), format!("Authorization: {wrong}\r\n"), "Authorization: Bearer x\r\n".into()] {
        let answer = look_as(&sandbox, &headers);
        assert_eq!(answer.http(), 401);
        let scheme = if headers.contains("Bearer") { "Bearer error=\"invalid_token\"" } else { "Basic realm=" };
        assert!(answer.header("www-authenticate").unwrap().starts_with(scheme));
    }
    assert_eq!(sandbox.refused_logins(), 3);
}

#[test]
fn takes_no_job_from_someone_who_is_not_let_in() {
    let sandbox = usual();
    let headers = "Content-Type: application/json\r\n";
    let answer = read(send(&sandbox, &request_as(headers, "POST", "/aif/rest/V1/jobs", &integration("X"))));
    assert_eq!((answer.http(), sandbox.posts(), sandbox.taken()), (401, 1, 0));
}

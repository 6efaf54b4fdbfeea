//! Refresh tokens, access tokens, and who may ask for them. // epm-api.md §5.2

use epm_sandbox::{CLIENT_ID, CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, Fault, REFRESH_TOKEN, SCOPE, Sandbox, Scenario};

use crate::harness::{
    Answer, ask, basic, confidential, exchange, integration, look, playing, post_form, read, refusal, request_as, send,
    usual,
};

const TOKEN: &str = "/oauth2/v1/token";
const REFRESH: [(&str, &str); 2] = [("grant_type", "refresh_token"), ("refresh_token", REFRESH_TOKEN)];

fn text(answer: &Answer, key: &str) -> String {
    answer.json()[key].as_str().unwrap_or_default().to_owned()
}

fn identity(keys: &str) -> Sandbox {
    playing(&format!("[identity]\n{keys}\n[[job]]"))
}

#[test]
fn an_exchange_hands_out_two_tokens_and_consumes_one() {
    let sandbox = usual();
    let answer = exchange(&sandbox, REFRESH_TOKEN);
    assert_eq!((answer.http(), answer.header("cache-control").as_deref()), (200, Some("no-store")));
    assert_eq!((text(&answer, "token_type").as_str(), answer.json()["expires_in"].as_u64()), ("Bearer", Some(3600)));
    let (access, refresh) = (text(&answer, "access_token"), text(&answer, "refresh_token"));
    assert!(access.starts_with("sbx-access-1-") && refresh.starts_with("sbx-refresh-1-"), "{access} {refresh}");
    assert_eq!((sandbox.exchanges(), sandbox.refresh_token()), (1, refresh.clone()));
    let consumed = (400, "invalid_grant".into(), "The token has already been consumed".into());
    assert_eq!(refusal(&exchange(&sandbox, REFRESH_TOKEN)), consumed);
    assert_eq!(exchange(&sandbox, &refresh).http(), 200);
    assert_eq!(sandbox.exchanges(), 2);
}

#[test]
fn an_access_token_is_let_in_as_the_user_is() {
    let sandbox = usual();
    let token = text(&exchange(&sandbox, REFRESH_TOKEN), "access_token");
    assert_eq!(look(&sandbox, &token).http(), 200);
    let headers = format!("Authorization: bearer {token}\r\nContent-Type: application/json\r\n");
    let answer = read(send(&sandbox, &request_as(&headers, "POST", "/aif/rest/V1/jobs", &integration("X"))));
    assert_eq!((answer.http(), sandbox.posts(), sandbox.taken(), sandbox.refused_logins()), (200, 1, 1, 0));
}

#[test]
fn an_access_token_can_be_had_without_a_request() {
    let sandbox = identity("access_serves = 1");
    let tokens = [sandbox.access_token(), sandbox.access_token()];
    assert_ne!(tokens[0], tokens[1]);
    for token in tokens {
        assert_eq!([(); 2].map(|()| look(&sandbox, &token).http()), [200, 401]);
    }
    assert_eq!((sandbox.token_requests().len(), sandbox.exchanges()), (0, 0));
}

#[test]
fn an_access_token_that_is_past_or_nobodys_is_refused() {
    let sandbox = identity("access_lasts = '0s'");
    let token = text(&exchange(&sandbox, REFRESH_TOKEN), "access_token");
    for (token, why) in
        [(token.as_str(), "Token Expired"), ("sbx-access-9-x", "EPM sandbox: nobody gave out this token")]
    {
        let answer = look(&sandbox, token);
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{why}\"");
        assert_eq!((answer.http(), answer.header("www-authenticate").unwrap()), (401, challenge));
    }
    assert_eq!(sandbox.refused_logins(), 2);
}

#[test]
fn an_access_token_can_be_good_for_so_many_requests() {
    let sandbox = identity("access_serves = 2");
    let token = text(&exchange(&sandbox, REFRESH_TOKEN), "access_token");
    assert_eq!([(); 3].map(|()| look(&sandbox, &token).http()), [200, 200, 401]);
    let renewed = text(&exchange(&sandbox, &sandbox.refresh_token()), "access_token");
    assert_eq!(look(&sandbox, &renewed).http(), 200);
}

#[test]
fn a_pod_that_is_no_audience_refuses_a_good_token() {
    let sandbox = identity("audience = 'wrong'");
    let token = text(&exchange(&sandbox, REFRESH_TOKEN), "access_token");
    let answer = look(&sandbox, &token);
    assert_eq!(answer.http(), 401);
    assert!(answer.header("www-authenticate").unwrap().ends_with("error_description=\"Token Audience\""));
}

#[test]
fn a_refresh_token_that_is_past_or_nobodys_is_refused() {
    let past = format!("Token is expired for client : {CLIENT_ID}");
    assert_eq!(
        refusal(&exchange(&identity("refresh_lasts = '0s'"), REFRESH_TOKEN)),
        (400, "invalid_grant".into(), past)
    );
    let (http, error, why) = refusal(&exchange(&usual(), "sbx-refresh-9-x"));
    assert_eq!((http, error.as_str()), (400, "invalid_grant"));
    assert!(why.contains("nobody gave out"), "{why}");
}

#[test]
fn an_answer_without_a_new_refresh_token_leaves_the_old_one() {
    let sandbox = identity("rotates = false");
    for exchanges in 1..=2 {
        let answer = exchange(&sandbox, REFRESH_TOKEN);
        assert!(answer.json().get("refresh_token").is_none(), "{answer:?}");
        assert_eq!((sandbox.exchanges(), sandbox.refresh_token().as_str()), (exchanges, REFRESH_TOKEN));
    }
}

#[test]
fn a_client_that_may_not_refresh_is_told_so() {
    let sandbox = identity("allows_refresh = false");
    assert_eq!(refusal(&exchange(&sandbox, REFRESH_TOKEN)).1, "unauthorized_client");
    let device = [("response_type", "device_code"), ("scope", SCOPE), ("client_id", CLIENT_ID)];
    assert_eq!(refusal(&post_form(&sandbox, "/oauth2/v1/device", "", &device)).1, "unauthorized_client");
    assert_eq!((sandbox.exchanges(), sandbox.refresh_token().as_str()), (0, REFRESH_TOKEN));
}

#[test]
fn the_confidential_client_proves_itself_with_its_encoded_secret() {
    let sandbox = usual();
    let answer = post_form(&sandbox, TOKEN, &confidential(), &REFRESH);
    assert_eq!(answer.http(), 200);
    // What the one got is not the other's.
    let (_, error, why) = refusal(&exchange(&sandbox, &text(&answer, "refresh_token")));
    assert_eq!(error, "invalid_grant");
    assert!(why.contains("another client's"), "{why}");
}

#[test]
fn a_client_that_is_not_who_it_says_is_refused() {
    let sandbox = usual();
    let basic = |proof: &str| format!("Authorization: {}\r\n", basic(proof));
    let named = |id| [REFRESH.as_slice(), &[("client_id", id)]].concat();
    for (headers, fields) in [
        (String::new(), REFRESH.to_vec()),
        (String::new(), named("nobody")),
        (String::new(), named(CONFIDENTIAL_CLIENT_ID)),
        (String::new(), [named(CONFIDENTIAL_CLIENT_ID).as_slice(), &[("client_secret", CLIENT_SECRET)]].concat()),
        (basic(&format!("{CONFIDENTIAL_CLIENT_ID}:{CLIENT_SECRET}")), REFRESH.to_vec()),
        (basic(&format!("{CONFIDENTIAL_CLIENT_ID}:wrong")), REFRESH.to_vec()),
        (basic(&format!("{CLIENT_ID}:")), REFRESH.to_vec()),
        (confidential(), named(CLIENT_ID)),
        ("Authorization: Bearer x\r\n".into(), REFRESH.to_vec()),
    ] {
        let answer = post_form(&sandbox, TOKEN, &headers, &fields);
        let (http, error, why) = refusal(&answer);
        assert_eq!((http, error.as_str()), (401, "invalid_client"), "{headers} {fields:?}");
        assert!(answer.header("www-authenticate").is_some() && !why.contains(CLIENT_SECRET), "{why}");
    }
    assert_eq!((sandbox.exchanges(), sandbox.refused_logins()), (0, 0));
    assert!(sandbox.token_requests().iter().all(|request| !request.let_in));
}

#[test]
fn a_request_that_is_none_is_told_what_is_wrong() {
    let sandbox = usual();
    for (fields, error) in [
        (vec![], "invalid_request"),
        (vec![("grant_type", "refresh_token")], "invalid_request"),
        ([REFRESH.as_slice(), &[("refresh_token", "x")]].concat(), "invalid_request"),
        (vec![("grant_type", "client_credentials")], "unsupported_grant_type"),
    ] {
        let (http, said, _) = refusal(&ask(&sandbox, &fields));
        assert_eq!((http, said.as_str()), (400, error), "{fields:?}");
    }
    let json = request_as("Content-Type: application/json\r\n", "POST", TOKEN, "{}");
    assert_eq!(read(send(&sandbox, &json)).http(), 415);
    assert_eq!(read(send(&sandbox, &request_as("", "GET", TOKEN, ""))).http(), 405);
    assert_eq!(read(send(&sandbox, &request_as("", "GET", "/oauth2/v1/tokens", ""))).http(), 401);
}

#[test]
fn a_fault_consumes_the_token_where_the_request_was_taken() {
    for (reply, exchanges) in [
        ("fault = 'reset-before'", 0),
        ("http = 503", 0),
        ("http = 429, headers = { Retry-After = '1' }", 0),
        ("page = 'maintenance'", 0),
        ("fault = 'reset-after'", 1),
        ("fault = 'half-head'", 1),
        ("fault = 'half-body'", 1),
        ("body = '{'", 1),
        ("http = 503, taken = true", 1),
    ] {
        let sandbox = identity(&format!("replies = [{{ {reply} }}, {{}}]"));
        let first = exchange(&sandbox, REFRESH_TOKEN);
        assert_eq!(sandbox.exchanges(), exchanges, "{reply}: {first:?}");
        assert_eq!(sandbox.refresh_token() == REFRESH_TOKEN, exchanges == 0, "{reply}");
        let second = exchange(&sandbox, REFRESH_TOKEN);
        assert_eq!(second.http(), if exchanges == 0 { 200 } else { 400 }, "{reply}: {second:?}");
    }
}

#[test]
fn a_hanging_exchange_has_consumed_the_token() {
    let sandbox = identity("replies = [{ fault = 'hang' }]");
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([REFRESH.as_slice(), &[("client_id", CLIENT_ID)]].concat())
        .finish();
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let stream = send(&sandbox, &request_as(headers, "POST", TOKEN, &form));
    while sandbox.exchanges() == 0 {
        std::thread::yield_now();
    }
    drop(stream);
    assert_eq!(sandbox.token_requests()[0].fault, Some(Fault::Hang));
}

#[test]
fn a_reply_can_change_what_is_said_of_the_tokens() {
    let sandbox = identity("replies = [{ fields = { expires_in = '3600' }, without = ['token_type'] }, {}]");
    let tokens = exchange(&sandbox, REFRESH_TOKEN).json();
    assert_eq!((&tokens["expires_in"], tokens.get("token_type")), (&"3600".into(), None));
    // A refusal stays one.
    assert_eq!(exchange(&sandbox, REFRESH_TOKEN).http(), 400);
}

#[test]
fn requests_for_tokens_are_none_to_the_pod_and_tell_no_token() {
    let sandbox = usual();
    let answer = exchange(&sandbox, REFRESH_TOKEN);
    read(send(
        &sandbox,
        &request_as("Content-Type: application/json\r\n", "POST", TOKEN, &format!("{{\"a\":\"{REFRESH_TOKEN}\"}}")),
    ));
    post_form(&sandbox, &format!("{TOKEN}?refresh_token={REFRESH_TOKEN}"), &confidential(), &REFRESH);
    assert_eq!((sandbox.requests().len(), sandbox.posts(), sandbox.refused_logins()), (0, 0, 0));
    let seen = sandbox.token_requests();
    assert_eq!((seen[0].grant.as_deref(), seen[0].client.as_deref()), (Some("refresh_token"), Some(CLIENT_ID)));
    assert_eq!(seen[2].client.as_deref(), Some(CONFIDENTIAL_CLIENT_ID));
    assert_eq!(seen.iter().map(|request| request.http).collect::<Vec<_>>(), [Some(200), Some(415), Some(400)]);
    let all = format!("{seen:?}");
    for secret in ["sbx-refresh-", "sbx-access-", CLIENT_SECRET, &text(&answer, "access_token")] {
        assert!(!all.contains(secret), "{all}");
    }
}

#[test]
fn a_gateway_may_put_a_prefix_in_front() {
    let sandbox = usual();
    assert!(sandbox.token_url().ends_with(TOKEN) && sandbox.device_url().ends_with("/oauth2/v1/device"));
    assert_eq!(post_form(&sandbox, "/idcs/oauth2/v1/token", &confidential(), &REFRESH).http(), 200);
}

#[test]
fn the_readme_tells_what_clients_need() {
    let readme = include_str!("../../README.md");
    for told in [CLIENT_ID, CONFIDENTIAL_CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, epm_sandbox::JWT_KEY_ID] {
        assert!(readme.contains(&format!("`{told}`")), "{told}");
    }
}

#[test]
fn shipped_scenarios_about_tokens_play_as_described() {
    const TOO_LATE: &str = "Token is expired for client : sandbox-public";
    for (scenario, exchanges, looks) in [
        ("identity-unavailable-for-a-while", [503, 503, 200], [200; 5]),
        ("token-audience", [200, 400, 400], [401; 5]),
        ("token-expires-in-mid-wait", [200, 400, 400], [200, 200, 200, 200, 401]),
        ("token-consumed", [400; 3], [401; 5]),
        ("token-expired", [400; 3], [401; 5]),
        ("succeeds", [200, 400, 400], [200; 5]),
    ] {
        let sandbox = Sandbox::start(Scenario::shipped(scenario).unwrap()).unwrap();
        let answers = [(); 3].map(|()| exchange(&sandbox, REFRESH_TOKEN));
        assert_eq!(answers.each_ref().map(Answer::http), exchanges, "{scenario}");
        let granted = answers.iter().find(|answer| answer.http() == 200);
        let token = granted.map_or_else(|| "none".into(), |answer| text(answer, "access_token"));
        assert_eq!([(); 5].map(|()| look(&sandbox, &token).http()), looks, "{scenario}");
        if exchanges == [400; 3] {
            let why = refusal(&answers[0]).2;
            assert!([TOO_LATE, "The token has already been consumed"].contains(&why.as_str()), "{scenario}: {why}");
        }
    }
}

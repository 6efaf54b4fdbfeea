use super::*;

fn shut() -> http::Fault {
    http::Fault::NoConnection { host: "h".to_owned(), reason: String::new() }
}

fn outlived() -> auth::Denial {
    auth::Denial::Dead { death: auth::error::Death::Outlived, file: None, cut_short: None }
}

fn lost() -> http::Fault {
    http::Fault::Broken { host: "h".to_owned(), reason: String::new() }
}

#[test]
fn only_what_never_left_may_be_submitted_again() {
    let table = [
        (Fault::Http(shut()), true, Hope::Budget),
        (Fault::Http(lost()), false, Hope::Budget),
        (Fault::Unavailable { status: 503, retry_after: None, said: None }, false, Hope::Budget),
        (Fault::NotJson { status: 200 }, false, Hope::Budget),
        (Fault::Expired, true, Hope::Budget),
        // Whatever became of the exchange, nothing was sent to EPM.
        (Fault::NoToken(lost().into()), true, Hope::Budget),
        (Fault::Late, true, Hope::None),
    ];
    for (fault, before, hope) in table {
        assert_eq!((fault.is_before_sending(), fault.hope()), (before, hope), "{fault}");
    }
}

#[test]
fn a_redirect_names_its_place_harmlessly() {
    let location = Some(Foreign::new("https://evil.example/`\r\n::error::x"));
    let text = Refusal::Redirect { status: 302, location }.to_string();
    assert_eq!(text, "EPM answered with a redirect (HTTP 302) to `https://evil.example/' ::error::x`");
}

#[test]
fn each_fault_and_each_refusal_says_what_to_do() {
    let unavailable = |status| Fault::Unavailable { status, retry_after: None, said: None };
    let faults = [
        (Fault::Http(shut()), "network"),
        (Fault::NoToken(auth::Fault::Busy), "token file of its own"),
        (unavailable(429), "fewer jobs"),
        (unavailable(503), "maintenance"),
        (Fault::NotJson { status: 200 }, "page in front"),
        (Fault::Expired, "token"),
        (Fault::Late, "--timeout"),
    ];
    for (fault, told) in faults {
        assert!(fault.help().contains(told), "{fault}: {}", fault.help());
    }
    let refusals = [
        (Refusal::Unauthorized, "locks the account"),
        (Refusal::TokenRefused, "token"),
        (Refusal::Audience, "secondary audience"),
        (Refusal::NoToken(outlived()), "login --renew"),
        (Refusal::Forbidden { said: None }, "role"),
        (Refusal::Proxy, "HTTPS_PROXY"),
        (Refusal::Redirect { status: 302, location: None }, "`--url`"),
        (Refusal::LoginPage, "--identity-domain"),
    ];
    for (refusal, told) in refusals {
        assert!(refusal.help().contains(told), "{refusal}: {}", refusal.help());
        assert_eq!(ReadError::Refused(refusal.clone()).help(), refusal.help());
    }
    assert!(ReadError::Missing { status: 404, said: None }.help().contains("job id"));
    assert_eq!(ReadError::Fault(Fault::Late).help(), Fault::Late.help());
}

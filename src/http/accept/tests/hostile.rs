//! Requests that are malformed, oversized, slow or meant to be read in two ways.

use super::*;

/// The answer's status and the problem's code.
fn refused(answer: &str) -> (u16, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let kind = head.to_ascii_lowercase();
    assert!(kind.contains("content-type: application/problem+json"), "{answer}");
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    (status, problem["code"].as_str().unwrap().to_owned())
}

#[rstest]
#[case::connect("CONNECT a:443 HTTP/1.1\r\nhost: a\r\n", 405, "method_not_allowed")]
#[case::trace("TRACE /healthz HTTP/1.1\r\nhost: a\r\n", 405, "method_not_allowed")]
#[case::method("DELETE /healthz HTTP/1.1\r\nhost: a\r\n", 405, "method_not_allowed")]
#[case::absolute("GET http://a/healthz HTTP/1.1\r\nhost: a\r\n", 400, "target_form")]
#[case::star("OPTIONS * HTTP/1.1\r\nhost: a\r\n", 400, "target_form")]
#[case::no_host("GET /healthz HTTP/1.1\r\n", 400, "host")]
#[case::two_hosts("GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n", 400, "host")]
#[case::old("GET /healthz HTTP/1.0\r\nhost: a\r\n", 505, "http_version")]
#[case::nowhere("GET /secret/path HTTP/1.1\r\nhost: a\r\n", 404, "no_such_route")]
#[case::not_http("hello\r\n", 400, "bad_request")]
#[case::a_nul("GET /\0 HTTP/1.1\r\nhost: a\r\n", 400, "bad_request")]
#[case::a_header_without_name("GET / HTTP/1.1\r\n: a\r\n", 400, "bad_request")]
#[case::a_folded_header("GET / HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n", 400, "bad_request")]
#[case::a_space_before_colon("GET / HTTP/1.1\r\nhost : a\r\n", 400, "bad_request")]
#[case::two_lengths(
    "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n",
    400,
    "bad_request"
)]
#[case::a_signed_length(
    "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n",
    400,
    "bad_request"
)]
#[case::an_unknown_coding(
    "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, cow\r\n",
    400,
    "bad_request"
)]
#[case::chunked_in_1_0(
    "POST /echo HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n",
    400,
    "bad_request"
)]
#[case::a_socket_without_upgrade("GET /media HTTP/1.1\r\nhost: a\r\n", 426, "websocket_only")]
#[tokio::test]
async fn every_refusal_is_a_problem(#[case] head: &str, #[case] status: u16, #[case] code: &str) {
    let door = Door::open(short()).await;
    let answer = door.ask(format!("{head}\r\n").as_bytes()).await;
    assert_eq!(refused(&answer), (status, code.to_owned()));
    assert!(!answer.contains("secret"), "the answer repeats the address");
    let counted = door.refusals.counted(match code {
        "bad_request" => Reason::Unparsed,
        "method_not_allowed" => Reason::Answered("method_not_allowed"),
        "target_form" => Reason::Answered("target_form"),
        "host" => Reason::Answered("host"),
        "http_version" => Reason::Answered("http_version"),
        "no_such_route" => Reason::Answered("no_such_route"),
        "websocket_only" => Reason::Answered("websocket_only"),
        other => panic!("{other}"),
    });
    assert_eq!(counted, 1);
}

#[tokio::test]
async fn headers_have_a_largest_size_and_number_and_addresses_a_length() {
    let door = Door::open(short()).await;
    let large = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    assert_eq!(refused(&door.ask(large.as_bytes()).await), (431, "headers_too_large".into()));
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(HEADERS));
    assert_eq!(refused(&door.ask(many.as_bytes()).await), (431, "headers_too_large".into()));
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "y".repeat(100_000));
    let (status, _) = refused(&door.ask(long.as_bytes()).await);
    assert!(matches!(status, 414 | 431), "{status}");
}

#[rstest]
#[case::both("content-length: 4\r\ntransfer-encoding: chunked\r\n")]
#[case::both_the_other_way("transfer-encoding: chunked\r\ncontent-length: 4\r\n")]
#[tokio::test]
async fn a_request_of_two_lengths_is_the_last_of_its_connection(#[case] framing: &str) {
    let door = Door::open(short()).await;
    let smuggled = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    let bytes = format!("POST /echo HTTP/1.1\r\nhost: a\r\n{framing}\r\n0\r\n\r\n{smuggled}");
    let answer = door.ask(bytes.as_bytes()).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(!answer.contains("alive"), "the smuggled request was answered: {answer}");
}

#[tokio::test]
async fn a_chunked_body_is_taken() {
    let door = Door::open(short()).await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = door.ask(format!("{head}5\r\nhello\r\n0\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
}

#[rstest]
#[case::slow("content-length: 9\r\n\r\nabc", 408, "body_too_slow")]
#[case::slow_chunks("transfer-encoding: chunked\r\n\r\n5\r\nab", 408, "body_too_slow")]
#[case::bad_chunks("transfer-encoding: chunked\r\n\r\nzz\r\n", 400, "bad_request")]
#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for(
    #[case] rest: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let door = Door::open(short()).await;
    let answer = door.ask(format!("POST /echo HTTP/1.1\r\nhost: a\r\n{rest}").as_bytes()).await;
    assert_eq!(refused(&answer), (status, code.to_owned()));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let door = Door::open(short()).await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 2000\r\n\r\n";
    let answer = door.ask(format!("{head}{}", "x".repeat(2000)).as_bytes()).await;
    assert_eq!(refused(&answer), (413, "body_too_large".into()));
    assert_eq!(door.refusals.counted(Reason::Answered("body_too_large")), 1);
}

//! The table, line by line.

use rstest::rstest;

use super::*;

const PAUSE: Duration = Duration::from_millis(1_300);

fn again(code: &str) -> Loss {
    Loss::Passing(code.to_owned())
}

fn elsewhere(code: &str) -> Loss {
    Loss::Final(code.to_owned())
}

#[rstest]
#[case("insufficient_quota", elsewhere("insufficient_quota"))]
#[case("invalid_api_key", elsewhere("invalid_api_key"))]
#[case("account_deactivated", elsewhere("account_deactivated"))]
#[case("billing_hard_limit_reached", elsewhere("billing_hard_limit_reached"))]
#[case("rate_limit_exceeded", Loss::RateLimited(PAUSE))]
#[case("session_expired", again("session_expired"))]
#[case("server_error", again("server_error"))]
#[case("unknown", again("unknown"))]
fn a_failed_response_says_what_helps(#[case] code: &str, #[case] expected: Loss) {
    assert_eq!(of_response(code, PAUSE), expected);
}

#[rstest]
#[case("insufficient_quota", Some(elsewhere("insufficient_quota")))]
#[case("model_not_found", Some(elsewhere("model_not_found")))]
#[case("beta_api_shape_disabled", Some(elsewhere("beta_api_shape_disabled")))]
#[case("session_expired", Some(again("session_expired")))]
#[case("rate_limit_exceeded", Some(Loss::RateLimited(PAUSE)))]
#[case("server_error", None)]
#[case("invalid_value", None)]
fn an_error_ends_the_session_or_does_not(#[case] code: &str, #[case] expected: Option<Loss>) {
    assert_eq!(of_error(code, PAUSE), expected);
}

#[rstest]
#[case(1000, "", None)]
#[case(1001, "Your session hit the maximum duration of 60 minutes.", None)]
#[case(1006, "", None)]
#[case(1011, "keepalive ping timeout", None)]
#[case(1013, "try again later", None)]
#[case(3000, "invalid_request_error.invalid_api_key", Some(elsewhere("invalid_api_key")))]
#[case(3000, "invalid_request_error.model_x", Some(elsewhere("model_x")))]
#[case(3000, "server_error.session_expired", Some(again("session_expired")))]
#[case(3000, "rate_limit_exceeded", Some(Loss::RateLimited(RATE_LIMIT_PAUSE)))]
#[case(4000, "", Some(elsewhere("closed_4000")))]
fn a_close_code_says_more_or_does_not(
    #[case] code: u16,
    #[case] reason: &str,
    #[case] expected: Option<Loss>,
) {
    assert_eq!(of_close(code, reason), expected);
}

#[rstest]
#[case(400, None, elsewhere("status_400"))]
#[case(401, None, elsewhere("status_401"))]
#[case(402, None, elsewhere("status_402"))]
#[case(403, Some(4), elsewhere("status_403"))]
#[case(404, None, elsewhere("status_404"))]
#[case(408, None, again("status_408"))]
#[case(429, Some(4), Loss::RateLimited(Duration::from_secs(4)))]
#[case(429, None, Loss::RateLimited(AFTER_429))]
#[case(500, None, again("status_500"))]
#[case(503, None, again("status_503"))]
#[case(503, Some(2), Loss::RateLimited(Duration::from_secs(2)))]
fn a_refused_upgrade_says_what_helps(
    #[case] status: u16,
    #[case] retry_after_s: Option<u64>,
    #[case] expected: Loss,
) {
    assert_eq!(of_status(status, retry_after_s.map(Duration::from_secs)), expected);
}

#[test]
fn an_allowance_that_is_used_up_is_waited_for() {
    let limits = |list: &[(f64, f64)]| of_limits(list.iter().copied());
    assert_eq!(limits(&[(39_120.0, 1.3), (1.0, 60.0)]), None);
    assert_eq!(limits(&[(0.0, 1.5), (12.0, 60.0)]), Some(Duration::from_millis(1_500)));
    assert_eq!(limits(&[(0.0, 1.5), (-1.0, 4.0)]), Some(Duration::from_secs(4)));
    assert_eq!(limits(&[(0.0, 86_400.0)]), Some(LONGEST_PAUSE));
    assert_eq!(limits(&[(0.0, f64::NAN)]), Some(Duration::ZERO));
    assert_eq!(limits(&[]), None);
}

#[test]
fn a_code_is_fit_for_a_log() {
    assert_eq!(clean("bad\n\"code\" +15550100"), "badcode15550100");
    assert_eq!(clean(&"x".repeat(1_000)).len(), CODE_CHARS);
}

//! What goes wrong between ACS and us: refusals, overload, cut and missing connections.

use std::time::Duration;

use super::*;

const GONE: &str = r#"{"error":{"code":"8522","message":"Call not found."}}"#;

/// Rings somebody through a resource that answers like this.
async fn place(script: &[Reply]) -> (Result<CarrierCallId, CarrierError>, Vec<Heard>) {
    let resource = Resource::answering(script).await;
    let placed = resource.control().place(dial()).await;
    (placed, resource.heard())
}

/// Asserts that both requests were one order.
fn one_order(heard: &[Heard]) {
    assert_eq!(heard.len(), 2, "requests");
    assert!(heard[0].pair().is_some());
    assert_eq!(heard[0].pair(), heard[1].pair());
    assert_eq!(heard[0].body, heard[1].body);
}

#[tokio::test]
async fn overload_and_cut_connections_are_tried_once_more_as_the_same_order() {
    for trouble in [
        Reply::Is(429, r#"{"error":{"code":"8529"}}"#),
        Reply::Is(500, ""),
        Reply::Is(503, "<html>"),
        Reply::Later(503, "0"),
        Reply::Cut,
        Reply::CutWithin,
    ] {
        let (placed, heard) = place(&[trouble, Reply::Is(201, CONNECTED)]).await;
        assert_eq!(placed, Ok(call()));
        one_order(&heard);
    }
}

#[tokio::test]
async fn nothing_is_tried_a_third_time() {
    let (placed, heard) = place(&[Reply::Is(500, ""), Reply::Is(500, ""), Reply::Cut]).await;
    assert!(matches!(placed, Err(CarrierError::Unknown(_))), "{placed:?}");
    one_order(&heard);
}

#[tokio::test]
async fn refusals_are_not_tried_again_and_become_outcomes() {
    for (status, body, outcome) in [
        (400, r#"{"error":{"code":"8500","message":"Bad Request"}}"#, Outcome::SystemError),
        (401, "", Outcome::SystemError),
        (403, r#"{"error":{"code":"7509","message":"no"}}"#, Outcome::SystemError),
        (404, GONE, Outcome::Cancelled),
        (409, r#"{"error":{"code":"8519"}}"#, Outcome::SystemError),
        (480, r#"{"error":{"code":"8587"}}"#, Outcome::NoAnswer),
        (400, "not JSON", Outcome::SystemError),
    ] {
        let (placed, heard) = place(&[Reply::Is(status, body)]).await;
        assert_eq!(placed, Err(CarrierError::Refused(outcome)), "{status} {body}");
        assert_eq!(heard.len(), 1);
    }
}

#[tokio::test]
async fn a_second_refusal_does_not_hide_a_first_that_may_have_been_taken() {
    let no = Reply::Is(403, "");
    for first in [Reply::Is(500, ""), Reply::Cut, Reply::CutWithin] {
        let (placed, _) = place(&[first, no]).await;
        assert!(matches!(placed, Err(CarrierError::Unknown(_))), "{placed:?}");
    }
    let (placed, _) = place(&[Reply::Is(429, ""), no]).await;
    assert_eq!(placed, Err(CarrierError::Refused(Outcome::SystemError)));
}

#[tokio::test]
async fn overload_that_lasts_is_the_networks_failure() {
    let busy = Reply::Is(429, "");
    let (placed, heard) = place(&[busy, busy]).await;
    assert_eq!(placed, Err(CarrierError::Refused(Outcome::NetworkError)));
    one_order(&heard);
}

#[tokio::test]
async fn whoever_is_told_to_wait_too_long_does_not_wait() {
    let (placed, heard) = place(&[Reply::Later(429, "60"), Reply::Is(201, CONNECTED)]).await;
    assert_eq!(placed, Err(CarrierError::Refused(Outcome::NetworkError)));
    assert_eq!(heard.len(), 1);
}

#[tokio::test]
async fn an_order_without_an_answer_may_have_been_taken() {
    let (placed, heard) = place(&[Reply::Never, Reply::Is(201, CONNECTED)]).await;
    let Err(CarrierError::Unknown(why)) = placed else { panic!("{placed:?}") };
    assert_eq!(why, "create: no answer within 6 s");
    assert_eq!(heard.len(), 1);
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_may_be_a_call() {
    for nonsense in ["", "<html>", "{}", r#"{"callConnectionId":7}"#] {
        let (placed, heard) = place(&[Reply::Is(201, nonsense)]).await;
        assert!(matches!(placed, Err(CarrierError::Unknown(_))), "{placed:?}");
        assert_eq!(heard.len(), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (placed, heard) = place(&[Reply::Elsewhere("/calling"), Reply::Is(201, CONNECTED)]).await;
    assert_eq!(placed, Err(CarrierError::Refused(Outcome::Failed)));
    assert_eq!(heard.len(), 1);
}

#[tokio::test]
async fn a_resource_that_is_not_reached_has_taken_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let placed = control(&url, resource::KEY).place(dial()).await;
    assert_eq!(placed, Err(CarrierError::Refused(Outcome::NetworkError)));
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let resource = Resource::answering(&[Reply::Is(201, CONNECTED)]).await;
    let placed = resource.control_with(b"another key").place(dial()).await;
    assert_eq!(placed, Err(CarrierError::Refused(Outcome::SystemError)));
}

#[tokio::test]
async fn a_call_that_is_over_has_been_ended() {
    let resource = Resource::answering(&[Reply::Is(404, GONE); 4]).await;
    let control = resource.control();
    assert_eq!(control.hang_up(call()).await, Ok(()));
    assert_eq!(control.leave(call()).await, Ok(()));
    let recording = Recording { recording_id: "r-1".to_owned() };
    assert_eq!(control.stop_recording(&recording).await, Ok(()));
    assert!(control.look(&call()).await.unwrap().is_none());
}

#[tokio::test]
async fn ending_a_call_twice_is_ending_it_once() {
    let resource = Resource::answering(&[Reply::Cut, Reply::Is(404, GONE)]).await;
    assert_eq!(resource.control().hang_up(call()).await, Ok(()));
    assert_eq!(resource.heard().len(), 2);
}

#[tokio::test]
async fn another_404_does_not_say_that_a_call_is_over() {
    let resource = Resource::answering(&[Reply::Is(404, "no such page")]).await;
    let ended = resource.control().hang_up(call()).await;
    assert_eq!(ended, Err(CarrierError::Refused(Outcome::SystemError)));
}

#[tokio::test]
async fn a_caller_who_gave_up_is_not_answered() {
    let resource = Resource::answering(&[Reply::Is(404, GONE)]).await;
    let answered = answer(&resource.control(), them()).await;
    assert_eq!(answered, Err(CarrierError::Refused(Outcome::Cancelled)));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let endless: &'static str = Box::leak("x".repeat(300 * 1024).into_boxed_str());
    let (placed, heard) = place(&[Reply::Is(201, endless)]).await;
    assert!(matches!(placed, Err(CarrierError::Unknown(_))), "{placed:?}");
    assert_eq!(heard.len(), 1);
}

#[tokio::test]
async fn an_order_to_wait_is_kept() {
    let script = [Reply::Later(429, "1"), Reply::Is(201, CONNECTED)];
    let resource = Resource::answering(&script).await;
    let began = std::time::Instant::now();
    resource.control().place(dial()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
}

//! Callbacks as Twilio posts them, and what is made of them in every order.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const CALLBACKS: &str = include_str!("../../../../tests/fixtures/twilio/callbacks.txt");

fn told(body: &str) -> Option<Told> {
    read(&Form::read(body.as_bytes())).map(|callback| callback.told)
}

#[test]
fn every_callback_of_the_fixture_is_understood() {
    let understood: Vec<_> = CALLBACKS.lines().map(told).collect();
    let ended = |outcome, reason: &str| Some(Told::Ended(outcome, reason.to_owned()));
    assert_eq!(
        understood,
        [
            Some(Told::Goes),
            Some(Told::Goes),
            Some(Told::Goes),
            ended(Outcome::Answered, "completed"),
            ended(Outcome::Busy, "busy (486)"),
            ended(Outcome::Rejected, "busy (603)"),
            ended(Outcome::NoAnswer, "no-answer (487)"),
            ended(Outcome::InvalidNumber, "failed (404)"),
            ended(Outcome::Cancelled, "canceled"),
            Some(Told::Detected(Answerer::Human)),
            Some(Told::Detected(Answerer::Recording)),
            Some(Told::HumanThere),
            Some(Told::HandedOver),
            Some(Told::NotHandedOver("no-answer".to_owned())),
            Some(Told::Goes),
            None,
            None,
        ]
    );
}

#[test]
fn what_concerns_the_human_is_about_the_callers_call() {
    let form = Form::read(CALLBACKS.lines().nth(11).unwrap().as_bytes());
    assert_eq!(read(&form).unwrap().call, "CA00");
}

#[rstest]
#[case("SipResponseCode=480", Outcome::Unreachable)]
#[case("SipResponseCode=403", Outcome::Rejected)]
#[case("SipResponseCode=503", Outcome::NetworkError)]
#[case("ErrorCode=13224", Outcome::InvalidNumber)]
#[case("ErrorCode=21214", Outcome::Unreachable)]
#[case("ErrorCode=11200", Outcome::SystemError)]
#[case("SipResponseCode=999", Outcome::Failed)]
#[case("SipResponseCode=word", Outcome::Failed)]
fn a_failure_is_named_after_its_cause(#[case] cause: &str, #[case] outcome: Outcome) {
    let body = format!("CallSid=CA00&CallStatus=failed&{cause}");
    assert!(matches!(told(&body), Some(Told::Ended(named, _)) if named == outcome), "{body}");
}

proptest! {
    #[test]
    fn the_order_and_the_number_of_callbacks_change_nothing(
        order in prop::collection::vec(0..CALLBACK_KINDS, 1..40),
    ) {
        let all: Vec<Told> = [
            "CallSid=CA00&CallStatus=initiated",
            "CallSid=CA00&CallStatus=ringing",
            "CallSid=CA00&CallStatus=in-progress",
            "CallSid=CA00&AnsweredBy=human",
            "CallSid=CA00&CallStatus=completed",
        ]
        .into_iter()
        .filter_map(told)
        .collect();
        let mut heard = Heard::default();
        // Whatever came before, the end has been told once at the end of it.
        let order = order.into_iter().chain([CALLBACK_KINDS - 1]);
        let news: Vec<&Told> = order.map(|n| &all[n]).filter(|told| heard.is_news(told)).collect();
        let ends = news.iter().filter(|told| matches!(told, Told::Ended(..))).count();
        prop_assert_eq!(ends, 1);
        prop_assert!(matches!(news.last(), Some(Told::Ended(Outcome::Answered, _))));
        prop_assert!(news.len() <= 2, "told twice: {:?}", news);
    }

    #[test]
    fn no_body_is_too_strange(body in any::<Vec<u8>>(), status in "[a-z-]{0,12}") {
        let _none = read(&Form::read(&body)).is_none();
        told(&format!("CallSid=CA00&CallStatus={status}&DialCallStatus={status}"));
    }
}

const CALLBACK_KINDS: usize = 5;

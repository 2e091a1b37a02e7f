//! Names that do not fit, and a hand-over in every order of its callbacks.

use super::*;

const NAME: &str = "CA00";

fn addresses() -> Addresses {
    Addresses { media: "wss://b/twilio/media/c/n".into(), events: "https://b/e".into() }
}

fn call() -> CallId {
    CallId::new("c")
}

fn callback(told: Told) -> Callback<'static> {
    Callback { call: NAME, told, is_over: false }
}

/// A call that is placed, named and has media.
fn book() -> Book {
    let book = Book::default();
    drop(book.dialled(call(), Number::new("+15550199"), addresses()));
    assert_eq!(book.named(&call(), &CarrierCallId(NAME.into())), Ok(true));
    book
}

fn inputs(news: &News) -> Vec<String> {
    news.inputs.iter().map(|input| format!("{input:?}")).collect()
}

fn busy() -> Told {
    Told::NotHandedOver("busy".to_owned())
}

#[test]
fn a_name_is_learned_once_and_then_no_other_is_taken() {
    let book = Book::default();
    // Whoever ordered the call has got no answer.
    drop(book.dialled(call(), Number::new("+15550199"), addresses()));
    let news = book.hear(&call(), callback(Told::Goes)).unwrap();
    assert_eq!(inputs(&news), [r#"Placed(CarrierCallId("CA00"))"#]);
    assert!(book.hear(&call(), callback(Told::Goes)).unwrap().inputs.is_empty());
    let other = Callback { call: "CA01", ..callback(Told::Ended(Outcome::Busy, "busy".into())) };
    assert_eq!(book.hear(&call(), other).unwrap_err(), Stranger);
    assert_eq!(book.named(&call(), &CarrierCallId("CA01".into())), Err(Stranger));
}

#[test]
fn whoever_waits_for_the_name_is_told_it_by_the_first_callback_alone() {
    let book = Book::default();
    let mut named = book.dialled(call(), Number::new("+15550199"), addresses());
    assert!(book.hear(&call(), callback(Told::Goes)).unwrap().inputs.is_empty());
    assert_eq!(named.try_recv(), Ok(CarrierCallId(NAME.into())));
    assert_eq!(book.named(&call(), &CarrierCallId(NAME.into())), Ok(false));
}

#[test]
fn a_call_that_rings_here_twice_is_one_call() {
    let book = Book::default();
    assert!(matches!(book.arrives(NAME), Arrival::New));
    assert!(matches!(book.arrives(NAME), Arrival::Arriving));
    book.arrived(call(), NAME, Number::new("+15550199"), addresses());
    assert!(matches!(book.arrives(NAME), Arrival::Known(known, _) if known == call()));
    assert!(matches!(book.arrives("CA01"), Arrival::New));
    book.turned_away("CA01");
    assert!(matches!(book.arrives("CA01"), Arrival::New));
}

#[test]
fn a_hand_over_that_succeeds_is_told_once_and_the_call_is_not_ended() {
    let book = book();
    let leaving = book.leaving(&call()).unwrap();
    assert!(!leaving.is_so());
    book.hand_over(&CarrierCallId(NAME.into())).unwrap();
    assert!(leaving.is_so());
    let news = book.hear(&call(), callback(Told::HumanThere)).unwrap();
    assert_eq!(inputs(&news), ["Transferred(Ok(()))"]);
    assert!(book.is_with_human(&CarrierCallId(NAME.into())));
    assert!(book.hear(&call(), callback(Told::HumanThere)).unwrap().inputs.is_empty());
    let news = book.hear(&call(), callback(Told::HandedOver)).unwrap();
    assert_eq!(inputs(&news), [r#"Ended(Answered, "handed_over")"#]);
    assert_eq!(news.twiml, Some(twiml::hang_up()));
    let again = book.hear(&call(), callback(Told::HandedOver)).unwrap();
    assert_eq!((again.inputs.len(), again.twiml), (0, Some(twiml::hang_up())));
    let ended = callback(Told::Ended(Outcome::Answered, "completed".into()));
    assert!(book.hear(&call(), ended).unwrap().inputs.is_empty());
}

#[test]
fn that_the_human_was_there_may_be_told_by_the_end_alone() {
    let book = book();
    book.hand_over(&CarrierCallId(NAME.into())).unwrap();
    let news = book.hear(&call(), callback(Told::HandedOver)).unwrap();
    assert_eq!(inputs(&news), ["Transferred(Ok(()))", r#"Ended(Answered, "handed_over")"#]);
}

#[test]
fn a_caller_whom_no_human_answers_comes_back() {
    let book = book();
    let leaving = book.leaving(&call()).unwrap();
    book.hand_over(&CarrierCallId(NAME.into())).unwrap();
    for told in [1, 0] {
        let news = book.hear(&call(), callback(busy())).unwrap();
        assert_eq!(news.inputs.len(), told);
        assert!(news.twiml.unwrap().contains("<Connect><Stream url=\"wss://b/twilio/media/c/n\""));
        assert!(!leaving.is_so());
    }
}

#[test]
fn a_caller_who_hung_up_while_it_rang_does_not_come_back() {
    let book = book();
    book.hand_over(&CarrierCallId(NAME.into())).unwrap();
    let news = book.hear(&call(), Callback { is_over: true, ..callback(busy()) }).unwrap();
    assert_eq!(inputs(&news), [r#"Ended(Answered, "completed")"#]);
    assert_eq!(news.twiml, Some(twiml::hang_up()));
}

#[test]
fn nobody_is_handed_over_who_did_not_ask() {
    let book = book();
    assert!(book.hear(&call(), callback(Told::HumanThere)).unwrap().inputs.is_empty());
    assert!(!book.is_with_human(&CarrierCallId(NAME.into())));
    assert!(book.hand_over(&CarrierCallId("CA01".into())).is_none());
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    let book = book();
    book.keep(Vec::new);
    let news = book.hear(&call(), callback(Told::Goes)).unwrap();
    assert!(news.inputs.is_empty() && news.twiml.is_none());
    let news = book.hear(&call(), callback(busy())).unwrap();
    assert!(news.inputs.is_empty());
    assert_eq!(news.twiml, Some(twiml::hang_up()), "there is nobody to come back to");
}

//! Orders to ring somebody: carried out once, judged on the facts of the moment in which they are
//! written, and never on a number of which nobody knows whether it rings.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tandem_actors::briefing::{CallId, Direction, Lifecycle, Outcome};
use tandem_actors::carrier::{CarrierCallId, Number};
use tandem_actors::record::{Fact, Record as _};

use super::{World, finalized, note, opened};
use crate::account::Account;
use crate::policy::{Ask, Code, Facts, Ordered as Asked, Refused};
use crate::store::{Archive as _, List, NotOpened, Once, Ordered, Orders, Permit, Policies, Terms};

fn ask(number: &str, most: u32) -> Ask {
    let now = Timestamp::now();
    let since = now - SignedDuration::from_hours(1);
    Ask {
        to: Number::new(number),
        account: "house".to_owned(),
        attempts: (since, most),
        placed: (since, most),
        live: true,
        talk: Some((since, now)),
        proactive: (since, most),
    }
}

/// Opens a call of an account, if that is permitted.
async fn open_if(
    store: &impl Orders,
    call: &str,
    ask: Ask,
    judge: impl FnOnce(&Facts) -> Result<(), Refused> + Send + 'static,
) -> Result<(), Refused> {
    let account = ask.account.parse().unwrap();
    let ordered = if call == "talking" { Asked::Ahead } else { Asked::Now };
    let terms = Terms { account, ordered, ..Terms::default() };
    let permit = Permit { ask, judge: Box::new(judge) };
    let ordered = store.order(opened(call), terms, None, Some(permit)).await.unwrap();
    ordered.map(drop).map_err(|not| match not {
        NotOpened::Forbidden(refused) => refused,
        NotOpened::NoPlace(taken) => panic!("{taken}"),
        NotOpened::Unsure(call) => panic!("{call} may ring"),
    })
}

fn refused() -> Refused {
    let detail = "not now".to_owned();
    Refused { code: Code::Rate, detail, retryable: true, next_permitted_at: None }
}

pub(in crate::store) async fn calls_count_from_the_order_to_their_end_unless_they_rang_nobody(
    world: impl World<Store: Orders + Policies>,
) {
    let store = world.start("n1").await;
    let mut ringing = opened("in");
    ringing.direction = Direction::Inbound;
    store.open(ringing).await.unwrap();
    for call in ["queued", "talking", "over", "given-up"] {
        let ask = ask("+15550100", 9);
        assert_eq!(open_if(&store, call, ask, |_| Ok(())).await, Ok(()));
    }
    for call in ["talking", "over"] {
        store.dialing(CallId::new(call)).await.unwrap();
        store.note(note(call, 1, Fact::Lifecycle(Lifecycle::Answered)));
    }
    store.note(note("over", 2, finalized(Outcome::Answered)));
    store.note(note("given-up", 1, finalized(Outcome::Cancelled)));
    store.flush().await.unwrap();
    let mut asked = ask("+15550100", 9);
    // Notes of this suite are told at a second of 1970.
    asked.talk = Some((asked.attempts.0, Timestamp::from_millisecond(1_009_001).unwrap()));
    let facts = store.facts(&asked).await.unwrap();
    assert_eq!((facts.attempts.len(), facts.placed.len(), facts.live), (3, 3, 2));
    assert!(facts.attempts.is_sorted_by(|one, next| one >= next));
    assert_eq!(facts.proactive.len(), 1, "that nobody ordered at that moment");
    assert_eq!(facts.talk, Duration::from_millis(4_200 + 9_000));
    let facts = store.facts(&ask("+15550101", 2)).await.unwrap();
    assert_eq!((facts.attempts.len(), facts.placed.len()), (0, 2), "another number");
}

pub(in crate::store) async fn what_is_refused_is_not_written(world: impl World<Store: Orders>) {
    let store = world.start("n1").await;
    let asked = ask("+15550100", 1);
    assert_eq!(open_if(&store, "c1", asked, |_| Err(refused())).await, Err(refused()));
    assert_eq!(store.call(&CallId::new("c1")).await.unwrap(), None);
}

pub(in crate::store) async fn a_list_holds_each_accounts_numbers_until_they_are_taken_off(
    world: impl World<Store: Policies>,
) {
    let store = world.start("n1").await;
    let number = Number::new("+15550100");
    for list in [List::DoNotCall, List::Consents] {
        assert_eq!(store.listed(list, "house", &number).await.unwrap(), None);
        store.enlist(list, "house", &number, "asked on the phone").await.unwrap();
        store.enlist(list, "house", &number, "a form of May").await.unwrap();
        let found = store.listed(list, "house", &number).await.unwrap().unwrap();
        assert_eq!(found.word, "a form of May");
        assert_eq!(store.listed(list, "other", &number).await.unwrap(), None);
    }
    let facts = store.facts(&ask("+15550100", 0)).await.unwrap();
    assert!(facts.do_not_call && facts.consent);
    let store = world.start("n1").await;
    assert!(store.facts(&ask("+15550100", 0)).await.unwrap().do_not_call, "in the next run");
    for list in [List::DoNotCall, List::Consents] {
        assert!(store.delist(list, "house", &number).await.unwrap());
        assert!(!store.delist(list, "house", &number).await.unwrap());
    }
    let facts = store.facts(&ask("+15550100", 0)).await.unwrap();
    assert!(!facts.do_not_call && !facts.consent);
}

fn terms(account: &Account) -> Terms {
    Terms { account: account.clone(), ..Terms::default() }
}

pub(in crate::store) async fn an_order_is_carried_out_once(world: impl World<Store: Orders>) {
    let (store, house) = (world.start("n1").await, Account::house());
    let once = |key: &str, digest: &str, again| Once {
        account: house.clone(),
        key: key.to_owned(),
        digest: digest.to_owned(),
        again,
    };
    let order = async |call: &str, once: Once| {
        let ordered = store.order(opened(call), terms(&house), Some(once), None).await;
        ordered.unwrap().unwrap()
    };
    assert_eq!(order("c1", once("k1", "a", false)).await, Ordered::New(()));
    assert_eq!(order("c2", once("k1", "a", false)).await, Ordered::Before("c1".to_owned()));
    assert_eq!(order("c2", once("k1", "b", false)).await, Ordered::OtherOrder);
    assert_eq!(order("c2", once("k2", "a", false)).await, Ordered::JustNow("c1".to_owned()));
    assert_eq!(store.call(&CallId::new("c2")).await.unwrap(), None, "nothing was written");
    assert_eq!(order("c2", once("k2", "a", true)).await, Ordered::New(()));
    let made = store.ordered_before(&once("k2", "a", true)).await.unwrap();
    assert_eq!(made, Some(Ordered::Before("c2".to_owned())));
    assert_eq!(store.ordered_before(&once("k3", "a", true)).await.unwrap(), None);
    // The next run knows it too.
    let next = world.start("n1").await;
    let known = next.order(opened("c3"), terms(&house), Some(once("k2", "a", true)), None).await;
    assert_eq!(known.unwrap().unwrap(), Ordered::Before("c2".to_owned()));
}

pub(in crate::store) async fn a_number_that_may_be_ringing_is_not_rung(
    world: impl World<Store: Orders>,
) {
    let (store, house) = (world.start("n1").await, Account::house());
    let order = async |call: &str, account: &Account| {
        store.order(opened(call), terms(account), None, None).await.unwrap()
    };
    assert_eq!(order("c1", &house).await, Ok(Ordered::New(())));
    let unsure = CallId::new("c1");
    store.dialing(unsure.clone()).await.unwrap();
    store.note(note("c1", 1, Fact::SubmissionUnknown));
    store.flush().await.unwrap();
    assert!(store.call(&unsure).await.unwrap().unwrap().submission_unknown);
    assert_eq!(order("c2", &house).await, Err(NotOpened::Unsure(unsure.clone())));
    assert_eq!(store.call(&CallId::new("c2")).await.unwrap(), None, "nothing was written");
    assert_eq!(order("c3", &"ann".parse().unwrap()).await, Ok(Ordered::New(())));
    store.note(note("c1", 2, Fact::CarrierNamed(CarrierCallId("CA1".to_owned()))));
    store.flush().await.unwrap();
    assert!(!store.call(&unsure).await.unwrap().unwrap().submission_unknown);
    assert_eq!(order("c2", &house).await, Ok(Ordered::New(())));
}

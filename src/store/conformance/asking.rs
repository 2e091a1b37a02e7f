//! Searches: a call and its place are one, whoever comes first.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use tandem_actors::briefing::{CallId, Outcome};
use tandem_actors::carrier::Number;
use tandem_actors::record::Record as _;

use super::{World, finalized, note, opened};
use crate::account::Account;
use crate::store::{
    Archive as _, Inquiry, NoPlace, NotOpened, Ordered, Orders, Part, SearchArchive, SearchRow,
    SearchState, Searches, Target, Terms,
};

/// What a search needs.
pub(in crate::store) trait Searching: Searches + SearchArchive + Orders {}

impl<S: Searches + SearchArchive + Orders> Searching for S {}

async fn begin(store: &(impl Searches + SearchArchive)) -> SearchRow {
    let target = |to: &str| Target { to: Number::new(to), name: Some("Luigi's".into()) };
    let inquiry = Inquiry {
        question: "Is there a table?".into(),
        facts: None,
        bring: Some("{}".into()),
        at_once: 3,
        enough: Some(1),
        again: vec![Outcome::Busy, Outcome::NoAnswer],
        campaign: None,
    };
    let targets = vec![target("+15550100"), target("+15550101")];
    let begun = store.begin_search(Account::house(), inquiry, targets, None).await.unwrap();
    let Ordered::New(id) = begun else { panic!("it is new") };
    store.search(&id).await.unwrap().unwrap()
}

async fn open(store: &impl Orders, call: &str, part: Part) -> Result<(), NoPlace> {
    let terms = Terms { part, ..Terms::default() };
    match store.order(opened(call), terms, None, None).await.unwrap() {
        Ok(Ordered::New(())) => Ok(()),
        Err(NotOpened::NoPlace(taken)) => Err(taken),
        other => panic!("no key was shown and no gate asked, but {other:?}"),
    }
}

fn target(search: &SearchRow, before: Option<&str>) -> Part {
    Part::Target { search: search.id.clone(), number: 1, before: before.map(CallId::new) }
}

pub(in crate::store) async fn a_target_is_rung_by_one_call_and_once_more_only_after_it(
    world: impl World<Store: Searching>,
) {
    let store = world.start("n1").await;
    let search = begin(&store).await;
    assert_eq!((search.targets.len(), search.inquiry.again.len()), (2, 2));
    assert_eq!(store.open_searches().await.unwrap(), std::slice::from_ref(&search.id));
    let calls: Vec<String> = (0..20).map(|n| format!("c{n}")).collect();
    let tries = calls.iter().map(|call| open(&store, call, target(&search, None)));
    let opened = join_all(tries).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(opened, 1);
    let asked = store.search(&search.id).await.unwrap().unwrap();
    let call = asked.targets[0].call.clone().unwrap();
    assert_eq!(asked.targets[0].attempts, 1);
    assert_eq!(asked.targets[0].row.as_ref().unwrap().id, call);
    for other in calls.iter().map(|call| CallId::new(call)).filter(|other| *other != call) {
        assert_eq!(store.call(&other).await.unwrap(), None, "nobody is rung by it");
    }
    assert_eq!(open(&store, "d", target(&search, Some("e"))).await, Err(NoPlace::Asked));
    assert_eq!(open(&store, "d", target(&search, Some(&call.0))).await, Ok(()));
    store.end_search(&search.id, SearchState::Stopped).await.unwrap();
    store.end_search(&search.id, SearchState::Finished).await.unwrap();
    assert_eq!(open(&store, "e", target(&search, Some("d"))).await, Err(NoPlace::Asked));
    let stopped = store.search(&search.id).await.unwrap().unwrap();
    assert_eq!(stopped.state, SearchState::Stopped);
    assert_eq!(store.open_searches().await.unwrap().len(), 1, "its calls are still live");
}

pub(in crate::store) async fn one_offer_is_taken_and_another_only_when_that_reached_nobody(
    world: impl World<Store: Searching>,
) {
    let store = world.start("n1").await;
    let search = begin(&store).await;
    let choice =
        |number| Part::Choice { search: search.id.clone(), number, follows: CallId::new("before") };
    let calls: Vec<String> = (0..50).map(|n| format!("c{n}")).collect();
    let chosen = join_all(calls.iter().map(|call| open(&store, call, choice(1)))).await;
    assert_eq!(chosen.iter().filter(|chosen| chosen.is_ok()).count(), 1);
    let row = store.search(&search.id).await.unwrap().unwrap();
    let (number, call) = row.chosen.unwrap();
    assert_eq!((row.state, number), (SearchState::Chosen, 1));
    let follows = store.call(&call).await.unwrap().unwrap().follows;
    assert_eq!(follows, Some(CallId::new("before")));
    let taken = Err(NoPlace::Chosen { number: 1, call: call.clone() });
    assert_eq!(open(&store, "again", choice(2)).await, taken);
    store.note(note(&call.0, 1, finalized(Outcome::Busy)));
    store.flush().await.unwrap();
    assert_eq!(open(&store, "again", choice(2)).await, Ok(()));
    store.note(note("again", 1, finalized(Outcome::Answered)));
    store.flush().await.unwrap();
    assert!(open(&store, "once more", choice(2)).await.is_err());
}

pub(in crate::store) async fn an_account_lists_its_own_page_by_page(
    world: impl World<Store: Searching>,
) {
    let store = world.start("n1").await;
    for _search in 0..3 {
        begin(&store).await;
    }
    let (page, next) = store.searches(None, None, 2).await.unwrap();
    let (rest, end) = store.searches(None, next, 2).await.unwrap();
    let ids: BTreeSet<&str> = page.iter().chain(&rest).map(|search| search.id.as_str()).collect();
    assert_eq!((page.len(), rest.len(), ids.len(), end), (2, 1, 3, None));
    let of_ann = store.searches(Some("ann".parse().unwrap()), None, 2).await.unwrap();
    assert_eq!(of_ann, (Vec::new(), None));
}

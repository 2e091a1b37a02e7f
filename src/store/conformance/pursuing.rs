//! Campaigns: what is kept, one call at a time with each target, and what stays when one is
//! forgotten.

use tandem_actors::briefing::{CallId, Outcome, Text};
use tandem_actors::carrier::Number;
use tandem_actors::record::Record as _;

use super::{World, finalized, note, opened};
use crate::account::Account;
use crate::store::{
    Archive as _, Campaign, CampaignArchive, CampaignChange, CampaignRow, Campaigns, Errand,
    NoPlace, NotOpened, Ordered, Orders, Part, Target, Terms,
};

/// What a campaign needs.
pub(in crate::store) trait Pursuing: Campaigns + CampaignArchive + Orders {}

impl<S: Campaigns + CampaignArchive + Orders> Pursuing for S {}

async fn kept(store: &(impl Campaigns + CampaignArchive)) -> CampaignRow {
    let target = |to: &str| Target { to: Number::new(to), name: None };
    let campaign = Campaign {
        purpose: "A dinner.".into(),
        constraints: None,
        known_facts: Some("We are four.".into()),
    };
    let targets = vec![target("+15550100"), target("+15550101")];
    let made = store.make_campaign(Account::house(), campaign, targets, None).await.unwrap();
    let Ordered::New(id) = made else { panic!("it is new") };
    store.campaign(&id).await.unwrap().unwrap()
}

async fn ring(store: &impl Orders, of: &CampaignRow, call: &str, before: Option<&str>) -> bool {
    let errand = Errand {
        campaign: of.id.clone(),
        number: 1,
        before: before.map(CallId::new),
        follows: None,
        attempts: 1 + u32::from(before.is_some()),
        only_asks: true,
        again: vec![Outcome::Busy],
    };
    let (part, campaign) = (Part::Errand(errand), Some(of.id.clone()));
    let terms = Terms { part, campaign, ..Terms::default() };
    match store.order(opened(call), terms, None, None).await.unwrap() {
        Ok(_) => true,
        Err(NotOpened::NoPlace(NoPlace::UnderWay)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

pub(in crate::store) async fn what_is_kept_is_changed_piece_by_piece(
    world: impl World<Store: Pursuing>,
) {
    let store = world.start("n1").await;
    let of = kept(&store).await;
    assert_eq!((of.targets.len(), of.targets[1].number), (2, 2));
    let change = CampaignChange {
        constraints: Some("At most 40 EUR.".into()),
        decisions: vec![(None, "Friday.".into()), (Some(2), "Not theirs.".into())],
        next_actions: vec![(2, "Write to them.".into())],
        ..CampaignChange::default()
    };
    assert!(store.change_campaign(&of.id, change).await.unwrap());
    let change = CampaignChange { known_facts: Some(Text::default()), ..Default::default() };
    assert!(store.change_campaign(&of.id, change).await.unwrap());
    let many = vec![(None, "Once more.".into()); 49];
    let change = CampaignChange { decisions: many, ..Default::default() };
    assert!(!store.change_campaign(&of.id, change).await.unwrap(), "too many");
    let now = store.campaign(&of.id).await.unwrap().unwrap();
    assert_eq!(now.campaign.constraints, Some("At most 40 EUR.".into()));
    assert_eq!(now.campaign.known_facts, None);
    let decided: Vec<_> = now.decisions.iter().map(|one| one.target).collect();
    assert_eq!(decided, [None, Some(2)]);
    assert_eq!(now.targets[1].next_action.as_ref().unwrap().0, "Write to them.".into());

    let second = kept(&store).await;
    let (page, next) = store.campaigns(Some(Account::house()), None, 1).await.unwrap();
    assert_eq!((page.len(), &page[0].id), (1, &second.id));
    let (page, next) = store.campaigns(None, next, 1).await.unwrap();
    assert_eq!((page.len(), &page[0].id, next), (1, &of.id, None));
}

pub(in crate::store) async fn a_target_has_one_call_at_a_time_and_only_the_last_is_repeated(
    world: impl World<Store: Pursuing>,
) {
    let store = world.start("n1").await;
    let of = kept(&store).await;
    assert!(ring(&store, &of, "c1", None).await);
    assert!(!ring(&store, &of, "c2", None).await, "one is under way");
    assert_eq!(store.awaited_campaigns().await.unwrap(), std::slice::from_ref(&of.id));
    store.note(note("c1", 1, finalized(Outcome::Busy)));
    store.flush().await.unwrap();
    assert!(!ring(&store, &of, "c3", Some("c0")).await, "that is not the last call");
    assert!(ring(&store, &of, "c3", Some("c1")).await);
    assert_eq!(store.call(&CallId::new("c2")).await.unwrap(), None);
    let now = store.campaign(&of.id).await.unwrap().unwrap();
    let target = &now.targets[0];
    let calls: Vec<&str> = target.calls.iter().map(|call| &*call.id.0).collect();
    assert_eq!((target.attempts, target.only_asks, calls.len()), (2, true, 2), "{calls:?}");
    assert_eq!(target.again, Some(vec![Outcome::Busy]));
    store.end_errand(&of.id, &CallId::new("c1")).await.unwrap();
    assert_eq!(store.awaited_campaigns().await.unwrap().len(), 1, "another call is the last");
    store.end_errand(&of.id, &CallId::new("c3")).await.unwrap();
    assert!(store.awaited_campaigns().await.unwrap().is_empty());

    store.forget_campaign(&of.id).await.unwrap();
    assert_eq!(store.campaign(&of.id).await.unwrap(), None);
    assert_eq!(store.call(&CallId::new("c3")).await.unwrap().unwrap().campaign, None);
}

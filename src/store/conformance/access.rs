//! Keys, phones of accounts, and how calls to numbers of ours are held.

use tandem_actors::carrier::Number;

use super::World;
use crate::account::Account;
use crate::inbound::Profile;
use crate::store::{KEYS_MAX, Keys, Phones, Profiles, Scope};

fn ann() -> Account {
    "ann".parse().unwrap()
}

pub(in crate::store) async fn a_key_is_known_until_it_is_revoked(world: impl World<Store: Keys>) {
    let store = world.start("n1").await;
    let made = store.make_key(ann(), Scope::Read, "laptop".into()).await.unwrap();
    let (row, key) = made.unwrap();
    assert_eq!(store.key(&key).await.unwrap().as_ref(), Some(&row));
    assert_eq!(store.key_of_id(&row.id).await.unwrap().as_ref(), Some(&row));
    assert_eq!(store.key(&key[..key.len() - 1]).await.unwrap(), None);
    assert_eq!(store.keys().await.unwrap(), std::slice::from_ref(&row));
    assert_eq!(world.start("n1").await.key(&key).await.unwrap().as_ref(), Some(&row));
    assert!(store.revoke_key(row.id.clone()).await.unwrap());
    assert!(!store.revoke_key("nobody".into()).await.unwrap());
    assert_eq!(store.key(&key).await.unwrap(), None);
    assert_eq!(store.key_of_id(&row.id).await.unwrap(), None);
    assert!(store.keys().await.unwrap()[0].revoked_ms.is_some(), "its row stays");
}

pub(in crate::store) async fn an_account_has_so_many_keys(world: impl World<Store: Keys>) {
    let store = world.start("n1").await;
    for _ in 0..KEYS_MAX {
        let made = store.make_key(ann(), Scope::All, String::new()).await.unwrap();
        assert!(made.is_some());
    }
    assert!(store.make_key(ann(), Scope::All, String::new()).await.unwrap().is_none());
    let other = store.make_key(Account::house(), Scope::All, String::new()).await.unwrap();
    assert!(other.is_some(), "another account has its own");
}

pub(in crate::store) async fn every_account_has_its_own_phone_until_it_is_forgotten(
    world: impl World<Store: Phones>,
) {
    let store = world.start("n1").await;
    for number in ["+15550100", "+15550101"] {
        store.set_phone(ann(), Some(Number::new(number))).await.unwrap();
        assert_eq!(store.phone(&ann()).await.unwrap(), Some(Number::new(number)));
    }
    assert_eq!(store.phone(&Account::house()).await.unwrap(), None);
    store.set_phone(ann(), None).await.unwrap();
    assert_eq!(store.phone(&ann()).await.unwrap(), None);
}

pub(in crate::store) async fn a_number_has_its_profile_until_that_is_taken_away(
    world: impl World<Store: Profiles>,
) {
    let store = world.start("n1").await;
    let profile = |task: &str| Profile {
        task: task.to_owned(),
        personality: String::new(),
        greeting: "Hello.".to_owned(),
        voice: String::new(),
        allow: vec!["+1555*".to_owned()],
        passthrough: vec!["+1666*".to_owned()],
        pin: None,
        tools: Some(Vec::new()),
        recording_consent: None,
        hand_over: false,
    };
    let (one, two) = (Number::new("+15550101"), Number::new("+15550102"));
    store.set_inbound(two.clone(), Some((Account::house(), profile("b")))).await.unwrap();
    for task in ["first", "second"] {
        store.set_inbound(one.clone(), Some((ann(), profile(task)))).await.unwrap();
    }
    assert_eq!(store.inbound(&one).await.unwrap(), Some((ann(), profile("second"))));
    let all = store.inbound_profiles().await.unwrap();
    assert_eq!(all[0], (one.clone(), ann(), profile("second")));
    assert_eq!(all[1], (two, Account::house(), profile("b")));
    store.set_inbound(one.clone(), None).await.unwrap();
    assert_eq!(world.start("n1").await.inbound(&one).await.unwrap(), None, "in the next run");
}

//! Calls over the simulated Azure with tokens of Microsoft Entra in place of the resource's key.

use rstest::rstest;
use tandem::config::{AppIdentity, Config};
use tandem::rehearsal::azure::Registered;
use tandem::rehearsal::callee::Role;
use tandem_actors::briefing::Outcome;
use tandem_actors::record::Fact;

use crate::acs_stage::AcsStage;
use crate::stage::ending;

fn application(config: &mut Config, registered: Registered) {
    config.acs.tenant_id = registered.tenant_id;
    config.acs.client_id = registered.client_id;
    config.acs.client_secret = Some(registered.secret);
    config.acs.token_url = registered.token_url;
}

fn machine(config: &mut Config, registered: Registered) {
    config.acs.client_id = registered.machine_id;
    config.acs.token_url = registered.machine_url;
}

fn app(config: &mut Config, registered: Registered) {
    let (endpoint, header) = (registered.app_url, registered.app_header);
    config.acs.app_identity = Some(AppIdentity { endpoint, header });
}

async fn open(who: fn(&mut Config, Registered)) -> AcsStage {
    AcsStage::open_at(|config, azure| {
        let registered = azure.registered();
        config.acs.connection_string = None;
        config.acs.endpoint.clone_from(&registered.endpoint);
        who(config, registered);
    })
    .await
}

#[rstest]
#[case::an_application(application)]
#[case::a_machine(machine)]
#[case::an_app_that_azure_runs(app)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_menu_is_worked_with_one_token_for_all_orders(#[case] who: fn(&mut Config, Registered)) {
    let mut stage = open(who).await;
    let call = stage.place(Role::Menu.number()).await;
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"), "{facts:#?}");
    stage.report(&call).await;
    assert_eq!(stage.seen(&call, |_| true).await.keys, "1");
    assert_eq!(stage.azure.tokens_issued(), 1);
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gets_no_token_places_no_call_and_says_so() {
    let mut stage = open(|config, registered| {
        application(config, registered);
        config.acs.client_secret = Some("guessed".into());
    })
    .await;
    stage.place(Role::Restaurant.number()).await;
    let facts = stage.stage.finalized().await;
    assert_eq!(ending(&facts).0, Outcome::SystemError, "{facts:#?}");
    assert!(!facts.iter().any(|fact| matches!(fact, Fact::CarrierNamed(_))));
    assert!(stage.azure.calls().is_empty(), "nobody was rung");
    stage.close().await;
}

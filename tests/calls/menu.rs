//! An automatic menu stands before the human.

use tandem::config::Dialect;
use tandem_actors::briefing::Outcome;
use tandem_actors::record::{Fact, Speaker};

use crate::stage::{Stage, ending, said, verdicts};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_menu_is_worked_by_keys_and_the_human_behind_it_is_talked_to() {
    let mut stage = Stage::open().await;
    let call = stage.place("+15550107", Dialect::Acs24k).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"), "{facts:#?}");
    let verdicts = verdicts(&facts);
    assert_eq!(verdicts, [("menu", "model"), ("human", "model")]);
    assert_eq!(facts.iter().filter(|fact| matches!(fact, Fact::Keyed)).count(), 1);
    for fact in &facts {
        if let Fact::ToolAsked { name, arguments, .. } = fact
            && name == "press_keys"
        {
            assert_eq!(arguments.as_str(), "{}", "which keys is nobody's business");
        }
    }
    let callee = said(&facts, Speaker::Caller);
    assert!(callee.contains(&"Luigi's, good evening.".to_owned()), "{callee:?}");
    let report = stage.report(&call).await;
    let opening = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";
    assert_eq!(report.heard[0], opening, "nothing is said to a menu");
    stage.close().await;
}

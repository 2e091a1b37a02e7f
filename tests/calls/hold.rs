//! We are put on hold.

use tandem::config::Dialect;
use tandem_actors::briefing::Outcome;
use tandem_actors::record::Speaker;

use crate::stage::{Stage, ending, said, verdicts};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn music_is_waited_out_and_the_human_after_it_is_heard_from_the_first_word() {
    let mut stage = Stage::open().await;
    let call = stage.place("+15550108", Dialect::Acs24k).await;
    let facts = stage.finalized().await;
    assert_eq!(ending(&facts), (Outcome::Answered, "goodbye"), "{facts:#?}");
    let verdicts = verdicts(&facts);
    let expected = [("hold", "model"), ("unknown", "speech"), ("human", "model")];
    assert_eq!(verdicts, expected, "{facts:#?}");
    let callee = said(&facts, Speaker::Caller);
    let waited = "Thank you for waiting. Luigi's, good evening. How can I help you?";
    assert!(callee.contains(&waited.to_owned()), "{callee:?}");
    let report = stage.report(&call).await;
    let opening = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";
    assert_eq!(report.heard[0], opening, "nothing is said into the music");
    stage.close().await;
}

//! Every part of a call dies in the middle.

use tandem::config::Dialect;
use tandem_actors::briefing::Outcome;
use tandem_actors::call::event::Part;
use tandem_actors::exchange::Injury;
use tandem_actors::part::Fault;
use tandem_actors::record::{Fact, Speaker};

use crate::stage::{Stage, ending, said, squeezed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_hears_every_word_while_every_part_dies() {
    let mut stage = Stage::open().await;
    let call = stage.ring("+15550110", Dialect::Acs24k).await;
    let injuries = Part::ALL
        .into_iter()
        .flat_map(|part| [Injury::Part(part, Fault::Panic), Injury::FalseStart(part)])
        .chain([Injury::Pump, Injury::Call(Fault::Panic)]);
    let mut facts = Vec::new();
    for injury in injuries {
        // In the middle of whatever comes next: an answer, a tool, a turn of the caller.
        facts.extend(stage.until(|fact| !matches!(fact, Fact::Lost { .. })).await);
        assert!(stage.server.desk.exchange.injure(&call, injury));
        facts.extend(stage.until(|fact| matches!(fact, Fact::Repaired { .. })).await);
    }
    facts.extend(stage.finalized().await);
    assert_eq!(ending(&facts).0, Outcome::Answered);
    let report = stage.report(&call).await;
    assert_eq!(squeezed(&report.heard), squeezed(&said(&facts, Speaker::Agent)));
    assert_eq!((report.frames.lost, report.frames.doubled, report.frames.reordered), (0, 0, 0));
    stage.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_cannot_be_kept_alive_ends_the_call_with_a_heard_apology() {
    let mut stage = Stage::open().await;
    let call = stage.ring("+15550110", Dialect::Acs24k).await;
    stage.until(|fact| matches!(fact, Fact::Replied { .. })).await;
    for _ in 0..6 {
        let injury = Injury::Part(Part::RealtimeLink, Fault::Panic);
        assert!(stage.server.desk.exchange.injure(&call, injury));
        let repaired_or_over =
            |fact: &Fact| matches!(fact, Fact::Repaired { .. } | Fact::Finalized { .. });
        stage.until(repaired_or_over).await;
    }
    let report = stage.report(&call).await;
    let last = report.heard.last().expect("something was heard");
    assert_eq!(last, tandem::clips::APOLOGY);
    stage.close().await;
}

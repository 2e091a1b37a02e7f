//! Decides when what is broken. Every injury waits for its moment in the conversation; some
//! come a little later, to hit the middle of a sentence.

use std::collections::VecDeque;
use std::time::Duration;

use tandem_actors::briefing::CallId;
use tandem_actors::call::event::Part;
use tandem_actors::exchange::{Exchange, Injury};
use tandem_actors::part::Fault;
use tandem_actors::record::Fact;

use super::Role;

/// One direction: at this moment of this call, do this.
struct Cue {
    role: Role,
    moment: Moment,
    after: Duration,
    injury: Injury,
    words: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The agent begins to answer.
    Answering,
    /// A tool is asked for.
    Asking,
    /// The human is asked to confirm.
    Confirming,
}

/// Breaks things.
pub(super) struct Director {
    cues: VecDeque<Cue>,
    /// The parts that were broken, as records name them.
    pub(super) broken: Vec<(Role, &'static str)>,
}

impl Director {
    pub(super) fn new(calm: bool) -> Self {
        let cues = if calm { VecDeque::new() } else { script() };
        Self { cues, broken: Vec::new() }
    }

    /// Whether everything in the script was done.
    pub(super) fn is_done(&self) -> bool {
        self.cues.is_empty()
    }

    /// Does what the script says for this moment; returns the words for the screen.
    pub(super) fn direct(
        &mut self,
        role: Role,
        call: &CallId,
        fact: &Fact,
        exchange: &Exchange,
    ) -> Option<&'static str> {
        let moment = moment(fact)?;
        // Each call has its own order of cues.
        let at = self.cues.iter().position(|cue| cue.role == role)?;
        if self.cues[at].moment != moment {
            return None;
        }
        let Cue { injury, after, .. } = self.cues[at];
        let (exchange, call) = (exchange.clone(), call.clone());
        drop(tokio::spawn(async move {
            tokio::time::sleep(after).await;
            exchange.injure(&call, injury);
        }));
        self.broken.push((role, name(injury)));
        self.cues.remove(at).map(|cue| cue.words)
    }
}

fn script() -> VecDeque<Cue> {
    use Moment::{Answering, Asking, Confirming};
    let ms = Duration::from_millis;
    let cue = |role, moment, after, injury, words| Cue { role, moment, after, injury, words };
    let panic = |part| Injury::Part(part, Fault::Panic);
    VecDeque::from([
        cue(Role::TaskLine, Answering, ms(500), panic(Part::RealtimeLink), "RealtimeLink panics"),
        cue(Role::TaskLine, Asking, ms(0), panic(Part::ToolRunner), "ToolRunner panics"),
        cue(Role::TaskLine, Answering, ms(500), Injury::Pump, "the audio pump panics"),
        cue(Role::TaskLine, Confirming, ms(0), panic(Part::Confirmation), "Confirmation panics"),
        cue(Role::TaskLine, Answering, ms(500), Injury::Call(Fault::Panic), "the Call panics"),
        cue(Role::Scheduled, Answering, ms(500), Injury::Model, "the model's socket is cut"),
        cue(Role::Scheduled, Answering, ms(700), panic(Part::MediaIn), "MediaIn panics"),
        cue(Role::Scheduled, Asking, ms(0), panic(Part::ToolRunner), "ToolRunner panics"),
        cue(Role::Bistro, Answering, ms(500), Injury::Model, "the model's socket is cut"),
        cue(Role::Trattoria, Answering, ms(500), Injury::Pump, "the audio pump panics"),
        cue(Role::FullHouse, Answering, ms(500), panic(Part::MediaIn), "MediaIn panics"),
        cue(Role::Chosen, Answering, ms(500), Injury::Call(Fault::Panic), "the Call panics"),
        cue(Role::Chosen, Answering, ms(500), Injury::Model, "the model's socket is cut"),
    ])
}

fn moment(fact: &Fact) -> Option<Moment> {
    match fact {
        Fact::Replied { .. } => Some(Moment::Answering),
        Fact::ToolAsked { .. } => Some(Moment::Asking),
        Fact::ConfirmationAsked { .. } => Some(Moment::Confirming),
        Fact::Lifecycle(_)
        | Fact::SubmissionUnknown
        | Fact::CarrierNamed(_)
        | Fact::Turn(_)
        | Fact::Masked { .. }
        | Fact::Restricted { .. }
        | Fact::Pressed
        | Fact::Answerer { .. }
        | Fact::Keyed
        | Fact::Recording { .. }
        | Fact::DisclosureHeard { .. }
        | Fact::HandOver { .. }
        | Fact::ToolAnswered { .. }
        | Fact::ConfirmationSettled { .. }
        | Fact::ConfirmationStep { .. }
        | Fact::ToolLate { .. }
        | Fact::Announced { .. }
        | Fact::Spoken(_)
        | Fact::BargedIn { .. }
        | Fact::Lost { .. }
        | Fact::Repaired { .. }
        | Fact::Used(_)
        | Fact::Finalized { .. } => None,
    }
}

/// The part as records name it.
fn name(injury: Injury) -> &'static str {
    match injury {
        Injury::Part(part, _) | Injury::FalseStart(part) => part.word(),
        Injury::Call(_) => "call",
        // A pump that panics takes its MediaIn along.
        Injury::Pump => "media_in",
        Injury::Model => "model",
    }
}

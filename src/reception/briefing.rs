//! What a call is told: everything of the house and of its order that it works with.

use std::time::Duration;

use jiff::Zoned;
use tandem_actors::audio::Format;
use tandem_actors::briefing::{Briefing, CallId, Limits, Recording, Text, Voicemail};
use tandem_actors::tool::Promise;

use super::{House, New, Wish};
use crate::approval::{self, SETTLED_S};
use crate::clips::Stock;
use crate::config::{self, Consent};
use crate::persona::{self, Occasion};
use crate::tool::approve;
use crate::tool::own::{self, TRANSFER_TO_HUMAN};
use crate::tool::result::{self, REPORT_RESULT};

/// Who is asked to approve something picks up by then.
const RINGING: Duration = Duration::from_secs(60);

pub(super) fn of(
    house: &House,
    clips: &Stock,
    call: &CallId,
    new: New,
    (format, recorded): (Format, bool),
) -> Briefing {
    let now = Zoned::now();
    // Of what is not recorded nothing is said.
    let recording = if recorded { new.wish.recording } else { Consent::None };
    let occasion = Occasion {
        direction: new.direction,
        task: &new.wish.task,
        manner: &new.wish.manner,
        wants_result: new.wish.result.is_some(),
        recording,
        now: &now,
    };
    let instructions = house.persona.instructions(occasion);
    let tools = allowed(&house.tools, &new.wish);
    let approves = new.wish.approval.is_some();
    let voice = Some(new.wish.manner.voice).filter(|voice| !voice.is_empty());
    Briefing {
        call: call.clone(),
        direction: new.direction,
        remote: new.remote,
        local: new.local,
        greeting: persona::greeting(new.direction),
        instructions,
        task: new.wish.task,
        voice: voice.unwrap_or_else(|| house.voice.clone()),
        format,
        tools,
        limits: limits(house, approves),
        clips: clips.of(format),
        voicemail: match new.wish.voicemail {
            config::Voicemail::LeaveMessage => Voicemail::LeaveMessage(house.persona.message()),
            config::Voicemail::HangUp => Voicemail::HangUp,
            config::Voicemail::Wait => Voicemail::Wait,
        },
        door: new.wish.door,
        discloses: house.persona.discloses_first(),
        recording: match recording {
            Consent::None => Recording::FromTheStart,
            Consent::Announced => Recording::Announced,
            Consent::Asked => Recording::Asked,
        },
        pin: house.pin.clone(),
        language: house.language.clone(),
        human: house.human.clone().filter(|_| new.wish.hand_over && !new.wish.only_asks),
        own: own::read,
        before: None,
    }
}

/// How long things may take. Who wants something approved waits for it, from the first ring on.
fn limits(house: &House, approves: bool) -> Limits {
    let usual = house.limits;
    if !approves {
        return usual;
    }
    let ringing = usual.ringing.min(RINGING);
    let total = usual.total.min(Duration::from_secs(SETTLED_S).saturating_sub(ringing));
    Limits { ringing, total, ..usual }
}

/// The tools of this call. What a call does itself is not for an order to forbid, for without it
/// nobody could hang up; but a hand-over is, and a call that only asks does nothing with whom it
/// rings.
fn allowed(all: &[Promise], wish: &Wish) -> Vec<Promise> {
    let is_own = |name: &str| own::read(name, &Text::default()).is_some();
    let is_named = |name: &String| wish.tools.as_ref().is_none_or(|named| named.contains(name));
    all.iter()
        .filter_map(|tool| match tool.name.as_str() {
            approval::TOOL => {
                wish.approval.as_ref().map(|approval| approve::promise(approval.verify))
            }
            REPORT_RESULT => wish.result.as_ref().map(|data| match wish.campaign {
                Some(_) => result::promise_of_campaign(data),
                None => result::promise(data),
            }),
            TRANSFER_TO_HUMAN if !wish.hand_over => None,
            name if wish.only_asks && own::goes_further(name) => None,
            name if is_own(name) || is_named(&tool.name) => Some(tool.clone()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::config::Dialect;
    use crate::persona::Manner;
    use crate::policy::Ordered;
    use crate::store::Part;

    #[test]
    fn a_call_that_only_asks_can_speak_report_and_hang_up() {
        let mut all = own::promises(own::House { human: true, takes_restricted: true });
        all.push(Promise { name: "create_task".to_owned(), ..all[0].clone() });
        let names = |only_asks: bool, tools: Option<Vec<String>>| {
            let wish = Wish {
                account: Account::house(),
                task: "Ask.".into(),
                manner: Manner::default(),
                hand_over: true,
                dialect: Dialect::Acs24k,
                voicemail: config::Voicemail::HangUp,
                recording: Consent::None,
                door: None,
                approval: None,
                tools,
                result: None,
                only_asks,
                part: Part::Alone,
                ordered: Ordered::Now,
                campaign: None,
            };
            allowed(&all, &wish).into_iter().map(|tool| tool.name).collect::<Vec<_>>()
        };
        let alone = ["hang_up", "report_answerer", "press_keys", "wait_on_hold"];
        assert_eq!(names(true, Some(Vec::new())), alone);
        assert_eq!(names(false, None).len(), all.len());
        assert_eq!(names(true, None).len(), all.len() - 2, "whatever else it may use");
    }
}

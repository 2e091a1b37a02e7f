//! What a call is told: everything of the house and of its order that it works with.

use jiff::Zoned;
use serde_json::Value;
use tandem_actors::audio::Format;
use tandem_actors::briefing::{Briefing, CallId, Text, Voicemail};
use tandem_actors::tool::Promise;

use super::{House, New};
use crate::clips::Stock;
use crate::config;
use crate::persona::{self, Occasion};
use crate::tool::own;
use crate::tool::result::{self, REPORT_RESULT};

pub(super) fn of(
    house: &House,
    clips: &Stock,
    call: &CallId,
    new: New,
    format: Format,
) -> Briefing {
    let now = Zoned::now();
    let occasion = Occasion {
        direction: new.direction,
        task: &new.wish.task,
        opening: new.wish.opening.as_ref().map(Text::as_str),
        wants_result: new.wish.result.is_some(),
        now: &now,
    };
    let instructions = house.persona.instructions(occasion);
    Briefing {
        call: call.clone(),
        direction: new.direction,
        remote: new.remote,
        local: new.local,
        greeting: persona::greeting(new.direction),
        instructions,
        task: new.wish.task,
        voice: house.voice.clone(),
        format,
        tools: allowed(&house.tools, new.wish.tools.as_deref(), new.wish.result.as_ref()),
        limits: house.limits,
        clips: clips.of(format),
        voicemail: match new.wish.voicemail {
            config::Voicemail::LeaveMessage => Voicemail::LeaveMessage(persona::message()),
            config::Voicemail::HangUp => Voicemail::HangUp,
            config::Voicemail::Wait => Voicemail::Wait,
        },
        pin: house.pin.clone(),
        language: house.language.clone(),
        human: house.human.clone(),
        own: own::read,
    }
}

/// The tools of this call. What a call does itself is not for an order to forbid: without it
/// nobody could hang up.
fn allowed(all: &[Promise], named: Option<&[String]>, wanted: Option<&Value>) -> Vec<Promise> {
    let is_own = |name: &str| own::read(name, &Text::default()).is_some();
    let is_named = |name: &String| named.is_none_or(|named| named.contains(name));
    all.iter()
        .filter_map(|tool| match tool.name.as_str() {
            REPORT_RESULT => wanted.map(result::promise),
            name if is_own(name) || is_named(&tool.name) => Some(tool.clone()),
            _ => None,
        })
        .collect()
}

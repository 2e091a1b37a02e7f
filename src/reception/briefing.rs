//! What a call is told: everything of the house and of its order that it works with.

use jiff::Zoned;
use tandem_actors::audio::Format;
use tandem_actors::briefing::{Briefing, CallId, Voicemail};

use super::{House, New};
use crate::clips::Stock;
use crate::config;
use crate::persona::{self, Occasion};
use crate::tool::own;

pub(super) fn of(
    house: &House,
    clips: &Stock,
    call: &CallId,
    new: New,
    format: Format,
) -> Briefing {
    let now = Zoned::now();
    let occasion = Occasion { direction: new.direction, task: &new.task, now: &now };
    let instructions = house.persona.instructions(occasion);
    Briefing {
        call: call.clone(),
        direction: new.direction,
        remote: new.remote,
        local: new.local,
        greeting: persona::greeting(new.direction),
        instructions,
        task: new.task,
        voice: house.voice.clone(),
        format,
        tools: house.tools.clone(),
        limits: house.limits,
        clips: clips.of(format),
        voicemail: match new.voicemail {
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

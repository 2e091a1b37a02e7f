//! The stories, one after the other: each fails or says what it has shown.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::pbx::{Dialplan, Pbx};
use crate::phone::Phone;
use crate::say;
use crate::sound::Heard;
use crate::tandem::Tandem;
use crate::trunk::Refusals;

/// Ours, as docs/asterisk.md has it.
const OURS: &str = "+14255550123";
/// The phone, picked up by order.
pub(crate) const PHONE: &str = "+15550120";
/// A human, who picks up at once.
pub(crate) const COLLEAGUE: &str = "+15550109";

/// The reason where the PBX tells that the phone has hung up.
const HUNG_UP: &str = "caller_hung_up";

const TASK: &str = "Reserve a table for four at seven tonight, for Sam.";
const GREETING: &str = "Hello, this is your task line. What can I do for you?";

/// An Asterisk and a phone at its trunk.
pub(crate) struct World {
    pub(crate) pbx: Pbx,
    pub(crate) phone: Phone,
    pub(crate) dir: PathBuf,
}

impl World {
    pub(crate) async fn live(&mut self) -> anyhow::Result<()> {
        let tandem = Tandem::start(&self.dir, &[]).await?;
        self.somebody_rings(&tandem, "Stasis(tandem)").await?;
        self.somebody_hangs_up(&tandem).await?;
        self.a_phone_is_rung(&tandem).await?;
        self.keys_are_pressed(&tandem).await?;
        self.a_human_takes_over(&tandem).await?;
        self.pbx.dialplan(Dialplan::Dial)?;
        self.somebody_rings(&tandem, "Dial(WebSocket/tandem/…)").await?;
        self.pbx.dialplan(Dialplan::Stasis)?;
        let tandem = self.the_server_is_killed(tandem).await?;
        drop(tandem);

        let mulaw = [("TANDEM__ASTERISK__AUDIO", "asterisk8k")];
        let tandem = Tandem::start(&self.dir, &mulaw).await?;
        self.somebody_rings(&tandem, "Stasis(tandem), µ-law all the way").await?;
        drop(tandem);

        let refusals = [
            ("TANDEM__ASTERISK__ENDPOINT", "PJSIP/{number}@refusals"),
            ("TANDEM__LIMITS__RINGING_S", "4"),
        ];
        let tandem = Tandem::start(&self.dir, &refusals).await?;
        self.the_trunk_refuses(&tandem).await?;
        drop(tandem);

        let short = [("TANDEM__LIMITS__RINGING_S", "4")];
        let tandem = Tandem::start(&self.dir, &short).await?;
        self.nobody_picks_up(&tandem).await
    }

    /// The phone rings us, talks, presses keys and says goodbye.
    async fn somebody_rings(&mut self, tandem: &Tandem, how: &str) -> anyhow::Result<()> {
        let known = tandem.calls().await?;
        self.phone.dial(OURS).await?;
        self.phone.until("CALL_ESTABLISHED").await?;
        let call = tandem.newcomer(&known).await?;
        tandem.said(&call, GREETING).await?;
        self.phone.say("What is on my list?").await?;
        tandem.said(&call, "Your list is empty.").await?;
        self.phone.press("5#").await?;
        let pressed = |event: &&Value| event["kind"] == "pressed";
        let both = |events: &[Value]| events.iter().filter(pressed).count() == 2;
        tandem.until(&call, "the second key", both).await?;
        self.phone.say("Thank you, goodbye.").await?;
        ends(tandem, &call, "answered", "goodbye").await?;
        self.phone.until("CALL_CLOSED").await?;
        self.pbx.is_left_empty().await?;

        let heard = self.phone.heard_last()?;
        heard.says("the phone", &[GREETING, "Your list is empty.", "Goodbye."])?;
        let recording = tandem.recording(&call).await?;
        let caller = Heard::of(&recording, 0)?;
        caller.says("our recording, left,", &["What is on my list?", "Thank you, goodbye."])?;
        let agent = Heard::of(&recording, 1)?;
        agent.says("our recording, right,", &[GREETING, "Your list is empty.", "Goodbye."])?;
        say(&format!("✓ a phone rings: {how}; answered, goodbye; both keys of `5#` told"));
        say(&format!("    the phone heard     {}", heard.figures()));
        say(&format!("    recorded, caller    {}", caller.figures()));
        say(&format!("    recorded, agent     {}", agent.figures()));
        Ok(())
    }

    /// The phone rings us and hangs up without a word.
    async fn somebody_hangs_up(&mut self, tandem: &Tandem) -> anyhow::Result<()> {
        let known = tandem.calls().await?;
        self.phone.dial(OURS).await?;
        self.phone.until("CALL_ESTABLISHED").await?;
        let call = tandem.newcomer(&known).await?;
        tandem.said(&call, GREETING).await?;
        self.phone.hang_up().await?;
        ends(tandem, &call, "answered", HUNG_UP).await?;
        self.pbx.is_left_empty().await?;
        say(&format!("✓ a caller hangs up: answered, {HUNG_UP}; nothing is left at Asterisk"));
        Ok(())
    }

    /// `tandem place` rings the phone, which talks and hangs up.
    async fn a_phone_is_rung(&mut self, tandem: &Tandem) -> anyhow::Result<()> {
        let known = tandem.calls().await?;
        let mut place =
            tandem.place_command(PHONE, TASK).stdout(Stdio::null()).spawn().context("place")?;
        self.phone.until("CALL_INCOMING").await?;
        let call = tandem.newcomer(&known).await?;
        self.phone.pick_up().await?;
        self.phone.until("CALL_ESTABLISHED").await?;
        self.phone.say("Luigi's, good evening.").await?;
        let opening = "Hello, I am calling for Sam. Do you have a table for four at seven tonight?";
        tandem.said(&call, opening).await?;
        self.phone.hang_up().await?;
        ends(tandem, &call, "answered", HUNG_UP).await?;
        ensure!(place.wait()?.success(), "tandem place has not ended with 0");
        self.pbx.is_left_empty().await?;
        let heard = self.phone.heard_last()?;
        heard.says("the phone", &[opening])?;
        let callee = Heard::of(&tandem.recording(&call).await?, 0)?;
        callee.says("our recording, left,", &["Luigi's, good evening."])?;
        say(&format!("✓ a phone is rung by `tandem place`: answered, {HUNG_UP}; exit status 0"));
        say(&format!("    the phone heard     {}", heard.figures()));
        say(&format!("    recorded, callee    {}", callee.figures()));
        Ok(())
    }

    /// A menu is read out at the phone; the key reaches it as an event of its own.
    async fn keys_are_pressed(&mut self, tandem: &Tandem) -> anyhow::Result<()> {
        let call = tandem.place(PHONE, TASK).await?;
        self.phone.until("CALL_INCOMING").await?;
        self.phone.pick_up().await?;
        self.phone.until("CALL_ESTABLISHED").await?;
        self.phone.say("Welcome to Luigi's. Press 1 for reservations.").await?;
        let key = self.phone.until("CALL_DTMF_START").await?;
        ensure!(key["param"] == "1", "the phone got another key: {key}");
        self.phone.until("CALL_DTMF_END").await?;
        self.phone.hang_up().await?;
        ends(tandem, &call, "answered", HUNG_UP).await?;
        self.pbx.is_left_empty().await?;
        say("✓ a key pressed through ARI reaches the phone by RFC 4733: 1");
        Ok(())
    }

    /// Who rings asks for a human and talks with them when we are gone.
    async fn a_human_takes_over(&mut self, tandem: &Tandem) -> anyhow::Result<()> {
        let known = tandem.calls().await?;
        self.phone.dial(OURS).await?;
        self.phone.until("CALL_ESTABLISHED").await?;
        let call = tandem.newcomer(&known).await?;
        tandem.said(&call, GREETING).await?;
        self.phone.say("I would like to speak to a human, please.").await?;
        self.phone.until("CALL_ESTABLISHED").await?;
        ends(tandem, &call, "answered", "transferred").await?;
        let bridges = self.pbx.bridged().await?;
        ensure!(bridges == [2], "bridges of {bridges:?} channels");
        self.phone.hang_up().await?;
        self.pbx.is_left_empty().await?;
        say("✓ a human takes over: answered, transferred; both phones are in one bridge");
        Ok(())
    }

    /// The server is killed in mid-call; the next one goes on with the phone, which stays.
    async fn the_server_is_killed(&mut self, tandem: Tandem) -> anyhow::Result<Tandem> {
        let known = tandem.calls().await?;
        self.phone.dial(OURS).await?;
        self.phone.until("CALL_ESTABLISHED").await?;
        let call = tandem.newcomer(&known).await?;
        tandem.said(&call, GREETING).await?;
        drop(tandem);
        let tandem = Tandem::start(&self.dir, &[]).await?;
        let sorry = |event: &Value| event["body"]["text"].to_string().contains("cut off");
        tandem.until(&call, "an apology", |events| events.iter().any(sorry)).await?;
        self.phone.say("What is on my list?").await?;
        tandem.said(&call, "Your list is empty.").await?;
        self.phone.say("Thank you, goodbye.").await?;
        ends(&tandem, &call, "answered", "goodbye").await?;
        self.phone.until("CALL_CLOSED").await?;
        self.pbx.is_left_empty().await?;
        let heard = self.phone.heard_last()?;
        heard.says("the phone", &[GREETING, "Your list is empty.", "Goodbye."])?;
        let apology = heard.words.iter().any(|words| words.contains("cut off"));
        ensure!(apology, "the phone has heard no apology but {:?}", heard.words);
        say("✓ the server is killed with `kill -9`: the phone stays, and the next server goes on");
        say(&format!("    the phone heard     {}", heard.figures()));
        Ok(tandem)
    }

    /// What the trunk answers is the outcome.
    async fn the_trunk_refuses(&mut self, tandem: &Tandem) -> anyhow::Result<()> {
        let _trunk = Refusals::start().await?;
        for (status, outcome, reason) in [
            (486, "busy", "cause_17"),
            (600, "busy", "cause_17"),
            (603, "rejected", "cause_21"),
            (480, "no_answer", "cause_19"),
            (404, "invalid_number", "cause_1"),
            (484, "invalid_number", "cause_28"),
            (410, "invalid_number", "cause_22"),
            (503, "network_error", "cause_34"),
        ] {
            let call = tandem.place(&format!("+15550{status}"), TASK).await?;
            let ended = ends(tandem, &call, outcome, reason).await;
            ended.with_context(|| format!("the trunk answered {status}"))?;
            say(&format!("✓ the trunk answers {status}: {outcome}, {reason}"));
        }
        self.pbx.is_left_empty().await
    }

    /// The phone rings until we give up.
    async fn nobody_picks_up(&mut self, tandem: &Tandem) -> anyhow::Result<()> {
        let call = tandem.place(PHONE, TASK).await?;
        self.phone.until("CALL_INCOMING").await?;
        self.phone.until("CALL_CLOSED").await?;
        let (outcome, reason) = tandem.ended(&call).await?;
        ensure!(outcome == "no_answer", "{outcome}, {reason}");
        self.pbx.is_left_empty().await?;
        say(&format!("✓ nobody picks up: {outcome}, {reason}"));
        Ok(())
    }
}

async fn ends(tandem: &Tandem, call: &str, outcome: &str, reason: &str) -> anyhow::Result<()> {
    let ended = tandem.ended(call).await?;
    ensure!(ended == (outcome.to_owned(), reason.to_owned()), "call {call} ended as {ended:?}");
    Ok(())
}

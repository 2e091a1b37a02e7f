//! `/me/call-preferences`: how an account's calls are held unless an order says otherwise.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tandem_actors::briefing::Text;

use super::super::Desk;
use super::super::caller::{Caller, Writer};
use super::super::calls::order::checked_manner;
use super::super::problem::Problem;
use super::error::Fault;
use crate::account::Account;
use crate::persona::Manner;
use crate::store::{Archive as _, Store};

/// ClawCall's voices, and the model's that are nearest: two women, two men.
const VOICES: [(&str, &str); 4] =
    [("jessica", "marin"), ("sarah", "coral"), ("chris", "cedar"), ("eric", "ash")];

/// What an account has set; what is not set is as it is usual.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[schemars(rename = "ClawCallPreferences")]
pub(in crate::http) struct Preferences {
    /// `jessica`, `sarah`, `chris` or `eric`.
    voice: Option<String>,
    personality: Option<String>,
    greeting: Option<String>,
}

impl Preferences {
    pub(super) async fn of(store: &Store, account: &Account) -> Result<Self, Fault> {
        let kept = store.setting(&name(account)).await?;
        Ok(kept.and_then(|text| serde_json::from_str(text.as_str()).ok()).unwrap_or_default())
    }

    /// How a call is held for which an order says this.
    pub(super) fn manner(
        self,
        personality: Option<String>,
        greeting: Option<String>,
        voice: Option<&str>,
    ) -> Result<Manner, Fault> {
        let voice = voice.or(self.voice.as_deref()).map(model_voice).transpose()?;
        Ok(Manner {
            personality: personality.or(self.personality).unwrap_or_default(),
            greeting: greeting.or(self.greeting).unwrap_or_default(),
            voice: voice.unwrap_or_default().to_owned(),
        })
    }

    fn told(&self) -> Value {
        json!({
            "voice": self.voice.as_deref().unwrap_or(VOICES[0].0),
            "personality": self.personality,
            "greeting": self.greeting,
            "inbound": null,
        })
    }
}

/// Where an account's preferences are kept among the settings.
fn name(account: &Account) -> String {
    format!("preferences/{account}")
}

fn model_voice(voice: &str) -> Result<&'static str, Fault> {
    let known = VOICES.iter().find(|(name, _)| *name == voice).map(|(_, ours)| *ours);
    known.ok_or_else(|| {
        let told = "voice is jessica, sarah, chris or eric";
        Fault::new(StatusCode::BAD_REQUEST, "invalid_preferences", told)
    })
}

/// ClawCall's name of a voice of the model's; one that has none there keeps its own.
pub(super) fn their_voice(voice: &str) -> &str {
    VOICES.iter().find(|(_, ours)| *ours == voice).map_or(voice, |(name, _)| *name)
}

/// `GET /me/call-preferences`.
pub(super) async fn show(
    State(desk): State<Desk>,
    headers: HeaderMap,
) -> Result<Json<Value>, Fault> {
    let caller = Caller::of(&headers, &desk).await?;
    Ok(Json(Preferences::of(&desk.store, &caller.account).await?.told()))
}

/// `PUT /me/call-preferences`: what is given is set, what is left out stays.
pub(super) async fn set(
    State(desk): State<Desk>,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Value>, Fault> {
    let Writer(caller) = Writer::of(&headers, &desk).await?;
    let Json(body) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    if body.get("inbound").is_some_and(|inbound| !inbound.is_null()) {
        let told = "calls that ring here belong to whoever runs the server";
        return Err(Fault::new(StatusCode::FORBIDDEN, "inbound_plan_required", told));
    }
    let wanted: Preferences =
        serde_json::from_value(body).map_err(|error| Problem::body(&error.to_string()))?;
    let before = Preferences::of(&desk.store, &caller.account).await?;
    let after = Preferences {
        voice: wanted.voice.or(before.voice),
        personality: wanted.personality.or(before.personality),
        greeting: wanted.greeting.or(before.greeting),
    };
    let kept = Text(json!(after).to_string());
    let told = after.told();
    checked_manner(after.manner(None, None, None)?)?;
    desk.store.set(name(&caller.account), kept).await?;
    Ok(Json(told))
}

/// `DELETE /me/call-preferences`: everything as it is usual.
pub(super) async fn reset(
    State(desk): State<Desk>,
    headers: HeaderMap,
) -> Result<Json<Value>, Fault> {
    let Writer(caller) = Writer::of(&headers, &desk).await?;
    let usual = Preferences::default();
    desk.store.set(name(&caller.account), Text(json!(usual).to_string())).await?;
    Ok(Json(usual.told()))
}

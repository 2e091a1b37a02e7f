//! How calls to numbers of ours are held, for whoever runs the server.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tandem_actors::call::consent::{PIN_DIGITS, Pin};
use tandem_actors::carrier::Number;

use super::Desk;
use super::caller::Operator;
use super::calls::order::{
    checked_consent, checked_manner, checked_number, checked_task, checked_tools,
};
use super::problem::Problem;
use crate::account::Account;
use crate::inbound::{PinHash, Profile};
use crate::persona::Manner;
use crate::store::Profiles as _;

/// Who may ring one number: more is a matter for a system of its own.
const ALLOW_MAX: usize = 1_000;

/// Who is put through at one number: as many as people know by heart, and more.
const PASSED_MAX: usize = 100;

/// `GET /v1/inbound`.
pub(super) async fn list(
    State(desk): State<Desk>,
    Operator: Operator,
) -> Result<Json<Profiles>, Problem> {
    let all = desk.store.inbound_profiles().await?.into_iter();
    let inbound = all.map(|(number, account, profile)| view(&number, &account, profile)).collect();
    Ok(Json(Profiles { inbound }))
}

/// `GET /v1/inbound/{number}`.
pub(super) async fn show(
    State(desk): State<Desk>,
    Operator: Operator,
    Path(number): Path<String>,
) -> Result<Json<ProfileView>, Problem> {
    let number = checked_number("number", number)?;
    let (account, profile) = desk.store.inbound(&number).await?.ok_or_else(|| {
        let detail = "this number has no profile; its calls are held as the settings say";
        Problem::of(StatusCode::NOT_FOUND, "profile_not_found", detail.to_owned())
    })?;
    Ok(Json(view(&number, &account, profile)))
}

/// `PUT /v1/inbound/{number}`: replaces the whole profile; live calls stay as they are.
pub(super) async fn set(
    State(desk): State<Desk>,
    Operator: Operator,
    Path(number): Path<String>,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Json<ProfileView>, Problem> {
    let Json(mut body) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let number = checked_number("number", number)?;
    let named = body.as_object_mut().and_then(|fields| fields.remove("account"));
    let account: Account = match named {
        None => Account::house(),
        Some(name) => name.as_str().unwrap_or_default().parse().map_err(
            |error: crate::account::NoAccount| Problem::invalid("account", error.to_string()),
        )?,
    };
    let pin = body.as_object_mut().and_then(|fields| fields.remove("pin"));
    let mut profile: Profile =
        serde_json::from_value(body).map_err(|error| Problem::body(&error.to_string()))?;
    profile.pin = pin.filter(|pin| !pin.is_null()).map(checked_pin).transpose()?;
    checked_task(&profile.task)?;
    checked_tools(&desk.reception, profile.tools.clone())?;
    let Profile { personality, greeting, voice, .. } = profile.clone();
    checked_manner(Manner { personality, greeting, voice })?;
    if let Some(consent) = profile.recording_consent {
        checked_consent(&desk.reception, <&str>::from(consent).to_owned())?;
    }
    let callers =
        [("allow", &profile.allow, ALLOW_MAX), ("passthrough", &profile.passthrough, PASSED_MAX)];
    for (field, numbers, most) in callers {
        if numbers.len() > most {
            let detail = format!("{} numbers; give at most {most}", numbers.len());
            return Err(Problem::invalid(field, detail));
        }
        if let Some(wrong) = numbers.iter().find(|number| !names_callers(&desk, number)) {
            let shown: String = wrong.chars().take(20).collect();
            let detail = format!(
                "nobody rings as {shown:?}; write a number in E.164 (+15550100), or the beginning \
                 of some (+1555*)"
            );
            return Err(Problem::invalid(field, detail));
        }
    }
    let shown = view(&number, &account, profile.clone());
    desk.store.set_inbound(number, Some((account, profile))).await?;
    Ok(Json(shown))
}

/// `DELETE /v1/inbound/{number}`.
pub(super) async fn forget(
    State(desk): State<Desk>,
    Operator: Operator,
    Path(number): Path<String>,
) -> Result<StatusCode, Problem> {
    desk.store.set_inbound(checked_number("number", number)?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether somebody can ring as this. An Asterisk tells callers by whatever number they have; the
/// other carriers by E.164, and some by names that are no numbers at all.
fn names_callers(desk: &Desk, text: &str) -> bool {
    let name = text.strip_suffix('*').unwrap_or(text);
    let is_word = !text.is_empty() && !name.contains(|c: char| c == '*' || c.is_whitespace());
    let lacks_plus = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    is_word && (desk.network.asterisk.is_some() || !lacks_plus)
}

fn checked_pin(given: Value) -> Result<PinHash, Problem> {
    let pin = given.as_str().and_then(Pin::new);
    pin.as_ref().map(PinHash::of).ok_or_else(|| {
        let (least, most) = (PIN_DIGITS.start(), PIN_DIGITS.end());
        let detail = format!("give {least} to {most} figures as a text, \"0417\"");
        Problem::invalid("pin", detail)
    })
}

/// How calls to a number are held.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Profile")]
pub(super) struct ProfileView {
    number: String,
    /// Whose its calls are.
    account: String,
    /// Whether callers have to enter one; what it is nobody can tell.
    pin: bool,
    #[serde(flatten)]
    profile: Profile,
}

/// Every number that has a profile.
#[derive(Serialize, JsonSchema)]
pub(super) struct Profiles {
    inbound: Vec<ProfileView>,
}

fn view(number: &Number, account: &Account, mut profile: Profile) -> ProfileView {
    let pin = profile.pin.take().is_some();
    ProfileView { number: number.as_str().to_owned(), account: account.to_string(), pin, profile }
}

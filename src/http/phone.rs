//! The phone of whoever an account belongs to: whom an order rings that names nobody.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use tandem_actors::carrier::Number;

use super::Desk;
use super::caller::{Caller, Writer};
use super::calls::order::checked_callee;
use super::openapi::words::E164;
use super::problem::Problem;
use crate::account::Account;
use crate::store::Phones as _;

/// The phone that is rung, and who has said so: `stored` over the API, or `settings`.
async fn of(desk: &Desk, account: &Account) -> Result<Option<(Number, &'static str)>, Problem> {
    if let Some(stored) = desk.store.phone(account).await? {
        return Ok(Some((stored, "stored")));
    }
    let is_house = *account == Account::house();
    Ok(desk.target.clone().filter(|_| is_house).map(|number| (number, "settings")))
}

/// The phone of this account, if there is one.
pub(super) async fn number(desk: &Desk, account: &Account) -> Result<Option<Number>, Problem> {
    Ok(of(desk, account).await?.map(|(number, _)| number))
}

/// Whom an order rings that names nobody.
pub(super) async fn required(desk: &Desk, account: &Account) -> Result<Number, Problem> {
    number(desk, account).await?.ok_or_else(|| {
        let detail = "the order names nobody and no phone is set to ring then; add \"to\" in \
                      E.164 (+15550100), or set the phone: PUT /v1/phone, `tandem phone +…`, \
                      call.target";
        Problem::invalid("to", detail.to_owned())
    })
}

/// Whom an order rings that names nobody.
#[derive(Serialize, JsonSchema)]
pub(super) struct Phone {
    #[schemars(with = "Option<E164>")]
    number: Option<String>,
    /// Who has said so: `stored` over the API, or `settings`.
    from: Option<&'static str>,
}

fn view(found: Option<(Number, &'static str)>) -> Json<Phone> {
    let (number, from) = found.unzip();
    Json(Phone { number: number.map(|number| number.as_str().to_owned()), from })
}

/// `GET /v1/phone`.
pub(super) async fn show(State(desk): State<Desk>, caller: Caller) -> Result<Json<Phone>, Problem> {
    Ok(view(of(&desk, &caller.account).await?))
}

/// The phone to ring.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PhoneOrder")]
pub(super) struct Set {
    /// `null` forgets the one that is stored; it is not left out.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schemars(schema_with = "number_or_null")]
    number: Option<String>,
}

fn number_or_null(all: &mut SchemaGenerator) -> Schema {
    all.subschema_for::<Option<E164>>()
}

/// `PUT /v1/phone`: stores a number, which goes before the settings; `null` forgets it.
pub(super) async fn set(
    State(desk): State<Desk>,
    Writer(caller): Writer,
    body: Result<Json<Set>, JsonRejection>,
) -> Result<Json<Phone>, Problem> {
    let Json(Set { number }) = body.map_err(|rejection| Problem::unreadable(&rejection))?;
    let number = number.map(|number| checked_callee("number", number)).transpose()?;
    desk.store.set_phone(caller.account.clone(), number).await?;
    Ok(view(of(&desk, &caller.account).await?))
}

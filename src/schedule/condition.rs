//! What must hold for a call to be made: a value in the JSON that an address answers. Only read,
//! never run.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::webhook::Reach;

/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most of an answer that is read.
const BODY: usize = 256 * 1024;

/// A value somewhere, and what it must be.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is asked, by GET.
    pub url: String,
    /// Where in the answer the value is (RFC 6901).
    pub pointer: String,
    /// How it must stand to `value`.
    pub is: Is,
    /// To what.
    pub value: Value,
}

/// How one value stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
pub enum Is {
    /// The same.
    Equals,
    /// A larger number.
    Above,
    /// A smaller number.
    Below,
}

impl Condition {
    /// What is wrong with it, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.pointer.is_empty() && !self.pointer.starts_with('/') {
            return Err("its pointer must be empty or begin with / (RFC 6901)".to_owned());
        }
        if self.is != Is::Equals && !self.value.is_number() {
            return Err("above and below need a number as value".to_owned());
        }
        Ok(())
    }

    /// Whether it holds now.
    ///
    /// # Errors
    /// Why that cannot be told, in a sentence.
    pub(super) async fn holds(
        &self,
        client: &reqwest::Client,
        reach: Reach,
    ) -> Result<bool, String> {
        reach.check(&self.url)?;
        match tokio::time::timeout(PATIENCE, self.fetched(client)).await {
            Ok(answer) => self.holds_in(&answer?),
            Err(_elapsed) => Err(format!("the condition's address did not answer in {PATIENCE:?}")),
        }
    }

    async fn fetched(&self, client: &reqwest::Client) -> Result<Value, String> {
        let failed =
            |error: reqwest::Error| format!("the condition's address: {}", error.without_url());
        let mut answer = client.get(&self.url).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(format!("the condition's address answered {}", answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > BODY {
                return Err(format!("the condition's address answered more than {BODY} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body)
            .map_err(|_error| "the condition's address did not answer JSON".to_owned())
    }

    fn holds_in(&self, answer: &Value) -> Result<bool, String> {
        let pointer = &self.pointer;
        let Some(found) = answer.pointer(pointer) else {
            return Err(format!("nothing is at {pointer:.80?} in what the address answered"));
        };
        let numbers = || {
            found.as_f64().zip(self.value.as_f64()).ok_or_else(|| {
                format!("what is at {pointer:.80?} in what the address answered is no number")
            })
        };
        match self.is {
            Is::Equals => Ok(*found == self.value || same_number(found, &self.value)),
            Is::Above => numbers().map(|(found, value)| found > value),
            Is::Below => numbers().map(|(found, value)| found < value),
        }
    }
}

/// 7 and 7.0 are one number.
fn same_number(one: &Value, other: &Value) -> bool {
    one.as_f64().is_some() && one.as_f64() == other.as_f64()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("/load", Is::Above, json!(0.9), Ok(true))]
    #[case("/load", Is::Below, json!(0.9), Ok(false))]
    #[case("/load", Is::Equals, json!(0.95), Ok(true))]
    #[case("/n", Is::Equals, json!(7.0), Ok(true))]
    #[case("/state", Is::Equals, json!("down"), Ok(true))]
    #[case("/state", Is::Above, json!(1), Err(()))]
    #[case("/nowhere", Is::Equals, json!(1), Err(()))]
    fn a_value_is_held_against_another(
        #[case] pointer: &str,
        #[case] is: Is,
        #[case] value: Value,
        #[case] holds: Result<bool, ()>,
    ) {
        let answer = json!({ "load": 0.95, "n": 7, "state": "down" });
        let (url, pointer) = ("https://x.example".to_owned(), pointer.to_owned());
        let condition = Condition { url, pointer, is, value };
        assert_eq!(condition.holds_in(&answer).map_err(|_| ()), holds);
    }

    #[rstest]
    #[case("a", Is::Equals, json!(1))]
    #[case("/a", Is::Above, json!("1"))]
    fn what_could_never_hold_is_refused(
        #[case] pointer: &str,
        #[case] is: Is,
        #[case] value: Value,
    ) {
        let (url, pointer) = ("https://x.example".to_owned(), pointer.to_owned());
        assert!(Condition { url, pointer, is, value }.check().is_err());
    }
}

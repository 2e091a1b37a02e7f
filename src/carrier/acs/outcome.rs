//! What ACS's result codes mean for a call. Pure; knows neither callbacks nor requests.
//!
//! A callback's `subCode` is the more telling number: 560xxx is the SIP answer xxx of the phone
//! network on a leg we rang, 540xxx on one that rang us, 510xxx of the border controller, 10xxx
//! is ACS signalling, 5xxx and 7xxx say who in ACS ended the call. From `api-version` 2026-03-12
//! on the SIP answer is told beside them. (Microsoft's tables of call-end, PSTN and Call
//! Automation codes.)

use std::fmt;

use serde::Deserialize;
use tandem_actors::briefing::Outcome;

/// `resultInformation` of a callback. What ACS says in words is not kept, for it may name
/// numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Told {
    /// An HTTP or SIP status, 0 for a normal end.
    pub code: Option<i64>,
    /// The reason behind it.
    pub sub_code: Option<i64>,
    /// The phone network's own answer.
    pub sip_details: Option<Detail>,
    /// The cause in ISDN's words.
    pub q850_details: Option<Detail>,
}

/// A code of another network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// The number.
    pub code: Option<i64>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sip = self.sip_details.and_then(|detail| detail.code);
        let q850 = self.q850_details.and_then(|detail| detail.code);
        let parts = [("code", self.code), ("subcode", self.sub_code), ("sip", sip), ("q850", q850)];
        let mut first = true;
        for (name, code) in parts {
            let Some(code) = code else { continue };
            let gap = if first { "" } else { ", " };
            write!(f, "{gap}{name} {code}")?;
            first = false;
        }
        if first { f.write_str("no codes") } else { Ok(()) }
    }
}

/// What became of a call, or of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The outcome of a call that was never answered; one that was keeps `answered`.
    pub outcome: Outcome,
    /// One word for the record.
    pub reason: &'static str,
}

const fn means(outcome: Outcome, reason: &'static str) -> Meaning {
    Meaning { outcome, reason }
}

/// What a callback's result means for the call. Its numbers, for the record, are what
/// [`Told`] displays.
#[must_use]
pub fn of(told: &Told) -> Meaning {
    let sub_code = told.sub_code.unwrap_or_default();
    if let Some(meaning) = by_sub_code(sub_code) {
        return meaning;
    }
    // The thousands of these say whose SIP answer the rest is.
    let within = matches!(sub_code / 1_000, 510 | 540 | 560).then_some(sub_code % 1_000);
    let sip = told.sip_details.and_then(|detail| detail.code);
    let failure = [sip, within, told.code].into_iter().flatten().find(|code| *code >= FAILURES);
    match (failure, told.code) {
        (Some(failure), _) => by_sip(failure),
        (None, Some(_)) if within == Some(0) => means(Outcome::Answered, "remote_hung_up"),
        (None, Some(_)) if sub_code == 0 => means(Outcome::Cancelled, "ended_by_us"),
        (None, Some(_)) => means(Outcome::Cancelled, "ended_by_network"),
        (None, None) => means(Outcome::Failed, "failed"),
    }
}

/// HTTP's and SIP's answers from here on say that something failed.
const FAILURES: i64 = 400;

/// The numbers that mean one thing, whatever the code beside them.
fn by_sub_code(sub_code: i64) -> Option<Meaning> {
    Some(match sub_code {
        510_403 => means(Outcome::Rejected, "caller_id_not_allowed"),
        301_005 => means(Outcome::NetworkError, "media_lost"),
        10_004 => means(Outcome::NoAnswer, "no_answer"),
        10_024 => means(Outcome::Rejected, "declined"),
        5_000 | 5_300 => means(Outcome::Cancelled, "removed"),
        5_003 => means(Outcome::Cancelled, "ended_by_network"),
        7_000 => means(Outcome::Cancelled, "ended_by_us"),
        8_500..=8_999 => return by_api_code(sub_code),
        _ => return None,
    })
}

/// Codes of Call Automation itself.
fn by_api_code(code: i64) -> Option<Meaning> {
    Some(match code {
        8_538 => means(Outcome::Rejected, "declined"),
        8_539 | 8_540 => means(Outcome::Busy, "busy"),
        8_541 | 8_544 => means(Outcome::Unreachable, "unreachable"),
        8_542 => means(Outcome::Cancelled, "cancelled"),
        8_587 => means(Outcome::NoAnswer, "no_answer"),
        8_522 | 8_528 => means(Outcome::Cancelled, "call_is_over"),
        8_529 | 8_530 => means(Outcome::NetworkError, "throttled"),
        8_581 | 8_603 => means(Outcome::SystemError, "media_not_connected"),
        _ => return None,
    })
}

/// SIP answers (RFC 3261, section 21).
fn by_sip(sip: i64) -> Meaning {
    match sip {
        486 | 600 => means(Outcome::Busy, "busy"),
        480 | 408 => means(Outcome::NoAnswer, "no_answer"),
        603 | 403 => means(Outcome::Rejected, "declined"),
        404 | 484 | 604 => means(Outcome::InvalidNumber, "invalid_number"),
        410 => means(Outcome::Unreachable, "unreachable"),
        487 => means(Outcome::Cancelled, "cancelled"),
        429 => means(Outcome::NetworkError, "throttled"),
        500..=599 => means(Outcome::NetworkError, "network_error"),
        _ => means(Outcome::Failed, "failed"),
    }
}

/// What a refused order means: the HTTP status and the code in its body.
#[must_use]
pub fn of_refusal(status: u16, code: Option<&str>) -> Meaning {
    let number = code.and_then(|code| code.parse().ok());
    if let Some(meaning) = number.and_then(by_api_code) {
        return meaning;
    }
    match status {
        401 | 403 => means(Outcome::SystemError, "not_authorized"),
        404 => means(Outcome::SystemError, "not_found"),
        429 => means(Outcome::NetworkError, "throttled"),
        400..=499 => means(Outcome::SystemError, "order_refused"),
        _ => means(Outcome::Failed, "failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: i64, sub_code: i64) -> Told {
        Told { code: Some(code), sub_code: Some(sub_code), ..Told::default() }
    }

    #[test]
    fn codes_of_callbacks_mean_what_microsofts_tables_say() {
        use Outcome as O;
        for (code, sub_code, outcome, reason) in [
            (486, 560_486, O::Busy, "busy"),
            (486, 540_486, O::Busy, "busy"),
            (600, 560_600, O::Busy, "busy"),
            (486, 8_539, O::Busy, "busy"),
            (486, 8_540, O::Busy, "busy"),
            (480, 560_480, O::NoAnswer, "no_answer"),
            (408, 560_408, O::NoAnswer, "no_answer"),
            (487, 10_004, O::NoAnswer, "no_answer"),
            (408, 8_587, O::NoAnswer, "no_answer"),
            (603, 0, O::Rejected, "declined"),
            (603, 560_603, O::Rejected, "declined"),
            (403, 560_403, O::Rejected, "declined"),
            (487, 10_024, O::Rejected, "declined"),
            (603, 8_538, O::Rejected, "declined"),
            (404, 560_404, O::InvalidNumber, "invalid_number"),
            (484, 560_484, O::InvalidNumber, "invalid_number"),
            (404, 8_541, O::Unreachable, "unreachable"),
            (404, 8_544, O::Unreachable, "unreachable"),
            (487, 0, O::Cancelled, "cancelled"),
            (487, 540_487, O::Cancelled, "cancelled"),
            (487, 560_487, O::Cancelled, "cancelled"),
            (487, 8_542, O::Cancelled, "cancelled"),
            (0, 560_000, O::Answered, "remote_hung_up"),
            (0, 540_000, O::Answered, "remote_hung_up"),
            (200, 560_000, O::Answered, "remote_hung_up"),
            (0, 0, O::Cancelled, "ended_by_us"),
            (0, 7_000, O::Cancelled, "ended_by_us"),
            (0, 5_000, O::Cancelled, "removed"),
            (0, 5_300, O::Cancelled, "removed"),
            (0, 5_003, O::Cancelled, "ended_by_network"),
            (0, 5_999, O::Cancelled, "ended_by_network"),
            (403, 510_403, O::Rejected, "caller_id_not_allowed"),
            (410, 301_005, O::NetworkError, "media_lost"),
            (500, 560_500, O::NetworkError, "network_error"),
            (503, 560_503, O::NetworkError, "network_error"),
            (503, 0, O::NetworkError, "network_error"),
            (400, 8_581, O::SystemError, "media_not_connected"),
            (404, 8_522, O::Cancelled, "call_is_over"),
            (429, 8_529, O::NetworkError, "throttled"),
            (488, 560_488, O::Failed, "failed"),
            (400, 8_500, O::Failed, "failed"),
            (418, 99_999_999, O::Failed, "failed"),
            (i64::MIN, i64::MIN, O::Cancelled, "ended_by_network"),
            (i64::MAX, i64::MAX, O::Failed, "failed"),
        ] {
            assert_eq!(of(&told(code, sub_code)), means(outcome, reason), "{code}/{sub_code}");
        }
    }

    #[test]
    fn the_phone_networks_own_answer_counts_most() {
        let text = r#"{"code":0,"subCode":560480,"message":"…","sipDetails":{"code":486,"message":"Busy Here"},"q850Details":{"code":17}}"#;
        let told: Told = serde_json::from_str(text).unwrap();
        assert_eq!(of(&told), means(Outcome::Busy, "busy"));
        assert_eq!(told.to_string(), "code 0, subcode 560480, sip 486, q850 17");
        let subcode = Told { sip_details: None, ..told };
        assert_eq!(of(&subcode), means(Outcome::NoAnswer, "no_answer"));
        let unusual = Told { sip_details: Some(Detail { code: Some(200) }), ..told };
        assert_eq!(of(&unusual), means(Outcome::NoAnswer, "no_answer"));
    }

    #[test]
    fn a_callback_without_codes_tells_of_a_failure() {
        for text in ["{}", r#"{"code":null,"subCode":null,"sipDetails":null,"other":[1]}"#] {
            let told: Told = serde_json::from_str(text).unwrap();
            assert_eq!(of(&told), means(Outcome::Failed, "failed"));
            assert_eq!(told.to_string(), "no codes");
        }
    }

    #[test]
    fn refused_orders_have_outcomes_too() {
        use Outcome as O;
        for (status, code, outcome, reason) in [
            (400, Some("8500"), O::SystemError, "order_refused"),
            (401, Some("Unauthorized"), O::SystemError, "not_authorized"),
            (403, Some("7509"), O::SystemError, "not_authorized"),
            (404, Some("8522"), O::Cancelled, "call_is_over"),
            (404, None, O::SystemError, "not_found"),
            (409, Some("8519"), O::SystemError, "order_refused"),
            (412, Some("8583"), O::SystemError, "order_refused"),
            (429, None, O::NetworkError, "throttled"),
            (400, Some("8529"), O::NetworkError, "throttled"),
            (400, Some("8581"), O::SystemError, "media_not_connected"),
            (307, None, O::Failed, "failed"),
        ] {
            assert_eq!(of_refusal(status, code), means(outcome, reason), "{status} {code:?}");
        }
    }
}

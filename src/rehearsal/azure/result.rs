//! How the service says what came of a call or an order. Facts: Azure's page on result codes.

use serde_json::{Value, json};
use tandem_actors::briefing::Outcome;

/// `resultInformation`.
#[derive(Clone, Copy)]
pub(super) struct Result {
    code: u16,
    sub_code: u32,
    message: &'static str,
}

impl Result {
    pub(super) const OK: Self = Self { code: 200, sub_code: 0, message: "" };
    pub(super) const REMOTE_HUNG_UP: Self =
        Self { code: 0, sub_code: 560_000, message: "Remote party hung up." };
    pub(super) const ENDED_BY_US: Self =
        Self { code: 0, sub_code: 7_000, message: "The conversation was ended." };
    pub(super) const LEFT: Self = Self { code: 0, sub_code: 5_000, message: "The leg has left." };
    pub(super) const CANCELLED: Self =
        Self { code: 487, sub_code: 560_487, message: "Request Terminated" };
    pub(super) const CALLER_ID_NOT_ALLOWED: Self =
        Self { code: 403, sub_code: 510_403, message: "Caller id is not allowed." };
    pub(super) const NO_STREAM: Self =
        Self { code: 400, sub_code: 8_581, message: "Transport url is not valid" };

    /// What the phone network says when somebody does not come to the phone.
    pub(super) const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Busy => Self { code: 486, sub_code: 560_486, message: "Busy Here" },
            Outcome::NoAnswer => {
                Self { code: 480, sub_code: 560_480, message: "Temporarily Unavailable" }
            }
            Outcome::Rejected => Self { code: 603, sub_code: 560_603, message: "Decline" },
            Outcome::InvalidNumber => Self { code: 404, sub_code: 560_404, message: "Not Found" },
            Outcome::Cancelled => Self::CANCELLED,
            Outcome::Answered
            | Outcome::Unreachable
            | Outcome::NetworkError
            | Outcome::SystemError
            | Outcome::Failed => {
                Self { code: 500, sub_code: 560_500, message: "Server Internal Error" }
            }
        }
    }

    pub(super) fn written(self, sip: bool) -> Value {
        let mut written = json!({
            "code": self.code,
            "subCode": self.sub_code,
            "message": self.message,
        });
        if sip && self.sub_code / 1_000 == 560 && self.code != 0 {
            written["sipDetails"] = json!({ "code": self.code, "message": self.message });
        }
        written
    }
}

//! Which addresses users may have told what happens.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::webhook::Reach;

/// What is allowed beside `https` to the public internet. Unset, both are as the phones are: in a
/// rehearsal receivers are on one's own machine.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// `http` too: whoever is on the way can read what is told.
    pub allow_http: Option<bool>,
    /// Addresses of this machine and of its own networks too: whoever may use the API can have
    /// them knocked at.
    pub allow_private: Option<bool>,
}

impl Webhooks {
    /// What holds with these phones.
    pub(crate) fn reach(&self, phones: Kind) -> Reach {
        let rehearsal = phones == Kind::Rehearsal;
        Reach {
            plain: self.allow_http.unwrap_or(rehearsal),
            private: self.allow_private.unwrap_or(rehearsal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rehearsal_reaches_ones_own_machine_unless_it_is_allowed() {
        let reach = |text: &str, environment: &[(&str, &str)], kind| {
            let pairs = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            super::super::of(text, &pairs.collect()).unwrap().webhooks.reach(kind)
        };
        let (open, shut) =
            (Reach { plain: true, private: true }, Reach { plain: false, private: false });
        assert_eq!(reach("", &[], Kind::Rehearsal), open);
        assert_eq!(reach("", &[], Kind::Acs), shut);
        let text = "[webhooks]\nallow_http = false\n";
        let over = [("TANDEM__WEBHOOKS__ALLOW_PRIVATE", "true")];
        for kind in [Kind::Rehearsal, Kind::Twilio] {
            assert_eq!(reach(text, &over, kind), Reach { private: true, ..shut });
        }
    }
}

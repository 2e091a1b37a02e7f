//! TwiML: what a call at Twilio is told to do. Pure; only the verbs that are used here.
//!
//! Source: Twilio's TwiML reference for `<Connect>`, `<Stream>`, `<Dial>`, `<Number>`, `<Say>`,
//! `<Pause>`, `<Redirect>`, `<Reject>` and `<Hangup>`.

use std::fmt::Write;

use tandem_actors::carrier::{Addresses, Number};

/// How long a human's phone rings before the caller comes back to us: most people who are there
/// answer within twenty seconds, and a voicemail takes the call soon after.
const HUMAN_RINGS_S: u32 = 20;

/// How long a human's phone rings for somebody who is put straight through: as long as any phone
/// does before a voicemail takes it.
const PASSED_RINGS_S: u32 = 30;

/// How long a call is kept whose media socket we have lost: a server that was killed is back by
/// then and takes it up again. A call that we end is ended by its own order, whatever comes next.
const KEPT_S: u32 = 30;

/// Connects the caller with our media socket, both ways. The stream's address may hold no query:
/// Twilio drops it; what belongs to the call is in the path and in `parameters`.
#[must_use]
pub fn stream(media: &str, parameters: &[(&str, &str)]) -> String {
    let url = attribute(media);
    let mut inner = String::new();
    for (name, value) in parameters {
        let (name, value) = (attribute(name), attribute(value));
        write!(inner, r#"<Parameter name="{name}" value="{value}"/>"#)
            .expect("a string takes every write");
    }
    response(&format!(
        r#"<Connect><Stream url="{url}">{inner}</Stream></Connect><Pause length="{KEPT_S}"/>"#
    ))
}

/// Rings a human, tells them what the answer at `whisper` says, and puts the caller through, who
/// hears it ring until then. What became of it is posted to the call's events: that the human is
/// there (`statusCallback`), and how it ended (`action`, whose answer says what the caller hears
/// next).
#[must_use]
pub fn dial(human: &Number, caller_id: &Number, addresses: &Addresses, whisper: &str) -> String {
    let (events, from) = (attribute(&addresses.events), attribute(caller_id.as_str()));
    let (number, whisper) = (text(human.as_str()), attribute(whisper));
    response(&format!(
        r#"<Dial callerId="{from}" timeout="{HUMAN_RINGS_S}" answerOnBridge="true" action="{events}" method="POST"><Number url="{whisper}" method="POST" statusCallback="{events}" statusCallbackEvent="answered" statusCallbackMethod="POST">{number}</Number></Dial>"#
    ))
}

/// Rings a human for somebody whom we do not answer, and shows them who rings.
#[must_use]
pub fn pass_on(human: &Number) -> String {
    let number = text(human.as_str());
    response(&format!(
        r#"<Dial timeout="{PASSED_RINGS_S}" answerOnBridge="true"><Number>{number}</Number></Dial>"#
    ))
}

/// Says this.
#[must_use]
pub fn say(words: &str) -> String {
    response(&format!("<Say>{}</Say>", text(words)))
}

/// Goes on without a word.
#[must_use]
pub fn nothing() -> String {
    response("")
}

/// Says this, if anything, and asks at this address what comes next.
#[must_use]
pub fn go_on_at(words: &str, address: &str) -> String {
    let said = match words {
        "" => String::new(),
        words => format!("<Say>{}</Say>", text(words)),
    };
    response(&format!(r#"{said}<Redirect method="POST">{}</Redirect>"#, text(address)))
}

/// Says this and ends the call.
#[must_use]
pub fn say_goodbye(words: &str) -> String {
    response(&format!("<Say>{}</Say><Hangup/>", text(words)))
}

/// Does not answer: the caller hears that we are busy, and nothing is billed.
#[must_use]
pub fn reject() -> String {
    response(r#"<Reject reason="busy"/>"#)
}

/// Ends the call.
#[must_use]
pub fn hang_up() -> String {
    response("<Hangup/>")
}

fn response(verbs: &str) -> String {
    format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>"#)
}

/// Escapes for between tags. Characters that XML 1.0 has no way to write are left out.
fn text(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for letter in raw.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' => {}
            '\u{FFFE}' | '\u{FFFF}' => {}
            _ => safe.push(letter),
        }
    }
    safe
}

/// Escapes for between quotes. A line break would be read as a space.
fn attribute(raw: &str) -> String {
    text(raw).replace('\n', "&#10;").replace('\t', "&#9;").replace('\r', "&#13;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::Document;

    use super::*;

    fn addresses() -> Addresses {
        Addresses {
            media: "wss://bridge.example.com/twilio/media/c-81/n".to_owned(),
            events: "https://bridge.example.com/twilio/events/c-81/n".to_owned(),
        }
    }

    #[test]
    fn every_document_is_as_it_is_pinned() {
        let (human, own) = (Number::new("+15550120"), Number::new("+15550199"));
        let head = r#"<?xml version="1.0" encoding="UTF-8"?><Response>"#;
        let stream = stream(&addresses().media, &[("call", "c-81")]);
        assert_eq!(
            stream,
            format!(
                r#"{head}<Connect><Stream url="wss://bridge.example.com/twilio/media/c-81/n"><Parameter name="call" value="c-81"/></Stream></Connect><Pause length="30"/></Response>"#
            )
        );
        assert_eq!(
            dial(&human, &own, &addresses(), "https://bridge.example.com/twilio/whisper/w"),
            format!(
                r#"{head}<Dial callerId="+15550199" timeout="20" answerOnBridge="true" action="https://bridge.example.com/twilio/events/c-81/n" method="POST"><Number url="https://bridge.example.com/twilio/whisper/w" method="POST" statusCallback="https://bridge.example.com/twilio/events/c-81/n" statusCallbackEvent="answered" statusCallbackMethod="POST">+15550120</Number></Dial></Response>"#
            )
        );
        assert_eq!(reject(), format!(r#"{head}<Reject reason="busy"/></Response>"#));
        assert_eq!(hang_up(), format!("{head}<Hangup/></Response>"));
        let said = format!("{head}<Say>Kim &amp; Sam: &lt;2&gt; bills</Say></Response>");
        assert_eq!(say("Kim & Sam: <2> bills"), said);
        assert_eq!(nothing(), format!("{head}</Response>"));
        let at = r#"<Redirect method="POST">https://a.example/b</Redirect></Response>"#;
        assert_eq!(go_on_at("", "https://a.example/b"), format!("{head}{at}"));
        assert_eq!(go_on_at("Wait.", "https://a.example/b"), format!("{head}<Say>Wait.</Say>{at}"));
        assert_eq!(
            pass_on(&human),
            format!(
                r#"{head}<Dial timeout="30" answerOnBridge="true"><Number>+15550120</Number></Dial></Response>"#
            )
        );
        assert_eq!(say_goodbye("Bye."), format!("{head}<Say>Bye.</Say><Hangup/></Response>"));
    }

    proptest! {
        #[test]
        fn no_value_breaks_out_of_its_place(value in "[ -~äöü\n\t\r]*") {
            let written = stream(&addresses().media, &[("task", &value)]);
            let read = Document::parse(&written).unwrap();
            let parameter = read.descendants().find(|node| node.has_tag_name("Parameter"));
            prop_assert_eq!(parameter.unwrap().attribute("value"), Some(value.as_str()));
            let (to, from) = (Number::new(value.clone()), Number::new("+1"));
            let written = dial(&to, &from, &addresses(), &value);
            let read = Document::parse(&written).unwrap();
            let number = read.descendants().find(|node| node.has_tag_name("Number")).unwrap();
            prop_assert_eq!(number.children().count(), usize::from(!value.is_empty()));
        }

        #[test]
        fn every_text_makes_well_formed_xml(value in any::<String>()) {
            prop_assert!(Document::parse(&stream(&value, &[(&value, &value)])).is_ok());
            prop_assert!(Document::parse(&say(&value)).is_ok());
        }
    }
}

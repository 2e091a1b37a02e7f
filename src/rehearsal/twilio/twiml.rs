//! Reads TwiML strictly: what the documents do not show is an error here, though Twilio itself
//! forgives some of it.

use roxmltree::{Document, Node};

/// What a call does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Opens a media socket, both ways.
    Stream { url: String, parameters: Vec<(String, String)> },
    /// Rings somebody and puts the caller through.
    Dial(Dial),
    /// Says something.
    Say(String),
    /// Waits for so many seconds.
    Pause(u64),
    /// Asks at this address what comes next.
    Redirect(String),
    /// Does not answer.
    Reject,
    /// Ends the call.
    Hangup,
}

/// Whom to ring, and where what becomes of it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dial {
    pub(super) number: String,
    /// Without it that of the caller.
    pub(super) caller_id: Option<String>,
    pub(super) timeout_s: u64,
    /// What says what comes next, when that is not the next verb.
    pub(super) action: Option<String>,
    /// Where it is told that they are there, if anywhere.
    pub(super) answered: Option<String>,
    /// What says what they are told before they meet the caller.
    pub(super) whisper: Option<String>,
}

/// Why it is no TwiML.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not usable TwiML: {0}")]
pub(super) struct NotTwiml(String);

fn wrong<T>(what: impl Into<String>) -> Result<T, NotTwiml> {
    Err(NotTwiml(what.into()))
}

/// Reads a document.
pub(super) fn read(text: &str) -> Result<Vec<Verb>, NotTwiml> {
    let document = Document::parse(text).map_err(|error| NotTwiml(error.to_string()))?;
    let root = document.root_element();
    if !root.has_tag_name("Response") {
        return wrong("the root is no Response");
    }
    known(root, &[])?;
    elements(root)?.into_iter().map(verb).collect()
}

fn verb(node: Node<'_, '_>) -> Result<Verb, NotTwiml> {
    match node.tag_name().name() {
        "Connect" => {
            known(node, &[])?;
            stream(only(node, "Stream")?)
        }
        "Dial" => dial(node),
        "Say" => {
            known(node, &[])?;
            match node.text() {
                Some(words) if node.children().count() == 1 => Ok(Verb::Say(words.to_owned())),
                Some(_) | None => wrong("a Say holds words"),
            }
        }
        "Pause" => {
            known(node, &["length"])?;
            empty(node)?;
            let length = attribute(node, "length")?;
            let seconds = length.parse().ok().filter(|seconds| *seconds > 0);
            seconds.map(Verb::Pause).ok_or_else(|| NotTwiml(format!("a pause of {length}")))
        }
        "Redirect" => {
            known(node, &["method"])?;
            if attribute(node, "method")? != "POST" {
                return wrong("methods other than POST are not rehearsed");
            }
            let address = node.text().filter(|text| text.starts_with("https://"));
            address
                .map(|text| Verb::Redirect(text.to_owned()))
                .ok_or_else(|| NotTwiml("a Redirect holds an address".to_owned()))
        }
        "Reject" => {
            known(node, &["reason"])?;
            empty(node)?;
            match node.attribute("reason") {
                None | Some("busy" | "rejected") => Ok(Verb::Reject),
                Some(other) => wrong(format!("rejected with the reason {other}")),
            }
        }
        "Hangup" => {
            known(node, &[])?;
            empty(node)?;
            Ok(Verb::Hangup)
        }
        other => wrong(format!("no such verb: {other}")),
    }
}

fn stream(node: Node<'_, '_>) -> Result<Verb, NotTwiml> {
    known(node, &["url"])?;
    let url = attribute(node, "url")?;
    if !url.starts_with("wss://") || url.contains('?') {
        return wrong("a stream's url is wss:// and has no query");
    }
    let mut parameters = Vec::new();
    for parameter in elements(node)? {
        if !parameter.has_tag_name("Parameter") {
            return wrong("a stream holds parameters only");
        }
        known(parameter, &["name", "value"])?;
        let (name, value) = (attribute(parameter, "name")?, attribute(parameter, "value")?);
        if name.len() + value.len() > 500 {
            return wrong("a parameter is too long");
        }
        parameters.push((name, value));
    }
    Ok(Verb::Stream { url, parameters })
}

fn dial(node: Node<'_, '_>) -> Result<Verb, NotTwiml> {
    known(node, &["callerId", "timeout", "answerOnBridge", "action", "method"])?;
    let number = only(node, "Number")?;
    let callback = ["statusCallback", "statusCallbackEvent", "statusCallbackMethod"];
    known(number, &[&callback[..], &["url", "method"]].concat())?;
    let whisper = number.attribute("url").map(str::to_owned);
    let given = |node: Node<'_, '_>, name| node.attribute(name).map(str::to_owned);
    let (action, answered) = (given(node, "action"), given(number, "statusCallback"));
    for (address, node, method) in [
        (&action, node, "method"),
        (&answered, number, "statusCallbackMethod"),
        (&whisper, number, "method"),
    ] {
        if address.is_some() && attribute(node, method)? != "POST" {
            return wrong("methods other than POST are not rehearsed");
        }
    }
    if answered.is_some() && attribute(number, "statusCallbackEvent")? != "answered" {
        return wrong("events other than answered are not rehearsed");
    }
    let timeout = attribute(node, "timeout")?;
    let timeout_s = timeout.parse().ok().filter(|seconds| (1..=600).contains(seconds));
    Ok(Verb::Dial(Dial {
        number: number.text().unwrap_or_default().to_owned(),
        caller_id: given(node, "callerId"),
        timeout_s: timeout_s.ok_or_else(|| NotTwiml(format!("a timeout of {timeout}")))?,
        action,
        answered,
        whisper,
    }))
}

fn elements<'a, 'input>(node: Node<'a, 'input>) -> Result<Vec<Node<'a, 'input>>, NotTwiml> {
    for child in node.children() {
        let blank = child.is_text() && child.text().is_none_or(|text| text.trim().is_empty());
        if !child.is_element() && !blank {
            return wrong(format!("text inside {}", node.tag_name().name()));
        }
    }
    Ok(node.children().filter(Node::is_element).collect())
}

fn only<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Result<Node<'a, 'input>, NotTwiml> {
    match elements(node)?.as_slice() {
        [child] if child.has_tag_name(name) => Ok(*child),
        _ => wrong(format!("{} holds one {name}", node.tag_name().name())),
    }
}

fn empty(node: Node<'_, '_>) -> Result<(), NotTwiml> {
    if elements(node)?.is_empty() { Ok(()) } else { wrong("something inside an empty verb") }
}

fn known(node: Node<'_, '_>, names: &[&str]) -> Result<(), NotTwiml> {
    match node.attributes().find(|attribute| !names.contains(&attribute.name())) {
        Some(odd) => wrong(format!("{} has no {}", node.tag_name().name(), odd.name())),
        None => Ok(()),
    }
}

fn attribute(node: Node<'_, '_>, name: &str) -> Result<String, NotTwiml> {
    match node.attribute(name) {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        Some(_) | None => wrong(format!("{} needs {name}", node.tag_name().name())),
    }
}

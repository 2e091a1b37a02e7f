//! The questions, in the order they are asked, and what makes an answer usable.

use reqwest::Url;
use toml_edit::DocumentMut;

use super::terminal::{Check, NoAnswer, Terminal};
use super::{put, standing};
use crate::carrier::acs::connection::Connection;
use crate::config::{Config, Kind, is_e164};

/// OpenAI's own; what most people will use.
const MODEL: &str = "wss://api.openai.com/v1/realtime";

/// A secret that is needed: its variable, the question, and what makes it usable.
pub(super) struct Wanted {
    pub(super) name: &'static str,
    pub(super) question: &'static str,
    pub(super) whose: Whose,
    pub(super) check: Check,
}

/// Who decides what a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// We choose it, and tell the other side.
    Ours,
    /// It is given to us.
    Theirs,
}

/// Asks for the settings and puts the answers into the document.
pub(super) fn settings(
    terminal: &mut Terminal<'_>,
    document: &mut DocumentMut,
) -> Result<Kind, NoAnswer> {
    let usual = Config::default();
    let mut ask = |section: &str, key: &str, question: &str, usual: &str, check: Check| {
        let current = standing(document, section, key).unwrap_or_else(|| usual.to_owned());
        let answer = terminal.ask(question, &current, check)?;
        put(document, section, key, &answer);
        Ok::<String, NoAnswer>(answer)
    };
    let question = "Phone network (rehearsal, acs, twilio, asterisk)";
    let word = ask("carrier", "kind", question, "rehearsal", |word| kind(word).map(drop))?;
    let kind = kind(&word).unwrap_or(Kind::Rehearsal);
    if kind != Kind::Rehearsal {
        ask("carrier", "number", "Our number, E.164 (+14255550123)", "", number)?;
        let question = "A human's number for hand-overs, E.164; empty for nobody";
        ask("carrier", "human", question, "", number_or_none)?;
    }
    if matches!(kind, Kind::Acs | Kind::Twilio) {
        ask("http", "public_url", "Public https:// address of the carriers' door", "", https)?;
    }
    if kind == Kind::Twilio {
        ask("twilio", "account_sid", "Twilio account SID", "", account)?;
        let question = "Twilio API key SID; empty to make requests with the auth token";
        ask("twilio", "api_key", question, "", key_or_none)?;
    }
    if kind == Kind::Asterisk {
        ask("asterisk", "ari_url", "Asterisk REST (ARI)", "http://127.0.0.1:8088/ari", http)?;
        ask("asterisk", "user", "ARI user", &usual.asterisk.user, something)?;
        ask("asterisk", "endpoint", "What to dial", &usual.asterisk.endpoint, endpoint)?;
    }
    let simulated = if kind == Kind::Rehearsal { "" } else { MODEL };
    let question = "Speech model, wss:// address; empty for the simulated one";
    if !ask("model", "url", question, simulated, socket)?.is_empty() {
        ask("model", "name", "Model (on Azure the deployment)", &usual.model.name, something)?;
        ask("model", "voice", "Voice", &usual.model.voice, something)?;
        ask("model", "auth", "How the key is sent (bearer, api-key)", "bearer", auth)?;
    }
    Ok(kind)
}

/// The secrets that these settings need.
pub(super) fn secrets(document: &DocumentMut, kind: Kind) -> Vec<Wanted> {
    use Whose::{Ours, Theirs};
    let mut wanted = Vec::new();
    let is_set = |section, key| standing(document, section, key).is_some_and(|it| !it.is_empty());
    let mut want =
        |name, question, whose, check| wanted.push(Wanted { name, question, whose, check });
    match kind {
        Kind::Rehearsal => {}
        Kind::Acs => {
            if !is_set("acs", "endpoint") {
                want("TANDEM__ACS__CONNECTION_STRING", "ACS connection string", Theirs, connection);
            } else if is_set("acs", "tenant_id") {
                let question = "Secret of the application at Microsoft Entra";
                want("TANDEM__ACS__CLIENT_SECRET", question, Theirs, something);
            }
            let question = "A secret of your choice for the path of the Event Grid webhook";
            want("TANDEM__ACS__EVENTS_SECRET", question, Ours, path_secret);
        }
        Kind::Twilio => {
            let question = "Twilio auth token, the primary one";
            want("TANDEM__TWILIO__AUTH_TOKEN", question, Theirs, something);
            if is_set("twilio", "api_key") {
                let question = "Secret of the Twilio API key";
                want("TANDEM__TWILIO__API_SECRET", question, Theirs, something);
            }
        }
        Kind::Asterisk => {
            want("TANDEM__ASTERISK__PASSWORD", "ARI password", Theirs, something);
            let question = "A secret of your choice that its media sockets show";
            want("TANDEM__ASTERISK__MEDIA_SECRET", question, Ours, something);
        }
    }
    if is_set("model", "url") {
        want("TANDEM__MODEL__KEY", "Key of the model", Theirs, something);
    }
    wanted
}

/// What is to be done elsewhere for these settings to work.
pub(super) fn outside(document: &DocumentMut, kind: Kind) -> Vec<String> {
    let url = standing(document, "http", "public_url").unwrap_or_default();
    let door = standing(document, "http", "carriers")
        .unwrap_or_else(|| Config::default().http.carriers.to_string());
    let proxy = format!("  have a reverse proxy or tunnel pass {url} on to http://{door}");
    match kind {
        Kind::Rehearsal => Vec::new(),
        Kind::Acs => vec![
            proxy,
            format!(
                "  in Azure, send the resource's IncomingCall events (Event Grid, webhook) to \
                 {url}/acs/incoming/ and your secret, once the server runs"
            ),
        ],
        Kind::Twilio => vec![
            proxy,
            format!(
                "  at Twilio, set the number's \"A call comes in\" to the webhook \
                 {url}/twilio/incoming, HTTP POST"
            ),
        ],
        Kind::Asterisk => vec![format!(
            "  in Asterisk, make the connection to ws://{door}/asterisk/media (docs/asterisk.md)"
        )],
    }
}

fn kind(word: &str) -> Result<Kind, String> {
    match word {
        "rehearsal" => Ok(Kind::Rehearsal),
        "acs" => Ok(Kind::Acs),
        "twilio" => Ok(Kind::Twilio),
        "asterisk" => Ok(Kind::Asterisk),
        _ => Err("one of rehearsal, acs, twilio, asterisk".to_owned()),
    }
}

fn number(answer: &str) -> Result<(), String> {
    is_e164(answer).then_some(()).ok_or_else(|| "write it like +14255550123".to_owned())
}

fn number_or_none(answer: &str) -> Result<(), String> {
    if answer.is_empty() { Ok(()) } else { number(answer) }
}

fn https(answer: &str) -> Result<(), String> {
    let is_bare = Url::parse(answer)
        .is_ok_and(|url| url.scheme() == "https" && url.path() == "/" && url.query().is_none());
    (is_bare && !answer.ends_with('/'))
        .then_some(())
        .ok_or_else(|| "write it like https://bridge.example.com, without a path".to_owned())
}

fn http(answer: &str) -> Result<(), String> {
    let good = Url::parse(answer).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    good.then_some(()).ok_or_else(|| "write it like http://127.0.0.1:8088/ari".to_owned())
}

fn socket(answer: &str) -> Result<(), String> {
    let good = Url::parse(answer).is_ok_and(|url| matches!(url.scheme(), "ws" | "wss"));
    (good || answer.is_empty()).then_some(()).ok_or_else(|| format!("write it like {MODEL}"))
}

fn auth(answer: &str) -> Result<(), String> {
    let good = matches!(answer, "bearer" | "api-key");
    good.then_some(()).ok_or_else(|| "bearer (OpenAI) or api-key (Azure)".to_owned())
}

fn endpoint(answer: &str) -> Result<(), String> {
    let good = answer.contains("{number}");
    good.then_some(()).ok_or_else(|| "{number} must stand where the number goes".to_owned())
}

/// Twilio: `AC` and 32 hexadecimal digits.
fn account(answer: &str) -> Result<(), String> {
    sid("AC", answer)
}

/// `SK` and 32 hexadecimal digits.
fn key_or_none(answer: &str) -> Result<(), String> {
    if answer.is_empty() { Ok(()) } else { sid("SK", answer) }
}

fn sid(kind: &str, answer: &str) -> Result<(), String> {
    let digits = answer.strip_prefix(kind).unwrap_or_default();
    let good = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let told = || format!("{kind} and 32 hexadecimal digits, from the console");
    good.then_some(()).ok_or_else(told)
}

fn something(answer: &str) -> Result<(), String> {
    if answer.is_empty() { Err("it cannot be empty".to_owned()) } else { Ok(()) }
}

fn connection(answer: &str) -> Result<(), String> {
    Connection::parse(&answer.into()).map(drop).map_err(|error| error.to_string())
}

/// It stands in an address, and is all that keeps strangers out.
fn path_secret(answer: &str) -> Result<(), String> {
    let plain = answer.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let good = plain && answer.len() >= 24;
    good.then_some(()).ok_or_else(|| "24 or more letters, digits, - and _".to_owned())
}

//! The questions, in the order they are asked, and what makes an answer usable.

use reqwest::Url;
use toml_edit::DocumentMut;

use super::terminal::{Check, NoAnswer, Terminal};
use super::{put, standing};
use crate::config::{Config, Kind, is_e164, something};

/// OpenAI's own; what most people will use.
const MODEL: &str = "wss://api.openai.com/v1/realtime";

/// Asks for the settings and puts the answers into the document.
pub(super) fn settings(
    terminal: &mut Terminal<'_>,
    document: &mut DocumentMut,
) -> Result<(), NoAnswer> {
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
    Ok(())
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

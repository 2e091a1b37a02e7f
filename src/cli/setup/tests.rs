//! Whole conversations, piped in.

use std::io::Cursor;

use tempfile::TempDir;

use super::*;
use crate::config::Kind;

const ENDPOINT: &str = "endpoint=https://line.communication.azure.com/;accesskey=c2VjcmV0";

struct Desk {
    dir: TempDir,
    place: Place,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Place {
            settings: dir.path().join("tandem.toml"),
            secrets: dir.path().join("tandem.env"),
            environment: BTreeMap::new(),
        };
        Self { dir, place }
    }

    fn answer(&self, lines: &[&str]) -> (anyhow::Result<()>, String) {
        let mut input =
            Cursor::new(lines.iter().map(|line| format!("{line}\n")).collect::<String>());
        let mut output = Vec::new();
        let done = converse(&mut input, &mut output, Hiding::Piped, &self.place);
        (done, String::from_utf8(output).unwrap())
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.dir.path()).unwrap().count()
    }
}

#[test]
fn an_empty_answer_to_everything_is_a_rehearsal_that_loads() {
    let desk = Desk::new();
    let (done, shown) = desk.answer(&["", "", ""]);
    done.unwrap();
    let text = files::read(&desk.place.settings).unwrap();
    let config = config::of(&text, &BTreeMap::new()).unwrap();
    assert_eq!(config.carrier.kind, Kind::Rehearsal);
    assert!(shown.contains("Written") && shown.contains("check"), "{shown}");
    assert_eq!(desk.files(), 1, "a rehearsal has no secrets");
}

#[test]
fn wrong_answers_are_told_and_asked_for_again() {
    let desk = Desk::new();
    let (sid, key) = (format!("AC{}", "0".repeat(32)), format!("SK{}", "0".repeat(32)));
    let (done, shown) = desk.answer(&[
        "phone",
        "twilio",
        "555",
        "+14255550123",
        "",
        "http://a",
        "https://a/b",
        "https://a.example",
        "AC12",
        &sid,
        &sid,
        &key,
        "openai.com",
        "",
        "",
        "",
        "basic",
        "",
        "yes",
        "",
        "token-1",
        "secret-1",
        "key-1",
        "yes",
    ]);
    done.unwrap();
    for told in [
        "one of rehearsal",
        "like +1425",
        "without a path",
        "AC and 32 hex",
        "SK and 32 hex",
        "cannot be empty",
    ] {
        assert!(shown.contains(told), "{told:?} is not in {shown}");
    }
    let kept = files::read(&desk.place.secrets).unwrap();
    assert!(kept.contains("TANDEM__TWILIO__API_SECRET='secret-1'"), "{kept}");
    let text = files::read(&desk.place.settings).unwrap();
    assert!(text.contains("[carrier]") && text.contains("kind = \"twilio\""), "{text}");
    assert!(text.contains("public_url = \"https://a.example\""), "{text}");
}

#[test]
fn twilio_without_an_api_key_is_written_so_that_the_server_takes_it() {
    let desk = Desk::new();
    let sid = format!("AC{}", "0".repeat(32));
    let network = ["twilio", "+14255550123", "", "https://a.example", &sid, ""];
    let model = ["", "", "", ""];
    let secrets = ["yes", "token-1", "key-1", "yes"];
    let (done, shown) = desk.answer(&[&network[..], &model, &secrets].concat());
    done.unwrap();
    assert!(!shown.contains("Secret of the Twilio API key"), "{shown}");
    let text = files::read(&desk.place.settings).unwrap();
    let kept = files::read(&desk.place.secrets).unwrap();
    let pairs = kept.lines().filter_map(|line| line.split_once('='));
    let environment: BTreeMap<String, String> =
        pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect();
    assert_eq!(environment["TANDEM__TWILIO__AUTH_TOKEN"], "token-1");
    assert!(!environment.contains_key("TANDEM__TWILIO__API_SECRET"), "{kept}");
    let config = config::of(&text, &environment).unwrap();
    assert_eq!((config.carrier.kind, config.twilio.account_sid), (Kind::Twilio, sid));
    assert!(config.twilio.api_key.is_empty() && config.twilio.api_secret.is_none());
    assert!(config.twilio.auth_token.is_some() && config.model.key.is_some());
}

#[test]
fn secrets_are_in_a_file_of_ones_own_and_nowhere_else() {
    let desk = Desk::new();
    std::fs::write(&desk.place.secrets, "OTHER=kept\nTANDEM__MODEL__KEY='old'\n").unwrap();
    let chosen = "webhook-path-secret-of-mine";
    let (done, shown) = desk.answer(&[
        "acs",
        "+14255550123",
        "",
        "https://a.example",
        "",
        "",
        "",
        "",
        "yes",
        "endpoint=x",
        ENDPOINT,
        "short",
        chosen,
        "it's a key",
        "yes",
    ]);
    done.unwrap();
    let text = files::read(&desk.place.settings).unwrap();
    let kept = files::read(&desk.place.secrets).unwrap();
    for secret in ["c2VjcmV0", chosen, "it's a key"] {
        assert!(!text.contains(secret) && !shown.contains(secret), "{secret} is shown");
    }
    assert!(kept.contains("OTHER=kept\n") && !kept.contains("old"), "{kept}");
    assert!(kept.contains(&format!("TANDEM__ACS__CONNECTION_STRING='{ENDPOINT}'\n")), "{kept}");
    assert!(kept.contains(r"TANDEM__MODEL__KEY='it'\''s a key'"), "{kept}");
    let mode = std::fs::metadata(&desk.place.secrets).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    assert!(shown.contains("set -a; . "), "{shown}");
}

#[test]
fn a_secret_of_the_environment_is_not_asked_for() {
    let mut desk = Desk::new();
    let has = [
        ("TANDEM__ASTERISK__PASSWORD", "a"),
        ("TANDEM__ASTERISK__MEDIA_SECRET", "b"),
        ("TANDEM__MODEL__KEY_FILE", "/dev/null"),
    ];
    desk.place.environment =
        has.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (done, _) =
        desk.answer(&["asterisk", "+14255550123", "", "", "", "", "", "", "", "", "yes"]);
    done.unwrap();
    assert_eq!(desk.files(), 1);
}

#[test]
fn a_file_that_is_there_is_kept_beside_and_its_other_settings_stay() {
    let desk = Desk::new();
    let before = "# ours\n[limits]\ncalls = 7 # few\n\n[model]\nurl = \"\"\n";
    std::fs::write(&desk.place.settings, before).unwrap();
    let (done, shown) = desk.answer(&["", "", ""]);
    done.unwrap();
    assert!(shown.contains("Nothing was written"), "replaced without being told to");
    assert_eq!(files::read(&desk.place.settings).unwrap(), before);

    desk.answer(&["", "", "yes"]).0.unwrap();
    let text = files::read(&desk.place.settings).unwrap();
    assert!(text.contains("# ours\n[limits]\ncalls = 7 # few\n"), "{text}");
    assert!(text.contains("kind = \"rehearsal\""), "{text}");
    assert_eq!(files::read(&desk.dir.path().join("tandem.toml.bak")).unwrap(), before);
}

#[test]
fn an_input_that_ends_and_a_file_that_is_wrong_leave_everything_as_it_was() {
    let desk = Desk::new();
    let error = desk.answer(&["twilio", "+14255550123"]).0.unwrap_err().to_string();
    assert!(error.contains("input ended") && desk.files() == 0, "{error}");

    std::fs::write(&desk.place.settings, "[limits]\ncals = 7\n").unwrap();
    let error = format!("{:#}", desk.answer(&["", "", "yes"]).0.unwrap_err());
    assert!(error.contains("did you mean `calls`"), "{error}");
    assert_eq!(desk.files(), 1);
}

#[test]
fn a_secret_that_stands_there_is_kept_and_one_of_our_own_is_made_up() {
    let desk = Desk::new();
    std::fs::write(&desk.place.secrets, "TANDEM__ASTERISK__PASSWORD='old'\n").unwrap();
    let answers = ["asterisk", "+14255550123", "", "", "", "", "", "", "", "", "yes", "", "", "k"];
    let (done, shown) = desk.answer(&[&answers[..], &["yes"]].concat());
    done.unwrap();
    assert!(shown.contains("empty keeps the one") && shown.contains("empty makes one up"));
    let kept = files::read(&desk.place.secrets).unwrap();
    assert!(kept.contains("PASSWORD='old'\n"), "{kept}");
    let made = kept.split("MEDIA_SECRET='").nth(1).and_then(|rest| rest.split('\'').next());
    assert_eq!(made.unwrap().len(), 32, "{kept}");
    assert!(!shown.contains(made.unwrap()));
}

#[test]
fn what_is_left_to_do_can_be_typed_as_it_stands() {
    let place = Place {
        settings: "tandem.toml".into(),
        secrets: "tandem.env".into(),
        environment: BTreeMap::new(),
    };
    let given: [Given; 1] = [("TANDEM__TWILIO__AUTH_TOKEN", "token-1".to_owned().into())];
    let of = |kind: Kind| {
        let word = kind.word();
        let text = format!(
            "[carrier]\nkind = \"{word}\"\n[http]\npublic_url = \"https://a.example\"\n\
             carriers = \"127.0.0.1:9\"\n"
        );
        config::read(&text, &BTreeMap::new()).unwrap()
    };
    let lines = |kind| next(&of(kind), &given, &place).join("\n");
    let twilio = lines(Kind::Twilio);
    // A shell would look for `tandem.env` among its programs.
    assert!(twilio.contains("\n  set -a; . ./tandem.env; set +a\n  tandem check\n"), "{twilio}");
    assert!(twilio.contains("https://a.example/twilio/incoming\n    HTTP: HTTP POST"), "{twilio}");
    assert!(twilio.contains("https://a.example on to http://127.0.0.1:9, "), "{twilio}");
    assert!(lines(Kind::Acs).contains("https://a.example/acs/incoming/"));
    assert!(lines(Kind::Asterisk).contains("wss://a.example/asterisk/media"));
    assert_eq!(next(&of(Kind::Rehearsal), &[], &place).len(), 4);
}

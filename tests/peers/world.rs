//! The simulated services by themselves, for peers that are not ours: says in one line of JSON
//! where they are, then does what each line of its input asks and answers with one line. Ends
//! with its input.
//!
//! A Tandem for the simulated Azure is served here too: without TLS, which the program insists on.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tandem::config::{Config, Kind};
use tandem::rehearsal::azure::Azure;
use tandem::rehearsal::realtime::{Behaviour, RealtimeServer};
use tandem::rehearsal::twilio::{Settings, TwilioNetwork};
use tandem::server::Server;
use tandem_actors::carrier::Number;
use tempfile::TempDir;

const NUMBER: &str = "+14255550199";
const ACCOUNT: &str = "AC00000000000000000000000000000000";
const AUTH_TOKEN: &str = "12345678901234567890123456789012";
/// Nothing is there: the simulated Twilio goes through the tunnel that it is told of.
const PUBLIC: &str = "https://bridge.example.com";

struct World {
    azure: Azure,
    twilio: TwilioNetwork,
    model: RealtimeServer,
    tandem: Option<(Server, TempDir)>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings {
        account: ACCOUNT.to_owned(),
        auth_token: AUTH_TOKEN.to_owned().into(),
        api_key: None,
        number: NUMBER.to_owned(),
        public_url: PUBLIC.to_owned(),
    };
    let mut world = World {
        azure: Azure::start(Number::new(NUMBER)).await?,
        twilio: TwilioNetwork::start(settings).await?,
        model: RealtimeServer::start(Behaviour::default(), None).await?,
        tandem: None,
    };
    say(&world.card())?;
    // This thread may wait: the services run on those of the runtime.
    for line in std::io::stdin().lines() {
        let answer = match world.obey(&line?).await {
            Ok(answer) => json!({ "ok": answer }),
            Err(error) => json!({ "error": format!("{error:#}") }),
        };
        say(&answer)?;
    }
    Ok(())
}

impl World {
    fn card(&self) -> Value {
        let Self { azure, twilio, model, .. } = self;
        json!({
            "number": NUMBER,
            "azure": {
                "connection_string": azure.connection_string().expose_secret(),
                "issuer": azure.issuer(),
                "keys_url": azure.keys_url(),
                "audience": azure.audience(),
            },
            "twilio": {
                "api_url": twilio.api_url(),
                "account": ACCOUNT,
                "auth_token": AUTH_TOKEN,
                "public_url": PUBLIC,
            },
            "model": { "url": model.url(), "key": model.key() },
        })
    }

    async fn obey(&mut self, line: &str) -> anyhow::Result<Value> {
        let (order, what) = line.split_once(' ').context("an order and what it is about")?;
        match order {
            "subscribe" => self.azure.subscribe(what).await?,
            "ring-azure" => drop(self.azure.ring(&[Number::new(what)]).await),
            "serve-azure" => return self.serve(what).await,
            "lead-twilio-to" => self.twilio.lead_to(what.parse()?),
            "ring-twilio" => return Ok(json!(self.twilio.ring_in(what))),
            _ => bail!("no such order"),
        }
        Ok(Value::Null)
    }
}

impl World {
    /// Starts a Tandem whom Azure reaches at the first word's address, and whose model is at the
    /// second's; the third is the secret of its webhook.
    async fn serve(&mut self, what: &str) -> anyhow::Result<Value> {
        let [public, model, secret] = what.split(' ').collect::<Vec<_>>()[..] else {
            bail!("two addresses and a secret");
        };
        let (azure, dir) = (&self.azure, tempfile::tempdir()?);
        let mut config = Config::default();
        config.store.dir = dir.path().to_owned();
        config.http.listen = "127.0.0.1:0".parse()?;
        config.http.carriers = config.http.listen;
        config.http.public_url = format!("http://{public}");
        config.carrier.kind = Kind::Acs;
        config.policy.hours = Some("always".to_owned());
        config.policy.attempts_per_day = Some(0);
        NUMBER.clone_into(&mut config.carrier.number);
        config.acs.connection_string = Some(azure.connection_string());
        config.acs.events_secret = Some(secret.to_owned().into());
        azure.issuer().clone_into(&mut config.acs.issuer);
        config.acs.keys_url = azure.keys_url();
        config.model.url = format!("ws://{model}/v1/realtime");
        config.model.key = Some(self.model.key().to_owned().into());
        let server = Server::start(&config).await?;
        let served = json!({ "api": server.url(), "door": server.carriers });
        self.tandem = Some((server, dir));
        Ok(served)
    }
}

fn say(line: &Value) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

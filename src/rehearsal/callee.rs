//! People to talk to: scripts that drive a phone. What they know of the other side they have
//! heard on it, and what they say follows from that alone.

mod approver;
mod asker;
mod curious;
mod customer;
mod hold;
mod interrupter;
mod machine;
mod menu;
mod offers;
mod restaurant;
mod talk;
mod task_caller;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tandem_actors::briefing::Outcome;
use tandem_actors::carrier::Number;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::phone::{Dialled, Phone, PhoneAccount, PhoneError, Probe, Seat, Sound};
use super::speech::{Speech, Voice};
use approver::By;
use talk::Talk;

/// Who somebody is, and how they behave on the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Luigi's: takes a reservation.
    Restaurant,
    /// The line is engaged.
    Busy,
    /// Nobody is at home.
    NoAnswer,
    /// Declines the call.
    Rejects,
    /// An answering machine: a greeting, a tone, silence.
    Voicemail,
    /// Picks up and never says a word.
    Silent,
    /// Speaks while the other side does.
    Interrupter,
    /// An automatic menu, behind it the restaurant.
    Menu,
    /// The restaurant again, after a wait with music.
    OnHold,
    /// A colleague of ours, for hand-overs.
    Colleague,
    /// Rings us and manages a list of tasks.
    TaskCaller,
    /// Rings us and wants a human.
    Asker,
    /// Rings us, has something found out and talks on meanwhile.
    Curious,
    /// Rings us and cancels a booking.
    Customer,
    /// A restaurant that is cheap and has a table at nine only.
    Bistro,
    /// A restaurant that is dearer, has a table at seven and holds it.
    Trattoria,
    /// A restaurant without a free table.
    FullHouse,
    /// Accepts what they are asked to.
    Approver,
    /// Declines it.
    Decliner,
    /// Accepts it with a PIN on the keypad.
    PinHolder,
}

impl Role {
    /// Everybody, in the order of their numbers.
    pub const ALL: [Self; 20] = [
        Self::Restaurant,
        Self::Busy,
        Self::NoAnswer,
        Self::Rejects,
        Self::Voicemail,
        Self::Silent,
        Self::Interrupter,
        Self::Menu,
        Self::OnHold,
        Self::Colleague,
        Self::TaskCaller,
        Self::Asker,
        Self::Curious,
        Self::Customer,
        Self::Bistro,
        Self::Trattoria,
        Self::FullHouse,
        Self::Approver,
        Self::Decliner,
        Self::PinHolder,
    ];

    /// Their number, out of those that the North American plan keeps for fiction.
    #[must_use]
    pub const fn number(self) -> &'static str {
        match self {
            Self::Restaurant => "+15550100",
            Self::Busy => "+15550101",
            Self::NoAnswer => "+15550102",
            Self::Rejects => "+15550103",
            Self::Voicemail => "+15550104",
            Self::Silent => "+15550105",
            Self::Interrupter => "+15550106",
            Self::Menu => "+15550107",
            Self::OnHold => "+15550108",
            Self::Colleague => "+15550109",
            Self::TaskCaller => "+15550110",
            Self::Asker => "+15550111",
            Self::Curious => "+15550112",
            Self::Customer => "+15550113",
            Self::Bistro => "+15550120",
            Self::Trattoria => "+15550121",
            Self::FullHouse => "+15550122",
            Self::Approver => "+15550130",
            Self::Decliner => "+15550131",
            Self::PinHolder => "+15550132",
        }
    }

    /// Who that is, for people.
    #[must_use]
    pub const fn who(self) -> &'static str {
        match self {
            Self::Restaurant => "a restaurant",
            Self::Busy => "busy",
            Self::NoAnswer => "nobody",
            Self::Rejects => "rejects",
            Self::Voicemail => "a voicemail",
            Self::Silent => "never speaks",
            Self::Interrupter => "interrupts",
            Self::Menu => "an automatic menu",
            Self::OnHold => "a wait with music",
            Self::Colleague => "a colleague, for hand-overs",
            Self::TaskCaller => "keeps a list of tasks",
            Self::Asker => "wants a human",
            Self::Curious => "has something found out",
            Self::Customer => "cancels a booking",
            Self::Bistro => "a cheap restaurant",
            Self::Trattoria => "a dear restaurant",
            Self::FullHouse => "a full restaurant",
            Self::Approver => "accepts what is to be approved",
            Self::Decliner => "declines it",
            Self::PinHolder => "accepts it with the PIN 04170417",
        }
    }

    /// Who has this number.
    #[must_use]
    pub fn at(number: &Number) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.number() == number.as_str())
    }

    /// What they say when they come into a call of others.
    pub(super) const fn greeting(self) -> &'static str {
        match self {
            Self::Colleague => "Hello, this is the colleague.",
            Self::Restaurant
            | Self::Busy
            | Self::NoAnswer
            | Self::Rejects
            | Self::Voicemail
            | Self::Silent
            | Self::Interrupter
            | Self::Menu
            | Self::OnHold
            | Self::TaskCaller
            | Self::Asker
            | Self::Curious
            | Self::Customer
            | Self::Bistro
            | Self::Trattoria
            | Self::FullHouse
            | Self::Approver
            | Self::Decliner
            | Self::PinHolder => "",
        }
    }

    /// What happens when they are rung, and after how long.
    const fn when_rung(self) -> (Duration, Answer) {
        match self {
            Self::Restaurant
            | Self::Silent
            | Self::Interrupter
            | Self::Menu
            | Self::OnHold
            | Self::Colleague
            | Self::TaskCaller
            | Self::Asker
            | Self::Curious
            | Self::Customer
            | Self::Bistro
            | Self::Trattoria
            | Self::FullHouse
            | Self::Approver
            | Self::Decliner
            | Self::PinHolder => (Duration::from_secs(1), Answer::PicksUp),
            Self::Voicemail => (Duration::from_secs(3), Answer::PicksUp),
            Self::Busy => (Duration::from_millis(300), Answer::Refuses(Outcome::Busy)),
            Self::NoAnswer => (Duration::from_secs(20), Answer::Refuses(Outcome::NoAnswer)),
            Self::Rejects => (Duration::from_secs(2), Answer::Refuses(Outcome::Rejected)),
        }
    }
}

/// What came of ringing somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// They are on the phone.
    PicksUp,
    /// They are not.
    Refuses(Outcome),
}

/// Rings whoever has the number, for as long as it takes.
pub async fn ring(number: &Number) -> Answer {
    let (after, answer) = Role::at(number).map_or(NOBODY, Role::when_rung);
    sleep(after).await;
    answer
}

/// A number that nobody has.
const NOBODY: (Duration, Answer) =
    (Duration::from_millis(300), Answer::Refuses(Outcome::InvalidNumber));

/// What somebody has to say about a call.
#[derive(Debug)]
pub struct Report {
    /// Whole utterances, as they were heard.
    pub heard: Vec<String>,
    /// What they said themselves, in full.
    pub said: Vec<String>,
    /// How long the other side went on speaking after each interruption, where it stopped.
    pub gave_way_after: Vec<Duration>,
    /// What happened on the line, its end included.
    pub account: PhoneAccount,
    /// Why there was no media, if there was none.
    pub not_connected: Option<PhoneError>,
}

/// Somebody with a phone.
#[derive(Clone, Debug)]
pub struct Person {
    /// How they behave.
    pub role: Role,
    /// How they sound.
    pub voice: Voice,
    /// Which sources of speech they may use.
    pub speech: Speech,
    /// What measures their call.
    pub probe: Arc<Probe>,
    /// The words they begin with, before their own: `line 0427` under load.
    pub first_words: Option<String>,
}

impl Person {
    /// Somebody as they are in a rehearsal.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            voice: Voice::callee(),
            speech: Speech::default(),
            probe: Arc::new(Probe::silent()),
            first_words: None,
        }
    }

    /// Takes part in a call until either side hangs up, or it is told to hang up.
    pub async fn converse(self, line: Dialled, hang_up: CancellationToken) -> Report {
        let (_nobody, keys) = mpsc::channel(1);
        self.converse_with_keys(line, hang_up, keys).await
    }

    /// The same with the keys that the other side presses, as the carrier delivers them.
    pub async fn converse_with_keys(
        self,
        line: Dialled,
        hang_up: CancellationToken,
        keys: mpsc::Receiver<char>,
    ) -> Report {
        match self.pick_up(line).await {
            Ok(on_the_phone) => on_the_phone.converse(hang_up, keys).await,
            Err(error) => Report::not_connected(error),
        }
    }

    /// Opens the line.
    ///
    /// # Errors
    /// There is no media.
    pub async fn pick_up(self, line: Dialled) -> Result<OnThePhone, PhoneError> {
        let (phone, sounds) = Phone::connect(line, self.voice, self.probe).await?;
        let phone = phone.speaking(self.speech);
        Ok(OnThePhone { role: self.role, phone, sounds, first_words: self.first_words })
    }
}

/// Somebody with an open line.
pub struct OnThePhone {
    role: Role,
    phone: Phone,
    sounds: mpsc::Receiver<Sound>,
    first_words: Option<String>,
}

impl OnThePhone {
    /// A place on the line for one more human.
    #[must_use]
    pub fn seat(&self) -> Seat {
        self.phone.seat()
    }

    /// Talks until either side hangs up, or is told to hang up.
    pub async fn converse(self, hang_up: CancellationToken, keys: mpsc::Receiver<char>) -> Report {
        let mut talk = Talk::new(self.phone, self.sounds, keys, hang_up, self.first_words);
        // However it ended, the report tells.
        let _over = match self.role {
            Role::Restaurant => restaurant::serve(&mut talk).await,
            Role::Bistro => offers::serve(&offers::BISTRO, &mut talk).await,
            Role::Trattoria => offers::serve(&offers::TRATTORIA, &mut talk).await,
            Role::FullHouse => offers::serve(&offers::FULL_HOUSE, &mut talk).await,
            Role::Approver => approver::decide(By::Words("Yes, I accept."), &mut talk).await,
            Role::Decliner => approver::decide(By::Words("No."), &mut talk).await,
            Role::PinHolder => approver::decide(By::Keys("04170417#"), &mut talk).await,
            Role::Voicemail => machine::record(&mut talk).await,
            Role::Silent => machine::keep_silent(&mut talk).await,
            Role::Interrupter => interrupter::interrupt(&mut talk).await,
            Role::Menu => menu::read_out(&mut talk).await,
            Role::OnHold => hold::let_wait(&mut talk).await,
            Role::Colleague => machine::keep_silent(&mut talk).await,
            Role::Asker => asker::ask_for_a_human(&mut talk).await,
            Role::Curious => curious::wait_for_news(&mut talk).await,
            Role::Customer => customer::cancel_a_booking(&mut talk).await,
            Role::TaskCaller => task_caller::manage_tasks(&mut talk).await,
            // They have not picked up, so they have nothing to say.
            Role::Busy | Role::NoAnswer | Role::Rejects => Ok(()),
        };
        talk.hang_up().await
    }
}

/// Whoever has the number takes part in a call; a stranger behaves like somebody with tasks.
pub async fn converse(
    line: Dialled,
    person: &Number,
    hang_up: CancellationToken,
    keys: mpsc::Receiver<char>,
) -> Report {
    let role = Role::at(person).unwrap_or(Role::TaskCaller);
    Person::new(role).converse_with_keys(line, hang_up, keys).await
}

impl Report {
    pub(super) fn not_connected(error: PhoneError) -> Self {
        Self {
            heard: Vec::new(),
            said: Vec::new(),
            gave_way_after: Vec::new(),
            account: PhoneAccount::default(),
            not_connected: Some(error),
        }
    }
}

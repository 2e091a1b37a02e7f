//! Three more restaurants, each with an offer of its own: they answer what they are asked, one
//! thing at a time, and remember somebody who has rung before.

use super::restaurant::serve_with;
use super::talk::{Over, Talk};

/// What one of them has to say.
pub(super) struct Offer {
    greeting: &'static str,
    table: &'static str,
    price: &'static str,
    hold: &'static str,
    taken: &'static str,
}

/// Cheap, but not when everybody wants to come.
pub(super) const BISTRO: Offer = Offer {
    greeting: "Bistro Nine, hello.",
    table: "Seven is taken. We only have a table at nine.",
    price: "The menu is 18 euros each.",
    hold: "No, we hold no tables.",
    taken: "Very well, the table at nine is yours. Anything else?",
};

/// Dearer, at seven, and holds it.
pub(super) const TRATTORIA: Offer = Offer {
    greeting: "Trattoria Rosa, good evening.",
    table: "Yes, we have a table at seven.",
    price: "The menu is 32 euros each.",
    hold: "Yes, we hold it until six without payment.",
    taken: "Very well, the table at seven is yours. Anything else?",
};

/// Full.
pub(super) const FULL_HOUSE: Offer = Offer {
    greeting: "The Full House, hello.",
    table: "I am sorry, we are fully booked tonight.",
    price: "I am sorry, we are fully booked tonight.",
    hold: "I am sorry, we are fully booked tonight.",
    taken: "I am sorry, we are fully booked tonight.",
};

const AGAIN: &str = "Sorry, could you say that again?";

/// What they listen for, the first that was said decides.
const TAKES: &[&str] = &["follow up", "please"];
const HOLDS: &[&str] = &["hold"];
const COSTS: &[&str] = &["cost", "price", "how much"];
const TABLES: &[&str] = &["table"];

pub(super) async fn serve(offer: &Offer, talk: &mut Talk) -> Result<(), Over> {
    serve_with(offer.greeting, |words| reply(offer, words), talk).await
}

fn reply(offer: &Offer, words: &str) -> &'static str {
    let words = words.to_lowercase().replace('-', " ");
    let hears = |wanted: &[&str]| wanted.iter().any(|word| words.contains(word));
    if hears(TAKES) {
        offer.taken
    } else if hears(HOLDS) {
        offer.hold
    } else if hears(COSTS) {
        offer.price
    } else if hears(TABLES) {
        offer.table
    } else {
        AGAIN
    }
}

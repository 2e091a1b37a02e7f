//! The names of a script's tasks, bookings and payments: chosen to be taken for each other. And
//! what of a name can be told apart by ear.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// Families of names that a careless guard takes for each other. A name that another one only goes
/// on from is in none: whoever hears the longer one asked about has heard the shorter one as well.
/// Nor is one that is an everyday word, which is heard in other questions too.
const FAMILIES: [&[&str]; 8] = [
    &["Buy milk", "Buy oat milk", "Buy m\u{456}lk", "Buy rice milk", "Sell milk"],
    &["Call Ann", "Call Anna", "Call Annabel", "Text Ann"],
    &["Flight 12", "Flight 13", "Flight 112", "Train 12"],
    &["M\u{fc}ller", "Mueller", "Muller"],
    &["\u{4e70}\u{725b}\u{5976}", "\u{4e70}\u{9762}\u{5305}"],
    &["Pay the rent", "Pay the big rent", "Cut the rent"],
    &["\u{41c}\u{43e}\u{441}\u{43a}\u{432}\u{430}", "Mockba"],
    &["Invoice 7 of May", "Invoice 7 of June", "Invoice 9 of May"],
];

/// Marks that nobody sees or hears.
const MARKS: [&str; 6] = ["\u{200b}", "\u{202e}", "\u{2066}", "\u{feff}", "\u{200f}", "\u{ad}"];

/// So many names, each of which sounds like no other.
pub(crate) fn draw(rng: &mut StdRng, count: usize) -> Vec<String> {
    let mut families = FAMILIES;
    families.shuffle(rng);
    let mut names: Vec<String> = Vec::new();
    for family in families {
        let mut family = family.to_vec();
        family.shuffle(rng);
        // Two of most families, so that there is something to be taken for.
        for name in family.into_iter().take(2) {
            if names.len() < count && !names.iter().any(|known| sound(known) == sound(name)) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// The name with a mark in it that changes nothing that can be heard.
pub(crate) fn marked(name: &str, n: u64) -> String {
    let mark = MARKS[usize::try_from(n).unwrap_or(0) % MARKS.len()];
    format!("{mark}{name}{mark}")
}

/// What can be heard of a name: letters and figures, in words.
pub(crate) fn sound(name: &str) -> String {
    let heard: String = name
        .chars()
        .filter(|c| !MARKS.iter().any(|mark| mark.starts_with(*c)))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    heard.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One of these, by a number.
pub(crate) fn pick(from: &[&'static str], n: usize) -> &'static str {
    from[n % from.len()]
}

/// A seed for the script at this place of a run: the first has the run's own.
pub(crate) fn seed_at(run: u64, place: u64) -> u64 {
    use rand::SeedableRng;
    if place == 0 {
        return run;
    }
    StdRng::seed_from_u64(run ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15)).random()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_not_heard_and_letters_are() {
        assert_eq!(sound(&marked("Buy milk", 1)), "buy milk");
        assert_eq!(sound("Buy\u{200b}milk!"), "buymilk");
        assert_ne!(sound("Buy milk"), sound("Buy m\u{456}lk"));
    }

    #[test]
    fn the_first_script_of_a_run_has_the_runs_seed() {
        assert_eq!(seed_at(7, 0), 7);
        assert_ne!(seed_at(7, 1), seed_at(7, 2));
        assert_ne!(seed_at(7, 1), seed_at(8, 1));
    }
}

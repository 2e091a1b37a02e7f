//! The words around what is restricted, in English, German, French and Spanish: what names it,
//! what may stand between the name and the value, and what shows that something else is meant.

use super::What;

/// What a name stands for, and how many figures its value has.
pub(super) struct Name {
    pub(super) what: What,
    pub(super) figures: std::ops::RangeInclusive<usize>,
}

/// Codes and PINs of four to eight figures: a telephone number has more.
const SHORT: std::ops::RangeInclusive<usize> = 4..=8;

const CODES: [&str; 20] = [
    "code",
    "passcode",
    "otp",
    "tan",
    "mtan",
    "smscode",
    "einmalcode",
    "einmalpasswort",
    "sicherheitscode",
    "bestätigungscode",
    "verifizierungscode",
    "verifikationscode",
    "freischaltcode",
    "zugangscode",
    "anmeldecode",
    "prüfcode",
    "código",
    "codigo",
    "authcode",
    "one_time_code",
];

const CHECKS: [&str; 7] = ["cvc", "cvv", "cvc2", "cvv2", "prüfziffer", "kartenprüfnummer", "cid"];

const PINS: [&str; 6] = ["pin", "pins", "geheimzahl", "nip", "pincode", "kartenpin"];

const PASSWORDS: [&str; 9] = [
    "password",
    "passphrase",
    "passwort",
    "kennwort",
    "contraseña",
    "clave",
    "motdepasse",
    "passwd",
    "losungswort",
];

/// Before "code", these make it one that is no secret.
const OPEN: [&str; 30] = [
    "zip",
    "postal",
    "post",
    "area",
    "country",
    "dial",
    "dialing",
    "dialling",
    "error",
    "discount",
    "promo",
    "promotion",
    "promotional",
    "coupon",
    "voucher",
    "gift",
    "booking",
    "reservation",
    "order",
    "product",
    "item",
    "color",
    "colour",
    "dress",
    "status",
    "qr",
    "tax",
    "airport",
    "state",
    "swift",
];

/// What may stand between a name and its value.
const LINKS: [&str; 66] = [
    "is",
    "was",
    "are",
    "it",
    "it's",
    "that's",
    "the",
    "that",
    "this",
    "i",
    "got",
    "received",
    "have",
    "says",
    "reads",
    "so",
    "um",
    "uh",
    "okay",
    "ok",
    "my",
    "your",
    "number",
    "me",
    "of",
    "for",
    "card",
    "ist",
    "lautet",
    "war",
    "der",
    "die",
    "das",
    "den",
    "ich",
    "habe",
    "meine",
    "mein",
    "also",
    "äh",
    "ähm",
    "karte",
    "est",
    "c'est",
    "le",
    "la",
    "que",
    "j'ai",
    "reçu",
    "euh",
    "mon",
    "ma",
    "carte",
    "es",
    "el",
    "he",
    "recibido",
    "mi",
    "tarjeta",
    "de",
    "secret",
    "confidentiel",
    "secreto",
    "sms",
    "be",
    "sind",
];

/// What stands between a password and its name: without one of these a password is only spoken
/// about.
const COPULAS: [&str; 9] = ["is", "was", "it's", "ist", "lautet", "est", "c'est", "es", "war"];

/// What is said of a password instead of the password.
const ABOUT: [&str; 82] = [
    "a",
    "an",
    "the",
    "not",
    "no",
    "yes",
    "wrong",
    "right",
    "correct",
    "incorrect",
    "expired",
    "invalid",
    "valid",
    "missing",
    "secret",
    "safe",
    "secure",
    "here",
    "there",
    "ready",
    "required",
    "needed",
    "good",
    "fine",
    "weak",
    "strong",
    "too",
    "this",
    "that",
    "what",
    "why",
    "how",
    "my",
    "your",
    "pardon",
    "sorry",
    "please",
    "okay",
    "forgotten",
    "lost",
    "changed",
    "reset",
    "private",
    "falsch",
    "richtig",
    "abgelaufen",
    "ungültig",
    "gültig",
    "geheim",
    "nicht",
    "kein",
    "ja",
    "nein",
    "bitte",
    "weg",
    "vergessen",
    "sicher",
    "korrekt",
    "wie",
    "was",
    "faux",
    "fausse",
    "expiré",
    "oui",
    "non",
    "pas",
    "bon",
    "perdu",
    "oublié",
    "incorrecta",
    "correcta",
    "caducada",
    "si",
    "sí",
    "secreta",
    "válida",
    "inválida",
    "hello",
    "hallo",
    "allô",
    "hola",
    "nothing",
];

/// Before figures, these make them something else.
const ELSEWHERE: [&str; 34] = [
    "phone",
    "telephone",
    "mobile",
    "order",
    "booking",
    "reservation",
    "invoice",
    "tracking",
    "customer",
    "room",
    "flight",
    "zip",
    "postal",
    "telefon",
    "telefonnummer",
    "handy",
    "handynummer",
    "bestellung",
    "bestellnummer",
    "kundennummer",
    "rechnung",
    "rechnungsnummer",
    "postleitzahl",
    "téléphone",
    "commande",
    "facture",
    "client",
    "teléfono",
    "telefono",
    "móvil",
    "pedido",
    "factura",
    "cliente",
    "reserva",
];

/// What this word names, when the word before it does not make it something else.
pub(super) fn name(word: &str, before: &str) -> Option<Name> {
    let named = |what, figures| Some(Name { what, figures });
    match word {
        _ if CHECKS.contains(&word) => named(What::Code, 3..=4),
        _ if PINS.contains(&word) => named(What::Pin, SHORT),
        _ if PASSWORDS.contains(&word) || (word == "passe" && before == "de") => {
            named(What::Password, SHORT)
        }
        "code" if before == "pin" => named(What::Pin, SHORT),
        "code" if OPEN.contains(&before) => None,
        _ if CODES.contains(&word) => named(What::Code, SHORT),
        _ => None,
    }
}

pub(super) fn is_link(word: &str) -> bool {
    LINKS.contains(&word) || is_copula(word)
}

pub(super) fn is_copula(word: &str) -> bool {
    COPULAS.contains(&word)
}

pub(super) fn is_about(word: &str) -> bool {
    ABOUT.contains(&word)
}

pub(super) fn is_elsewhere(word: &str) -> bool {
    ELSEWHERE.contains(&word)
}

/// Whether words ask for the number of a card.
pub(super) fn asks_for_card(words: &[String]) -> bool {
    let has = |any: &[&str]| words.iter().any(|word| any.contains(&word.as_str()));
    has(&["kartennummer", "kreditkartennummer"])
        || has(&["card", "karte", "kreditkarte", "carte", "tarjeta"])
            && has(&["number", "numbers", "digits", "nummer", "numéro", "número", "numero"])
}

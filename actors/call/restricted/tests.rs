//! What is masked and, as important, what is not.

use super::*;

#[test]
fn is_masked() {
    for (words, kept) in [
        ("It's 4111 1111 1111 1111.", "It's [card number]."),
        ("4111-1111-1111-1111", "[card number]"),
        ("my card 378282246310005 please", "my card [card number] please"),
        ("4111, 1111, 1111, 1111", "[card number]"),
        ("5555 5555 5555 4444, 12/27", "[card number], 12/27"),
        ("5555 5555 5555 4444 and the CVC is 123", "[card number] and the CVC is [code]"),
        (
            "four one one one one one one one one one one one one one one one okay",
            "[card number] okay",
        ),
        ("forty-one eleven eleven eleven eleven eleven eleven eleven", "[card number]"),
        ("four triple one double one one one triple one triple one double one", "[card number]"),
        (
            "vier eins eins eins eins eins eins eins eins eins eins eins eins eins eins eins",
            "[card number]",
        ),
        ("quatre un un un, un un un un, un un un un, un un un un", "[card number]"),
        ("cuatro uno uno uno uno uno uno uno uno uno uno uno uno uno uno uno", "[card number]"),
        ("The code is 471102.", "The code is [code]."),
        ("the code I got is four seven one one zero two", "the code I got is [code]"),
        ("OTP: 4711", "OTP: [code]"),
        ("Der Bestätigungscode lautet 47 11 02.", "Der Bestätigungscode lautet [code]."),
        ("Die TAN ist 471102", "Die TAN ist [code]"),
        ("Le code que j'ai reçu est 4711", "Le code que j'ai reçu est [code]"),
        ("El código es 4711", "El código es [code]"),
        ("My PIN is 0417, thanks.", "My PIN is [PIN], thanks."),
        ("pin code 0 4 1 7", "pin code [PIN]"),
        ("Meine Geheimzahl ist null vier eins sieben", "Meine Geheimzahl ist [PIN]"),
        ("mon code secret est 0417", "mon code secret est [code]"),
        ("Mi PIN es 0417", "Mi PIN es [PIN]"),
        ("My password is hunter2, okay?", "My password is [password], okay?"),
        ("My password is swordfish.", "My password is [password]."),
        ("the password is Tr0ub4dor&3", "the password is [password]"),
        ("my password is h u n t e r 2", "my password is [password]"),
        ("Das Passwort lautet Sommer2024!", "Das Passwort lautet [password]!"),
        ("Mon mot de passe est soleil12", "Mon mot de passe est [password]"),
        ("Mi contraseña es Girasol", "Mi contraseña es [password]"),
    ] {
        assert_eq!(mask(words, None), kept);
        assert_eq!(mask(kept, None), kept, "what is masked stays as it is");
    }
}

#[test]
fn is_not_masked() {
    for words in [
        "My number is +49 171 2345678, or 0171 234 5678.",
        "+4915112345678",
        "five five five oh one two three four five six",
        "The order is 4111 1111 1111 1112.",
        "Tracking number 1234 5678 9012 3452",
        "41111111111111111111",
        "DE89 3704 0044 0532 0130 00",
        "It is on 12.05.2026 or 2026-05-12, at 19:30.",
        "on the twelfth of May twenty twenty six",
        "That makes 1,234.50 euros, or $ 4711.",
        "Seven thirty, or 19:30; the code changes at 07:30",
        "My order number is 4711023.",
        "The zip code is 94110.",
        "Le code postal est 75001, el código postal 28001, die Postleitzahl 10115.",
        "I get error code 4041",
        "the discount code is 2026",
        "We sent a code to the phone ending in 4711.",
        "I have no PIN. 1234 is my room.",
        "The password is wrong. My password is not here. Is the password expired?",
        "Das Passwort ist falsch, das Kennwort ist abgelaufen.",
        "I need a password reset for 4 users",
        "A table for four at seven, please; two of us are late.",
    ] {
        assert_eq!(mask(words, None), words);
    }
}

#[test]
fn an_answer_is_known_by_its_question() {
    for (question, words, kept) in [
        ("What is the code we sent you?", "It's 471102.", "It's [code]."),
        ("Wie lautet Ihre PIN?", "Null vier eins sieben.", "[PIN]."),
        ("Quel est le numéro de votre carte ?", "4111 1111", "[card number]"),
        ("Please tell me your card number.", "4111 1111 and then", "[card number] and then"),
        ("What is your password?", "It's swordfish.", "It's [password]."),
        ("What is your password?", "I do not know it", "I do not know it"),
        ("What is your password?", "Sorry?", "Sorry?"),
        ("What is the code?", "My phone number is 5550 123", "My phone number is 5550 123"),
        ("What is the code?", "At 19:30, for $ 2000.", "At 19:30, for $ 2000."),
        ("What is your zip code?", "94110", "94110"),
        ("I have your code. When shall I come?", "1930", "1930"),
    ] {
        assert_eq!(mask(words, asked(question)), kept);
    }
}

#[test]
fn a_card_number_is_found_over_several_turns() {
    let masked = mask_across(&["Hello.", "It is 4111 1111", "then 1111 1111, okay"]);
    assert_eq!(masked.unwrap(), ["It is [card number]", "then [card number], okay"]);
    let masked = mask_across(&["4111", "1111", "1111", "1111"]);
    assert_eq!(masked.unwrap(), ["[card number]"; 4]);
    assert_eq!(mask_across(&["4111 1111", "1111 1112"]), None);
    assert_eq!(mask_across(&["4111 1111", "Hello?", "at seven"]), None);
    assert_eq!(mask_across(&[]), None);
    assert_eq!(mask_across(&["my phone is 4111 1111", "1111 1111"]), None);
    assert_eq!(mask_across(&["41 11 111", "1 1111 1111"]), None, "no group ends there");
    let amex = mask_across(&["3782 822463", "10005"]);
    assert_eq!(amex.unwrap(), ["[card number]", "[card number]"]);
}

#[test]
fn json_stays_json() {
    for (json, kept) in [
        (r#"{"n":4111111111111111}"#, r#"{"n":"[card number]"}"#),
        (r#"{"n":"4111 1111 1111 1111"}"#, r#"{"n":"[card number]"}"#),
        (r#"{"a\"b":4111111111111111,"x":1}"#, r#"{"a\"b":"[card number]","x":1}"#),
        (r#"{"pin":"0417","code":471102}"#, r#"{"pin":"[PIN]","code":"[code]"}"#),
        (r#"{"password":"swordfish"}"#, r#"{"password":"[password]"}"#),
        (
            r#"{"zip_code":"94110","people":4,"at":"19:30"}"#,
            r#"{"zip_code":"94110","people":4,"at":"19:30"}"#,
        ),
    ] {
        assert_eq!(mask_json(json), kept);
        assert_eq!(mask_json(kept), kept, "what is masked stays as it is");
    }
}

#[test]
fn the_check_figure_is_that_of_cards() {
    for card in ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117"] {
        assert!(is_card(card), "{card}");
    }
    for other in ["4111111111111112", "0000000000000000", "", "411111111111", "41111111111111x1"] {
        assert!(!is_card(other), "{other}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_said_is_read(words in "\\PC{0,60}") {
        for asked in [None, Some(What::Password), Some(What::CardNumber), Some(What::Code)] {
            let _kept = mask(&words, asked);
        }
        let _kept = (mask_json(&words), asked(&words), mask_across(&[&words, &words]));
    }
}

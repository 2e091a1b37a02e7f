//! What a caller's words mean as an answer to a question that an effect hangs on. A yes with
//! anything beside it that could be doubt is no yes: asking again is cheap, undoing is not. Pure.

use crate::briefing::Text;
use crate::call::consent::Answer;

/// A yes of more words than this says something else as well.
const LONGEST: usize = 12;

/// The words of one language (ISO 639-1), as [`plain`] writes them.
struct Words {
    language: &'static str,
    yes: &'static [&'static str],
    no: &'static [&'static str],
    doubt: &'static [&'static str],
}

const ALL: [Words; 7] = [
    Words {
        language: "en",
        yes: &[
            "yes",
            "yeah",
            "yep",
            "yup",
            "sure",
            "ok",
            "okay",
            "correct",
            "right",
            "confirm",
            "confirmed",
            "absolutely",
            "definitely",
            "please do",
            "do it",
            "do that",
            "go ahead",
        ],
        no: &[
            "no",
            "nope",
            "nah",
            "don t",
            "dont",
            "do not",
            "not",
            "stop",
            "cancel",
            "never",
            "keep",
            "leave it",
            "forget it",
            "rather",
        ],
        doubt: &[
            "wait", "maybe", "perhaps", "if", "unless", "but", "hold on", "hang on", "first",
            "think", "instead", "what", "which", "why", "when", "who", "how",
        ],
    },
    Words {
        language: "de",
        yes: &[
            "ja",
            "jawohl",
            "jo",
            "genau",
            "richtig",
            "klar",
            "sicher",
            "in ordnung",
            "einverstanden",
            "gerne",
            "mach das",
            "machen sie das",
            "ok",
            "okay",
            "bestätige",
            "natürlich",
        ],
        no: &[
            "nein",
            "nee",
            "nö",
            "nicht",
            "stopp",
            "stop",
            "abbrechen",
            "nie",
            "niemals",
            "kein",
            "keine",
            "keinen",
            "lass",
            "lassen",
            "lieber",
            "behalten",
        ],
        doubt: &[
            "warte",
            "warten",
            "moment",
            "vielleicht",
            "wenn",
            "falls",
            "aber",
            "erst",
            "was",
            "welche",
            "welchen",
            "warum",
            "wann",
            "wie",
        ],
    },
    Words {
        language: "fr",
        yes: &[
            "oui",
            "ouais",
            "d accord",
            "bien sûr",
            "exact",
            "exactement",
            "allez y",
            "vas y",
            "confirme",
            "ok",
            "okay",
            "tout à fait",
        ],
        no: &["non", "pas", "jamais", "arrêtez", "arrête", "annulez", "annule", "gardez", "stop"],
        doubt: &[
            "attendez",
            "attends",
            "peut être",
            "si",
            "mais",
            "d abord",
            "quoi",
            "quel",
            "quelle",
            "pourquoi",
            "quand",
            "comment",
        ],
    },
    Words {
        language: "es",
        yes: &[
            "sí",
            "si",
            "claro",
            "de acuerdo",
            "correcto",
            "exacto",
            "adelante",
            "confirmo",
            "vale",
            "por supuesto",
            "hazlo",
            "hágalo",
            "ok",
            "okay",
        ],
        no: &["no", "nunca", "jamás", "pare", "cancela", "cancele", "espera", "mejor"],
        doubt: &[
            "espere", "quizás", "quizá", "tal vez", "pero", "primero", "qué", "cuál", "cuándo",
            "cómo",
        ],
    },
    Words {
        language: "it",
        yes: &[
            "sì",
            "si",
            "certo",
            "va bene",
            "d accordo",
            "esatto",
            "giusto",
            "confermo",
            "procedi",
            "proceda",
            "ok",
            "okay",
        ],
        no: &["no", "non", "mai", "ferma", "fermi", "annulla", "annulli", "lascia", "lasci"],
        doubt: &[
            "aspetta", "aspetti", "forse", "se", "ma", "però", "prima", "cosa", "quale", "perché",
            "quando", "come",
        ],
    },
    Words {
        language: "pt",
        yes: &[
            "sim",
            "claro",
            "certo",
            "correto",
            "exato",
            "confirmo",
            "pode",
            "de acordo",
            "isso",
            "com certeza",
            "ok",
            "okay",
        ],
        no: &["não", "nao", "nunca", "jamais", "pare", "cancela", "cancele", "deixa", "deixe"],
        doubt: &["espera", "espere", "talvez", "se", "mas", "primeiro", "qual", "quando", "como"],
    },
    Words {
        language: "nl",
        yes: &[
            "ja", "jawel", "jazeker", "zeker", "goed", "akkoord", "klopt", "graag", "doe het",
            "bevestig", "ok", "okay", "oké",
        ],
        no: &["nee", "niet", "nooit", "stop", "annuleer", "geen", "laat", "liever"],
        doubt: &[
            "wacht",
            "misschien",
            "als",
            "maar",
            "eerst",
            "wat",
            "welke",
            "waarom",
            "wanneer",
            "hoe",
        ],
    },
];

/// Reads a caller's turn as an answer. `language` is what the call is held in (ISO 639-1, a region
/// behind it does not count); where it is not known the words of all languages count, and a no or
/// a doubt of any of them is one.
#[must_use]
pub fn read(words: &Text, language: Option<&str>) -> Answer {
    let spoken = plain(words.as_str());
    let padded = format!(" {spoken} ");
    let language = language.and_then(|language| language.get(..2)).map(str::to_ascii_lowercase);
    let known = ALL.iter().any(|words| Some(words.language) == language.as_deref());
    let counts = |words: &&Words| !known || Some(words.language) == language.as_deref();
    let has = |list: fn(&Words) -> &'static [&'static str]| {
        let mut all = ALL.iter().filter(counts).flat_map(list);
        all.any(|word| padded.contains(&format!(" {word} ")))
    };
    // "Sí" is yes in one language and "si" if in another: without a language it is neither.
    let yes = if known {
        has(|words| words.yes)
    } else {
        ALL.iter().flat_map(|words| words.yes).any(|word| {
            let doubtful = ALL.iter().any(|words| words.doubt.contains(word));
            !doubtful && padded.contains(&format!(" {word} "))
        })
    };
    let asks = words.as_str().contains(['?', '？']);
    let long = spoken.split(' ').count() > LONGEST;
    if has(|words| words.no) {
        Answer::No
    } else if yes && !asks && !long && !has(|words| words.doubt) {
        Answer::Yes
    } else {
        Answer::Unclear
    }
}

/// Lower-case words with single spaces between them, without marks; an apostrophe separates.
#[must_use]
pub fn plain(text: &str) -> String {
    let letters = text.to_lowercase();
    let letters = letters.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' });
    letters.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for (words, answer) in [
            ("Yes, delete it.", Answer::Yes),
            ("yeah go ahead", Answer::Yes),
            ("Okay.", Answer::Yes),
            ("Yes please, delete the task buy milk from my list.", Answer::Yes),
            ("No, keep it.", Answer::No),
            ("Yes... no, wait.", Answer::No),
            ("I don't know", Answer::No),
            ("Don’t do it", Answer::No),
            ("I'm not sure", Answer::No),
            ("Yes, but not the second one", Answer::No),
            ("Yes, wait.", Answer::Unclear),
            ("Yes if it is the old one", Answer::Unclear),
            ("Yes?", Answer::Unclear),
            ("Okay, and what is next", Answer::Unclear),
            ("Do you know what time it is?", Answer::Unclear),
            ("yesterday", Answer::Unclear),
            ("", Answer::Unclear),
            ("He said yes and then we went to the shop to buy all the things", Answer::Unclear),
        ] {
            assert_eq!(read(&words.into(), Some("en")), answer, "{words:?}");
            let yes = read(&words.into(), None) == Answer::Yes;
            assert_eq!(yes, answer == Answer::Yes, "{words:?} in any language");
        }
    }

    #[test]
    fn a_yes_is_one_in_the_calls_language() {
        for (language, words, answer) in [
            ("de", "Ja, bitte löschen.", Answer::Yes),
            ("de-AT", "Nein, lieber nicht.", Answer::No),
            ("de", "Ja, aber erst morgen", Answer::Unclear),
            ("fr", "Oui, allez-y.", Answer::Yes),
            ("fr", "Si c'est possible", Answer::Unclear),
            ("es", "Sí, claro.", Answer::Yes),
            ("es", "No, espera.", Answer::No),
            ("it", "Sì, va bene.", Answer::Yes),
            ("pt", "Sim.", Answer::Yes),
            ("pt", "Não.", Answer::No),
            ("nl", "Ja, doe het.", Answer::Yes),
            ("de", "Yes", Answer::Unclear),
        ] {
            assert_eq!(read(&words.into(), Some(language)), answer, "{language} {words:?}");
        }
    }

    #[test]
    fn without_a_language_any_yes_counts_and_any_doubt() {
        for (words, answer) in [
            ("Oui.", Answer::Yes),
            ("Ja, genau.", Answer::Yes),
            ("Sim, confirmo", Answer::Yes),
            ("si", Answer::Unclear),
            ("Yes, maar morgen", Answer::Unclear),
            ("Ja, not that", Answer::No),
        ] {
            assert_eq!(read(&words.into(), None), answer, "{words:?}");
        }
        assert_eq!(read(&"Yes".into(), Some("xx")), Answer::Yes, "a language without a list");
    }
}

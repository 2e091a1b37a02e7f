//! Whether words of ours tell a human that they speak with an AI. It is a rule about words: it
//! knows the names that an AI is called by, and takes none of them out of a question or from beside
//! a not. Whether the voice said what is written down of it, nobody here can know. Pure.

use crate::call::yes_no::plain;

/// The words of one language (ISO 639-1), as [`plain`] writes them. No name is a word of another
/// meaning in any of the languages: "ai" alone is one in French and in Italian.
struct Words {
    language: &'static str,
    /// What an AI is called.
    names: &'static [&'static str],
    /// What turns it into its contrary.
    not: &'static [&'static str],
}

const ALL: [Words; 9] = [
    Words {
        language: "en",
        names: &[
            "an ai",
            "am ai",
            "ai assistant",
            "ai agent",
            "ai caller",
            "ai system",
            "ai voice",
            "ai powered",
            "artificial intelligence",
            "artificially intelligent",
            "virtual assistant",
            "automated assistant",
        ],
        not: &["not", "no", "never", "isn t", "aren t", "ain t", "nor"],
    },
    Words {
        language: "de",
        names: &[
            "eine ki",
            "ki assistent",
            "ki assistentin",
            "ki assistenz",
            "ki agent",
            "ki system",
            "ki stimme",
            "ki gestützt",
            "ki gestützte",
            "ki gestützter",
            "künstliche intelligenz",
            "künstlichen intelligenz",
            "virtueller assistent",
            "virtuelle assistentin",
            "ai assistent",
        ],
        not: &["nicht", "kein", "keine", "keiner", "nie", "niemals"],
    },
    Words {
        language: "fr",
        names: &[
            "une ia",
            "assistant ia",
            "assistante ia",
            "agent ia",
            "intelligence artificielle",
            "assistant virtuel",
            "assistante virtuelle",
        ],
        not: &["pas", "ne", "non", "jamais", "aucun", "aucune"],
    },
    Words {
        language: "es",
        names: &[
            "una ia",
            "asistente ia",
            "asistente de ia",
            "agente de ia",
            "inteligencia artificial",
            "asistente virtual",
        ],
        not: &["no", "nunca", "jamás", "ningún", "ninguna"],
    },
    Words {
        language: "it",
        names: &[
            "un ia",
            "una ia",
            "assistente ia",
            "assistente ai",
            "intelligenza artificiale",
            "assistente virtuale",
        ],
        not: &["non", "no", "mai", "nessun", "nessuna"],
    },
    Words {
        language: "pt",
        names: &[
            "uma ia",
            "assistente de ia",
            "assistente ia",
            "inteligência artificial",
            "assistente virtual",
        ],
        not: &["não", "nao", "nunca", "jamais", "nenhum", "nenhuma"],
    },
    Words {
        language: "nl",
        names: &[
            "een ai",
            "ai assistent",
            "ai assistente",
            "kunstmatige intelligentie",
            "virtuele assistent",
        ],
        not: &["niet", "geen", "nee", "nooit"],
    },
    Words {
        language: "ja",
        names: &["aiアシスタント", "人工知能", "aiエージェント", "aiです"],
        not: &["ではありません", "じゃない", "ではない"],
    },
    Words {
        language: "zh",
        names: &["ai助手", "ai助理", "人工智能", "人工智慧", "智能助手"],
        not: &["不是", "并非", "並非"],
    },
];

/// What ends a thought.
const ENDS: [char; 13] = ['.', ',', ';', ':', '!', '?', '—', '\n', '。', '、', '，', '！', '？'];

/// What ends a question.
const ASKS: [char; 3] = ['?', '？', '\u{61f}'];

/// Whether these words name an AI assistant as the one who speaks, in this language (a region
/// behind it does not count). Where it is not known, or is none of the table's, the words of all
/// languages count.
#[must_use]
pub fn is_in(words: &str, language: Option<&str>) -> bool {
    let language = language.and_then(|language| language.get(..2)).map(str::to_ascii_lowercase);
    let known = ALL.iter().any(|words| Some(words.language) == language.as_deref());
    let counts = |words: &&Words| !known || Some(words.language) == language.as_deref();
    let words = words.replace("A.I.", "AI");
    words.split_inclusive(ENDS).any(|thought| {
        let spoken = plain(thought);
        let says = |list: &[&str]| list.iter().any(|word| is_said(&spoken, word));
        !thought.ends_with(ASKS)
            && ALL.iter().filter(counts).any(|words| says(words.names) && !says(words.not))
    })
}

/// Whether a word is among these, whole; as a part of them in a script without spaces.
fn is_said(spoken: &str, word: &str) -> bool {
    if word.is_ascii() || word.chars().all(|c| (c as u32) < 0x0E00) {
        format!(" {spoken} ").contains(&format!(" {word} "))
    } else {
        spoken.replace(' ', "").contains(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ai_that_is_named_is_disclosed() {
        for (words, language, disclosed) in [
            ("Hello, this is an AI assistant calling for Sam.", Some("en"), true),
            ("I'm not a human, I'm an AI assistant.", Some("en-US"), true),
            ("Hi, I am an A.I. assistant", Some("en"), true),
            ("This is an automated assistant.", None, true),
            ("I am not an AI.", Some("en"), false),
            ("Are you an AI?", Some("en"), false),
            ("Hello, this is Ada.", Some("en"), false),
            ("I said that I maintain it.", Some("en"), false),
            ("Guten Tag, hier spricht ein KI-Assistent von Luigi.", Some("de"), true),
            ("Ich bin keine KI.", Some("de"), false),
            ("Bonjour, je suis une assistante IA.", Some("fr"), true),
            ("J'ai une question.", Some("fr"), false),
            ("J'ai un assistant.", None, false),
            ("Soy un asistente de IA.", Some("es"), true),
            ("Sono un assistente virtuale.", Some("it"), true),
            ("Ai miei amici piace.", None, false),
            ("Eu ia ligar.", None, false),
            ("Sou uma inteligência artificial.", Some("pt"), true),
            ("U spreekt met een AI-assistent.", Some("nl"), true),
            ("こちらはAIアシスタントです。", Some("ja"), true),
            ("您好，我是人工智能助理。", Some("zh"), true),
            ("我不是人工智能。", Some("zh"), false),
            ("This is an AI assistant.", Some("de"), false),
            ("This is an AI assistant.", Some("fi"), true),
            ("", None, false),
        ] {
            assert_eq!(is_in(words, language), disclosed, "{language:?} {words:?}");
        }
    }
}

//! Whether words of ours tell a human that they speak with an AI, or that they are recorded. It is
//! a rule about words: it knows how these are called and takes none of them out of a question, nor
//! from beside a not. Whether the voice said what is written down of it, nobody here can know.
//! Pure.

use crate::call::yes_no::plain;

/// The words of one language (ISO 639-1), as [`plain`] writes them. No name is a word of another
/// meaning in any of the languages: "ai" alone is one in French and in Italian.
struct Words {
    language: &'static str,
    /// What an AI is called.
    names: &'static [&'static str],
    /// What says that something is recorded.
    recorded: &'static [&'static str],
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
        recorded: &["recorded", "recording", "record"],
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
        recorded: &[
            "aufgezeichnet",
            "aufzeichnen",
            "aufzeichnung",
            "aufgenommen",
            "aufnehmen",
            "mitgeschnitten",
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
        recorded: &["enregistré", "enregistrée", "enregistrer", "enregistrement", "enregistrons"],
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
        recorded: &["grabada", "grabado", "grabando", "grabar", "grabamos", "grabación", "graba"],
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
        recorded: &["registrata", "registrato", "registrare", "registrazione"],
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
        recorded: &["gravada", "gravado", "gravar", "gravando", "gravação"],
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
        recorded: &["opgenomen", "opnemen", "opname"],
        not: &["niet", "geen", "nee", "nooit"],
    },
    Words {
        language: "ja",
        names: &["aiアシスタント", "人工知能", "aiエージェント", "aiです"],
        recorded: &["録音"],
        not: &["ではありません", "じゃない", "ではない"],
    },
    Words {
        language: "zh",
        names: &["ai助手", "ai助理", "人工智能", "人工智慧", "智能助手"],
        recorded: &["录音", "錄音"],
        not: &["不是", "并非", "並非"],
    },
];

/// What ends a thought within a sentence.
const THOUGHT_ENDS: [char; 7] = [',', ';', ':', '—', '、', '，', '；'];

/// What ends a sentence.
const SENTENCE_ENDS: [char; 8] = ['.', '!', '?', '\n', '。', '！', '？', '\u{61f}'];

/// What ends a question.
const ASKS: [char; 3] = ['?', '？', '\u{61f}'];

/// Whether these words name an AI assistant as the one who speaks, in this language (a region
/// behind it does not count). Where it is not known, or is none of the table's, the words of all
/// languages count.
#[must_use]
pub fn names_an_ai(words: &str, language: Option<&str>) -> bool {
    // Its full stops end no thought.
    states(&words.replace("A.I.", "AI"), language, |words| words.names)
}

/// Whether these words say that the call is recorded.
#[must_use]
pub fn tells_of_recording(words: &str, language: Option<&str>) -> bool {
    states(words, language, |words| words.recorded)
}

/// Whether the last question in these words is whether the call may be recorded.
#[must_use]
pub fn asks_to_record(words: &str, language: Option<&str>) -> bool {
    let Some(end) = words.rfind(ASKS) else { return false };
    let asked = words[..end].rsplit(SENTENCE_ENDS).next().unwrap_or_default();
    let spoken = plain(asked);
    of(language).any(|words| words.recorded.iter().any(|word| is_said(&spoken, word)))
}

/// The words that count for this language.
fn of(language: Option<&str>) -> impl Iterator<Item = &'static Words> {
    let language = language.and_then(|language| language.get(..2)).map(str::to_ascii_lowercase);
    let known = ALL.iter().any(|words| Some(words.language) == language.as_deref());
    ALL.iter().filter(move |words| !known || Some(words.language) == language.as_deref())
}

/// Whether a sentence that is no question has one of these words, in a thought that denies nothing.
fn states(
    words: &str,
    language: Option<&str>,
    list: fn(&Words) -> &'static [&'static str],
) -> bool {
    let sentences = words.split_inclusive(SENTENCE_ENDS).filter(|said| !said.ends_with(ASKS));
    sentences.flat_map(|said| said.split(THOUGHT_ENDS)).any(|thought| {
        let spoken = plain(thought);
        let says = |list: &[&str]| list.iter().any(|word| is_said(&spoken, word));
        of(language).any(|words| says(list(words)) && !says(words.not))
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
            assert_eq!(names_an_ai(words, language), disclosed, "{language:?} {words:?}");
        }
    }

    #[test]
    fn a_recording_is_told_of_or_asked_for() {
        for (words, language, told, asked) in [
            ("This call is recorded.", Some("en"), true, false),
            ("Hello. May I record this call, yes or no?", Some("en"), false, true),
            ("May this call be recorded?", None, false, true),
            ("May I record this call? And how are you?", Some("en"), false, false),
            ("This call is not recorded.", Some("en"), false, false),
            ("Dieses Gespräch wird aufgezeichnet.", Some("de"), true, false),
            ("Darf ich das Gespräch aufzeichnen?", Some("de"), false, true),
            ("¿Puedo grabar la llamada?", Some("es"), false, true),
            ("本次通话会被录音。", Some("zh"), true, false),
            ("Do you have a table?", Some("en"), false, false),
        ] {
            assert_eq!(tells_of_recording(words, language), told, "{words:?}");
            assert_eq!(asks_to_record(words, language), asked, "{words:?}");
        }
    }
}

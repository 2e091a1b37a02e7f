//! What a model has used, in tokens as its provider counts them. What a provider does not tell is
//! absent, not zero.

/// What is counted. The whole is told beside its parts: providers exist that tell no parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// All that the model was given.
    Input,
    /// Of it, text.
    InputText,
    /// Of it, audio.
    InputAudio,
    /// Of it, what the provider still had from before; it is among text and audio as well.
    InputCached,
    /// All that it gave.
    Output,
    /// Of it, text: transcripts of its speech and what it asked of tools.
    OutputText,
    /// Of it, audio.
    OutputAudio,
}

impl Figure {
    /// Every figure, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::Input,
        Self::InputText,
        Self::InputAudio,
        Self::InputCached,
        Self::Output,
        Self::OutputText,
        Self::OutputAudio,
    ];

    /// The word in the API, the store and the metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::InputText => "input_text",
            Self::InputAudio => "input_audio",
            Self::InputCached => "input_cached",
            Self::Output => "output",
            Self::OutputText => "output_text",
            Self::OutputAudio => "output_audio",
        }
    }
}

/// Tokens by what they were used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage([Option<u64>; Figure::ALL.len()]);

impl Usage {
    /// What a provider tells; nothing when it tells none of the figures.
    #[must_use]
    pub fn told_by(provider: impl Fn(Figure) -> Option<u64>) -> Option<Self> {
        let usage = Self(Figure::ALL.map(provider));
        (!usage.is_empty()).then_some(usage)
    }

    /// Whether nothing was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The figures that were told.
    pub fn told(&self) -> impl Iterator<Item = (Figure, u64)> + '_ {
        let all = Figure::ALL.into_iter().zip(self.0);
        all.filter_map(|(figure, tokens)| Some((figure, tokens?)))
    }

    /// Adds what another response has used. A sum that no counter holds stays at the largest
    /// number there is: a provider's nonsense is no reason to fail.
    pub fn add(&mut self, more: &Self) {
        for (sum, more) in self.0.iter_mut().zip(more.0) {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or_default().saturating_add(more));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_told_stays_absent_and_the_rest_is_added_up() {
        let of = |input, cached| {
            Usage::told_by(|figure| match figure {
                Figure::Input => Some(input),
                Figure::InputCached => cached,
                Figure::InputText
                | Figure::InputAudio
                | Figure::Output
                | Figure::OutputText
                | Figure::OutputAudio => None,
            })
            .expect("something was told")
        };
        let mut sum = Usage::default();
        assert!(sum.is_empty());
        sum.add(&of(7, None));
        sum.add(&of(5, Some(0)));
        assert_eq!(sum.told().collect::<Vec<_>>(), [(Figure::Input, 12), (Figure::InputCached, 0)]);
        sum.add(&of(u64::MAX, None));
        assert_eq!(sum.told().next(), Some((Figure::Input, u64::MAX)));
        assert_eq!(Usage::told_by(|_| None), None);
    }
}

//! Who speaks: a pitch and the names of the voices that the speech programs have for it, and the
//! hum that stands in for words where neither a clip nor a program is at hand.

use std::f32::consts::TAU;

use super::band::VOICE_HZ;

/// A speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Voice {
    pitch_hz: u16,
    flite: &'static str,
    espeak: &'static str,
}

impl Voice {
    /// The voice of our own side.
    #[must_use]
    pub const fn agent() -> Self {
        Self { pitch_hz: 190, flite: "slt", espeak: "en-us+f3" }
    }

    /// The voice of the one person who is called or calls.
    #[must_use]
    pub const fn callee() -> Self {
        Self { pitch_hz: 110, flite: "rms", espeak: "en-us+m3" }
    }

    /// One of many people; neighbours differ in pitch and voice.
    #[must_use]
    pub const fn numbered(n: usize) -> Self {
        const OTHERS: [(&str, &str); 4] =
            [("awb", "en-gb+m1"), ("kal16", "en-us+m5"), ("rms", "en-us+m7"), ("slt", "en-gb+f2")];
        let (flite, espeak) = OTHERS[n % OTHERS.len()];
        // 37 is prime to 130: the pitches spread over 85 to 214 Hz before one returns.
        Self { pitch_hz: 85 + (n % 130 * 37 % 130) as u16, flite, espeak }
    }

    /// What `flite` calls it; also the name in the index of clips.
    pub(super) const fn flite(&self) -> &'static str {
        self.flite
    }

    /// What `espeak-ng` calls it.
    pub(super) const fn espeak(&self) -> &'static str {
        self.espeak
    }

    /// A hum with the rhythm of speech, its vowels taken from the text, `seconds` long.
    pub(super) fn hum(&self, text: &str, seconds: f32) -> Vec<f32> {
        let vowels: Vec<[f32; 2]> = text.chars().filter_map(formants).collect();
        let vowels = if vowels.is_empty() { vec![NEUTRAL] } else { vowels };
        let length = (seconds * VOICE_HZ as f32) as usize;
        let pitch = f32::from(self.pitch_hz);
        let harmonics = (TOP_HZ / pitch) as usize;
        let mut phase = 0.0;
        let mut voice = Vec::with_capacity(length);
        let mut weights = Vec::with_capacity(harmonics);
        let mut syllable = usize::MAX;
        for n in 0..length {
            let through = n as f32 / length as f32;
            let place = through * vowels.len() as f32;
            if syllable != place as usize {
                syllable = place as usize;
                let vowel = vowels[syllable.min(vowels.len() - 1)];
                weights.clear();
                weights.extend((1..=harmonics).map(|nth| resonance(nth as f32 * pitch, vowel)));
            }
            // A falling melody, and a dip between the syllables.
            phase = (phase + pitch * (1.1 - 0.2 * through) / VOICE_HZ as f32).fract();
            let envelope = (place.fract() * TAU / 2.0).sin().sqrt();
            voice.push(envelope * harmonic_sum(phase * TAU, &weights));
        }
        voice
    }
}

/// The highest harmonic of a hum, its melody's top included: the voice's band ends at 1,800 Hz.
const TOP_HZ: f32 = 1_500.0;
/// The formants of a vowel that no letter gives.
const NEUTRAL: [f32; 2] = [500.0, 1_500.0];

/// The two lowest formants in hertz of a letter's vowel, after Peterson and Barney (1952).
fn formants(letter: char) -> Option<[f32; 2]> {
    match letter.to_ascii_lowercase() {
        'a' => Some([730.0, 1_090.0]),
        'e' => Some([530.0, 1_700.0]),
        'i' | 'y' => Some([300.0, 1_800.0]),
        'o' => Some([570.0, 840.0]),
        'u' => Some([300.0, 870.0]),
        _ => None,
    }
}

fn resonance(hz: f32, vowel: [f32; 2]) -> f32 {
    let near = |formant: f32| 1.0 / (1.0 + ((hz - formant) / 120.0).powi(2));
    0.05 + near(vowel[0]) + 0.5 * near(vowel[1])
}

/// The sum of weighted harmonics, by the recurrence sin(n+1)x = 2 cos x sin nx - sin(n-1)x.
fn harmonic_sum(angle: f32, weights: &[f32]) -> f32 {
    let twice_cos = 2.0 * angle.cos();
    let (mut below, mut now) = (0.0, angle.sin());
    let mut sum = 0.0;
    for weight in weights {
        sum += weight * now;
        (below, now) = (now, twice_cos * now - below);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_lines_do_not_sound_alike() {
        let voices: std::collections::HashSet<Voice> = (0..130).map(Voice::numbered).collect();
        assert_eq!(voices.len(), 130);
        assert_ne!(Voice::agent(), Voice::callee());
    }

    #[test]
    fn a_hum_is_as_long_as_asked_and_audible() {
        let hum = Voice::callee().hum("Hello", 0.5);
        assert_eq!(hum.len(), VOICE_HZ / 2);
        assert!(hum.iter().any(|sample| sample.abs() > 0.3));
        assert!(Voice::callee().hum("pst", 0.1).iter().any(|sample| sample.abs() > 0.1));
    }
}

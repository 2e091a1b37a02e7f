//! From what the lines found to readings and rows: which number goes where.

use tandem::rehearsal::speech::Account;

use crate::cli::Carrier;
use crate::report::Report;
use crate::tally::Tally;
use crate::verdict::{Quantity, Readings};

/// Takes the readings that are the same for every kind of run.
pub(crate) fn read(readings: &mut Readings, tally: &Tally, uplink: &Account, carrier: Carrier) {
    readings.set(Quantity::CallsLost, tally.calls_lost as f64);
    if tally.turns > 0 {
        readings.set(Quantity::WrongTranscripts, tally.wrong as f64);
        readings.set(Quantity::TurnsLost, tally.turns_lost as f64);
        readings.set(Quantity::TurnsDoubled, tally.turns_doubled as f64);
        // A frame that was garbled cannot be read. Where audio is resampled, the last frame of
        // an utterance leaves an echo in the next, which cannot be read either and is no loss.
        let lost = |heard: &Account| match carrier {
            Carrier::Acs | Carrier::Twilio => heard.lost + heard.unreadable,
            Carrier::Acs16k => heard.lost,
        };
        readings.set(Quantity::FramesLost, (lost(&tally.heard) + lost(uplink)) as f64);
        readings.set(Quantity::FramesDoubled, (tally.heard.doubled + uplink.doubled) as f64);
    }
    readings.set_if(Quantity::UplinkP50, tally.uplink.ms_at(0.5));
    readings.set_if(Quantity::UplinkP99, tally.uplink.ms_at(0.99));
    readings.set_if(Quantity::DownlinkP50, tally.downlink.ms_at(0.5));
    readings.set_if(Quantity::DownlinkP99, tally.downlink.ms_at(0.99));
    for (kind, gaps) in &tally.gaps {
        readings.set_if(Quantity::GapP99(*kind), gaps.ms_at(0.99));
    }
    for (kind, resumed) in &tally.resumed {
        readings.set_if(Quantity::ResumedP99(*kind), resumed.ms_at(0.99));
    }
}

/// Writes what the lines found into the report.
pub(crate) fn tell(report: &mut Report, tally: &Tally, uplink: &Account) {
    report.times("added latency to the model", &tally.uplink);
    report.times("added latency to the phone", &tally.downlink);
    report.times("reply, silence and thinking included", &tally.reply);
    for (kind, gaps) in &tally.gaps {
        report.times(format!("audio gap around {kind}"), gaps);
    }
    for (kind, resumed) in &tally.resumed {
        report.times(format!("speech resumed after {kind}"), resumed);
    }
    for (part, repairs) in &tally.repairs {
        report.times(format!("repair of {part}, as the server says"), repairs);
    }
    report.times("phones late", &tally.lateness);

    report.number("calls", tally.calls as f64, "");
    report.number("answers judged", tally.turns as f64, "");
    report.number("frames sent by phones", tally.sent as f64, "");
    for (who, heard) in [("phones", &tally.heard), ("model", uplink)] {
        report.number(format!("frames of speech heard by {who}"), heard.frames as f64, "");
        for (what, count) in [
            ("lost", heard.lost),
            ("doubled", heard.doubled),
            ("out of order", heard.reordered),
            ("unreadable", heard.unreadable),
        ] {
            report.number(format!("  {what} on the way to {who}"), count as f64, "");
        }
    }
    report.number("holes inside utterances", tally.underruns as f64, "");
    if tally.underruns > 0 {
        let longest = tally.underrun_longest.as_secs_f64() * 1_000.0;
        report.number("  longest of them", longest, "ms");
    }
    if tally.odd_messages > 0 {
        report.number("messages no phone understood", tally.odd_messages as f64, "");
    }
    if !tally.faults.is_empty() {
        let refused = tally.faults.iter().filter(|fault| fault.refused.is_some()).count();
        report.number("faults", (tally.faults.len() - refused) as f64, "");
        report.number("  that could not be injected", refused as f64, "");
    }
    report.faults.clone_from(&tally.faults);
    report.troubles.clone_from(&tally.troubles);
}

//! Recordings as heard afterwards: the right samples in the right places, whatever happened.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::*;

const FORMAT: Format = Format::Pcm24k;

/// `ms` of the constant sample `value`.
fn pcm(value: i16, ms: u64) -> Payload {
    let samples = FORMAT.samples_in(Duration::from_millis(ms));
    let bytes: Vec<u8> = (0..samples).flat_map(|_| value.to_le_bytes()).collect();
    Payload::from_base64(Bytes::from(STANDARD.encode(bytes))).expect("base64")
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Both sides of a file, as (caller, agent).
fn sides(path: &Path) -> (Vec<i16>, Vec<i16>) {
    let mut reader = hound::WavReader::open(path).expect("a readable file");
    assert_eq!(reader.spec().channels, 2);
    let samples: Vec<i16> = reader.samples().collect::<Result<_, _>>().expect("whole samples");
    samples.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip()
}

/// The samples between two times are all `value`.
#[track_caller]
fn assert_all(side: &[i16], from_ms: u64, to_ms: u64, value: i16) {
    let at = |time| usize::try_from(FORMAT.samples_in(ms(time))).expect("small");
    let part = &side[at(from_ms)..at(to_ms)];
    let wrong = part.iter().position(|&sample| sample != value);
    assert_eq!(wrong, None, "between {from_ms} and {to_ms} ms");
}

struct Studio {
    dir: tempfile::TempDir,
    recordings: Recordings,
    call: CallId,
}

impl Studio {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let recordings = Recordings::new(&dir.path().join("tapes")).expect("a directory");
        Self { dir, recordings, call: CallId::new("call-1") }
    }

    fn tape(&self) -> Box<dyn Tape> {
        self.recordings.tape(&self.call, FORMAT).expect("a good name")
    }

    fn path(&self) -> PathBuf {
        self.recordings.path(&self.call).expect("a good name")
    }
}

/// A second of both sides told at the pace of a call is more than a batch; the writer gets its
/// turn, as it does in a call.
async fn talk(tape: &mut dyn Tape, from_ms: u64, to_ms: u64, caller: i16, agent: i16) {
    for at in (from_ms..to_ms).step_by(20) {
        tape.heard(ms(at), &pcm(caller, 20));
        tape.played(ms(at), &pcm(agent, 20));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_side_is_heard_on_its_own_channel_at_its_own_time() {
    let studio = Studio::new();
    let mut tape = studio.tape();
    tape.heard(ms(0), &pcm(100, 500));
    tape.played(ms(700), &pcm(-7, 300));
    tape.heard(ms(1_500), &pcm(200, 100));
    drop(tape);
    studio.recordings.finished(&studio.call).await;

    let (caller, agent) = sides(&studio.path());
    assert_eq!(caller.len(), 24_000 * 16 / 10);
    assert_all(&caller, 0, 500, 100);
    assert_all(&caller, 500, 1_500, 0);
    assert_all(&caller, 1_500, 1_600, 200);
    assert_all(&agent, 0, 700, 0);
    assert_all(&agent, 700, 1_000, -7);
    assert_all(&agent, 1_000, 1_600, 0);
}

#[tokio::test]
async fn frames_that_come_a_little_early_or_late_leave_no_seam() {
    let studio = Studio::new();
    let mut tape = studio.tape();
    for (frame, jitter) in [0, 7, 19, 3, 0, 30, 11, 2, 0, 5].into_iter().enumerate() {
        tape.heard(ms(frame as u64 * 20 + jitter), &pcm(50, 20));
    }
    drop(tape);
    studio.recordings.finished(&studio.call).await;
    let (caller, _) = sides(&studio.path());
    assert_all(&caller, 0, 200, 50);
    assert_eq!(caller.len(), 4_800);
}

#[tokio::test]
async fn a_flush_takes_back_what_was_told_ahead_and_never_heard() {
    let studio = Studio::new();
    let mut tape = studio.tape();
    tape.heard(ms(0), &pcm(1, 1_000));
    tape.played(ms(0), &pcm(10, 600));
    tape.played(ms(600), &pcm(11, 200));
    tape.flushed(ms(450));
    tape.played(ms(900), &pcm(12, 100));
    drop(tape);
    studio.recordings.finished(&studio.call).await;
    let (_, agent) = sides(&studio.path());
    assert_all(&agent, 0, 450, 10);
    assert_all(&agent, 450, 900, 0);
    assert_all(&agent, 900, 1_000, 12);
}

#[tokio::test]
async fn mu_law_is_recorded_at_its_own_rate() {
    let studio = Studio::new();
    let mut tape = studio.recordings.tape(&studio.call, Format::Pcmu8k).expect("a good name");
    // 0xFF is silence and 0x80 the loudest positive sample (G.711 table 2a).
    let loud = Payload::from_base64(Bytes::from(STANDARD.encode([0x80; 160]))).expect("base64");
    tape.played(ms(100), &loud);
    drop(tape);
    studio.recordings.finished(&studio.call).await;
    let reader = hound::WavReader::open(studio.path()).expect("a readable file");
    assert_eq!(reader.spec().sample_rate, 8_000);
    let (caller, agent) = sides(&studio.path());
    assert_eq!(agent.len(), 960);
    assert!(agent[..800].iter().all(|&sample| sample == 0));
    assert!(agent[800..].iter().all(|&sample| sample == 32_124));
    assert!(caller.iter().all(|&sample| sample == 0));
}

#[tokio::test]
async fn a_process_that_dies_leaves_a_file_that_opens() {
    let studio = Studio::new();
    let mut tape = studio.tape();
    // Both parts together are no more than finds room, however slow the writer is.
    talk(&mut *tape, 0, 3_000, 5, 6).await;
    // The tape is still running; what a kill would leave is what lies on the disk now. The first
    // second has to come there by itself.
    let killed = studio.dir.path().join("killed.wav");
    while hound::WavReader::open(&killed).map_or(0, |reader| reader.duration()) < 24_000 {
        // Not there yet when the writer has not begun.
        std::fs::copy(studio.path(), &killed).ok();
        tokio::task::yield_now().await;
    }
    let (caller, agent) = sides(&killed);
    assert_all(&caller, 0, 1_000, 5);
    assert_all(&agent, 0, 1_000, 6);

    talk(&mut *tape, 3_000, 5_000, 5, 6).await;
    drop(tape);
    studio.recordings.finished(&studio.call).await;
    let (caller, agent) = sides(&studio.path());
    assert_all(&caller, 0, 5_000, 5);
    assert_all(&agent, 0, 5_000, 6);
}

#[tokio::test]
async fn a_call_that_is_restarted_goes_on_behind_what_was_recorded() {
    let studio = Studio::new();
    let mut tape = studio.tape();
    tape.heard(ms(0), &pcm(1, 500));
    drop(tape);
    let mut tape = studio.tape();
    tape.heard(ms(0), &pcm(2, 500));
    drop(tape);
    studio.recordings.finished(&studio.call).await;
    let (caller, _) = sides(&studio.path());
    assert_all(&caller, 0, 500, 1);
    assert_all(&caller, 500, 1_000, 2);
}

#[tokio::test]
async fn a_time_that_cannot_be_true_does_not_fill_the_disk() {
    let studio = Studio::new();
    let mut tape = studio.tape();
    tape.heard(ms(0), &pcm(1, 100));
    tape.heard(Duration::from_secs(100_000), &pcm(2, 100));
    tape.heard(ms(100), &pcm(3, 100));
    drop(tape);
    studio.recordings.finished(&studio.call).await;
    let (caller, _) = sides(&studio.path());
    assert_eq!(caller.len(), 4_800);
    assert_all(&caller, 100, 200, 3);
}

#[tokio::test]
async fn who_tells_never_waits_even_when_nobody_writes() {
    let studio = Studio::new();
    let mut tape = studio.tape();
    // No await in between: the writer cannot take anything meanwhile.
    for at in (0..60_000).step_by(20) {
        tape.heard(ms(at), &pcm(5, 20));
    }
    drop(tape);
    studio.recordings.finished(&studio.call).await;
    let (caller, _) = sides(&studio.path());
    let kept = BATCH_RUNS.min(26) * BATCHES_MAX * 480;
    assert!(!caller.is_empty() && caller.len() <= kept, "{} samples", caller.len());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_stops_the_recording_and_nothing_else() {
    let studio = Studio::new();
    std::os::unix::fs::symlink("/dev/full", studio.path()).expect("a link");
    let mut tape = studio.tape();
    talk(&mut *tape, 0, 5_000, 5, 6).await;
    studio.recordings.finished(&studio.call).await;
    talk(&mut *tape, 5_000, 6_000, 5, 6).await;
    drop(tape);
}

#[tokio::test]
async fn only_a_plain_call_id_names_a_file() {
    let studio = Studio::new();
    for bad in ["", "..", "../x", "a/b", "a\\b", "a.b", "ä", "a b", "a\0"] {
        let call = CallId::new(bad);
        assert_eq!(studio.recordings.path(&call), Err(BadName), "{bad:?}");
        assert!(studio.recordings.tape(&call, FORMAT).is_err());
    }
    assert!(studio.recordings.path(&CallId::new(&"a".repeat(129))).is_err());
}

#[tokio::test]
async fn a_recording_that_may_begin_late_begins_there() {
    const LATE: u64 = 3 * 60 * 60 * 1_000;
    let studio = Studio::new();
    let mut tape = studio.tape();
    tape.played(ms(LATE + 150), &pcm(-7, 300));
    tape.heard(ms(LATE), &pcm(100, 500));
    tape.heard(ms(LATE + 1_000), &pcm(200, 100));
    drop(tape);
    studio.recordings.finished(&studio.call).await;
    let (caller, agent) = sides(&studio.path());
    // Ours was told first, and a fifth of a second ahead.
    assert_eq!(caller.len(), 24 * 1_150);
    assert_all(&caller, 0, 50, 0);
    assert_all(&caller, 50, 550, 100);
    assert_all(&caller, 1_050, 1_150, 200);
    assert_all(&agent, 0, 200, 0);
    assert_all(&agent, 200, 500, -7);
}

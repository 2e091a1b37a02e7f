//! Both ends of the forwarder's connections: frames sent on time, counted and timed where they
//! come out. Open loop: a frame is due when it is due, and its latency counts from then.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tandem::rehearsal::pacer::sleep_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::frame::{Frame, From};
use crate::child::{self, Child};
use crate::cli::Carrier;
use crate::measure::Distribution;
use crate::{plan, process};

/// One frame.
pub(crate) const FRAME: Duration = Duration::from_millis(20);
/// Frames after which talk and silence of the model's end repeat: four seconds, a turn or so.
const TURN_FRAMES: u64 = 200;
/// What may still be under way when the sending ends.
const TAIL: Duration = Duration::from_millis(500);

/// What to drive through a forwarder.
#[derive(Clone, Debug)]
pub struct Drive {
    /// Connections at once.
    pub calls: u32,
    /// Whose frames.
    pub carrier: Carrier,
    /// Until all connections are up.
    pub ramp: Duration,
    /// How long to measure after that.
    pub lasting: Duration,
    /// Which share of the time the model's end sends: as much as the model spoke in the run this
    /// is compared with.
    pub talk: f64,
    /// For the starts.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Driven {
    /// Processor time of the forwarder in the measured time.
    pub cpu: Duration,
    /// Connections times measured time.
    pub call_seconds: f64,
    /// Frames that went in.
    pub sent: u64,
    /// Frames that came out.
    pub arrived: u64,
    /// From the moment a phone was to send to the model's end.
    pub uplink: Distribution,
    /// From the moment the model's end was to send to the phone.
    pub downlink: Distribution,
    /// How late the drivers sent.
    pub lateness: Distribution,
}

impl Driven {
    /// Adds another run.
    pub fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.call_seconds += other.call_seconds;
        self.sent += other.sent;
        self.arrived += other.arrived;
        self.uplink.merge(&other.uplink);
        self.downlink.merge(&other.downlink);
        self.lateness.merge(&other.lateness);
    }
}

/// What all ends of a run count into: one histogram of each kind is 150 KiB, too much for each
/// connection to have its own.
#[derive(Default)]
struct Tally {
    sent: AtomicU64,
    arrived: AtomicU64,
    uplink: Mutex<Distribution>,
    downlink: Mutex<Distribution>,
    lateness: Mutex<Distribution>,
}

/// One end of one connection.
#[derive(Clone)]
struct End {
    tally: Arc<Tally>,
    carrier: Carrier,
    zero: Instant,
    /// When it begins to send and when it stops, from `zero`.
    first: Duration,
    last: Duration,
    from: From,
    talk: f64,
}

/// Starts a forwarder, drives it, and stops it.
///
/// # Errors
///
/// The forwarder did not come up, or a connection broke.
pub async fn run(drive: &Drive) -> anyhow::Result<Driven> {
    let models = TcpListener::bind("127.0.0.1:0").await.context("no port for the model's end")?;
    let mut command = Child::part(child::FORWARDER)?;
    command.arg(models.local_addr().context("no address")?.to_string());
    let forwarder =
        Child::start(command, child::READY_WITHIN).await.context("forwarder not started")?;
    drive_through(drive, models, &forwarder).await
}

async fn drive_through(
    drive: &Drive,
    models: TcpListener,
    forwarder: &Child,
) -> anyhow::Result<Driven> {
    let tally = Arc::new(Tally::default());
    let zero = Instant::now();
    let phone = End {
        tally: tally.clone(),
        carrier: drive.carrier,
        zero,
        first: Duration::ZERO,
        last: drive.ramp + FRAME + drive.lasting,
        from: From::Phone,
        talk: 1.0,
    };
    let model = End { from: From::Model, talk: drive.talk, ..phone.clone() };
    let mut ends = JoinSet::new();
    let address: Arc<str> = forwarder.listening().into();
    for first in plan::starts(drive.calls, drive.ramp, drive.seed) {
        let (address, end) = (address.clone(), End { first, ..phone.clone() });
        ends.spawn(async move {
            sleep_until((zero + first).into()).await;
            let socket = TcpStream::connect(&*address).await.context("forwarder not reached")?;
            hold(socket, end).await
        });
    }
    let calls = drive.calls;
    ends.spawn(async move {
        let mut sockets = JoinSet::new();
        for _ in 0..calls {
            let (socket, _) = models.accept().await.context("no connection")?;
            sockets.spawn(hold(socket, End { first: zero.elapsed(), ..model.clone() }));
        }
        all(sockets).await
    });

    tokio::time::sleep_until((zero + drive.ramp + FRAME).into()).await;
    let before = process::sample(forwarder.pid()).context("forwarder not seen")?;
    let began = Instant::now();
    tokio::time::sleep(drive.lasting).await;
    let after = process::sample(forwarder.pid()).context("forwarder not seen")?;
    let lasted = began.elapsed().as_secs_f64();

    all(ends).await?;
    let take = |times: &Mutex<Distribution>| {
        std::mem::take(&mut *times.lock().unwrap_or_else(PoisonError::into_inner))
    };
    Ok(Driven {
        cpu: after.cpu.saturating_sub(before.cpu),
        call_seconds: lasted * f64::from(drive.calls),
        sent: tally.sent.load(Ordering::Relaxed),
        arrived: tally.arrived.load(Ordering::Relaxed),
        uplink: take(&tally.uplink),
        downlink: take(&tally.downlink),
        lateness: take(&tally.lateness),
    })
}

async fn all(mut ends: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(end) = ends.join_next().await {
        end.context("an end of a connection panicked")??;
    }
    Ok(())
}

/// Holds one end of a connection until the end of the run.
async fn hold(socket: TcpStream, end: End) -> anyhow::Result<()> {
    socket.set_nodelay(true).context("no nodelay")?;
    let (read, write) = socket.into_split();
    let sending = tokio::spawn(send(write, end.clone()));
    receive(read, &end).await?;
    sending.await.context("a sender panicked")?
}

/// Sends frames on absolute deadlines; what is late is sent at once and counted as late.
async fn send(mut write: OwnedWriteHalf, end: End) -> anyhow::Result<()> {
    let mut frame = Frame::new(end.carrier, end.from);
    let talk_frames = (end.talk.clamp(0.0, 1.0) * TURN_FRAMES as f64).round() as u64;
    let mut due = end.first;
    for tick in 0_u64.. {
        due += FRAME;
        if due >= end.last {
            break;
        }
        if tick % TURN_FRAMES >= talk_frames {
            continue;
        }
        sleep_until((end.zero + due).into()).await;
        record(&end.tally.lateness, end.zero.elapsed().saturating_sub(due));
        write.write_all(frame.stamped(due)).await.context("connection broke")?;
        end.tally.sent.fetch_add(1, Ordering::Relaxed);
    }
    // The end of one direction passes through; the other end stops reading then.
    sleep_until((end.zero + end.last + TAIL).into()).await;
    write.shutdown().await.context("connection broke")
}

async fn receive(mut read: OwnedReadHalf, end: &End) -> anyhow::Result<()> {
    let (other, latency) = match end.from {
        From::Phone => (From::Model, &end.tally.downlink),
        From::Model => (From::Phone, &end.tally.uplink),
    };
    let frame = Frame::new(end.carrier, other);
    let mut bytes = vec![0; frame.len()];
    loop {
        let first = read.read(&mut bytes).await.context("connection broke")?;
        if first == 0 {
            return Ok(());
        }
        read.read_exact(&mut bytes[first..]).await.context("connection ended inside a frame")?;
        let moment = frame.moment(&bytes).context("bytes came out that did not go in")?;
        end.tally.arrived.fetch_add(1, Ordering::Relaxed);
        record(latency, end.zero.elapsed().saturating_sub(moment));
    }
}

fn record(times: &Mutex<Distribution>, time: Duration) {
    times.lock().unwrap_or_else(PoisonError::into_inner).record(time);
}

//! `tandem listen`: a call's audio as it is heard, into a WAV file or to the next program.

use std::fs::File;
use std::future::poll_fn;
use std::io::{BufWriter, Stdout, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use axum::http::HeaderMap;
use clap::Args;
use hound::{SampleFormat, WavSpec, WavWriter};
use serde_json::{Value, json};

use super::client::{At, Client};
use super::{column, say_error};
use crate::mcp::api::segment;
use crate::socket::dial::{self, Dialled};
use crate::socket::{Limits, Message, Socket};

/// A frame of 20 ms has less than 2 KiB, a word of the server a line.
const SENT: Limits = Limits { message_bytes: 16 * 1024 };

#[derive(Args, Clone, Debug)]
pub(super) struct Options {
    /// The call's id.
    id: String,
    /// The file; `-` for standard output. A file that is there is overwritten.
    #[arg(long, value_name = "FILE")]
    wav: String,
    #[command(flatten)]
    pub(super) at: At,
}

pub(super) async fn run(
    options: &Options,
    client: anyhow::Result<Client>,
) -> anyhow::Result<ExitCode> {
    let client = client?;
    let path = format!("/v1/calls/{}/listen", segment(&options.id));
    let way = client.post(&path, json!({})).await?;
    let url = client.url(column(&way, "url")).replacen("http", "ws", 1);
    let mut socket = dial::connect(&url, HeaderMap::new(), SENT).await?;
    let begun = loop {
        match next(&mut socket).await? {
            Message::Text(text) => break serde_json::from_str::<Value>(&text)?,
            Message::Binary(_) => {}
        }
    };
    let rate = begun["sample_rate"].as_u64().and_then(|rate| u32::try_from(rate).ok());
    let rate = rate.context("the server does not say how it speaks; is it of another version?")?;
    let mut sink = Sink::open(&options.wav, rate)?;
    loop {
        let message = tokio::select! {
            message = next(&mut socket) => message?,
            // What was heard is a whole file.
            _ = tokio::signal::ctrl_c() => break,
        };
        match message {
            Message::Binary(frame) => sink.write(&frame)?,
            Message::Text(text) => {
                let told: Value = serde_json::from_str(&text)?;
                let lost_ms = told["lost_ms"].as_u64().unwrap_or_default();
                if told["ended"] == true {
                    break;
                }
                say_error(&format!("{lost_ms} ms are missing; silence stands for them"));
                sink.be_silent(lost_ms, rate)?;
            }
        }
    }
    sink.finish()?;
    Ok(ExitCode::SUCCESS)
}

async fn next(socket: &mut Socket<Dialled>) -> anyhow::Result<Message> {
    poll_fn(|cx| socket.poll_message(cx)).await.context("the server has gone")
}

/// Where the audio goes.
enum Sink {
    File(Box<WavWriter<BufWriter<File>>>),
    Output(Stdout),
}

impl Sink {
    fn open(file: &str, sample_rate: u32) -> anyhow::Result<Self> {
        let (channels, bits_per_sample, sample_format) = (2, 16, SampleFormat::Int);
        let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format };
        if file == "-" {
            let mut output = std::io::stdout();
            // How long it will be is not known yet.
            output.write_all(&spec.into_header_for_infinite_file())?;
            return Ok(Self::Output(output));
        }
        match WavWriter::create(file, spec) {
            Ok(writer) => Ok(Self::File(Box::new(writer))),
            Err(error) => bail!("{file} cannot be written: {error}"),
        }
    }

    fn write(&mut self, samples: &[u8]) -> anyhow::Result<()> {
        match self {
            Self::File(writer) => {
                for sample in samples.chunks_exact(2) {
                    writer.write_sample(i16::from_le_bytes([sample[0], sample[1]]))?;
                }
            }
            Self::Output(output) => {
                output.write_all(samples)?;
                output.flush()?;
            }
        }
        Ok(())
    }

    fn be_silent(&mut self, ms: u64, rate: u32) -> anyhow::Result<()> {
        // Four bytes for both sides.
        let bytes = usize::try_from(ms * u64::from(rate) / 1_000 * 4)?;
        self.write(&vec![0; bytes])
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::File(writer) => writer.finalize()?,
            Self::Output(mut output) => output.flush()?,
        }
        Ok(())
    }
}

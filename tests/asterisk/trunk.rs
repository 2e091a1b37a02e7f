//! A trunk that refuses every call: the last three digits of the number are the status it
//! answers with. As much SIP as that needs (RFC 3261 §8.2.6).

use anyhow::Context;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// Refuses until it is dropped.
pub(crate) struct Refusals(JoinHandle<()>);

impl Refusals {
    /// Where `pjsip.conf` expects it.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:5080").await.context("the trunk's port")?;
        Ok(Self(tokio::spawn(async move {
            let mut request = vec![0; 65_536];
            while let Ok((length, from)) = socket.recv_from(&mut request).await {
                let answer = refuse(&String::from_utf8_lossy(&request[..length]));
                // One that is lost is asked for again.
                if let Some(answer) = answer {
                    let _sent = socket.send_to(answer.as_bytes(), from).await;
                }
            }
        })))
    }
}

impl Drop for Refusals {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The answer to a request; an ACK has none.
fn refuse(request: &str) -> Option<String> {
    let (target, _) = request.strip_prefix("INVITE sip:")?.split_once('@')?;
    let status = target.get(target.len().checked_sub(3)?..)?;
    let mut answer = format!("SIP/2.0 {status} Refused\r\n");
    for line in request.lines().skip(1).take_while(|line| !line.is_empty()) {
        let name = line.split(':').next().unwrap_or_default();
        if ["Via", "From", "To", "Call-ID", "CSeq"].contains(&name) {
            answer += line;
            answer += if name == "To" { ";tag=refusals\r\n" } else { "\r\n" };
        }
    }
    Some(answer + "Content-Length: 0\r\n\r\n")
}

//! Opening sessions at servers that take us and servers that do not.

use rstest::rstest;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use super::*;

fn settings(url: &str, auth: Auth) -> Settings {
    Settings {
        url: url.into(),
        model: "gpt-realtime-2.1 & more".into(),
        key: "sk-secret".into(),
        auth,
        headers: vec![("OpenAI-Organization".into(), "org-1".into())],
        formats: vec![Format::Pcm24k],
        manner: Manner::default(),
    }
}

#[rstest]
#[case(Auth::Bearer, "/v1/realtime", "?", "authorization", "Bearer sk-secret")]
#[case(Auth::ApiKey, "/openai/v1/realtime?a=b", "&", "api-key", "sk-secret")]
#[tokio::test]
async fn a_session_is_opened_with_model_key_and_headers(
    #[case] auth: Auth,
    #[case] path: &str,
    #[case] joint: &str,
    #[case] header: &str,
    #[case] value: &str,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}{path}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut seen = None;
        #[expect(clippy::result_large_err, reason = "the type is the library's")]
        let look = |request: &Request, response: Response| {
            seen = Some((request.uri().to_string(), request.headers().clone()));
            Ok(response)
        };
        let mut far_end = tokio_tungstenite::accept_hdr_async(stream, look).await.unwrap();
        far_end.send(Frame::text(r#"{"type":"session.updated"}"#)).await.unwrap();
        seen.unwrap()
    });
    let model = OpenAi::new(&settings(&url, auth)).unwrap();
    assert!(!format!("{model:?}").contains("secret"), "a key in a log");
    let mut line = model.connect().await.map_err(|error| error.what).unwrap();
    let event = poll_fn(|cx| line.poll_event(cx)).await.unwrap();
    assert_eq!(told(event), "ready");

    let (uri, headers) = server.await.unwrap();
    assert_eq!(uri, format!("{path}{joint}model=gpt-realtime-2.1+%26+more"));
    assert_eq!(headers[header], value);
    assert_eq!(headers["openai-organization"], "org-1");
    assert!(!headers.contains_key("openai-beta"));
}

#[rstest]
#[case("401 Unauthorized", "", Loss::Final("status_401".into()))]
#[case("404 Not Found", "", Loss::Final("status_404".into()))]
#[case("429 Slow down", "Retry-After: 4\r\n", Loss::RateLimited(Duration::from_secs(4)))]
#[case("429 Slow down", "", Loss::RateLimited(loss::AFTER_429))]
#[case("503 Busy", "", Loss::Passing("status_503".into()))]
#[tokio::test]
async fn a_refusal_says_what_helps(
    #[case] status: &str,
    #[case] header: &str,
    #[case] expected: Loss,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\n\r\n");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 2048];
        assert_ne!(stream.read(&mut request).await.unwrap(), 0);
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    let model = OpenAi::new(&settings(&url, Auth::Bearer)).unwrap();
    let error = model.connect().await.map(|_| ()).unwrap_err();
    assert_eq!(error.loss, expected);
}

#[tokio::test]
async fn nobody_at_the_door_may_pass() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    drop(listener);
    let model = OpenAi::new(&settings(&url, Auth::Bearer)).unwrap();
    let error = model.connect().await.map(|_| ()).unwrap_err();
    assert!(matches!(error.loss, Loss::Passing(_)), "{error:?}");
}

#[rstest]
#[case(Settings { url: "https://api.example.com/".into(), ..settings("", Auth::Bearer) }, SettingsError::Url)]
#[case(Settings { formats: vec![], ..settings("ws://h/", Auth::Bearer) }, SettingsError::Formats)]
#[case(Settings { key: "a\nb".into(), ..settings("ws://h/", Auth::ApiKey) }, SettingsError::Key)]
#[case(
    Settings { headers: vec![("a b".into(), "c".into())], ..settings("ws://h/", Auth::Bearer) },
    SettingsError::Header
)]
fn settings_that_cannot_work_are_refused_at_once(
    #[case] settings: Settings,
    #[case] expected: SettingsError,
) {
    assert_eq!(OpenAi::new(&settings).map(|_| ()), Err(expected));
}

//! The client against a server that does what a real one must not: garbage, resets, silence, words of a later version.
//! And what only a connection shows: certificates and tokens.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Response};
use lotkeeper::v1::*;
use lotkeeper::{Error, Kind, Ledger, Options, PnLEvent, connect};
use prost::Message;
use prost::bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::{TlsAcceptor, rustls};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// What the server does with one call.
enum Does {
    Answer(Bytes),
    Refuse(HeaderMap),
    RefuseInTrailers(HeaderMap),
    Reset,
    Nothing,
}

/// What it got: the body of a call, and its headers.
type Got = Arc<Mutex<Vec<(Bytes, HeaderMap)>>>;
type Script = Arc<Mutex<VecDeque<Does>>>;

/// Serves one call after the other as the script says, over any number of connections.
async fn serve(script: impl IntoIterator<Item = Does>, tls: Option<TlsAcceptor>) -> (String, Got) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let got = Got::default();
    let script: Script = Arc::new(Mutex::new(script.into_iter().collect()));
    let kept = got.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (script, got, tls) = (script.clone(), got.clone(), tls.clone());
            tokio::spawn(async move {
                let Some(tls) = tls else { return talk(stream, script, got).await };
                // A handshake that fails is the client's to tell.
                if let Ok(stream) = tls.accept(stream).await {
                    talk(stream, script, got).await;
                }
            });
        }
    });
    (address, kept)
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, script: Script, got: Got) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    let mut open = Vec::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let (head, mut body) = request.into_parts();
        let (script, got) = (script.clone(), got.clone());
        open.push(tokio::spawn(async move {
            let mut bytes = Vec::new();
            while let Some(Ok(part)) = body.data().await {
                bytes.extend_from_slice(&part);
                body.flow_control().release_capacity(part.len()).unwrap();
            }
            got.lock().unwrap().push((bytes.into(), head.headers));
            let does = script.lock().unwrap().pop_front().expect("no more calls were expected");
            act(does, &mut respond);
            respond // kept: dropped, it would reset the stream
        }));
    }
}

fn act(does: Does, respond: &mut SendResponse<Bytes>) {
    let head = |headers: HeaderMap| {
        let mut response = Response::new(());
        *response.headers_mut() = headers;
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        response
    };
    match does {
        Does::Answer(message) => {
            let mut stream = respond.send_response(head(HeaderMap::new()), false).unwrap();
            let mut framed = vec![0];
            framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
            framed.extend_from_slice(&message);
            stream.send_data(framed.into(), false).unwrap();
            stream.send_trailers(status(Code::Ok, None)).unwrap();
        }
        Does::Refuse(headers) => drop(respond.send_response(head(headers), true).unwrap()),
        Does::RefuseInTrailers(trailers) => {
            respond.send_response(head(HeaderMap::new()), false).unwrap().send_trailers(trailers).unwrap();
        }
        Does::Reset => respond.send_reset(h2::Reason::INTERNAL_ERROR),
        Does::Nothing => {}
    }
}

fn status(code: Code, details: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", HeaderValue::from(code as i32));
    headers.insert("grpc-message", HeaderValue::from_static("words"));
    if let Some(details) = details {
        headers.insert("grpc-status-details-bin", HeaderValue::from_str(details).unwrap());
    }
    headers
}

fn recorded() -> Does {
    Does::Answer(RecordFillResponse { sequence: 7, ..Default::default() }.encode_to_vec().into())
}

fn dial(address: &str) -> Ledger {
    connect(address, Options::default()).unwrap()
}

async fn record(ledger: &Ledger) -> Result<RecordFillResponse, Error> {
    let fill = Fill { fill_id: "F-1".into(), ..Default::default() };
    ledger.record_fill(RecordFillRequest { fill: Some(fill), ..Default::default() }).await
}

/// Details that are no base64, or no message, hide nothing else of a status.
#[tokio::test]
async fn garbage_details_are_left_out() {
    let no_message = STANDARD.encode(b"\xff\xff\xffgarbage");
    for details in ["!!! not base64 !!!", "QQ=Q", &no_message] {
        let script = [
            Does::Refuse(status(Code::FailedPrecondition, Some(details))),
            Does::RefuseInTrailers(status(Code::NotFound, Some(details))),
        ];
        let (address, _) = serve(script, None).await;
        let ledger = dial(&address);
        let refused = record(&ledger).await.unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (Kind::LotkeeperError, Code::FailedPrecondition));
        let refused = record(&ledger).await.unwrap_err();
        assert_eq!((refused.kind(), refused.message()), (Kind::NotFound, "words"));
    }
}

/// A reset stream and a full queue are tried again, with the very same bytes, after the wait that the server asks for.
#[tokio::test]
async fn the_same_bytes_are_sent_again() {
    let wish = Duration::from_millis(300);
    let mut details = ErrorDetails::with_retry_info(Some(wish));
    details.set_error_info("WRITE_QUEUE_FULL", "lotkeeper", std::collections::HashMap::new());
    let full = Status::with_error_details(Code::ResourceExhausted, "full", details);
    let details = STANDARD.encode(full.details());
    let script = [Does::Reset, Does::Refuse(status(Code::ResourceExhausted, Some(&details))), recorded()];
    let (address, got) = serve(script, None).await;
    let begun = Instant::now();
    assert_eq!(record(&dial(&address)).await.unwrap().sequence, 7);
    assert!(begun.elapsed() >= wish);
    let got = got.lock().unwrap();
    assert_eq!(got.len(), 3);
    assert!(got.iter().all(|(body, _)| *body == got[0].0 && !body.is_empty()));
}

/// A server that does not answer is left at the deadline, which it was told.
#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let (address, got) = serve([Does::Nothing], None).await;
    let ledger = dial(&address).with_timeout(Duration::from_millis(300)).unwrap();
    let begun = Instant::now();
    let late = record(&ledger).await.unwrap_err();
    assert_eq!(late.kind(), Kind::DeadlineExceeded, "{late}");
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert!(got.lock().unwrap()[0].1.contains_key("grpc-timeout"));
}

/// A stream on which not even a heartbeat comes counts as lost, and is asked for again.
#[tokio::test]
async fn silent_streams_are_left() {
    let snapshot = StreamPnLResponse {
        sequence: 3,
        ledger_id: "L".into(),
        event: Some(stream_pn_l_response::Event::Snapshot(PnLSnapshot::default())),
        ..Default::default()
    };
    let (address, got) =
        serve([Does::Nothing, Does::Answer(snapshot.encode_to_vec().into()), Does::Nothing], None).await;
    let heartbeat_interval = Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 });
    let request = StreamPnLRequest { heartbeat_interval, ..Default::default() };
    let mut events = dial(&address).stream_pnl(request).unwrap();
    assert!(matches!(events.next().await.unwrap().unwrap(), PnLEvent::Snapshot(_)));
    let lost = events.next().await.unwrap().unwrap();
    assert!(matches!(&lost, PnLEvent::Disconnected(lost) if lost.cause.is(Kind::Unavailable)), "{lost:?}");
    tokio::time::timeout(Duration::from_millis(500), events.next()).await.expect_err("nothing more comes");
    let got = got.lock().unwrap();
    let resumed = StreamPnLRequest::decode(&got[2].0[5..]).unwrap();
    assert_eq!((resumed.after_sequence, resumed.ledger_id.as_str()), (Some(3), "L"));
}

/// Fields, enum values and kinds of events of a later version do no harm.
#[tokio::test]
async fn later_versions_do_no_harm() {
    let entry = Entry { status: 99, entry_id: "E".into(), ..Default::default() };
    let mut bytes = RecordFillResponse { opened_entry: Some(entry), ..Default::default() }.encode_to_vec();
    bytes.extend_from_slice(b"\xa2\x06\x03new"); // field 100, a text
    let (address, _) = serve([Does::Answer(bytes.into())], None).await;
    let entry = record(&dial(&address)).await.unwrap().opened_entry.unwrap();
    assert_eq!((entry.status, entry.entry_id.as_str()), (99, "E"));
}

/// A token goes with every call.
#[tokio::test]
async fn tokens_go_with_every_call() {
    let (address, got) = serve([recorded()], None).await;
    let ledger = connect(&address, Options { token: "secret".into(), ..Options::default() }).unwrap();
    record(&ledger).await.unwrap();
    assert_eq!(got.lock().unwrap()[0].1["authorization"], "Bearer secret");
    assert!(!format!("{ledger:?}").contains("secret"));
}

/// Both sides show certificates, and neither talks to one that it does not know.
#[cfg(feature = "tls")]
#[tokio::test]
async fn certificates_are_checked() {
    let authority = authority();
    let (certificate, key) = issued(&authority);
    let (address, _) = serve([recorded()], Some(acceptor(&authority))).await;
    let options = Options {
        root_certificates: authority.pem().into(),
        client_certificate: certificate.into(),
        client_key: key.into(),
        timeout: Duration::from_secs(2),
        ..Options::default()
    };
    let port = address.rsplit(':').next().unwrap();
    let address = format!("localhost:{port}");
    assert_eq!(record(&connect(&address, options.clone()).unwrap()).await.unwrap().sequence, 7);

    let stranger = Options { root_certificates: self::authority().pem().into(), ..options.clone() };
    let refused = record(&connect(&address, stranger).unwrap()).await.unwrap_err();
    let cause = std::error::Error::source(&refused).expect("what broke").to_string();
    assert!(cause.contains("certificate"), "{cause}");

    let half = Options { client_key: Vec::new(), ..options.clone() };
    assert!(connect(&address, half).unwrap_err().message().contains("client_key"));
    let garbage = Options { client_certificate: b"none".to_vec(), ..options };
    assert_eq!(connect(&address, garbage).unwrap_err().kind(), Kind::ValueError);
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for localhost and its key, as PEM.
fn issued(authority: &Authority) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn acceptor(authority: &Authority) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    let mut settings = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    settings.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(settings))
}

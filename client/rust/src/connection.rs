//! What every call passes on its way: the token is put in, and details of an error that cannot be read are taken out.
//!
//! Seen: tonic panics on a `grpc-status-details-bin` that is not base64, as a broken proxy may send it. A status whose
//! details cannot be read is still a status.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use prost::bytes::Bytes;
use tonic::transport::{Channel, Error};
use tower_service::Service;

const DETAILS_KEY: &str = "grpc-status-details-bin";
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The way to the server; generated clients take it, for stubs of one's own:
/// `HealthClient::new(ledger.connection())`.
#[derive(Clone, Debug)]
pub struct Connection {
    channel: Channel,
    authorization: Option<HeaderValue>,
}

impl Connection {
    pub(crate) fn new(channel: Channel, authorization: Option<HeaderValue>) -> Self {
        Self { channel, authorization }
    }
}

impl Service<Request<tonic::body::Body>> for Connection {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<tonic::body::Body>) -> Answering {
        if let Some(token) = &self.authorization {
            request.headers_mut().insert(http::header::AUTHORIZATION, token.clone());
        }
        let answer = self.channel.call(request);
        Box::pin(async move {
            let (mut head, body) = answer.await?.into_parts();
            drop_unreadable(&mut head.headers);
            Ok(Response::from_parts(head, Body(body)))
        })
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

/// An answer as it arrives.
#[derive(Debug)]
pub struct Body(tonic::body::Body);

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let mut frame = ready!(Pin::new(&mut self.0).poll_frame(context));
        if let Some(trailers) = frame.as_mut().and_then(|frame| frame.as_mut().ok()?.trailers_mut()) {
            drop_unreadable(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}

fn drop_unreadable(headers: &mut HeaderMap) {
    if headers.get(DETAILS_KEY).is_some_and(|details| BASE64.decode(details).is_err()) {
        headers.remove(DETAILS_KEY);
    }
}

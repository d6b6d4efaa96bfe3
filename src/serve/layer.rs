//! A tower layer: requests that may not pass are answered here; those that may carry an [`Identity`] among their
//! extensions. Whatever claims to be one already is replaced.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::header::HeaderValue;
use hyper::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::library::{Identity, Refused, Verifier};
use crate::domain::{Reason, ScopeId};

/// Puts a [`Verifier`] in front of a service. Cheap to clone.
#[derive(Clone)]
pub struct VerifyLayer {
    verifier: Arc<Verifier>,
    wanted: Arc<[ScopeId]>,
}

impl VerifyLayer {
    /// Requests need all of `wanted`.
    pub fn new(verifier: Arc<Verifier>, wanted: impl IntoIterator<Item = ScopeId>) -> Self {
        Self { verifier, wanted: wanted.into_iter().collect() }
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = Verify<S>;

    fn layer(&self, inner: S) -> Verify<S> {
        Verify { layer: self.clone(), inner }
    }
}

/// What [`VerifyLayer`] makes of a service.
#[derive(Clone)]
pub struct Verify<S> {
    layer: VerifyLayer,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Verify<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: From<Infallible>,
    B: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let layer = self.layer.clone();
        // The one that was ready takes the request; a clone waits for the next (tower's Service::call).
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            request.extensions_mut().remove::<Identity>();
            match layer.decide(&request).await {
                Ok(identity) => {
                    request.extensions_mut().insert(identity);
                    inner.call(request).await
                }
                Err(refused) => Ok(layer.refuse(refused)),
            }
        })
    }
}

impl VerifyLayer {
    /// Where the connection comes from is told by an extension of type [`SocketAddr`], if the server leaves one.
    fn decide<B>(
        &self,
        request: &Request<B>,
    ) -> impl Future<Output = Result<Identity, Refused>> + Send + use<B> {
        let peer = request.extensions().get::<SocketAddr>().map(SocketAddr::ip);
        let (verifier, wanted) = (Arc::clone(&self.verifier), Arc::clone(&self.wanted));
        let slowly = Verifier::is_slow(request.headers()).then(|| request.headers().clone());
        let decided =
            slowly.is_none().then(|| self.verifier.authorize(request.headers(), &self.wanted, peer));
        async move {
            match (decided, slowly) {
                (Some(decided), _) => decided,
                (None, Some(headers)) => {
                    let deciding =
                        tokio::task::spawn_blocking(move || verifier.authorize(&headers, &wanted, peer));
                    // A thread that broke decided nothing.
                    deciding.await.unwrap_or(Err(Refused::Denied(Reason::StoreError)))
                }
                (None, None) => Err(Refused::Denied(Reason::StoreError)),
            }
        }
    }

    fn refuse<R: Default>(&self, refused: Refused) -> Response<R> {
        let (head, _) = refused.reply(&self.wanted).into_parts();
        let mut response = Response::new(R::default());
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        response.headers_mut().insert(hyper::header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        response
    }
}

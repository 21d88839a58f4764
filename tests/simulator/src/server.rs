//! An HTTP server for the simulator, on loopback only.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::core::{Delivery, Logged, Reply, Request, Simulator};

/// A running simulator. Dropping it ends it.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

struct Shared {
    simulator: Mutex<Simulator>,
    clock: Box<dyn Fn() -> i64 + Send + Sync>,
    advanced_ms: AtomicI64,
}

type Body = BoxBody<Bytes, io::Error>;

impl Server {
    /// Starts a server on a port of 127.0.0.1; port 0 is any free one. `clock`
    /// returns the time in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// When the port is taken or the system cannot start a thread.
    pub fn start(
        simulator: Simulator,
        port: u16,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            simulator: Mutex::new(simulator),
            clock: Box::new(clock),
            advanced_ms: AtomicI64::new(0),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("simulator".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = serve(listener, serving) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The simulator, to change or to ask between requests.
    pub fn simulator(&self) -> MutexGuard<'_, Simulator> {
        self.shared.lock()
    }

    /// All requests so far.
    #[must_use]
    pub fn log(&self) -> Vec<Logged> {
        self.simulator().log().to_vec()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has shown itself to its client.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Simulator> {
        self.simulator
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> i64 {
        (self.clock)() + self.advanced_ms.load(Ordering::Relaxed)
    }

    /// Answers a request to the simulator or to its controls.
    fn answer(&self, request: &Request) -> Reply {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/__sim/advance") => {
                let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
                let seconds = body["seconds"].as_i64().unwrap_or(0);
                self.advanced_ms
                    .fetch_add(seconds * 1000, Ordering::Relaxed);
                Reply::json(200, &json!({"now_ms": self.now_ms()}))
            }
            ("GET", "/__sim/log") => {
                let simulator = self.lock();
                let log = simulator.log().iter().map(logged_json);
                Reply::json(200, &Value::Array(log.collect()))
            }
            _ => {
                let now_ms = self.now_ms();
                self.lock().handle(now_ms, request)
            }
        }
    }
}

fn logged_json(logged: &Logged) -> Value {
    json!({
        "time_ms": logged.time_ms,
        "method": logged.method,
        "path": logged.path,
        "body": logged.body,
        "status": logged.status,
    })
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, Arc::clone(&shared)));
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let Ok(stream) = stream.into_std() else {
        return;
    };
    let Ok(socket) = stream.try_clone() else {
        return;
    };
    let Ok(stream) = TcpStream::from_std(stream) else {
        return;
    };
    let socket = Arc::new(socket);
    let service = service_fn(|request| {
        let (shared, socket) = (Arc::clone(&shared), Arc::clone(&socket));
        async move { respond(request, &shared, &socket).await }
    });
    // A client that goes away, or that was sent away, is no failure here.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    shared: &Shared,
    socket: &std::net::TcpStream,
) -> io::Result<hyper::Response<Body>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let header = |(name, value): (&hyper::header::HeaderName, &hyper::header::HeaderValue)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    };
    let request = Request {
        method: head.method.to_string(),
        path: path.to_owned(),
        headers: head.headers.iter().map(header).collect(),
        body: body
            .collect()
            .await
            .map_err(io::Error::other)?
            .to_bytes()
            .to_vec(),
    };
    let reply = shared.answer(&request);
    match reply.delivery {
        Delivery::Reset => {
            // Closing a socket that lingers for no time resets it.
            socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO))?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Delivery::Slow { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
        Delivery::Whole | Delivery::Cut | Delivery::CorruptGzip => {}
    }
    let is_chunked = shared.lock().options.is_chunked;
    response(reply, &request, is_chunked)
}

fn response(
    reply: Reply,
    request: &Request,
    is_chunked: bool,
) -> io::Result<hyper::Response<Body>> {
    let whole = if is_chunked { in_chunks } else { in_one };
    let mut builder = hyper::Response::builder().status(reply.status);
    if !reply.content_type.is_empty() {
        builder = builder.header(CONTENT_TYPE, reply.content_type);
    }
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    let has_gzip = |name| {
        request
            .header(name)
            .is_some_and(|value| value.contains("gzip"))
    };
    // VirusTotal compresses only if the user agent contains `gzip` too.
    let is_compressed = has_gzip("accept-encoding") && has_gzip("user-agent");
    let body = match reply.delivery {
        Delivery::Cut => cut(reply.body),
        Delivery::CorruptGzip => {
            builder = builder.header(CONTENT_ENCODING, "gzip");
            whole(b"\x1f\x8bthis is not gzip".to_vec())
        }
        _ if is_compressed && !reply.body.is_empty() => {
            builder = builder.header(CONTENT_ENCODING, "gzip");
            whole(gzip(&reply.body)?)
        }
        _ => whole(reply.body),
    };
    builder.body(body).map_err(io::Error::other)
}

/// A body of known length.
fn in_one(body: Vec<u8>) -> Body {
    Full::new(Bytes::from(body))
        .map_err(|never| match never {})
        .boxed()
}

/// A body that comes in several chunks, without a length.
fn in_chunks(body: Vec<u8>) -> Body {
    const CHUNK_BYTES: usize = 64;
    let frame = |chunk: &[u8]| Ok(Frame::data(Bytes::copy_from_slice(chunk)));
    let frames: Vec<io::Result<_>> = body.chunks(CHUNK_BYTES).map(frame).collect();
    StreamBody::new(futures_util::stream::iter(frames)).boxed()
}

/// A body that breaks off in the middle.
fn cut(mut body: Vec<u8>) -> Body {
    body.truncate(body.len() / 2);
    let frames = [
        Ok(Frame::data(Bytes::from(body))),
        Err(io::ErrorKind::BrokenPipe.into()),
    ];
    StreamBody::new(futures_util::stream::iter(frames)).boxed()
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

//! A transport that calls the simulator directly, in virtual time.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use vthost::clock::Clock as _;
use vthost::virustotal::{HttpReply, HttpRequest, Method, Sending, Transport};
use vthost_simulator::{DEMO_KEY, Request, Simulator};

use crate::support::FastClock;

/// Calls the simulator without HTTP. Requests and replies take virtual time.
pub(crate) struct Direct {
    simulator: Mutex<Simulator>,
    clock: FastClock,
    delays_ms: Vec<u64>,
    sent: Mutex<usize>,
}

impl Direct {
    /// Each request and each reply takes one of `delays_ms`.
    pub(crate) fn new(simulator: Simulator, clock: &FastClock, delays_ms: Vec<u64>) -> Self {
        Self {
            simulator: Mutex::new(simulator),
            clock: clock.clone(),
            delays_ms,
            sent: Mutex::new(0),
        }
    }

    pub(crate) fn simulator(&self) -> MutexGuard<'_, Simulator> {
        self.simulator.lock().unwrap()
    }

    fn delay(&self) {
        let mut sent = self.sent.lock().unwrap();
        *sent += 1;
        let delay_ms = self.delays_ms[*sent % self.delays_ms.len()];
        self.clock.advance(Duration::from_millis(delay_ms));
    }
}

impl Transport for Direct {
    fn send(&self, request: HttpRequest) -> Sending<'_> {
        self.delay();
        let method = match request.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let form = request
            .form
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let request = Request {
            method: method.into(),
            path: format!("/api/v3{}", request.path),
            headers: vec![("x-apikey".into(), DEMO_KEY.into())],
            body: form.collect::<String>().into_bytes(),
        };
        let reply = self
            .simulator
            .lock()
            .unwrap()
            .handle(self.clock.now_ms(), &request);
        self.delay();
        Box::pin(std::future::ready(Ok(HttpReply {
            status: reply.status,
            content_type: "application/json".into(),
            body: reply.body,
            ..HttpReply::default()
        })))
    }
}

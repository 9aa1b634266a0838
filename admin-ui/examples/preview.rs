//! Serves the page with sample numbers, for looking at it in a browser:
//! `cargo run -p mailweir-admin-ui --example preview -- 127.0.0.1:8025 [broken]`.

use std::{future::ready, net::IpAddr, sync::Arc, time::Duration};

use mailweir_admin_ui::{
    AdminState, AllowedHosts, Check, CheckResult, ListenerStatus, Observability, Overview,
    QueueCounts,
    api::{Caller, Claim, Deed, HeldMail, Later, NoEntry, NotDone, Page, Wanted},
    router, serve,
};
use mailweir_mail::QueueId;
use serde_json::Value;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8025".to_owned());
    let broken = arguments.next().is_some();
    let state = AdminState {
        observability: Arc::new(Sample { broken }),
        hosts: Arc::new(AllowedHosts::default()),
        held: Arc::new(Closed),
    };
    println!("http://{address}/");
    serve(TcpListener::bind(address).await?, router(state), std::future::pending()).await;
    Ok(())
}

struct Sample {
    broken: bool,
}

impl Observability for Sample {
    fn metrics(&self) -> String {
        "postfix_up 1\n".to_owned()
    }

    fn readiness(&self) -> Vec<Check> {
        let failed = CheckResult::Failed("has less than 100 MiB of free space".into());
        let result = if self.broken { failed } else { CheckResult::Passed };
        vec![Check { name: "store".into(), result }]
    }

    fn overview(&self) -> Overview {
        let listener = |name: &str, mode: &str, tls: &str, port| ListenerStatus {
            name: name.into(),
            mode: mode.into(),
            tls: tls.into(),
            address: ([0, 0, 0, 0], port).into(),
        };
        Overview {
            hostname: "gate.example.org".into(),
            version: "0.1.0".into(),
            uptime: Duration::from_secs(273_600),
            listeners: vec![
                listener("mx", "mx", "optional", 25),
                listener("submission", "submission", "required", 587),
                listener("submissions", "submission", "implicit", 465),
                listener("reinjection", "filter", "none", 10026),
            ],
            queue: QueueCounts { ready: 12, deferred: 1_234, held: 0 },
        }
    }
}

/// Nobody asks a sample about held mail.
struct Closed;

impl HeldMail for Closed {
    fn log_in<'a>(&'a self, _: Claim<'a>, _: IpAddr) -> Later<'a, Result<Caller, NoEntry>> {
        Box::pin(ready(Err(NoEntry::Wrong)))
    }

    fn list<'a>(&'a self, _: &'a Caller, _: Wanted) -> Later<'a, Page> {
        Box::pin(ready(Page { held: Vec::new(), next: None }))
    }

    fn show(&self, _: &Caller, _: QueueId) -> Option<Value> {
        None
    }

    fn act<'a>(&'a self, _: &'a Caller, _: QueueId, _: Deed) -> Later<'a, Result<Value, NotDone>> {
        Box::pin(ready(Err(NotDone::NotFound)))
    }
}

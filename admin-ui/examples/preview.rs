//! Serves the pages with sample numbers and sample mail, for looking at them in a browser:
//! `cargo run -p mailweir-admin-ui --example preview -- 127.0.0.1:8025 [broken]`. It prints the addresses of
//! pages of moderators and senders.

#[expect(dead_code, clippy::unwrap_used, reason = "a sample for tests, which ask more of it")]
#[path = "../tests/approval/sample.rs"]
mod waiting;

use std::{sync::Arc, time::Duration};

use mailweir_admin_ui::{
    AdminState, AllowedHosts, Check, CheckResult, FilterStatus, ListenerStatus, Observability,
    Overview, Proxies, QueueCounts, approval::ApprovalPages, router, serve,
};
use mailweir_moderation::{case::Kind, notice::Language};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8025".to_owned());
    let broken = arguments.next().is_some();
    let desk = Arc::new(waiting::Desk::default());
    println!("http://{address}/");
    for language in Language::ALL {
        let draft = || waiting::draft(language);
        let links = desk.open(draft());
        let delay = desk.open(waiting::Draft { plan: waiting::plan(Kind::Delay, 3), ..draft() });
        let confirm =
            desk.open(waiting::Draft { plan: waiting::plan(Kind::Confirmation, 3), ..draft() });
        let locked = desk.open(waiting::Draft { sensitive: true, ..draft() });
        let tag = language.tag();
        for (what, token) in [
            ("moderator", &links.boss),
            ("other moderator", &links.cfo),
            ("sender", &links.sender),
            ("delay", &delay.sender),
            ("confirmation", &confirm.sender),
            ("log-in", &locked.boss),
        ] {
            println!("{tag} {what}: http://{address}/m/{token}");
        }
    }
    let approval = ApprovalPages::new(desk, None);
    let state = AdminState {
        observability: Arc::new(Sample { broken }),
        hosts: Arc::new(AllowedHosts::default()),
        proxies: Arc::new(Proxies::none()),
        approval: Arc::new(approval.ok_or_else(|| std::io::Error::other("no random numbers"))?),
        held: Arc::new(waiting::NoPrograms),
        archive: Arc::new(waiting::NoPrograms),
    };
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
        let filter = |name: &str, asked, failed, is_left_alone| FilterStatus {
            name: name.into(),
            asked,
            failed,
            is_left_alone,
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
            filters: vec![filter("virus", 48_210, 3, false), filter("footer", 1_204, 1_190, true)],
            queue: QueueCounts { ready: 12, deferred: 1_234, held: 0 },
        }
    }
}

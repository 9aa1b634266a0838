//! What people and programs see of the gateway.

use std::net::SocketAddr;

use mailweir_mail::Network;

use crate::config::{
    api_token::Sha256,
    choice::{ApiRights, LogFormat},
    section::section,
    words::{HttpUrl, Label},
};

section! {
    /// The web UI, the API, and the health checks `/livez`, `/readyz` and `/metrics`.
    pub table "admin" Admin {
        /// The addresses and ports to listen on. Empty: none.
        bind: Vec<SocketAddr> = ["127.0.0.1:8025"];
        /// The address that people reach the UI by, for links in notices.
        public_url: Option<HttpUrl>;
        /// Reverse proxies that say in `X-Forwarded-For` whom they speak for: what is recorded of a
        /// decision, and the brake on guessing passwords, are about that one. The last address counts
        /// that is not one of them.
        proxies: Vec<Network> = [];
    }
}

section! {
    /// A program that uses the API (`/api/v1`) as an administrator. `mailweir api-token NAME` makes a
    /// token and prints these lines. Repeat the section for each. A reload takes all of them: a
    /// token that is taken out is worthless from then on.
    pub(in crate::config) tables "admin.api_token" ApiTokenSection {
        /// What its decisions are recorded under, used once.
        name: Label;
        /// The SHA-256 of the token; the token itself is kept nowhere.
        sha256: Sha256;
        /// "read": it sees held mail. "decide": it decides about it, too. "audit": it sees held
        /// mail, and searches and reads all of the archive.
        rights: ApiRights = "read";
    }
}

section! {
    /// The log.
    pub table "log" Log {
        /// "text": lines in Postfix's shape. "json": one object per line. "auto": text on a
        /// terminal, otherwise JSON.
        format: LogFormat = "auto";
        /// Whether queue ids are short upper-case hex in the log, for tools that know no others.
        short_queue_ids: bool = false, postfix "enable_long_queue_ids";
    }
}

section! {
    /// Counters in Prometheus form. They are always at `/metrics` of the admin listener.
    pub table "metrics" Metrics {
        /// Further addresses that serve `/metrics` and nothing else, such as `0.0.0.0:9154`.
        bind: Vec<SocketAddr> = [];
    }
}

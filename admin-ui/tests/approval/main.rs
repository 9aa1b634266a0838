//! The pages behind the links of notices, over a socket, with the engine of cases behind them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test; the helpers stand outside the test functions"
)]

mod browser;
mod choices;
mod forged;
mod looks;
mod sample;
mod shown;

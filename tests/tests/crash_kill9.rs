//! Promise 1 on the real program: what was acknowledged survives `kill -9` (attacks.md J1).
//!
//! `MAILWEIR_KILLS=300` kills as often as that while people decide about mail.

use mailweir_tests::{
    crash::{self, moderated},
    program,
};

#[test]
fn nothing_acknowledged_is_lost_over_ten_kills_under_load() {
    let Some(binary) = program::require() else { return };
    let settings = crash::Settings { binary, cycles: 10, seed: 20_261_120, senders: 4 };
    let report = crash::run(&settings, &mut |line| println!("{line}")).expect("ten restarts");
    println!("{report}");
    assert!(report.acknowledged > 0, "no mail was accepted in ten lives: {report}");
    assert!(report.is_sound(), "a promise was broken: {report}");
}

#[test]
fn holds_decisions_and_notices_survive_twelve_kills() {
    while_people_decide(12, false);
}

#[test]
fn what_is_gathered_survives_six_kills() {
    while_people_decide(6, true);
}

fn while_people_decide(cycles: u32, gathers: bool) {
    let Some(binary) = program::require() else { return };
    let kills = std::env::var("MAILWEIR_KILLS").ok().and_then(|kills| kills.parse().ok());
    let cycles = kills.unwrap_or(cycles);
    let settings = moderated::Settings { binary, cycles, seed: 20_261_122, gathers };
    let outcome = moderated::run(&settings).unwrap_or_else(|error| panic!("{error}"));
    println!("{outcome}");
    assert!(outcome.broken.is_empty(), "{} promises were broken: {outcome}", outcome.broken.len());
    let (released, rejected) = outcome.decided;
    let all = [outcome.passed, outcome.held, released, rejected, outcome.notices];
    assert!(all.iter().all(|count| *count > 0), "too little happened: {outcome}");
}

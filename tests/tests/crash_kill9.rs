//! Promise 1 on the real program: what was acknowledged survives `kill -9` (attacks.md J1).

use mailweir_tests::{crash, program};

#[test]
fn nothing_acknowledged_is_lost_over_ten_kills_under_load() {
    let Some(binary) = program::require() else { return };
    let settings = crash::Settings { binary, cycles: 10, seed: 20_261_120, senders: 4 };
    let report = crash::run(&settings, &mut |line| println!("{line}")).expect("ten restarts");
    println!("{report}");
    assert!(report.acknowledged > 0, "no mail was accepted in ten lives: {report}");
    assert!(report.is_sound(), "a promise was broken: {report}");
}

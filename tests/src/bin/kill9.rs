//! `kill9 [CYCLES [SEED]]`: kills `mailweir serve` under load and says what became of the mail.
//!
//! Build the program first (`cargo build --package mailweir`); see [`mailweir_tests::crash`].

use std::{
    env,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use mailweir_tests::{crash, program};

fn main() -> ExitCode {
    let numbers: Vec<u64> = env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let Some(binary) = program::find() else {
        eprintln!("kill9: no mailweir program beside this one; build it first");
        return ExitCode::from(69);
    };
    let settings = crash::Settings {
        binary,
        cycles: numbers.first().map_or(25, |cycles| u32::try_from(*cycles).unwrap_or(u32::MAX)),
        seed: numbers.get(1).copied().unwrap_or_else(seed_of_the_moment),
        senders: 8,
    };
    println!("{} kills, seed {}: {}", settings.cycles, settings.seed, settings.binary.display());
    match crash::run(&settings, &mut |line| println!("{line}")) {
        Ok(report) => {
            println!("{report}");
            ExitCode::from(u8::from(!report.is_sound()))
        }
        Err(error) => {
            eprintln!("kill9: {error}");
            ExitCode::from(2)
        }
    }
}

/// Another run every time; the first line printed tells how to repeat it.
fn seed_of_the_moment() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |now| now.as_millis() as u64)
}

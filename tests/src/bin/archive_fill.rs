//! `archive_fill MAILS DIRECTORY`: an archive of synthetic mail, for measuring what is done with archives.
//!
//! ```text
//! cargo run --release -p mailweir-tests --bin archive_fill -- 20000 DIRECTORY
//! time mailweir archive reindex --config CONFIG
//! ```

use std::{env, error::Error, path::Path};

use mailweir_tests::synthetic::{Mails, fill};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let count: u64 = words.next().ok_or("how many mails?")?.parse()?;
    let directory = words.next().ok_or("where?")?;
    let filled = fill(Path::new(&directory), &Mails::new(), count, None, &mut |_| {})?;
    println!("{count} mails of {} bytes", filled.raw / count.max(1));
    Ok(())
}

//! Mailweir, the program: reads the command line and does what it says.

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match mailweir::cli::CommandLine::parse().run() {
        Ok(code) => ExitCode::from(code as u8),
        Err(error) => {
            eprintln!("mailweir: {error:#}");
            ExitCode::FAILURE
        }
    }
}

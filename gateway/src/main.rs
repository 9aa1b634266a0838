//! Mailweir, the program: reads the command line and does what it says.

use std::process::ExitCode;

use mailweir::cli::CommandLine;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match CommandLine::read().map_or_else(Ok, CommandLine::run) {
        Ok(code) => ExitCode::from(code as u8),
        Err(error) => {
            eprintln!("mailweir: {error:#}");
            ExitCode::FAILURE
        }
    }
}

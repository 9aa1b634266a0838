//! Mailweir, the program: reads the command line and does what it says.

use std::{io, process::ExitCode};

use mailweir::cli::CommandLine;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match CommandLine::read().map_or_else(Ok, CommandLine::run) {
        Ok(code) => ExitCode::from(code as u8),
        // As in `mailweir queue list | head`: whoever read has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mailweir: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

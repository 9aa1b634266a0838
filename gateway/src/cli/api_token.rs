//! `mailweir api-token`: a new token for a program that uses the API.

use std::io::{self, Write as _};

use anyhow::Context as _;
use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use clap::Args;
use mailweir_mail::hex;
use mailweir_moderation::token::Token;

use super::ExitCode;

#[derive(Args, Debug)]
pub(super) struct ApiTokenOptions {
    /// The name that decisions of the program are recorded under
    #[arg(value_parser = parse_name)]
    name: String,
    /// The program may decide, too
    #[arg(long)]
    decide: bool,
    /// The program may search and read the archive, and decide nothing
    #[arg(long, conflicts_with = "decide")]
    audit: bool,
}

fn parse_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match (1..=32).contains(&text.len()) && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("1 to 32 letters, digits, \"-\", \"_\" or \".\"".to_owned()),
    }
}

/// The token is printed once and kept nowhere.
pub(super) fn run(options: &ApiTokenOptions) -> anyhow::Result<ExitCode> {
    let mut random = [0; 32];
    rand::fill(&mut random).ok().context("the system gives no random numbers")?;
    let token = format!("{PREFIX}{}", Token::new(random));
    let rights = match (options.decide, options.audit) {
        (true, _) => "decide",
        (false, true) => "audit",
        (false, false) => "read",
    };
    let (name, sha256) = (&options.name, sha256_of(&token));
    writeln!(
        io::stdout().lock(),
        "# The token, for the program; it is shown this once:\n#   {token}\n\
         # These lines go into mailweir.toml:\n[[admin.api_token]]\nname = \"{name}\"\n\
         sha256 = \"{sha256}\"\nrights = \"{rights}\""
    )?;
    Ok(ExitCode::Done)
}

fn sha256_of(token: &str) -> String {
    hex::encode(digest(&SHA256, token.as_bytes()).as_ref())
}

/// So that whoever looks for secrets in the wrong places finds them.
const PREFIX: &str = "mailweir_";

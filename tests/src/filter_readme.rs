//! The content filter that Postfix's FILTER_README calls simple: a script of the shell.

use std::path::Path;

/// The script as it stands there, in our words, with its lines for each site filled in: where it works, and the program that it
/// hands mail back with. `settings` are lines in front of those, `inspect` what it does with the mail in `in.$$`; both may be
/// empty.
#[must_use]
pub fn simple(place: &Path, sendmail: &str, settings: &str, inspect: &str) -> String {
    let place = place.display().to_string();
    [
        ("SETTINGS", settings),
        ("PLACE", &*place),
        ("PROGRAM", sendmail),
        ("INSPECT\n", &format!("{inspect}\n")),
    ]
    .iter()
    .fold(SIMPLE.to_owned(), |text, (name, value)| text.replacen(name, value, 1))
}

const SIMPLE: &str = r#"#!/bin/sh

# Simple shell-based filter. It is meant to be invoked as follows:
#       /path/to/script -f sender recipients...

# Localize these. The -G option does nothing before Postfix 2.3.
SETTINGS
INSPECT_DIR=PLACE
SENDMAIL="PROGRAM -G -i" # NEVER NEVER NEVER use "-t" here.

# Exit codes from <sysexits.h>
EX_TEMPFAIL=75
EX_UNAVAILABLE=69

# Clean up when done or when aborting.
trap "rm -f in.$$" 0 1 2 3 15

# Start processing.
cd $INSPECT_DIR || {
    echo $INSPECT_DIR does not exist; exit $EX_TEMPFAIL; }

cat >in.$$ || {
    echo Cannot save mail to file; exit $EX_TEMPFAIL; }

# Specify your content filter here.
INSPECT

$SENDMAIL "$@" <in.$$

exit $?
"#;

//! The reference of all keys, and a file with all defaults, made from the schema.

use super::{
    schema::SCHEMAS,
    section::{Key, Schema},
};

/// `docs/configuration.md`: every section and key with meaning, allowed values, default, the name
/// in the environment, and the parameters of Postfix that it answers to.
#[must_use]
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    for schema in SCHEMAS {
        text += &format!("\n## `{}`\n\n{}\n", schema.header(), prose(schema.doc));
        for key in schema.keys {
            text += &key_reference(schema, key);
        }
    }
    text + &postfix_index()
}

/// A `mailweir.toml` with every key and its default, commented out.
#[must_use]
pub fn default_file() -> String {
    let mut text = DEFAULT_FILE_HEAD.to_owned();
    for schema in SCHEMAS {
        text += "\n";
        text += &comment(schema.doc);
        text += &format!("#{}\n", schema.header());
        for key in schema.keys {
            text += "\n";
            text += &comment(key.doc);
            text += &match key.default {
                Some(default) => format!("#{} = {}\n", key.name, in_one_line(default)),
                None if key.example.is_empty() => {
                    format!("#{} is set by {}\n", key.name, variable(schema, key))
                }
                None => format!("#{} = {}   # an example; no default\n", key.name, key.example),
            };
        }
    }
    text
}

/// The compiler breaks a long default into lines; TOML written in a comment must not be broken.
fn in_one_line(default: &str) -> String {
    default.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn key_reference(schema: &Schema, key: &Key) -> String {
    let mut text = format!("\n### `{}.{}`\n\n{}\n\n", schema.name, key.name, prose(key.doc));
    let default = match key.default {
        Some(default) => format!("`{}`", in_one_line(default)),
        None if key.optional => "none".to_owned(),
        None => "none; must be set".to_owned(),
    };
    text += &format!("- Allowed: {}\n- Default: {default}\n", key.allowed);
    if !key.example.is_empty() && key.default.is_none() {
        text += &format!("- Example: `{} = {}`\n", key.name, key.example);
    }
    text += &format!("- Environment: `{}`\n", variable(schema, key));
    if !key.postfix.is_empty() {
        text += &format!("- Postfix: {}\n", quoted(key.postfix));
    }
    text
}

/// A table from Postfix's parameters to our keys, by name.
fn postfix_index() -> String {
    let mut rows: Vec<(&str, String)> = SCHEMAS
        .iter()
        .flat_map(|schema| schema.keys.iter().map(move |key| (schema, key)))
        .flat_map(|(schema, key)| {
            let ours = format!("`{}.{}`", schema.name, key.name);
            key.postfix.iter().map(move |parameter| (*parameter, ours.clone()))
        })
        .collect();
    rows.sort_unstable();
    let mut text = "\n## From Postfix\n\n| Postfix | here |\n|---|---|\n".to_owned();
    for (parameter, ours) in rows {
        text += &format!("| `{parameter}` | {ours} |\n");
    }
    text
}

/// The environment variable of a key; of sections that repeat, that of the first.
fn variable(schema: &Schema, key: &Key) -> String {
    let instance = if schema.repeats { "0__" } else { "" };
    let section = schema.name.replace('.', "__");
    format!("MAILWEIR_{section}__{instance}{}", key.name).to_ascii_uppercase()
}

fn prose(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n")
}

fn comment(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("# {}\n", line.trim())).collect()
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

const INTRODUCTION: &str = r#"# Configuration

<!-- Made from gateway/src/config/schema.rs; a test says how to make it anew. -->

Mailweir reads one file, `mailweir.toml`. `mailweir check -c FILE` lists everything that is wrong
with it at once, with line and column, what is allowed, and what was probably meant; and if it can
be used, what it makes of the gateway.

- **Environment.** Every key can be overridden by `MAILWEIR_<SECTION>__<KEY>`, for example
  `MAILWEIR_SERVER__HOSTNAME`. Of sections that repeat, a number from 0 or the `name` says which:
  `MAILWEIR_LISTENER__0__TLS`, `MAILWEIR_LISTENER__MX__TLS`. The next free number adds a section.
  Lists are divided by commas. An empty variable counts as absent.
- **Sizes** are whole numbers of bytes, or `"25 MiB"` (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB).
- **Durations** have a unit: `"300s"`, `"5 min"`, `"1h 30m"`, `"5d"` (ms, s, min or m, h, d, w).
- **Networks** are addresses or CIDR: `"192.0.2.7"`, `"10.0.0.0/8"`, `"fd00::/8"`.
- **Secrets** stand in files of their own (`..._file`) or in the environment, never in this file.
"#;

const DEFAULT_FILE_HEAD: &str = "\
# mailweir.toml: every key with its default. Take the # away from a section and from the keys you
# change. `mailweir check -c FILE` says what is wrong, and what the file makes of the gateway.
";

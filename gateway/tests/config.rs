//! Whole configurations against what `mailweir check` says of them: `config/*.toml` beside
//! `config/*.txt`. A line `#! NAME=VALUE` in the file is a variable of the environment.
//!
//! `BLESS=1 cargo test -p mailweir --test config` writes all answers anew, and the reference.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mailweir::config::{Colour, Config, Problem, Surroundings, default_file, reference, report};

#[test]
fn every_broken_file_hears_all_that_is_wrong_with_it() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 10);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = PathBuf::from(path.file_name().unwrap());
        let answer = report(&name, &check(&name, &text), Colour::Plain);
        expect_current(&path.with_extension("txt"), &answer);
    }
}

#[test]
fn no_answer_tells_a_password() {
    let text = include_str!("config/secrets.toml");
    let answer = report(Path::new("x"), &check(Path::new("x"), text), Colour::Terminal);
    assert!(!answer.contains("hunter2"), "{answer}");
}

#[test]
fn colours_change_nothing_but_colours() {
    let text = include_str!("config/typos.toml");
    let checked = check(Path::new("x"), text);
    let mut plain = report(Path::new("x"), &checked, Colour::Terminal);
    for sgr in ["1;31", "1;33", "1", "34", "0"] {
        plain = plain.replace(&format!("\x1b[{sgr}m"), "");
    }
    assert_eq!(plain, report(Path::new("x"), &checked, Colour::Plain));
}

#[test]
fn a_file_that_is_not_there_is_one_problem() {
    let problems = Config::load(Path::new("/nonexistent/mailweir.toml"), []).unwrap_err();
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.to_string().starts_with("/nonexistent/mailweir.toml: error: cannot be read"));
}

#[test]
fn a_file_is_loaded_with_what_the_environment_puts_over_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mailweir.toml");
    let listener = "[[listener]]\nname = \"mx\"\nbind = [\"127.0.0.1:25\"]\nmode = \"mx\"\n";
    fs::write(&path, listener).unwrap();
    let environment = [("MAILWEIR_SERVER__HOSTNAME", "gate.example.org"), ("HOME", "/root")]
        .map(|(name, value)| (name.into(), value.into()));
    let (config, _) = Config::load(&path, environment).unwrap();
    assert_eq!(config.server.hostname.as_str(), "gate.example.org");
    assert_eq!(config.listeners.len(), 1);
}

#[test]
fn the_demo_listens_on_loopback_and_sends_everything_to_its_sink() {
    let (config, warnings) =
        Config::demo(Path::new("/tmp/elsewhere"), "127.0.0.1:4025".parse().unwrap()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.server.data_dir, Path::new("/tmp/elsewhere"));
    let binds: Vec<_> = config.listeners.iter().flat_map(|listener| &listener.bind).collect();
    assert_eq!(binds.iter().map(|bind| bind.port()).collect::<Vec<_>>(), [2525, 2587, 2465]);
    assert!(binds.iter().chain([&&config.admin.bind[0]]).all(|bind| bind.ip().is_loopback()));
    let anywhere = "somewhere.example".parse().unwrap();
    assert_eq!(config.routes.find(&anywhere).to.to_string(), "smtp://127.0.0.1:4025");
}

#[test]
fn the_reference_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    expect_current(&root.join("docs/configuration.md"), &reference());
}

#[test]
fn the_default_file_is_accepted_as_it_is_and_with_every_default_set() {
    let listener = "[[listener]]\nname = \"mx\"\nbind = [\"127.0.0.1:25\"]\nmode = \"mx\"\n";
    let untouched = check(Path::new("default"), &format!("{listener}{}", default_file()));
    assert!(untouched.is_ok(), "{}", report(Path::new("default"), &untouched, Colour::Plain));

    let set: String = default_file()
        .lines()
        .filter(|line| !line.contains("# an example"))
        .map(|line| match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') && !key.contains("is set by") => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let set = without_repeating(&set);
    let checked = check(Path::new("set"), &format!("{set}{listener}"));
    assert!(checked.is_ok(), "{}\n{set}", report(Path::new("set"), &checked, Colour::Plain));
}

#[test]
fn the_example_of_the_image_is_accepted_without_a_warning() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../image/mailweir.example.toml");
    let checked = check(&path, &fs::read_to_string(&path).unwrap());
    let answer = report(Path::new("mailweir.example.toml"), &checked, Colour::Plain);
    assert!(checked.is_ok_and(|(_, warnings)| warnings.is_empty()), "{answer}");
}

fn check(path: &Path, text: &str) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let environment: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#! ")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let around = Surroundings {
        environment: &environment,
        machine_name: Some("builder"),
        time_zone: None,
        files: &|path| match path.to_str() {
            Some("/pem/cert.pem" | "/etc/mailweir/cert.pem") => {
                Ok(b"-----BEGIN CERTIFICATE-----\n".to_vec())
            }
            Some("/pem/key.pem" | "/etc/mailweir/key.pem") => {
                Ok(b"-----BEGIN PRIVATE KEY-----\n".to_vec())
            }
            Some("/secret/relay" | "/etc/mailweir/relay.password") => Ok(b"hunter2\n".to_vec()),
            Some("/etc/mailweir/owners") => Ok(b"ann@x.example ann\nann\n@x.example\n".to_vec()),
            Some("/etc/mailweir/bound") => {
                Ok(b"sales@example.org ann\n@shop.example shop\n".to_vec())
            }
            Some("/secret/archive.keys") => Ok("5a".repeat(32).into_bytes()),
            Some("/secret/empty") => Ok(b"\n".to_vec()),
            Some("/secret/lines") => Ok(b"hunter2\nhunter2\n".to_vec()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        },
    };
    Config::parse(path, text, &around)
}

#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the test")]
fn expect_current(path: &Path, text: &str) {
    if std::env::var_os("BLESS").is_some() {
        let written = fs::write(path, text);
        assert!(written.is_ok(), "{}: {written:?}", path.display());
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "{} is not current; BLESS=1 writes it anew:\n{text}", path.display());
}

/// Listeners and routes have keys without a default.
fn without_repeating(text: &str) -> String {
    let mut repeats = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            repeats = line.starts_with("[[");
        }
        if !repeats {
            kept += line;
            kept.push('\n');
        }
    }
    kept
}

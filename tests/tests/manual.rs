//! What the manual tells people to write is what the program takes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use mailweir_tests::{certificates::Authority, installation::feed, program};

#[test]
fn the_examples_of_the_manual_are_configurations() {
    let Some(binary) = program::require() else { return };
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let place = tempfile::tempdir().unwrap();
    let authority = fs::read_to_string(Authority::new().file()).unwrap();
    let mut tried = 0;
    for page in ["log-in.md", "operating.md"] {
        let text = fs::read_to_string(manual.join(page)).unwrap();
        for example in text.split("```toml\n").skip(1) {
            let example = example.split("```").next().unwrap();
            let file = place.path().join("mailweir.toml");
            fs::write(&file, complete(example, place.path(), &authority)).unwrap();
            let mut check = std::process::Command::new(&binary);
            let said = feed(check.args(["check", "-c"]).arg(&file), "").unwrap();
            assert!(said.content, "{page}:\n{example}\n{}", said.text);
            tried += 1;
        }
    }
    assert!(tried >= 20, "only {tried} examples were found");
}

/// The example with the sections that it leaves out, and with files that are there.
fn complete(example: &str, place: &Path, authority: &str) -> String {
    let mut text = example.to_owned();
    for (start, _) in example.match_indices("\"/etc/mailweir/") {
        let path = example[start + 1..].split('"').next().unwrap();
        let file = place.join(Path::new(path).file_name().unwrap());
        let content = if path.ends_with(".pem") { authority } else { "secret\n" };
        let content = if path.ends_with("logins") { "" } else { content };
        fs::write(&file, content).unwrap();
        text = text.replace(path, file.to_str().unwrap());
    }
    for (section, absent) in [
        ("[server]", SERVER.to_owned()),
        ("[domains]", "[domains]\nrelay = [\"example.org\"]\n".to_owned()),
        ("[[listener]]", LISTENER.to_owned()),
    ] {
        if !text.contains(section) {
            text = format!("{absent}{text}");
        }
    }
    text
}

const SERVER: &str = "[server]\nhostname = \"gate.example.org\"\n";

const LISTENER: &str = "[[listener]]\nname = \"submission\"\nbind = [\"127.0.0.1:2525\"]\n\
                        mode = \"submission\"\ntls = \"required\"\n";

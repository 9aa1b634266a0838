//! Every example of a configuration in the manuals can be used as it stands there.

use std::{fs, path::Path};

use mailweir::config::{Colour, Config, Surroundings, report};

#[test]
fn every_example_of_the_manuals_passes_the_check() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let pages = fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().path());
    let (mut examples, mut failed) = (0, Vec::new());
    for page in pages.filter(|path| path.extension().is_some_and(|one| one == "md")) {
        let text = fs::read_to_string(&page).unwrap();
        let name = page.file_name().unwrap().to_str().unwrap();
        for (number, example) in text.split("```toml\n").skip(1).enumerate() {
            let (example, _) = example.split_once("```").unwrap();
            let place = format!("{name}, example {}", number + 1);
            failed.extend(problems(example).map(|all| format!("{place}:\n{example}\n{all}")));
            examples += 1;
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(examples > 30, "{examples}");
}

/// What `mailweir check` says of an example that cannot be used, in an installation that has what it
/// does not say itself.
fn problems(example: &str) -> Option<String> {
    let says = |section: &str| example.lines().any(|line| line == format!("[{section}]"));
    let missing = INSTALLATION.iter().filter(|(section, _)| !says(section));
    let missing: String =
        missing.map(|(section, lines)| format!("[{section}]\n{lines}\n")).collect();
    let around = Surroundings {
        environment: &[],
        machine_name: Some("gate.example.org"),
        time_zone: None,
        // What is in files is for other tests.
        files: &|path| match path.extension() {
            Some(pem) if pem == "pem" => {
                Ok(b"-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n".to_vec())
            }
            Some(key) if key == "key" => Ok([b'a'; 64].to_vec()),
            _ if path == "/etc/passwd" => Ok(b"filter:x:120:120::/:/bin/false\n".to_vec()),
            _ => Ok(b"one@example.org other\n".to_vec()),
        },
    };
    let is_new = |name: &str| !example.contains(&format!("name = {name:?}"));
    let listeners = LISTENERS.iter().filter(|(name, _)| is_new(name));
    let listeners: String = listeners
        .map(|(name, lines)| format!("[[listener]]\nname = {name:?}\nmode = {name:?}\n{lines}\n"))
        .collect();
    let text = format!("{example}\n{missing}{listeners}");
    let path = Path::new("mailweir.toml");
    let checked = Config::parse(path, &text, &around);
    checked.is_err().then(|| report(path, &checked, Colour::Plain))
}

const INSTALLATION: [(&str, &str); 3] = [
    ("server", "hostname = \"gate.example.org\""),
    ("admin", "public_url = \"https://gate.example.org\""),
    ("domains", "relay = [\"example.org\"]"),
];

const LISTENERS: [(&str, &str); 2] = [
    ("mx", "bind = [\"127.0.0.1:2525\"]"),
    ("submission", "bind = [\"127.0.0.1:2587\"]\ntls = \"required\""),
];

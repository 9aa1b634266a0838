//! What the manual tells people to write is what the program takes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use mailweir_content::attachment::Kind;
use mailweir_tests::{certificates::Authority, installation::feed, program};

#[test]
fn the_examples_of_the_manual_are_configurations() {
    let Some(binary) = program::require() else { return };
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let place = tempfile::tempdir().unwrap();
    let authority = fs::read_to_string(Authority::new().file()).unwrap();
    let mut tried = 0;
    let pages = [
        "log-in.md",
        "operating.md",
        "rules.md",
        "moderation.md",
        "postfix-in-front.md",
        "postfix-filter.md",
    ];
    for page in pages {
        let text = fs::read_to_string(manual.join(page)).unwrap();
        write_files(&text, place.path());
        for example in text.split("```toml\n").skip(1) {
            let example = example.split("```").next().unwrap();
            let file = place.path().join("mailweir.toml");
            fs::write(&file, complete(example, &text, place.path(), &authority)).unwrap();
            let mut check = std::process::Command::new(&binary);
            let said = feed(check.args(["check", "-c"]).arg(&file), "").unwrap();
            assert!(said.content, "{page}:\n{example}\n{}", said.text);
            // A table with a line that does not count would be no example.
            let is_strict =
                matches!(page, "rules.md" | "moderation.md") || page.starts_with("postfix-");
            let is_sound = !is_strict || !said.text.contains("warning");
            assert!(is_sound, "{page}:\n{example}\n{}", said.text);
            tried += 1;
        }
    }
    assert!(tried >= 30, "only {tried} examples were found");
}

#[test]
fn every_type_of_attachment_is_in_the_manual() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    let text = fs::read_to_string(page).unwrap();
    for kind in Kind::ALL {
        assert!(text.contains(&format!("| `{}` |", kind.mime_type())), "{}", kind.mime_type());
    }
}

/// Writes the files of a page: the blocks that begin with `# /etc/mailweir/NAME`.
fn write_files(page: &str, place: &Path) {
    for block in page.split("```\n# /etc/mailweir/").skip(1) {
        let (name, rest) = block.split_once('\n').unwrap();
        let content = rest.split("```").next().unwrap();
        fs::write(place.join(name), content).unwrap();
    }
}

/// The example with the sections that it leaves out, and with files that are there.
fn complete(example: &str, page: &str, place: &Path, authority: &str) -> String {
    let mut text = example.to_owned();
    for (start, _) in example.match_indices("/etc/mailweir/") {
        let path = example[start..].split('"').next().unwrap();
        let file = place.join(Path::new(path).file_name().unwrap());
        let is_table = example[..start].ends_with(':');
        let content = match path {
            _ if path.ends_with(".pem") => authority,
            _ if is_table || path.ends_with("logins") => "",
            _ => "secret\n",
        };
        if !(is_table && file.exists()) {
            fs::write(&file, content).unwrap();
        }
        text = text.replace(path, file.to_str().unwrap());
    }
    for (section, absent) in [
        ("[server]", SERVER.to_owned()),
        ("[domains]", "[domains]\nrelay = [\"example.org\"]\n".to_owned()),
        ("[[listener]]", LISTENER.to_owned()),
        ("[admin]", section(page, "[admin]")),
    ] {
        if !text.contains(&format!("{section}\n")) {
            text = format!("{absent}{text}");
        }
    }
    text
}

/// The section as the page has it, if it does: examples of one page belong together.
fn section(page: &str, header: &str) -> String {
    let examples = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut found = examples.filter_map(|example| example.split_once(&format!("{header}\n")));
    let lines = found.next().and_then(|(_, lines)| lines.split("\n[").next());
    lines.map_or_else(String::new, |lines| format!("{header}\n{lines}\n"))
}

const SERVER: &str = "[server]\nhostname = \"gate.example.org\"\n";

const LISTENER: &str = "[[listener]]\nname = \"submission\"\nbind = [\"127.0.0.1:2525\"]\n\
                        mode = \"submission\"\ntls = \"required\"\n";

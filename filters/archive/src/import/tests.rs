//! Files and directories of mail, as other programs leave them.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use mailweir_test_servers::tools;
use tempfile::TempDir;

use super::*;

fn write(directory: &Path, file: &str, content: &str) {
    let path = directory.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// The subjects of the mails in the order in which they are found, and what cannot be read.
fn read(paths: &[&Path], form: Form) -> (Vec<String>, Vec<String>) {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    let mut mails = Mails::of(&paths, form);
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    while let Some(next) = mails.next() {
        match next {
            Ok(mail) => {
                let content = mail.content.content(1 << 20).unwrap().unwrap();
                let text = String::from_utf8(content).unwrap();
                assert!(text.ends_with("\r\n"));
                found.push(text.lines().next().unwrap().to_owned());
            }
            Err(why) => unread.push(why.to_string()),
        }
        let Progress { done, all } = mails.progress();
        assert!(done <= all, "{done} of {all}");
    }
    let Progress { done, all } = mails.progress();
    assert_eq!(done, all, "all of it was read");
    (found, unread)
}

fn subjects(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(|number| format!("Subject: {number}")).collect()
}

const BEGIN: &str = "From x@y.example Fri Nov 20 21:30:05 2026\n";

#[test]
fn a_directory_is_read_as_it_looks() {
    let home = TempDir::new().unwrap();
    let home = home.path();
    write(home, "b.eml", "Subject: 2\n\nx\n");
    write(home, "A.EML", "Subject: 1\r\n\r\nx");
    write(home, "c/list.mbox", &format!("{BEGIN}Subject: 3\n\n{BEGIN}Subject: 4\n\n"));
    write(home, "c/manifest.json", "{}");
    write(home, ".hidden.eml", "Subject: no\n\n");
    write(home, "d/cur/1:2,S", "Subject: 5\n\n");
    symlink(home, home.join("e")).unwrap();
    symlink(home.join("b.eml"), home.join("f.eml")).unwrap();
    let (found, unread) = read(&[home], Form::AsItLooks);
    assert_eq!((found, unread), (subjects(&[1, 2, 3, 4]), vec![]));
    fs::create_dir(home.join("d/new")).unwrap();
    assert_eq!(read(&[home], Form::AsItLooks).0, subjects(&[1, 2, 3, 4, 5]));
    assert_eq!(read(&[home], Form::Eml).0, subjects(&[1, 2]));
    write(home, "c/00042.7c53336b", "Subject: 6\n\n");
    let (found, unread) = read(&[home], Form::EachFile);
    assert_eq!(found, subjects(&[1, 2, 6, 3, 4, 5]));
    assert_eq!(
        unread,
        [format!("{}: it is no mail: it has no header", home.join("c/manifest.json").display())]
    );
    let link = home.join("f.eml");
    assert_eq!(read(&[&link], Form::AsItLooks).0, subjects(&[2]), "what is named may be a link");
}

#[test]
fn a_maildir_is_read_with_its_folders_and_without_what_was_never_delivered() {
    let home = TempDir::new().unwrap();
    let home = home.path();
    for (file, subject) in [
        ("cur/1700000000.M1.host:2,FS", 1),
        ("new/1700000001.M2.host", 2),
        ("tmp/1700000002.M3.host", 0),
        (".Sent/cur/1:2,", 3),
        (".Sent/new/2", 4),
        (".Sent.2025/cur/3:2,", 5),
        ("nested/cur/4:2,", 6),
    ] {
        write(home, file, &format!("Subject: {subject}\n\nx\n"));
    }
    for folder in [".Sent.2025/new", "nested/new", ".Sent/tmp"] {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    write(home, "dovecot-uidlist", "3 V1 N1\n");
    write(home, "cur/dir/x", "Subject: 7\n\n");
    let (found, unread) = read(&[home], Form::Maildir);
    assert_eq!((found, unread), (subjects(&[1, 7, 2, 3, 4, 5, 6]), vec![]));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_read() {
    let home = TempDir::new().unwrap();
    let home = home.path();
    write(home, "a.eml", "");
    write(home, "b.eml", "no mail\n");
    write(home, "c.eml", "\u{1f}");
    fs::write(home.join("c.eml"), b"\x1f\x8b\x08\0").unwrap();
    write(home, "d.eml", "Subject: 1\n\n");
    write(home, "e.mbox", &format!("{BEGIN}Subject: 2\n\n{BEGIN}"));
    let gone = home.join("gone");
    let (found, unread) = read(&[home, &gone, Path::new("/dev/null")], Form::AsItLooks);
    assert_eq!(found, subjects(&[1, 2]));
    let name = |file: &str| home.join(file).display().to_string();
    let expected = [
        format!("{}: the file is empty", name("a.eml")),
        format!("{}: it is no mail: it has no header", name("b.eml")),
        format!("{}: it is compressed; unpack it first", name("c.eml")),
        format!("{}, byte 54: there is a line that begins a mail, and no mail", name("e.mbox")),
        format!("{}: No such file or directory (os error 2)", name("gone")),
        "/dev/null: it is neither file nor directory".to_owned(),
    ];
    assert_eq!(unread, expected);
}

#[test]
fn a_mail_that_is_too_large_is_not_read_whole() {
    let home = TempDir::new().unwrap();
    write(home.path(), "a.eml", "Subject: 1\n\n1234\n");
    let mail = Mails::of(&[home.path().join("a.eml")], Form::Eml).next().unwrap().unwrap();
    let content = "Subject: 1\r\n\r\n1234\r\n";
    let most = content.len() as u64;
    assert_eq!(mail.content.content(most).unwrap().unwrap(), content.as_bytes());
    assert_eq!(mail.content.content(most - 1).unwrap(), None);
}

/// Python's own mailboxes are read as Python wrote them.
#[test]
fn mailboxes_of_python_are_read_as_they_were_written() {
    if !tools::require(&["python3"]) {
        return;
    }
    let home = TempDir::new().unwrap();
    let run =
        Command::new("python3").args(["-c", PYTHON]).current_dir(home.path()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let expected = "Subject: 1\r\n\r\nDear all,\r\nFrom here on\r\n>From there on\r\n\r\nend\r\n";
    for (file, form) in [("box", Form::Mbox), ("dir", Form::Maildir), ("box", Form::AsItLooks)] {
        let mails: Vec<_> =
            Mails::of(&[home.path().join(file)], form).map(Result::unwrap).collect();
        let content = |mail: &Found| {
            let content = mail.content.content(1 << 20).unwrap().unwrap();
            String::from_utf8(content).unwrap()
        };
        let mut found: Vec<String> = mails.iter().map(content).collect();
        found.sort_unstable();
        // Python marks `From ` alone, as mboxo does: what was marked before has lost a mark.
        let as_marked = expected.replace("\r\n>From", "\r\nFrom");
        let expected = if form == Form::Maildir { expected } else { &as_marked };
        assert_eq!(found, [expected.to_owned(), "Subject: 2\r\n\r\nx\r\n".to_owned()], "{file}");
    }
}

const PYTHON: &str = r#"
import mailbox
one = b"Subject: 1\n\nDear all,\nFrom here on\n>From there on\n\nend\n"
for box in (mailbox.mbox("box"), mailbox.Maildir("dir")):
    box.add(one)
    box.add(b"Subject: 2\n\nx\n")
    box.flush()
"#;

//! Archives that another program wrote (the modules zipfile, tarfile and gzip of Python) hold what
//! it put in.

#![expect(clippy::unwrap_used, reason = "a test; the helpers stand outside the test functions")]
#![expect(clippy::disallowed_types, reason = "another program writes the archives")]

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use mailweir_content::{
    attachment::{Budget, Finding, Inspector, Limits},
    decode::charset::Fallbacks,
};
use mailweir_test_servers::tools;

/// What a script writes to its standard output.
fn written_by(script: &str) -> Vec<u8> {
    let mut python = Command::new("python3");
    let python = python.arg("-").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().unwrap();
    python.stdin.take().unwrap().write_all([PRELUDE, script].concat().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn findings(bytes: &[u8]) -> Vec<String> {
    let (mut budget, mut inspector) =
        (Budget::new(Limits::default(), Fallbacks::default()), Inspector::default());
    let mut all = Vec::new();
    let mut note = |finding: Finding<'_>| match finding {
        Finding::Name { name, path } => all.push([path, &[name.to_owned()]].concat().join("!")),
        finding => all.push(finding.mime_type().unwrap_or_default().to_owned()),
    };
    bytes.chunks(1000).for_each(|piece| inspector.feed(piece, &mut budget, &mut note));
    inspector.finish(&mut budget, &mut note);
    all
}

#[track_caller]
fn assert_holds(script: &str, expected: &[&str]) {
    let all = findings(&written_by(script));
    for words in expected {
        assert!(all.iter().any(|found| found == words), "no {words:?} in {all:#?}");
    }
    assert!(!all.iter().any(|found| found.contains("x-ambiguous")), "{all:#?}");
}

#[test]
fn zip_archives_stored_deflated_and_streamed() {
    if !tools::require(&["python3"]) {
        return;
    }
    for method in ["ZIP_STORED", "ZIP_DEFLATED"] {
        for target in ["io.BytesIO()", "Pipe()"] {
            let script = format!(
                r"
target = {target}
with zipfile.ZipFile(target, 'w', zipfile.{method}) as archive:
    archive.writestr('읽어 보기.txt', 'Read me. ' * 5000)
    archive.writestr('inner.tar.gz', tar('w:gz', tarfile.PAX_FORMAT))
    archive.writestr('virus.exe', PROGRAM)
write(target.getvalue())
"
            );
            let expected = [
                "application/zip",
                "읽어 보기.txt",
                "text/plain",
                "inner.tar.gz",
                "application/gzip",
                "virus.exe",
                "application/x-dosexec",
            ];
            assert_holds(&script, &expected);
            let all = findings(&written_by(&script));
            assert!(
                all.iter().any(|name| name.starts_with("inner.tar.gz!") && name.ends_with(".exe"))
            );
        }
    }
}

#[test]
fn zip_archives_with_zip64_fields() {
    if !tools::require(&["python3"]) {
        return;
    }
    let script = r"
target = io.BytesIO()
with zipfile.ZipFile(target, 'w') as archive:
    with archive.open('inner.zip', 'w', force_zip64=True) as member:
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, 'w') as more:
            more.writestr('virus.exe', PROGRAM)
        member.write(inner.getvalue())
    archive.writestr('b', 'b')
write(target.getvalue())
";
    assert_holds(script, &["inner.zip", "inner.zip!virus.exe", "b", "application/x-dosexec"]);
}

#[test]
fn tar_archives_of_each_format() {
    if !tools::require(&["python3"]) {
        return;
    }
    for format in ["USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"] {
        let long = format!("{}/virus.exe", ["d"; 60].join("/"));
        let expected = ["application/x-tar", "short.txt", &long, "application/x-dosexec"];
        assert_holds(&format!("write(tar('w', tarfile.{format}))"), &expected);
    }
}

#[test]
fn a_gzip_file_with_its_name() {
    if !tools::require(&["python3"]) {
        return;
    }
    let script = r"
target = io.BytesIO()
with gzip.GzipFile('virus.exe', 'wb', fileobj=target) as file:
    file.write(PROGRAM)
write(target.getvalue())
";
    assert_holds(script, &["application/gzip", "virus.exe", "application/x-dosexec"]);
}

const PRELUDE: &str = r"
import gzip, io, struct, sys, tarfile, zipfile

write = sys.stdout.buffer.write
PROGRAM = b'MZ' + bytes(58) + struct.pack('<I', 128) + bytes(64) + b'PE\0\0' + bytes(range(256)) * 300

class Pipe(io.BytesIO):
    'Cannot seek, so that sizes stand behind the data.'
    def seekable(self):
        return False
    def seek(self, *_):
        raise OSError
    def tell(self):
        raise OSError

def tar(mode, format):
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode, format=format) as archive:
        for name, data in (('short.txt', b'short'), ('/'.join('d' * 60) + '/virus.exe', PROGRAM)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return target.getvalue()

";

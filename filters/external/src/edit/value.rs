//! Values of fields and bodies as filters give them, made fit to stand in a mail.

/// A value that stays one field: each line end becomes CRLF, and what goes on behind it begins with white space. Lines of
/// nothing but white space are left out behind the first: to many readers they end the header. A CR alone and a NUL become
/// spaces.
pub(super) fn folded(value: &[u8]) -> Vec<u8> {
    let clean = with_crlf(value);
    let mut lines = clean.split(|byte| *byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.iter().map(|byte| if *byte == 0 { b' ' } else { *byte })
    });
    let mut folded: Vec<u8> = lines.next().into_iter().flatten().collect();
    for line in lines {
        let line: Vec<u8> = line.collect();
        if line.trim_ascii().is_empty() {
            continue;
        }
        folded.extend_from_slice(b"\r\n");
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            folded.push(b'\t');
        }
        folded.extend_from_slice(&line);
    }
    folded
}

/// With CRLF for each LF, and a space for each CR alone, as in all content that comes in.
pub(super) fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => {}
            b'\r' => clean.push(b' '),
            b'\n' => clean.extend_from_slice(b"\r\n"),
            other => clean.push(*other),
        }
    }
    clean
}

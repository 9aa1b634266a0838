//! Body of the fuzz target `policy_request`: whatever a Postfix says, requests are the same however
//! they come in pieces, and no line grows beyond its bound.

use mailweir_policy::{Malformed, Reader, Request};

/// Reads `data` as the bytes of a connection; the first byte says how large the pieces are.
///
/// # Panics
/// If pieces change what is read, or a request is made of less than it needs.
pub fn policy_request(data: &[u8]) {
    let Some((&size, bytes)) = data.split_first() else { return };
    let whole = read(bytes, bytes.len().max(1));
    assert!(whole == read(bytes, usize::from(size).max(1)), "pieces change what is read");
    for request in &whole.0 {
        let texts = [&request.sender, &request.recipient, &request.instance, &request.queue_id];
        for text in texts {
            assert!(!text.contains(char::is_control), "{text:?}");
            assert!(text.len() <= Reader::LONGEST_LINE);
        }
    }
    let ends = bytes.windows(2).filter(|pair| pair == b"\n\n").count();
    assert!(whole.0.len() <= ends, "{} requests of {ends} empty lines", whole.0.len());
}

fn read(bytes: &[u8], size: usize) -> (Vec<Request>, Option<Malformed>) {
    let (mut reader, mut requests) = (Reader::default(), Vec::new());
    for mut piece in bytes.chunks(size) {
        loop {
            match reader.read(&mut piece) {
                Ok(Some(request)) => requests.push(request),
                Ok(None) => break,
                Err(malformed) => return (requests, Some(malformed)),
            }
        }
    }
    (requests, None)
}

//! Values of header fields between what stands in a mail and what stands in a packet.

/// A value as packets have it: its lines divided by LF. As in Sendmail without the space behind the colon, unless the
/// filter knows better (`SMFIP_HDR_LEADSPC`: `exact`).
pub(super) fn to_wire(value: &[u8], exact: bool) -> Box<[u8]> {
    let value = if exact { value } else { value.strip_prefix(b" ").unwrap_or(value) };
    let is_of_crlf = |at: usize| value[at] == b'\r' && value.get(at + 1) == Some(&b'\n');
    (0..value.len()).filter(|at| !is_of_crlf(*at)).map(|at| value[at]).collect()
}

/// What follows the colon, of a value in a packet. Its line ends stay as they are.
pub(super) fn from_wire(value: &[u8], exact: bool) -> Box<[u8]> {
    let space: &[u8] = if exact { b"" } else { b" " };
    [space, value].concat().into()
}

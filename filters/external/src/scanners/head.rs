//! The head of an answer of spamd or Rspamd: a line, fields, an empty line. Strict: what two programs could read in two
//! ways is an error.

use super::Wrong;

/// The first line and the fields of an answer.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) first: &'a str,
    fields: Vec<(&'a str, &'a str)>,
    /// Bytes of all that, the empty line included.
    pub(super) length: usize,
}

impl<'a> Head<'a> {
    /// Reads a head. `None`: it is not whole yet.
    pub(super) fn read(said: &'a [u8]) -> Result<Option<Self>, Wrong> {
        let start = &said[..said.len().min(MOST_HEAD)];
        let Some(end) = start.windows(4).position(|window| window == b"\r\n\r\n") else {
            return match said.len() > MOST_HEAD {
                true => Err(Wrong::unclear("its head does not end", said)),
                false => Ok(None),
            };
        };
        let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
        let text =
            std::str::from_utf8(&said[..end]).ok().filter(|text| text.bytes().all(|b| is_text(&b)));
        let text = text.ok_or_else(|| Wrong::unclear("its head is no text", said))?;
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let fields = lines.map(field).collect::<Result<_, _>>()?;
        Ok(Some(Self { first, fields, length: end + 4 }))
    }

    /// The value of a field, which must not stand twice.
    pub(super) fn field(&self, name: &str) -> Result<Option<&'a str>, Wrong> {
        let mut values = self.fields.iter().filter(|(its, _)| its.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(Wrong::Unclear(format!("{name} twice").into())),
            (found, None) => Ok(found.map(|(_, value)| *value)),
        }
    }

    /// The length of the body.
    pub(super) fn content_length(&self) -> Result<usize, Wrong> {
        let value = self.field("Content-Length")?.unwrap_or_default();
        let is_number = (1..=9).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
        let length = value.parse().ok().filter(|_| is_number);
        length.ok_or_else(|| Wrong::unclear("no Content-Length", value.as_bytes()))
    }

    /// The body, which must be all that is left.
    pub(super) fn body(&self, said: &'a [u8]) -> Result<&'a [u8], Wrong> {
        let (body, length) = (&said[self.length..], self.content_length()?);
        match body.len() {
            it if it < length => Err(Wrong::CutShort),
            it if it > length => Err(Wrong::Twice),
            _ => Ok(body),
        }
    }

    /// Whether head and body are whole.
    pub(super) fn is_followed_by_body(said: &[u8]) -> bool {
        let Ok(Some(head)) = Head::read(said) else { return false };
        head.content_length().is_ok_and(|length| said.len() >= head.length + length)
    }
}

fn field(line: &str) -> Result<(&str, &str), Wrong> {
    let is_bare = |text: &str| text.contains(['\r', '\n']);
    let found = line.split_once(':').filter(|(name, value)| {
        !name.is_empty() && !is_bare(value) && name.bytes().all(|byte| byte.is_ascii_graphic())
    });
    let (name, value) = found.ok_or_else(|| Wrong::unclear("no field", line.as_bytes()))?;
    Ok((name, value.trim_matches([' ', '\t'])))
}

/// Bytes of the longest head.
const MOST_HEAD: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_is_not_whole_is_none_and_one_without_end_an_error() {
        assert!(Head::read(b"X 1\r\nA: b\r\n").unwrap().is_none());
        assert!(Head::read(&[b'x'; MOST_HEAD]).unwrap().is_none());
        assert!(Head::read(&[b'x'; MOST_HEAD + 1]).is_err());
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        for said in [
            "X\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n",
            "X\r\n\r\n",
            "X\r\nContent-Length: +1\r\n\r\n",
            "X\r\nContent-Length: 1, 1\r\n\r\n",
            "X\r\nContent-Length: 0x1\r\n\r\n",
            "X\r\nContent-Length: 1111111111\r\n\r\n",
            "X\r\nContent-Length:\r\n 1\r\n\r\n",
            "X\r\nContent-Length : 1\r\n\r\n",
            "X\r\nA: b\nContent-Length: 1\r\n\r\n",
            "X\r\n: b\r\nContent-Length: 1\r\n\r\n",
            "X\r\n\0A: b\r\nContent-Length: 1\r\n\r\n",
        ] {
            let read = Head::read(said.as_bytes()).and_then(|head| head.unwrap().content_length());
            assert!(matches!(read, Err(Wrong::Unclear(_))), "{said:?}: {read:?}");
        }
    }

    #[test]
    fn the_body_is_all_that_is_left() {
        let body = |said: &'static str| {
            Head::read(said.as_bytes()).unwrap().unwrap().body(said.as_bytes())
        };
        assert_eq!(body("X\r\nContent-Length: 2\r\n\r\nab"), Ok(&b"ab"[..]));
        assert_eq!(body("X\r\nContent-Length: 2\r\n\r\na"), Err(Wrong::CutShort));
        assert_eq!(body("X\r\nContent-Length: 2\r\n\r\nabc"), Err(Wrong::Twice));
    }
}

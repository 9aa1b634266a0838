//! The text of an IP address. It is written several times for each mail, and the standard library takes its time for it.

use std::{
    fmt::{self, Write as _},
    net::IpAddr,
    ops::Deref,
};

/// The text of an address, as [`IpAddr`] shows it.
#[derive(Clone, Copy, Debug)]
pub struct IpText {
    bytes: [u8; LONGEST],
    length: usize,
}

impl IpText {
    /// Writes it.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        let mut text = Self { bytes: [0; LONGEST], length: 0 };
        match address {
            IpAddr::V4(address) => {
                for (place, octet) in address.octets().into_iter().enumerate() {
                    if place > 0 {
                        text.push(b'.');
                    }
                    text.number(octet);
                }
            }
            // Nothing fails that has room.
            IpAddr::V6(address) => drop(write!(text, "{address}")),
        }
        text
    }

    fn number(&mut self, octet: u8) {
        if octet >= 100 {
            self.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            self.push(b'0' + octet / 10 % 10);
        }
        self.push(b'0' + octet % 10);
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }
}

impl Deref for IpText {
    type Target = str;

    fn deref(&self) -> &str {
        let written = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(written).unwrap_or_default()
    }
}

impl fmt::Display for IpText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Write for IpText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.push(byte));
        Ok(())
    }
}

/// Eight groups of four digits; an IPv4 address in IPv6 clothes is shorter.
const LONGEST: usize = 39;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_the_standard_library() {
        for text in [
            "0.0.0.0",
            "1.20.255.9",
            "100.101.110.200",
            "::",
            "2001:db8::1",
            "::ffff:255.255.255.255",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(&*IpText::of(address), address.to_string());
        }
        for octet in 0..=u8::MAX {
            let address = IpAddr::from([octet, 1, octet, 0]);
            assert_eq!(IpText::of(address).to_string(), address.to_string());
        }
    }
}

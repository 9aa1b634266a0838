//! Addresses with ports, addresses, and networks as settings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use mailweir_mail::{Network, NetworkError};

use super::{
    setting::{Element, Refusal, Setting},
    value::RawValue,
};

impl Setting for SocketAddr {
    const ALLOWED: &'static str =
        "an IP address and a port, such as \"0.0.0.0:25\" or \"[::1]:25\"";
    const EXAMPLE: &'static str = "\"127.0.0.1:25\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse().or_else(|_| {
            Refusal::new(value, format_args!("{text:?} is no address with a port"))
                .maybe(nearest_socket_address(text))
                .alone()
        })
    }
}

impl Element for SocketAddr {
    const LIST_ALLOWED: &'static str =
        "a list of IP addresses with ports, such as [\"0.0.0.0:25\", \"[::]:25\"]";
    const LIST_EXAMPLE: &'static str = "[\"0.0.0.0:25\"]";
}

impl Setting for Ipv4Addr {
    const ALLOWED: &'static str = "an IPv4 address, such as \"192.0.2.1\"";
    const EXAMPLE: &'static str = "\"192.0.2.1\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse()
            .or_else(|_| Refusal::new(value, format_args!("{text:?} is no IPv4 address")).alone())
    }
}

impl Setting for Ipv6Addr {
    const ALLOWED: &'static str = "an IPv6 address, such as \"2001:db8::1\"";
    const EXAMPLE: &'static str = "\"2001:db8::1\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        text.parse()
            .or_else(|_| Refusal::new(value, format_args!("{text:?} is no IPv6 address")).alone())
    }
}

impl Setting for Network {
    const ALLOWED: &'static str =
        "an IP address or a network, such as \"192.0.2.7\" or \"10.0.0.0/8\"";
    const EXAMPLE: &'static str = "\"10.0.0.0/8\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        Self::parse(text).or_else(|error| {
            let meant = match error {
                NetworkError::HostBitsSet => nearest_networks(text),
                _ => None,
            };
            Refusal::new(value, format_args!("{text:?}: {error}")).maybe(meant).alone()
        })
    }
}

impl Element for Network {
    const LIST_ALLOWED: &'static str = "a list of IP addresses and networks, such as [\"192.0.2.7\", \"10.0.0.0/8\", \"fd00::/8\"]";
    const LIST_EXAMPLE: &'static str = "[\"10.0.0.0/8\"]";
}

fn nearest_socket_address(text: &str) -> Option<String> {
    if let Some(port) = text.strip_prefix(':') {
        let port: u16 = port.parse().ok()?;
        return Some(format!("\"0.0.0.0:{port}\" or \"[::]:{port}\""));
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        let port: u16 = port.parse().ok()?;
        return Some(format!("\"127.0.0.1:{port}\""));
    }
    match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(ip) => Some(format!("\"{ip}:25\"")),
        IpAddr::V6(ip) => Some(format!("\"[{ip}]:25\"")),
    }
}

/// `10.0.0.1/8`: the network, or the one address.
fn nearest_networks(text: &str) -> Option<String> {
    let (address, prefix) = text.split_once('/')?;
    let address = Network::parse(address).ok()?.address();
    let network = Network::around(address, prefix.parse().ok()?).ok()?;
    Some(format!("\"{network}\" or \"{address}\""))
}

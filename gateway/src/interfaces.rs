//! The addresses of this machine, which a listener on `0.0.0.0` or `[::]` is reached by.
//!
//! Read from the tables that Linux shows in `/proc/net`: they need no privilege and no unsafe
//! call. Addresses that come later, and those of a NAT in front of us, are not known here.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// The addresses under which sockets bound to `binds` are reached on this machine: each as it
/// stands, and for an unspecified one all addresses of its family. Sorted, each once.
///
/// # Errors
/// The system does not show its addresses. Asked for only if one of `binds` is unspecified.
pub(crate) fn reached_by(binds: &[SocketAddr]) -> io::Result<Vec<IpAddr>> {
    let mut addresses = Vec::new();
    for bind in binds {
        match bind.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => {
                addresses.extend(of_fib_trie(&fs::read_to_string(FIB_TRIE)?));
            }
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => addresses.extend(of_if_inet6(&v6_table()?)),
            address => addresses.push(address),
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

/// A system without IPv6 has no table of it.
fn v6_table() -> io::Result<String> {
    match fs::read_to_string(IF_INET6) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        table => table,
    }
}

/// The leaves `|-- 192.0.2.2` that are followed by `/32 host LOCAL`. A leaf has several such lines
/// when it is the first address of a network too.
fn of_fib_trie(table: &str) -> impl Iterator<Item = IpAddr> {
    let mut leaf: Option<Ipv4Addr> = None;
    table.lines().map(str::trim).filter_map(move |line| match line.strip_prefix("|-- ") {
        Some(address) => {
            leaf = address.parse().ok();
            None
        }
        None if line == "/32 host LOCAL" => leaf.map(IpAddr::V4),
        None => None,
    })
}

/// The first words: 32 hexadecimal digits.
fn of_if_inet6(table: &str) -> impl Iterator<Item = IpAddr> {
    table.lines().filter_map(|line| {
        let digits = line.split_ascii_whitespace().next().filter(|word| word.len() == 32)?;
        u128::from_str_radix(digits, 16).ok().map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
    })
}

const FIB_TRIE: &str = "/proc/net/fib_trie";
const IF_INET6: &str = "/proc/net/if_inet6";

#[cfg(test)]
mod tests {
    use super::*;

    const TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
           /32 link BROADCAST
        |-- 192.0.2.2
           /32 host LOCAL
";

    #[test]
    fn the_trie_shows_addresses_and_not_networks_or_broadcasts() {
        let found: Vec<String> = of_fib_trie(TRIE).map(|address| address.to_string()).collect();
        assert_eq!(found, ["127.0.0.1", "192.0.2.2"]);
    }

    #[test]
    fn the_table_of_ipv6_is_read_and_what_is_no_address_passed_over() {
        let table = "00000000000000000000000000000001 01 80 10 80       lo\n\
                     20010db8000000000000000000000025 02 40 00 80     eth0\n\nnonsense\n+0 1\n";
        let found: Vec<String> = of_if_inet6(table).map(|address| address.to_string()).collect();
        assert_eq!(found, ["::1", "2001:db8::25"]);
    }

    #[test]
    fn an_address_stands_for_itself_once() {
        let binds =
            ["192.0.2.1:25", "192.0.2.1:587", "[2001:db8::1]:25"].map(|it| it.parse().unwrap());
        let found = reached_by(&binds).unwrap();
        assert_eq!(found, ["192.0.2.1", "2001:db8::1"].map(|it| it.parse::<IpAddr>().unwrap()));
    }

    #[test]
    fn the_unspecified_address_stands_for_all_of_its_family() {
        let found = reached_by(&["0.0.0.0:25".parse().unwrap()]).unwrap();
        assert!(found.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)), "{found:?}");
        assert!(found.iter().all(|address| address.is_ipv4() && !address.is_unspecified()));
        let found = reached_by(&["[::]:25".parse().unwrap()]).unwrap();
        assert!(found.iter().all(IpAddr::is_ipv6), "{found:?}");
    }
}

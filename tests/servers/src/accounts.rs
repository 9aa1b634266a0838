//! As much of an IMAP server as `saslauthd -a rimap` needs: a greeting, and LOGIN.

use std::{
    collections::HashMap,
    io::{self, BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// Accounts that are asked for by IMAP LOGIN on loopback. Gone when dropped.
#[derive(Debug)]
pub(crate) struct Accounts {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Accounts {
    /// Of these users with these passwords.
    pub(crate) fn of(users: &[(&str, &str)]) -> Self {
        let owned = |&(user, password): &(&str, &str)| (user.to_owned(), password.to_owned());
        let users: Arc<HashMap<String, String>> = Arc::new(users.iter().map(owned).collect());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
        let address = listener.local_addr().expect("the address of a socket");
        let ended = Arc::new(AtomicBool::new(false));
        let (is_over, known) = (Arc::clone(&ended), users);
        let thread = std::thread::spawn(move || {
            for client in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let known = Arc::clone(&known);
                // A client that goes away is no matter.
                std::thread::spawn(move || client.and_then(|client| serve(&client, &known)));
            }
        });
        Self { address, ended, thread: Some(thread) }
    }

    /// Where they are asked for.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(mut client: &TcpStream, users: &HashMap<String, String>) -> io::Result<()> {
    client.write_all(b"* OK accounts of a test\r\n")?;
    for line in BufReader::new(client).lines() {
        let line = line?;
        let mut words = words(&line).into_iter();
        let mut word = || words.next().unwrap_or_default();
        let (tag, command) = (word(), word());
        let answer = match command.as_str() {
            "LOGIN" if users.get(&word()).is_some_and(|password| *password == word()) => "OK done",
            "LOGOUT" => "OK bye",
            _ => "NO it is not so",
        };
        client.write_all(format!("{tag} {answer}\r\n").as_bytes())?;
    }
    Ok(())
}

/// The atoms and quoted strings of a line (RFC 9051 section 4.3).
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut is_quoted, mut characters) = (false, line.chars());
    while let Some(c) = characters.next() {
        let word = words.last_mut().expect("there is always one");
        match c {
            '"' => is_quoted = !is_quoted,
            '\\' if is_quoted => word.extend(characters.next()),
            ' ' if !is_quoted => words.push(String::new()),
            _ => word.push(c),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_strings_are_one_word() {
        let line = r#"tag LOGIN "ann b" "a\"b\\c " atom """#;
        assert_eq!(words(line), ["tag", "LOGIN", "ann b", r#"a"b\c "#, "atom", ""]);
    }
}

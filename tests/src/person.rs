//! Somebody at a browser: opens pages of a gateway, keeps cookies, sends forms. No script runs here; see
//! [`chromium`](crate::chromium) for a browser that would.

use std::{collections::HashMap, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A browser and whoever sits in front of it.
#[derive(Clone, Debug)]
pub struct Person {
    site: SocketAddr,
    /// By the path of the page.
    cookies: HashMap<String, String>,
}

/// An answer of the pages.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The status.
    pub status: u16,
    /// Header and status line.
    pub head: String,
    /// The page.
    pub body: String,
}

impl Person {
    /// In front of the pages at this address.
    #[must_use]
    pub fn at(site: SocketAddr) -> Self {
        Self { site, cookies: HashMap::new() }
    }

    /// Opens a page by its path, with or without a query.
    pub async fn open(&mut self, path: &str) -> Shown {
        self.ask("GET", path, "").await
    }

    /// Asks for a page without its content, as some scanners do.
    pub async fn peek(&mut self, path: &str) -> Shown {
        self.ask("HEAD", path, "").await
    }

    /// Opens a page and sends its form with these fields.
    pub async fn choose(&mut self, path: &str, fields: &str) -> Shown {
        let nonce = self.open(path).await.nonce();
        self.send(path, &format!("nonce={nonce}&{fields}")).await
    }

    /// Sends a form as it is.
    pub async fn send(&mut self, path: &str, body: &str) -> Shown {
        let lines = format!(
            "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            body.len()
        );
        self.ask("POST", path, &format!("{lines}\r\n{body}")).await
    }

    async fn ask(&mut self, method: &str, path: &str, rest: &str) -> Shown {
        let page = path.split('?').next().unwrap_or_default().to_owned();
        let cookie = self.cookies.get(&page);
        let cookie = cookie.map_or_else(String::new, |pair| format!("Cookie: {pair}\r\n"));
        let rest = if rest.is_empty() { "\r\n" } else { rest };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             User-Agent: person/1.0\r\n{cookie}{rest}",
            self.site
        );
        let mut stream = TcpStream::connect(self.site).await.expect("the pages listen");
        stream.write_all(request.as_bytes()).await.expect("a request is taken");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("an answer");
        let text = String::from_utf8(bytes).expect("pages are UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("a header and a page");
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.expect("a status");
        let shown = Shown { status, head: head.to_owned(), body: body.to_owned() };
        if let Some(field) = shown.header("set-cookie") {
            let pair = field.split(';').next().unwrap_or_default().to_owned();
            self.cookies.insert(page, pair);
        }
        shown
    }
}

impl Shown {
    /// A field of the header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// What the forms of the page are sent with.
    ///
    /// # Panics
    /// If the page has no form.
    #[must_use]
    pub fn nonce(&self) -> String {
        let rest = self.body.split_once("name=\"nonce\" value=\"");
        let (_, rest) = rest.unwrap_or_else(|| panic!("no form in\n{}\n{}", self.head, self.body));
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// The page has this status and says this.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn expect(&self, status: u16, words: &str) {
        let Self { head, body, .. } = self;
        assert_eq!(self.status, status, "{head}\n{body}");
        assert!(body.contains(words), "{words:?} is not in\n{head}\n{body}");
    }

    /// What was chosen is done, and the browser goes back to the page.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn expect_done(&self) {
        assert_eq!(self.status, 303, "{}\n{}", self.head, self.body);
    }
}

//! A real browser, with scripts on: Chromium without a window, told what to do over a pipe.
//!
//! Its DevTools protocol needs no port and no library that way: messages are JSON, each ended by a NUL, on
//! the descriptors 3 and 4 (`--remote-debugging-pipe`). It blocks: in a test of tokio it is for
//! `spawn_blocking`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wait;

/// A browser with one page, ended when dropped.
pub struct Chromium {
    child: Child,
    says: ChildStdin,
    heard: Receiver<Value>,
    session: Option<String>,
    next: u64,
    /// Pages that are there with all that they bring.
    loaded: u64,
    _profile: TempDir,
}

impl Chromium {
    /// Starts one, as large as the screen of a small phone that is touched: 360 by 800.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut child = command(&profile).spawn().expect("a browser");
        let says = child.stdin.take().expect("a pipe");
        let hears = child.stdout.take().expect("a pipe");
        let (tell, heard) = channel();
        thread::spawn(move || listen(hears, &tell));
        let (session, next, loaded) = (None, 0, 0);
        let mut this = Self { child, says, heard, session, next, loaded, _profile: profile };
        let target = this.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let session = this.call("Target.attachToTarget", &attached);
        this.session = session["sessionId"].as_str().map(str::to_owned);
        this.call("Page.enable", &json!({}));
        let phone = json!({ "width": 360, "height": 800, "deviceScaleFactor": 2, "mobile": true });
        this.call("Emulation.setDeviceMetricsOverride", &phone);
        this.call("Emulation.setTouchEmulationEnabled", &json!({ "enabled": true }));
        this
    }

    /// Opens a page and waits until all of it is there.
    pub fn open(&mut self, url: &str) {
        self.until_loaded(|this| {
            this.call("Page.navigate", &json!({ "url": url }));
        });
    }

    /// What an expression of JavaScript comes to, in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        self.call("Runtime.evaluate", &asked)["result"]["value"].clone()
    }

    /// All words of the page.
    pub fn text(&mut self) -> String {
        self.evaluate("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Touches the middle of the first element that `selector` means, without scrolling to it, and
    /// waits for the page that comes of it.
    ///
    /// # Panics
    /// If it is not on the screen, or something else lies over it, or no page comes.
    pub fn tap(&mut self, selector: &str) {
        let expression = format!(
            "(() => {{ const one = document.querySelector({selector:?}); \
             const box = one.getBoundingClientRect(); \
             const at = {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }}; \
             at.seen = document.elementFromPoint(at.x, at.y) === one; return at; }})()"
        );
        let at = self.evaluate(&expression);
        assert_eq!(at["seen"], true, "{selector} cannot be touched: {at}");
        let points = json!([{ "x": at["x"], "y": at["y"] }]);
        self.until_loaded(|this| {
            for (kind, points) in [("touchStart", &points), ("touchEnd", &json!([]))] {
                let touch = json!({ "type": kind, "touchPoints": points });
                this.call("Input.dispatchTouchEvent", &touch);
            }
        });
    }

    fn until_loaded(&mut self, act: impl FnOnce(&mut Self)) {
        let before = self.loaded;
        act(self);
        while self.loaded == before {
            self.hear();
        }
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.says.write_all(&bytes).expect("the browser listens");
        loop {
            let heard = self.hear();
            if heard["id"] == self.next {
                assert!(heard["error"].is_null(), "{method}: {heard}");
                return heard["result"].clone();
            }
        }
    }

    fn hear(&mut self) -> Value {
        let heard = self.heard.recv_timeout(wait::PATIENCE).expect("the browser answers");
        self.loaded += u64::from(heard["method"] == "Page.loadEventFired");
        heard
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _may_have_ended = self.says.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let _waited = self.child.wait();
    }
}

fn command(profile: &TempDir) -> Command {
    let mut command = Command::new("sh");
    command
        // The shell puts the pipes where the browser looks for them.
        .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "chromium"])
        .args(["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-sandbox"])
        .args(["--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("about:blank")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

fn listen(hears: ChildStdout, tell: &Sender<Value>) {
    let mut messages = BufReader::new(hears).split(0);
    while let Some(Ok(bytes)) = messages.next() {
        let Ok(message) = serde_json::from_slice(&bytes) else { return };
        if tell.send(message).is_err() {
            return;
        }
    }
}

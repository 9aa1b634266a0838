//! Filters of other people say what they think of a mail before it is taken. Rows F3 and F4; whatever goes wrong with one, no
//! mail is lost, and none passes by accident.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use mailweir::control::operation::Place;
use mailweir_tests::{
    free_address,
    gateway::{Gateway, Setup, mail_to},
    scanners::{Clamd, Rspamd, Spamd},
    sink::{Script, Sink},
    tools,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinSet,
};

/// What a clamd of ours does when it has a mail, or before.
#[derive(Clone, Debug)]
enum Does {
    Says(&'static str),
    /// Without having read anything.
    SaysAtOnce(&'static str),
    Hangs,
    Closes,
    NeverEnds,
}

/// Speaks as clamd does, and keeps what it is shown.
struct Speaker {
    address: SocketAddr,
    shown: Arc<Mutex<Vec<Vec<u8>>>>,
    _tasks: JoinSet<()>,
}

impl Speaker {
    async fn that(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shown: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let (keeps, mut tasks) = (Arc::clone(&shown), JoinSet::new());
        tasks.spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let (does, keeps) = (does.clone(), Arc::clone(&keeps));
                sessions.spawn(async move {
                    if !matches!(does, Does::SaysAtOnce(_)) {
                        let mail = read_mail(&mut stream).await;
                        keeps.lock().unwrap().extend(mail);
                    }
                    match does {
                        Does::Says(answer) | Does::SaysAtOnce(answer) => {
                            let _ = stream.write_all(answer.as_bytes()).await;
                        }
                        Does::Hangs => std::future::pending().await,
                        Does::Closes => {}
                        Does::NeverEnds => while stream.write_all(&[b'x'; 65_536]).await.is_ok() {},
                    }
                });
            }
        });
        Self { address, shown, _tasks: tasks }
    }

    fn shown(&self) -> Vec<Vec<u8>> {
        self.shown.lock().unwrap().clone()
    }
}

async fn read_mail(stream: &mut tokio::net::TcpStream) -> Option<Vec<u8>> {
    let mut command = [0; b"zINSTREAM\0".len()];
    stream.read_exact(&mut command).await.ok()?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut mail = Vec::new();
    loop {
        let length = stream.read_u32().await.ok()? as usize;
        if length == 0 {
            return Some(mail);
        }
        let from = mail.len();
        mail.resize(from + length, 0);
        stream.read_exact(&mut mail[from..]).await.ok()?;
    }
}

fn filter(kind: &str, at: SocketAddr, more: &str) -> String {
    format!("[[filter]]\nname = \"the-{kind}\"\ntype = {kind:?}\nserver = \"inet:{at}\"\n{more}\n")
}

async fn asking(sink: &Sink, filters: &str) -> Gateway {
    Gateway::start(&Setup::before(sink).listener("mx", "mode = \"mx\"").sections(filters)).await
}

const CLEAN: &str = "stream: OK\0";
const INFECTED: &str = "stream: Eicar-Test-Signature FOUND\0";

#[tokio::test]
async fn a_clean_mail_is_shown_whole_and_says_so_below_our_own_header() {
    // The larger one is in a file.
    for lines in [1, 200_000] {
        let sink = Sink::start(Script::smtp()).await;
        let clamd = Speaker::that(Does::Says(CLEAN)).await;
        let gateway = asking(&sink, &filter("clamd", clamd.address, "")).await;
        let content = format!("Subject: x\r\n\r\n{}", "all is well\r\n".repeat(lines));
        gateway.accept(mail_to("user").content(&content)).await;
        let text = sink.expect_one().await.text();
        let (ours, rest) = text.split_once("X-Virus-Scanned: ClamAV\r\n").unwrap();
        assert!(ours.starts_with("Received: from ") && ours.matches("\r\nReceived: ").count() == 0);
        assert!(format!("{ours}{rest}").ends_with(&content), "{}", &text[..400]);
        let [shown] = &clamd.shown()[..] else { panic!("asked once") };
        assert!(*shown == format!("{ours}{rest}").into_bytes(), "as it was before");
        gateway.queue().expect_empty().await;
    }
}

#[tokio::test]
async fn f4_what_becomes_of_infected_mail_is_as_configured() {
    let clamd = Speaker::that(Does::Says(INFECTED)).await;
    let infected = |becomes: &str| filter("clamd", clamd.address, becomes);
    let sink = Sink::start(Script::smtp()).await;

    let gateway = asking(&sink, &infected("")).await;
    let said = gateway.submit(mail_to("user")).await;
    assert!(said.reply().starts_with("250 2.0.0 "), "{}", said.reply());
    let _ = gateway.log().expect("infected: Eicar-Test-Signature").await;
    gateway.queue().expect_empty().await;

    let gateway = asking(&sink, &infected("infected = \"reject\"")).await;
    let said = gateway.submit(mail_to("user")).await;
    said.expect_refused("554 5.7.1 Message is infected: Eicar-Test-Signature");

    let gateway = asking(&sink, &infected("infected = \"hold\"")).await;
    let id = gateway.accept(mail_to("user")).await;
    gateway.queue().expect(id, Place::Hold).await;
    sink.expect_nothing();
}

#[tokio::test]
async fn f3_a_scanner_that_fails_lets_nothing_pass_unless_that_is_said() {
    let nobody = free_address().unwrap();
    for does in [
        None,
        Some(Does::Hangs),
        Some(Does::Closes),
        Some(Does::NeverEnds),
        Some(Does::Says("stream: OK\0stream: OK\0")),
        Some(Does::Says("stream: something else\0")),
        Some(Does::Says("stream: OK")),
        Some(Does::SaysAtOnce(CLEAN)),
    ] {
        let speaker = match does {
            None => None,
            Some(does) => Some(Speaker::that(does).await),
        };
        let at = speaker.as_ref().map_or(nobody, |speaker| speaker.address);
        let failing = |if_failed: &str| {
            let more = format!("if_failed = {if_failed:?}\ntime_limit = \"1s\"");
            filter("clamd", at, &more)
        };
        // More than fits on the way, so that it is not read in vain.
        let mail = || mail_to("user").content("0123456789\r\n".repeat(500_000));
        let sink = Sink::start(Script::smtp()).await;
        let gateway = asking(&sink, &failing("defer")).await;
        gateway.submit(mail()).await.expect_refused("451 4.7.1 Service unavailable - *");
        let gateway = asking(&sink, &failing("reject")).await;
        gateway.submit(mail()).await.expect_refused("550 5.7.1 Service unavailable");
        let gateway = asking(&sink, &failing("hold")).await;
        let id = gateway.accept(mail()).await;
        gateway.queue().expect(id, Place::Hold).await;
        sink.expect_nothing();
        let gateway = asking(&sink, &failing("pass")).await;
        gateway.accept(mail()).await;
        let text = sink.expect_one().await.text();
        assert!(!text.contains("X-Virus-Scanned"), "{text}");
        let _ = gateway.log().expect("the filter the-clamd failed: ").await;
    }
}

#[tokio::test]
async fn one_that_fails_again_and_again_is_left_alone() {
    let sink = Sink::start(Script::smtp()).await;
    let closes = Speaker::that(Does::Closes).await;
    let gateway = asking(&sink, &filter("clamd", closes.address, "if_failed = \"pass\"")).await;
    for _ in 0..7 {
        gateway.accept(mail_to("user")).await;
    }
    sink.expect(7).await;
    assert_eq!(closes.shown().len(), 5);
    let _ = gateway.log().expect("it was not asked, for it has failed 5 times in a row").await;
}

#[tokio::test]
async fn f3_mail_that_clamd_finds_too_large_is_treated_as_configured_and_keeps_it_from_no_other() {
    let clamd = Speaker::that(Does::Says("INSTREAM size limit exceeded. ERROR\0")).await;
    let too_large = |more: &str| filter("clamd", clamd.address, more);
    for (more, failures) in [("if_larger = \"pass\"", 0), ("if_failed = \"pass\"", 6)] {
        let sink = Sink::start(Script::smtp()).await;
        let gateway = asking(&sink, &too_large(more)).await;
        let asked = clamd.shown().len();
        // So often that one that fails would be left alone.
        for _ in 0..6 {
            gateway.accept(mail_to("user")).await;
        }
        for mail in sink.expect(6).await {
            assert!(!mail.text().contains("X-Virus-Scanned"), "{}", mail.text());
        }
        assert_eq!(clamd.shown().len() - asked, 6);
        let why = "the filter the-clamd failed: clamd does not take mails of this size";
        gateway.log().expect_times(failures, why).await;
        assert_eq!(gateway.log().count("the filter the-clamd failed"), failures);
    }
    let sink = Sink::start(Script::smtp()).await;
    let gateway = asking(&sink, &too_large("")).await;
    gateway.submit(mail_to("user")).await.expect_refused("451 4.7.1 Service unavailable - *");
}

#[tokio::test]
async fn only_mail_that_a_scanner_means_is_shown_to_it_and_not_what_is_too_large() {
    let sink = Sink::start(Script::smtp()).await;
    let clamd = Speaker::that(Does::Says(CLEAN)).await;
    let more =
        "recipients = [\"user@local.example\"]\nsize_limit = \"1 KiB\"\nif_larger = \"pass\"";
    let gateway = asking(&sink, &filter("clamd", clamd.address, more)).await;
    gateway.accept(mail_to("other")).await;
    let large = "0123456789\r\n".repeat(1_000);
    gateway.accept(mail_to("user").content(&large)).await;
    gateway.accept(mail_to("other").to("user@local.example")).await;
    sink.expect(3).await;
    assert_eq!(clamd.shown().len(), 1);
}

#[tokio::test]
async fn an_action_names_a_scanner_and_that_one_is_asked_too_whatever_it_means() {
    let sink = Sink::start(Script::smtp()).await;
    let ahead = Sink::start(Script::smtp()).await;
    let (usual, named) =
        (Speaker::that(Does::Says(CLEAN)).await, Speaker::that(Does::Says(CLEAN)).await);
    let section = |name: &str, at: SocketAddr, more: &str| {
        filter("clamd", at, more).replace("the-clamd", name)
    };
    let filters = section("usual", usual.address, "")
        + &section("named", named.address, "only_by_action = true")
        + &section("far", named.address, "senders = [\"@far.example\"]\nlisteners = [\"other\"]")
        + &format!(
            "[[filter]]\nname = \"behind\"\ntype = \"smtp\"\nto = \"smtp://{}\"\n",
            ahead.address()
        );
    let checks = "pcre:{ {/^X-Named/ FILTER named:}, {/^X-Far/ FILTER far:} }";
    let lists =
        "recipient = [\"check_recipient_access inline:{ {late@local.example = FILTER named:} }\"]";
    let setup = Setup::before(&sink)
        .listener("mx", &format!("mode = \"mx\"\nheader_checks = [{checks:?}]"))
        .listener("other", "mode = \"mx\"")
        .section("restrictions", lists)
        .sections(&filters);
    let gateway = Gateway::start(&setup).await;
    let mut asked = (0, 0);
    for (mail, more) in [
        (mail_to("user"), 0),
        (mail_to("user").header("X-Named: yes"), 1),
        (mail_to("user").header("X-Far: yes"), 1),
        (mail_to("late"), 1),
    ] {
        gateway.accept(mail).await;
        asked = (asked.0 + 1, asked.1 + more);
        assert_eq!((usual.shown().len(), named.shown().len()), asked);
    }
    // The way behind the queue is as if there was no action.
    ahead.expect(4).await;
    sink.expect_nothing();
    gateway.queue().expect_empty().await;
}

/// clamd hangs up while such a mail is on its way.
#[tokio::test(flavor = "multi_thread")]
async fn f3_mail_beyond_its_stream_max_length_keeps_clamd_from_no_other() {
    if !tools::require(&["clamd"]) {
        return;
    }
    let clamd = tokio::task::spawn_blocking(Clamd::start).await.unwrap();
    let sink = Sink::start(Script::smtp()).await;
    let more = "infected = \"reject\"\nif_failed = \"pass\"";
    let gateway = asking(&sink, &filter("clamd", clamd.address(), more)).await;
    let most = usize::try_from(Clamd::MOST).unwrap();
    for size in [most + 12, 2 * most, 16 * most] {
        for _ in 0..5 {
            gateway.accept(mail_to("user").content("0123456789\r\n".repeat(size / 12))).await;
        }
    }
    let why = "the filter the-clamd failed: clamd does not take mails of this size";
    gateway.log().expect_times(15, why).await;
    let virus = format!("Subject: x\r\n\r\n{}\r\n", Clamd::eicar());
    let said = gateway.submit(mail_to("user").content(virus)).await;
    said.expect_refused("554 5.7.1 Message is infected: Eicar-*");
}

#[tokio::test(flavor = "multi_thread")]
async fn clamd_spamd_and_rspamd_find_what_they_should() {
    if !tools::require(&["clamd", "spamd", "rspamd"]) {
        return;
    }
    let start = || (Clamd::start(), Spamd::start(), Rspamd::start());
    let (clamd, spamd, rspamd) = tokio::task::spawn_blocking(start).await.unwrap();
    let filters = filter("clamd", clamd.address(), "infected = \"reject\"")
        + &filter("spamd", spamd.address(), "reject_from = 900\nhold_from = 800")
        + &filter("rspamd", rspamd.address(), "");
    let sink = Sink::start(Script::smtp()).await;
    let gateway = asking(&sink, &filters).await;
    let content = |text: &str| format!("From: ann@far.example\r\nSubject: lunch\r\n\r\n{text}\r\n");
    let send = async |text: &str| gateway.submit(mail_to("user").content(content(text))).await;

    send("Shall we meet?").await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(text.contains("X-Virus-Scanned: ClamAV\r\n"), "{text}");
    assert!(text.contains("\r\nX-Spam-Status: No, "), "{text}");
    assert!(text.ends_with(&content("Shall we meet?")), "{text}");

    send(&Clamd::eicar()).await.expect_refused("554 5.7.1 Message is infected: Eicar-*");
    send(&Spamd::gtube()).await.expect_refused("554 5.7.1 *");
    send(&Rspamd::pattern('X')).await.expect_refused("554 5.7.1 *");
    gateway.queue().expect_empty().await;
}

//! Where a notice goes may stand in a table on another server. As long as that one is silent, nothing
//! waits for it but this notice: not its case, and no other.

use std::net::SocketAddr;

use mailweir_moderation::case::{Actor, By, Command, Proof};
use mailweir_tests::{
    gateway::{Gateway, Setup, mail},
    sink::{Script, Sink},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

#[tokio::test]
async fn cases_are_decided_delays_end_and_others_are_told_while_a_notice_is_not_on_its_way() {
    for lines in ["digest_after = 0\ndigest_interval = \"1 s\"", "digest_after = 10"] {
        let sink = Sink::start(Script::smtp()).await;
        let mut table = Table::silent_about("boss@local.example").await;
        let gateway = Gateway::start(&setup(&sink, &table, lines)).await;
        let [one, other] = [gateway.submit(mail()).await, gateway.submit(mail()).await]
            .map(|it| it.expect_accepted());
        table.asked.recv().await.unwrap();

        gateway.submit(mail().from("eve@local.example")).await.expect_accepted();
        gateway.submit(mail().from("joe@local.example")).await.expect_accepted();
        let gone = sink.expect(2).await;
        assert!(gone.iter().any(|mail| mail.recipients() == ["ann@local.example"]), "{gone:?}");
        for id in [one, other] {
            gateway.moderation().take(id, approve()).await.unwrap();
        }
        sink.expect(4).await;
        gateway.log().expect_none("not sent: ");
    }
}

fn setup(sink: &Sink, table: &Table, lines: &str) -> Setup {
    let rules = "[[moderation.rule]]\nname = \"undo\"\nsenders = [\"eve@local.example\"]\n\
                 action = \"delay\"\ndelay = \"1 s\"\ntells_sender = \"never\"\n\
                 [[moderation.rule]]\nname = \"joe\"\nsenders = [\"joe@local.example\"]\n\
                 action = \"approval\"\nmoderators = [\"ann@local.example\"]\n\
                 tells_sender = \"never\"\n\
                 [[moderation.rule]]\nname = \"all\"\naction = \"approval\"\n\
                 moderators = [\"boss@local.example\"]\ntells_sender = \"never\"\n";
    Setup::before(sink)
        .in_front_of_us()
        .section("rewriting", &format!("virtual_alias_maps = [\"tcp:{}\"]", table.address))
        .section("moderation", lines)
        .section("admin", "bind = []\npublic_url = \"https://mail.local.example\"")
        .sections(rules)
}

fn approve() -> Command {
    let who = Actor::Administrator("root".into());
    let by = By { who, proof: Proof::CommandLine, from: None };
    Command::Approve { by, comment: "".into(), only: None, at: None, trust_days: 0 }
}

/// A `tcp:` table that knows nobody, and does not even say so of one address.
struct Table {
    address: SocketAddr,
    /// A message for each question that it does not answer.
    asked: mpsc::UnboundedReceiver<()>,
}

impl Table {
    async fn silent_about(address: &'static str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (tell, asked) = mpsc::unbounded_channel();
        let bound = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, address, tell.clone()));
            }
        });
        Self { address: bound, asked }
    }
}

async fn answer(stream: TcpStream, silent: &str, tell: mpsc::UnboundedSender<()>) {
    let (questions, mut answers) = stream.into_split();
    let mut questions = BufReader::new(questions).lines();
    while let Ok(Some(question)) = questions.next_line().await {
        if question == format!("get {silent}") {
            let _ = tell.send(());
        } else if answers.write_all(b"500 nobody\n").await.is_err() {
            return;
        }
    }
}

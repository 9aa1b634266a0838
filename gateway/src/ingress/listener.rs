//! Where connections come from: sockets, permits, the PROXY header, TLS from the first byte.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use mailweir_auth::{Allowances, Authenticator, Chain, Directory as _, Mechanism, UserName};
use mailweir_filters::{RemoteMaps, rewriting::HeaderRewriter};
use mailweir_mail::{Address, Client, Domain, SessionEvent};
use mailweir_queue::Queue;
use mailweir_smtp::server::{self, Mode, Needs, Offer, Peer, Rights, Session, Settings, TlsMode};
use tokio::{
    net::{TcpListener, TcpStream, UnixStream},
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    admission::{Admission, Ends},
    checks::ListenerChecks,
    connection::Connection,
    filters::{ListenerFilters, Source},
    inspection::Inspectors,
    milters::Milter,
    moderation::ListenerModeration,
    permits::{Crowd, Permit, Permits},
    policy::SubmissionPolicy,
    policy_services::PolicyServices,
    proxy,
    relay::ServedDomains,
    restrictions::ListenerRestrictions,
    waiting::Waiting,
};
use crate::{
    archiving::ListenerArchive,
    clock,
    config::{self, ListenerTls as TlsChoice, ProxyProtocol},
    egress::resolve::Resolver,
    observe::Observer,
    own_mail::OwnMail,
    policy::Notes,
    rewriting::LiveRewriting,
    signing::Signing,
    spam::{self, Classifier, Scale},
    strangers::Strangers,
    tables::Tables,
    tls::ListenerTls,
    verification::Verification,
    ways_back::{self, WayBack},
    wire::Wire,
};

/// What all listeners share.
pub struct Shared {
    /// The name of this gateway.
    pub hostname: Domain,
    /// Where the world reaches this gateway.
    pub addresses: Vec<IpAddr>,
    /// Where mail goes.
    pub queue: Queue,
    /// Where events go.
    pub observer: Observer,
    /// Who answers questions about names.
    pub resolver: Arc<dyn Resolver>,
    /// Who checks log-ins.
    pub authenticator: Authenticator,
    /// The lookup tables in use.
    pub tables: Arc<Tables>,
    /// Who asks policy servers.
    pub(crate) policy_services: PolicyServices,
    /// What each login has sent lately.
    pub allowances: Arc<Mutex<Allowances>>,
    /// Mail that filters have while its client waits.
    pub(crate) waiting: Waiting,
    /// What is remembered of strangers.
    pub(crate) strangers: Arc<Strangers>,
    /// How many sessions there may be.
    pub permits: Arc<Permits>,
    /// What has learned what spam looks like; empty until spam checks are switched on.
    pub classifier: OnceLock<Arc<Classifier>>,
    /// By what mail is weighed now, for people who ask. A reload puts another in its place.
    pub scale: ArcSwap<Scale>,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
    /// The sessions that run.
    pub sessions: TaskTracker,
}

/// One `[[listener]]` at work. A reload puts a new one in its place; sessions keep theirs.
pub struct Listener {
    rules: config::Listener,
    settings: Arc<Settings>,
    /// For programs that come by a local socket.
    local_settings: Arc<Settings>,
    served: Arc<ServedDomains>,
    policy: Arc<SubmissionPolicy>,
    checks: ListenerChecks,
    restrictions: Option<ListenerRestrictions>,
    /// Absent where addresses stay as they are.
    rewriting: Option<Arc<LiveRewriting>>,
    verification: Arc<Verification>,
    /// Absent where no mail waits for people.
    moderation: Option<ListenerModeration>,
    /// Absent where nothing is archived.
    archive: Option<ListenerArchive>,
    /// Absent where nobody asks who really sends, and what.
    spam: Option<Arc<spam::Checks>>,
    /// Absent where nothing is signed.
    signing: Option<Arc<Signing>>,
    own_mail: OwnMail,
    /// Absent where mail passes no filter of other people.
    filters: Option<ListenerFilters>,
    /// Absent where no Postfix hands over what it asked about.
    notes: Option<Arc<Notes>>,
    tls: Option<ListenerTls>,
    shared: Arc<Shared>,
}

/// The rules that a listener follows besides its own.
pub struct ListenerRules {
    /// The domains that mail is accepted for from anywhere.
    pub served: Arc<ServedDomains>,
    /// What binds those who log in.
    pub policy: Arc<SubmissionPolicy>,
    /// What the content of mail is held against.
    pub checks: ListenerChecks,
    /// Who may do what; `None` where nothing is restricted but relaying.
    pub restrictions: Option<ListenerRestrictions>,
    /// What becomes of addresses; of no effect in the modes "filter" and "lmtp".
    pub rewriting: Arc<LiveRewriting>,
    /// Who knows which addresses take mail.
    pub(crate) verification: Arc<Verification>,
    /// Which mail waits for people; of no effect in the modes "filter" and "lmtp".
    pub(crate) moderation: ListenerModeration,
    /// What is archived; of no effect in the modes "filter" and "lmtp".
    pub(crate) archive: Option<ListenerArchive>,
    /// What mail is looked at by; of no effect in the modes "filter" and "lmtp".
    pub(crate) spam: Option<Arc<spam::Checks>>,
    /// What signs mail of our own people; `None` where there are no keys.
    pub(crate) signing: Option<Arc<Signing>>,
    /// What becomes of the mail that the gateway writes about theirs.
    pub(crate) own_mail: OwnMail,
    /// The filters of other people; in the modes "filter" and "lmtp", those behind the one that hands mail back there.
    pub(crate) filters: Option<ListenerFilters>,
    /// What is known of the mails that a Postfix hands over because we told it to; `None` where none
    /// does.
    pub(crate) notes: Option<Arc<Notes>>,
}

impl Listener {
    /// A listener that follows `rules`.
    #[must_use]
    pub fn new(
        rules: config::Listener,
        shared_rules: ListenerRules,
        tls: Option<ListenerTls>,
        shared: Arc<Shared>,
    ) -> Self {
        let settings = Arc::new(settings(&rules, &shared));
        let ListenerRules {
            served,
            policy,
            checks,
            restrictions,
            rewriting,
            verification,
            moderation,
            archive,
            spam,
            signing,
            own_mail,
            filters,
            notes,
        } = shared_rules;
        // Mail that comes back from a filter has been rewritten, and approved if it must be (Postfix `receive_override_options =
        // no_address_mappings, no_unknown_recipient_checks`).
        // And it was archived when it came first.
        let (rewriting, moderation, archive) = match settings.mode {
            Mode::Mx | Mode::Submission => (Some(rewriting), Some(moderation), archive),
            Mode::Filter | Mode::Lmtp => (None, None, None),
        };
        let spam = spam.filter(|_| matches!(settings.mode, Mode::Mx | Mode::Submission));
        // What does not leave the machine needs no TLS, and our own programs know what is offered.
        let local_settings =
            Arc::new(Settings { tls: TlsMode::None, may_talk_ahead: true, ..(*settings).clone() });
        Self {
            rules,
            settings,
            local_settings,
            served,
            policy,
            checks,
            restrictions,
            rewriting,
            verification,
            moderation,
            archive,
            spam,
            signing,
            own_mail,
            filters,
            notes,
            tls,
            shared,
        }
    }

    /// The label of logs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.rules.name
    }

    /// Who is expected here.
    pub(super) const fn mode(&self) -> config::Mode {
        self.rules.mode
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings)
    }

    /// The same for a client that another mail server serves: how it comes and who may log in is decided
    /// there, and lines end as that server ends them.
    pub(super) fn settings_elsewhere(&self) -> Arc<Settings> {
        Arc::new(Settings {
            mode: Mode::Mx,
            tls: TlsMode::None,
            mechanisms: Vec::new(),
            bare_newline: server::BareNewline::Normalize,
            ..(*self.settings).clone()
        })
    }

    /// The first of its addresses.
    pub(super) fn local(&self) -> SocketAddr {
        self.rules.bind.first().copied().unwrap_or(SocketAddr::from(([127, 0, 0, 1], 25)))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn served(&self) -> &ServedDomains {
        &self.served
    }

    pub(super) fn policy(&self) -> &SubmissionPolicy {
        &self.policy
    }

    pub(super) const fn checks(&self) -> &ListenerChecks {
        &self.checks
    }

    /// `None` where nothing is restricted but relaying.
    pub(super) const fn restrictions(&self) -> Option<&ListenerRestrictions> {
        self.restrictions.as_ref()
    }

    pub(super) const fn refuses_unlisted(&self) -> bool {
        self.rules.reject_unlisted_recipient
    }

    /// What becomes of addresses; `None` where they stay as they are.
    pub(super) fn rewriting(&self) -> Option<&LiveRewriting> {
        self.rewriting.as_deref()
    }

    /// Who knows which addresses take mail.
    pub(super) const fn verification(&self) -> &Arc<Verification> {
        &self.verification
    }

    /// Which mail waits for people; `None` where none does.
    pub(super) const fn moderation(&self) -> Option<&ListenerModeration> {
        self.moderation.as_ref()
    }

    /// Which mail is archived; `None` where none is.
    pub(super) const fn archive(&self) -> Option<&ListenerArchive> {
        self.archive.as_ref()
    }

    /// How it is found out who really sends; `None` where it is not.
    pub(super) fn spam(&self) -> Option<&spam::Checks> {
        self.spam.as_deref()
    }

    /// What signs mail of our own people; `None` where nothing is signed.
    pub(super) fn signing(&self) -> Option<&Signing> {
        self.signing.as_deref()
    }

    /// What becomes of the mail that the gateway writes about mail that comes in here.
    pub(super) const fn own_mail(&self) -> &OwnMail {
        &self.own_mail
    }

    /// The filters of other people; `None` where mail passes none.
    pub(super) const fn filters(&self) -> Option<&ListenerFilters> {
        self.filters.as_ref()
    }

    /// Those of them that hear its sessions.
    pub(super) fn milters(&self) -> &[Arc<Milter>] {
        self.filters.as_ref().map_or(&[], |filters| &filters.milters)
    }

    /// Those of them that are asked before mail is taken.
    pub(super) fn inspectors(&self) -> Option<&Inspectors> {
        let filters = self.filters.as_ref()?;
        match filters.source {
            Source::Elsewhere => filters.inspectors.as_deref(),
            Source::Filters(_) | Source::Proxies => None,
        }
    }

    /// What is known of the mails of a Postfix in front; `None` where none hands over what it asked
    /// about.
    pub(super) fn notes(&self) -> Option<&Notes> {
        self.notes.as_deref()
    }

    /// Whether this is the address that our own probes come from, and that nobody reads.
    pub(super) fn takes_answers_to_probes(&self, recipient: &Address) -> bool {
        self.verification.is_sink(recipient)
    }

    /// The stage that rewrites headers, for a client whose headers are rewritten.
    pub(super) fn header_rewriter(
        &self,
        client: IpAddr,
        logged_in: bool,
    ) -> Option<HeaderRewriter> {
        let rewriting = self.rewriting()?;
        let is_local = rewriting.is_local(client, self.rules.trusts(client), logged_in);
        HeaderRewriter::incoming(&rewriting.current().incoming).filter(|_| is_local)
    }

    /// Those who can ask the tables of other servers.
    pub(super) fn remote_maps(&self) -> &dyn RemoteMaps {
        self.shared.tables.remote()
    }

    pub(super) const fn hopcount_limit(&self) -> u32 {
        self.rules.limits.hopcount_limit.get()
    }

    pub(super) const fn timeout(&self) -> Duration {
        self.rules.limits.timeout
    }

    /// What a client's address allows it.
    pub(super) fn rights(&self, client: IpAddr) -> Rights {
        let among = |networks: &[mailweir_mail::Network]| {
            networks.iter().any(|network| network.contains(client))
        };
        Rights {
            trusted: self.rules.trusts(client),
            xclient: among(&self.rules.xclient_hosts),
            xforward: among(&self.rules.xforward_hosts),
            bare_newline: among(&self.rules.bare_newline_excluded),
        }
    }

    /// Whether mail comes back here that clients wait for: then those who may come here are never too many, or clients that wait
    /// could take all the room there is, and wait in vain.
    pub(super) fn takes_back(&self) -> bool {
        self.filters.as_ref().is_some_and(ListenerFilters::takes_back)
    }

    /// Whether a session is one too many here.
    pub(super) fn turns_away(&self, crowd: Crowd) -> bool {
        match crowd {
            Crowd::FromOneClient => true,
            Crowd::InAll => !self.takes_back(),
            Crowd::None => false,
        }
    }

    /// Whether programs may come by a local socket: filters, where no proxy says who comes.
    pub(crate) fn has_way_back(&self) -> bool {
        self.settings.mode == Mode::Filter && matches!(self.rules.proxy, ProxyProtocol::Off)
    }

    /// Whether the listener talks to this client at all: mail that comes back from a filter, and
    /// LMTP, is for trusted peers only.
    pub(super) fn admits(&self, client: IpAddr) -> bool {
        match self.settings.mode {
            Mode::Mx | Mode::Submission => true,
            Mode::Filter | Mode::Lmtp => self.rules.trusts(client),
        }
    }

    pub(super) fn warn(&self, text: String) {
        self.shared.observer.session(&SessionEvent::Warning { part: "smtpd", text: text.into() });
    }

    pub(super) fn notice(&self, part: &'static str, text: String) {
        self.shared.observer.session(&SessionEvent::Notice { part, text: text.into() });
    }

    /// Serves one connection.
    async fn serve(self: Arc<Self>, tcp: TcpStream, peer: SocketAddr, bound: SocketAddr) {
        let local = if bound.ip().is_unspecified() { tcp.local_addr() } else { Ok(bound) };
        let Ok(local) = local else { return };
        let Some((tcp, peer, local)) = Box::pin(self.unwrap_proxy(tcp, peer, local)).await else {
            return;
        };
        let client = Client::unnamed(peer);
        let (permit, mut session) = self.open(&self.settings, client.clone(), local);
        let wire = match self.settings.tls {
            // The refusal could only be said after a handshake, which is what costs.
            TlsMode::Implicit if self.turns_away(permit.crowd()) => {
                return self.warn(format!("too many sessions: {client} is turned away"));
            }
            TlsMode::Implicit => match Box::pin(self.secure(tcp, &client, &mut session)).await {
                Some(wire) => wire,
                None => return,
            },
            TlsMode::None | TlsMode::Optional | TlsMode::Required => Wire::Plain(tcp),
        };
        let admission = Admission::new(self, permit, Ends::InQueue);
        Connection::new(wire, session, admission).run().await;
    }

    /// Serves a program of this machine, which has come to an address by the short way.
    async fn serve_program(self: Arc<Self>, stream: UnixStream, bound: SocketAddr) {
        let local = ways_back::reached_at(bound);
        let client = Client::unnamed(ways_back::client_at(local));
        let (permit, session) = self.open(&self.local_settings, client, local);
        let admission = Admission::new(self, permit, Ends::InQueue);
        Connection::new(Wire::Local(stream), session, admission).run().await;
    }

    /// Counts a client in, and opens its session.
    fn open(
        &self,
        settings: &Arc<Settings>,
        client: Client,
        local: SocketAddr,
    ) -> (Permit, Session) {
        let listener = self.name().into();
        let connected = SessionEvent::Connected { listener, client: client.clone() };
        self.shared.observer.session(&connected);
        let counted = !self.rules.trusts(client.ip());
        let per_client = self.rules.limits.client_connection_count_limit as usize;
        let permit = self.shared.permits.admit(client.ip(), if counted { per_client } else { 0 });
        let peer = Peer { client, local, rights: Rights::NONE };
        (permit, Session::new(Arc::clone(settings), peer, clock::monotonic()))
    }

    /// Makes the TLS handshake; `None`, and a line in the log, if it fails.
    pub(super) async fn secure(
        &self,
        tcp: TcpStream,
        client: &Client,
        session: &mut Session,
    ) -> Option<Wire> {
        let tls = self.tls.as_ref()?;
        let reason: Box<str> = match timeout(self.timeout(), tls.accept(tcp)).await {
            Ok(Ok((stream, summary))) => {
                let certificate = tls.judge(stream.get_ref().1, clock::now());
                self.shared.observer.session(&SessionEvent::TlsAgreed {
                    peer: client.to_string().into(),
                    inbound: true,
                    trust: certificate.trust().as_str(),
                    summary: summary.clone(),
                });
                session.tls_started(summary);
                let asked = self.restrictions().is_some_and(|rules| rules.ask_for_certificates());
                if asked && let Some(shown) = tls.shown_by(stream.get_ref().1, &certificate) {
                    session.certificate_shown(shown);
                }
                if !certificate.into_names().is_empty() {
                    session.client_certified();
                }
                return Some(Wire::Tls(Box::new(stream.into())));
            }
            Ok(Err(error)) => error.to_string().into(),
            Err(_) => "the handshake took too long".into(),
        };
        let peer = client.address;
        self.shared.observer.session(&SessionEvent::TlsFailed { peer, inbound: true, reason });
        None
    }

    /// The user names that the client's certificate proves at this moment.
    pub(super) fn certified(&self, wire: &Wire) -> Vec<UserName> {
        match (&self.tls, wire.served()) {
            (Some(tls), Some(connection)) => tls.judge(connection, clock::now()).into_names(),
            _ => Vec::new(),
        }
    }

    /// The real client behind a proxy, if there is one in front.
    async fn unwrap_proxy(
        &self,
        mut tcp: TcpStream,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Option<(TcpStream, SocketAddr, SocketAddr)> {
        let ProxyProtocol::From(proxies) = &self.rules.proxy else {
            return Some((tcp, peer, local));
        };
        if !proxies.iter().any(|network| network.contains(peer.ip().to_canonical())) {
            self.warn(format!("{peer} is not in proxy_hosts: connection closed"));
            return None;
        }
        match timeout(self.timeout(), proxy::read_header(&mut tcp)).await {
            Ok(Ok(Some((source, destination)))) => Some((tcp, source, destination)),
            Ok(Ok(None)) => Some((tcp, peer, local)),
            Ok(Err(error)) => {
                self.warn(format!("no PROXY header from {peer}: {error}"));
                None
            }
            Err(_) => {
                self.warn(format!("no PROXY header from {peer}: it took too long"));
                None
            }
        }
    }
}

/// Accepts connections until `close` is cancelled. A reload puts another listener into `current`.
/// `bound` is the address of `socket`.
pub async fn listen(
    socket: TcpListener,
    bound: SocketAddr,
    current: Arc<ArcSwap<Listener>>,
    close: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = close.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        let listener = current.load_full();
        match accepted {
            Ok((tcp, peer)) => {
                let sessions = listener.shared.sessions.clone();
                // A task is moved at its start and at its end: here a pointer, and not all that a session may hold.
                sessions.spawn(Box::pin(listener.serve(tcp, peer, bound)));
            }
            Err(error) => back_off(&listener, &error).await,
        }
    }
}

/// The same for the programs that come to `bound` by the short way.
pub(crate) async fn listen_to_programs(
    way_back: WayBack,
    bound: SocketAddr,
    current: Arc<ArcSwap<Listener>>,
    close: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = close.cancelled() => return,
            accepted = way_back.socket.accept() => accepted,
        };
        let listener = current.load_full();
        match accepted {
            // A reload may have made another listener of it.
            Ok(_) if !listener.has_way_back() => {}
            Ok((stream, _)) => {
                let sessions = listener.shared.sessions.clone();
                sessions.spawn(Box::pin(listener.serve_program(stream, bound)));
            }
            Err(error) => back_off(&listener, &error).await,
        }
    }
}

/// A connection that failed before we took it harms nobody. Any other error, such as no free file
/// descriptor, would come again at once: wait, so that the loop does not spin (`attacks.md` J7).
async fn back_off(listener: &Listener, error: &io::Error) {
    if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        return;
    }
    listener.warn(format!("accept on {}: {error}", listener.name()));
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

fn settings(rules: &config::Listener, shared: &Shared) -> Settings {
    let limits = rules.limits;
    let mut settings = Settings::new(shared.hostname.clone());
    settings.mode = match rules.mode {
        config::Mode::Mx => Mode::Mx,
        config::Mode::Submission => Mode::Submission,
        config::Mode::Filter => Mode::Filter,
        config::Mode::Lmtp => Mode::Lmtp,
    };
    settings.tls = match rules.tls {
        TlsChoice::None => TlsMode::None,
        TlsChoice::Optional => TlsMode::Optional,
        TlsChoice::Required => TlsMode::Required,
        TlsChoice::Implicit => TlsMode::Implicit,
    };
    settings.mechanisms = mechanisms(rules, shared.authenticator.chain());
    settings.broken_sasl_auth_clients = rules.broken_sasl_auth_clients;
    settings.auth_in_clear = rules.auth_in_clear;
    settings.helo_required = rules.helo_required;
    settings.disable_vrfy = rules.disable_vrfy_command;
    settings.bare_newline = match rules.forbid_bare_newline {
        config::BareNewline::Normalize => server::BareNewline::Normalize,
        config::BareNewline::Reject => server::BareNewline::Reject,
        config::BareNewline::Note => server::BareNewline::Note,
        config::BareNewline::No => server::BareNewline::No,
    };
    settings.limits.message_size = limits.message_size_limit.bytes();
    settings.limits.recipients = limits.recipient_limit.get() as usize;
    settings.limits.hard_errors = limits.hard_error_limit.get();
    settings.limits.junk_commands = limits.junk_command_limit;
    settings.limits.timeout = limits.timeout;
    settings
}

/// What is offered, first what needs more than others. Filters and mail stores do not log in.
fn mechanisms(rules: &config::Listener, chain: &Chain) -> Vec<Offer> {
    let offered: Vec<Mechanism> = match (rules.mode, &rules.auth_mechanisms) {
        (config::Mode::Filter | config::Mode::Lmtp, _) => Vec::new(),
        (config::Mode::Mx | config::Mode::Submission, Some(chosen)) => {
            chosen.iter().copied().filter(|&mechanism| chain.serves(mechanism)).collect()
        }
        (config::Mode::Mx | config::Mode::Submission, None) => {
            Mechanism::ALL.into_iter().filter(|&mechanism| chain.offers(mechanism)).collect()
        }
    };
    let offer = |mechanism: Mechanism| Offer {
        mechanism: mechanism.as_str().into(),
        needs: needs(mechanism),
    };
    let mut offers: Vec<Offer> = offered.into_iter().map(offer).collect();
    offers.sort_by_key(|offer| offer.needs == Needs::Nothing);
    offers
}

const fn needs(mechanism: Mechanism) -> Needs {
    match mechanism {
        Mechanism::External => Needs::Certificate,
        Mechanism::ScramPlus(_) => Needs::Tls13,
        Mechanism::Scram(_)
        | Mechanism::OAuthBearer
        | Mechanism::XOAuth2
        | Mechanism::Plain
        | Mechanism::Login
        | Mechanism::CramMd5 => Needs::Nothing,
    }
}

/// How long no connection is taken after `accept` failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

//! Takes work from the queue and spreads it over lanes: one for each destination.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use mailweir_mail::{Address, Delays, DeliveryReport, Domain, MailEvent, Stage};
use mailweir_queue::{AttemptResult, Claim, RecipientIndex, ReportDuty, Screening, Work};

use tokio::sync::Semaphore;

use super::{
    Egress,
    by_tables::Chosen,
    courier::Courier,
    destination::Destination,
    inquiry,
    lane::{Batch, Lane},
    programs::Program,
    replies, reporter,
    route::{LiveRoute, LiveRoutes, ToFilter},
    transport::{self, End, Way},
};

/// Runs until deliveries stop, or the queue has no more work to give: it was shut down, or its
/// store failed.
pub(super) async fn run(egress: Arc<Egress>) {
    let small_work = Arc::new(Semaphore::new(SMALL_WORK_LIMIT));
    while let Some(Some(work)) = egress.stop.run_until_cancelled(egress.queue.next_work()).await {
        match work {
            Work::Deliver(claim) => deliver(&egress, claim),
            Work::Report(owed) => {
                let reporting = reporter::report(Arc::clone(&egress), owed);
                spawn_bounded(&egress, &small_work, reporting).await;
            }
            Work::Screen(screening) => {
                let passing = pass(Arc::clone(&egress), screening);
                spawn_bounded(&egress, &small_work, passing).await;
            }
        }
    }
    // Without a store nothing can be recorded, so nothing more is begun.
    egress.stop();
}

/// Starts small work when there is room for it: many mails may expire at the same moment.
async fn spawn_bounded(
    egress: &Egress,
    room: &Arc<Semaphore>,
    work: impl Future<Output = ()> + Send + 'static,
) {
    // The semaphore is never closed.
    let Ok(permit) = Arc::clone(room).acquire_owned().await else { return };
    egress.tasks.spawn(async move {
        work.await;
        drop(permit);
    });
}

/// Mail that is judged anew goes the way of the filters of now. No other stage looks at mail between acceptance and
/// delivery yet.
async fn pass(egress: Arc<Egress>, screening: Screening) {
    let Screening { stage, envelope, origin, .. } = &screening;
    let anew = match stage {
        Stage::Filter => egress.routes().judge_anew(envelope, origin),
        Stage::Moderate | Stage::Archive | Stage::Sign | Stage::Route => None,
    };
    let passed = match anew {
        None => egress.queue.pass(&screening, Stage::Route).await,
        Some(envelope) => egress.queue.pass_as(&screening, Stage::Route, envelope).await,
    };
    if let Err(error) = passed {
        egress.warn(format!("{}: not passed on: {error}", screening.id));
    }
}

/// Puts a mail on its lanes: first those to the filters that are ahead of it; then at once, or after tables that have a
/// say were asked.
pub(super) fn deliver(egress: &Arc<Egress>, mut claim: Claim) {
    let routes = egress.routes();
    let mut ahead = Vec::new();
    claim.pending.retain(|&index| {
        let recipient = claim.envelope.recipients.get(index.as_usize());
        let chosen = recipient.and_then(|it| routes.filter_for(&claim.envelope, it));
        let is_onward = chosen.is_none();
        ahead.extend(chosen.map(|chosen| (index, chosen)));
        is_onward
    });
    if !ahead.is_empty() {
        let mut filtered = claim.clone();
        filtered.pending = ahead.iter().map(|(index, _)| *index).collect();
        spread(egress, &routes, &Arc::new(filtered), ahead);
    }
    if !claim.pending.is_empty() {
        onward(egress, claim);
    }
}

/// Past the filters.
fn onward(egress: &Arc<Egress>, claim: Claim) {
    let chosen = match &claim.envelope.filter {
        Some(filter) => Chosen::Way(filter.clone()),
        None if egress.rewriting().current().routes_mail() => return inquiry::enter(egress, claim),
        None => Chosen::Nothing,
    };
    let claim = Arc::new(claim);
    let all = claim.pending.iter().map(|&index| (index, chosen.clone()));
    spread(egress, &egress.routes(), &claim, all);
}

/// Groups recipients of a mail by where they go, each as rules say of it.
pub(super) fn spread(
    egress: &Arc<Egress>,
    routes: &LiveRoutes,
    claim: &Arc<Claim>,
    all: impl IntoIterator<Item = (RecipientIndex, Chosen)>,
) {
    let mut groups: Vec<(Goal<'_>, Vec<RecipientIndex>)> = Vec::new();
    for (index, chosen) in all {
        let Some(recipient) = claim.envelope.recipients.get(index.as_usize()) else { continue };
        let chosen = unless_dropped(routes, &recipient.address, chosen);
        let goal = goal(routes, chosen, recipient.address.domain());
        match groups.iter_mut().find(|(known, _)| known.is(&goal)) {
            Some((_, recipients)) => recipients.push(index),
            None => groups.push((goal, vec![index])),
        }
    }
    for (goal, recipients) in groups {
        match goal {
            Goal::To(destination, route) => push(egress, &destination, route, claim, &recipients),
            Goal::Program(program, next_hop) => {
                program.hand_over(egress, claim, &recipients, &next_hop);
            }
            Goal::End(end) => {
                egress.tasks.spawn(conclude(
                    Arc::clone(egress),
                    Arc::clone(claim),
                    recipients,
                    end,
                ));
            }
        }
    }
}

/// Where a recipient's mail goes.
pub(super) enum Goal<'r> {
    /// To this destination by this route.
    To(Destination, &'r Arc<LiveRoute>),
    /// To this program, with this next hop, if that matters to it.
    Program(&'r Arc<Program>, Box<str>),
    /// No further.
    End(End),
}

impl Goal<'_> {
    /// Whether mail with this goal may travel with mail that has the other.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::To(this, _), Self::To(other, _)) => this == other,
            (Self::Program(this, by), Self::Program(other, with)) => {
                Arc::ptr_eq(this, other) && by == with
            }
            (Self::End(this), Self::End(other)) => this == other,
            (Self::To(..) | Self::Program(..) | Self::End(_), _) => false,
        }
    }
}

/// What a rule chose, but for mail that goes nowhere whatever it says.
pub(super) fn unless_dropped(routes: &LiveRoutes, recipient: &Address, chosen: Chosen) -> Chosen {
    match routes.drop_mail_to(recipient) {
        true => Chosen::End(End::Unread(replies::to_sender_of_probes())),
        false => chosen,
    }
}

/// The way that a rule chose, or else that of the route.
pub(super) fn goal<'r>(routes: &'r LiveRoutes, chosen: Chosen, domain: &Domain) -> Goal<'r> {
    let way = match chosen {
        Chosen::Filter(transport) => match routes.to_filter(transport.name()) {
            Some(ToFilter::Server(route, destination)) => return Goal::To(destination, route),
            Some(ToFilter::Program(program)) => {
                return Goal::Program(program, program.next_hop(&transport, domain));
            }
            None => Way::End(End::Deferred(replies::no_filter(transport.name()))),
        },
        Chosen::Nothing => Way::Route,
        Chosen::Way(transport) => transport::interpret(&transport, domain),
        Chosen::End(end) => Way::End(end),
    };
    match way {
        Way::Hop { protocol, first, then } => {
            let (route, destination) = routes.towards(domain, protocol, first, then);
            Goal::To(destination, route)
        }
        Way::End(end) => Goal::End(end),
        Way::Route => {
            let route = routes.find(domain);
            match route.destination(domain) {
                Some(destination) => Goal::To(destination, route),
                None => Goal::End(End::Discarded(replies::discarded())),
            }
        }
    }
}

fn push(
    egress: &Arc<Egress>,
    destination: &Destination,
    route: &Arc<LiveRoute>,
    claim: &Arc<Claim>,
    recipients: &[RecipientIndex],
) {
    let lane = lane(egress, destination, route);
    for part in recipients.chunks(route.recipient_limit) {
        let batch = Batch { claim: Arc::clone(claim), recipients: part.to_vec() };
        if let Some(post) = lane.push(batch) {
            Courier::start(Arc::clone(egress), post);
        }
    }
}

/// The lane of a destination, made if there is none of this very route: a reload may have put
/// another route in its place. Lanes that nobody needs are forgotten when there are many.
fn lane(egress: &Egress, destination: &Destination, route: &Arc<LiveRoute>) -> Arc<Lane> {
    let mut lanes = egress.lanes.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(lane) = lanes.get(destination)
        && Arc::ptr_eq(lane.route(), route)
    {
        return Arc::clone(lane);
    }
    if lanes.len() >= MANY_LANES {
        lanes.retain(|_, lane| !lane.is_forgettable());
    }
    let lane = Lane::new(destination.clone(), Arc::clone(route));
    lanes.insert(destination.clone(), Arc::clone(&lane));
    lane
}

/// Mail that goes no further gets its result without a courier.
async fn conclude(
    egress: Arc<Egress>,
    claim: Arc<Claim>,
    recipients: Vec<RecipientIndex>,
    end: End,
) {
    let (reply, event): (_, fn(DeliveryReport) -> MailEvent) = match &end {
        End::Discarded(reply) | End::Unread(reply) => (reply, MailEvent::Delivered),
        End::Failed(reply) => (reply, MailEvent::Bounced),
        End::Deferred(reply) => (reply, MailEvent::Deferred),
    };
    let events = recipients.iter().filter_map(|index| {
        let recipient = claim.envelope.recipients.get(index.as_usize())?;
        let before_queue = claim.claimed_at.since(claim.arrival);
        Some(event(DeliveryReport {
            id: claim.id,
            to: recipient.address.clone(),
            original: recipient.original.clone(),
            relay: None,
            delays: Delays { before_queue, ..Delays::default() },
            dsn: reply.enhanced_or_general(),
            text: reply.to_string().into(),
        }))
    });
    let results = recipients.iter().map(|&index| (index, result(&end))).collect();
    egress.record(&claim, results, events.collect()).await;
}

fn result(end: &End) -> AttemptResult {
    match end.clone() {
        End::Discarded(reply) => {
            AttemptResult::Delivered { reply, relay: None, duty: ReportDuty::Ours }
        }
        // Anybody may send to it, in anybody's name.
        End::Unread(reply) => {
            AttemptResult::Delivered { reply, relay: None, duty: ReportDuty::Nobody }
        }
        End::Failed(reply) => AttemptResult::Failed { reply, relay: None },
        End::Deferred(reply) => AttemptResult::Deferred { reply, relay: None },
    }
}

/// The lanes by destination.
pub(super) type Lanes = HashMap<Destination, Arc<Lane>>;

/// How many reports and screenings are under way at once.
const SMALL_WORK_LIMIT: usize = 50;

/// From how many lanes on the unused ones are looked for.
const MANY_LANES: usize = 4_096;

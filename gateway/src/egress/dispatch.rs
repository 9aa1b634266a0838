//! Takes work from the queue and spreads it over lanes: one for each destination.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
};

use mailweir_mail::{Delays, DeliveryReport, Enhanced, MailEvent, Reply, Stage};
use mailweir_queue::{AttemptResult, Claim, RecipientIndex, ReportDuty, Screening, Work};

use tokio::sync::Semaphore;

use super::{
    Egress,
    courier::Courier,
    destination::Destination,
    lane::{Batch, Lane},
    reporter,
    route::LiveRoute,
};

/// Runs until deliveries stop, or the queue has no more work to give: it was shut down, or its
/// store failed.
pub(super) async fn run(egress: Arc<Egress>) {
    let small_work = Arc::new(Semaphore::new(SMALL_WORK_LIMIT));
    while let Some(Some(work)) = egress.stop.run_until_cancelled(egress.queue.next_work()).await {
        match work {
            Work::Deliver(claim) => spread(&egress, claim),
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

/// No stage looks at mail between acceptance and delivery yet.
async fn pass(egress: Arc<Egress>, screening: Screening) {
    if let Err(error) = egress.queue.pass(&screening, Stage::Route).await {
        egress.warn(format!("{}: not passed on: {error}", screening.id));
    }
}

/// Groups the recipients of a mail by destination.
fn spread(egress: &Arc<Egress>, claim: Claim) {
    let claim = Arc::new(claim);
    let routes = egress.routes();
    let mut groups: Vec<(Option<Destination>, &Arc<LiveRoute>, Vec<RecipientIndex>)> = Vec::new();
    for &index in &claim.pending {
        let Some(recipient) = claim.envelope.recipients.get(index.as_usize()) else { continue };
        let domain = recipient.address.domain();
        let route = routes.find(domain);
        let destination = route.destination(domain);
        match groups.iter_mut().find(|(known, ..)| *known == destination) {
            Some((_, _, recipients)) => recipients.push(index),
            None => groups.push((destination, route, vec![index])),
        }
    }
    for (destination, route, recipients) in groups {
        match destination {
            Some(destination) => push(egress, &destination, route, &claim, &recipients),
            None => {
                egress.tasks.spawn(discard(Arc::clone(egress), Arc::clone(&claim), recipients));
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

/// A route to nowhere: the mail counts as delivered.
async fn discard(egress: Arc<Egress>, claim: Arc<Claim>, recipients: Vec<RecipientIndex>) {
    let reply = || Reply::new(250, Enhanced(2, 0, 0), "discarded by route");
    let delivered =
        || AttemptResult::Delivered { reply: reply(), relay: None, duty: ReportDuty::Ours };
    let results = recipients.iter().map(|&index| (index, delivered())).collect();
    let events = recipients.iter().filter_map(|index| {
        let recipient = claim.envelope.recipients.get(index.as_usize())?;
        Some(MailEvent::Delivered(DeliveryReport {
            id: claim.id,
            to: recipient.address.clone(),
            relay: None,
            delays: Delays {
                before_queue: claim.claimed_at.since(claim.arrival),
                ..Delays::default()
            },
            dsn: Enhanced(2, 0, 0),
            text: reply().to_string().into(),
        }))
    });
    egress.record(&claim, results, events.collect()).await;
}

/// The lanes by destination.
pub(super) type Lanes = HashMap<Destination, Arc<Lane>>;

/// How many reports and screenings are under way at once.
const SMALL_WORK_LIMIT: usize = 50;

/// From how many lanes on the unused ones are looked for.
const MANY_LANES: usize = 4_096;

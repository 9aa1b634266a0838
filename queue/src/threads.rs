//! How the threads of a mail's way stand towards others.

use uapi::c::{SCHED_BATCH, SCHED_IDLE, SCHED_OTHER, sched_param};

/// Lets whoever runs go on when the calling thread is woken (`SCHED_BATCH`, sched(7)): it runs once
/// there is a free processor or its turn has come, and finds more to do by then. Where processors
/// are idle nothing changes. Where the system does not allow it, neither: it is no promise.
///
/// Public, because who hands mail to the committer has to stand as it does: one that pushes the
/// other aside undoes the gain.
pub fn give_way() {
    stand(SCHED_BATCH);
}

/// Lets everybody else go first (`SCHED_IDLE`, sched(7)): the calling thread, and those that it starts, run where
/// nobody else wants to, and hardly ever otherwise. Mail that is on its way does not wait for them: whoever is
/// woken takes their place at once, which another `nice` does not bring about.
pub fn stand_back() {
    stand(SCHED_IDLE);
}

/// Has the calling thread, and those that it starts, stand as threads usually do (`SCHED_OTHER`): for what is not on a mail's
/// way, and was begun by a thread that gives way.
pub fn stand_as_usual() {
    stand(SCHED_OTHER);
}

fn stand(policy: i32) {
    let _ = uapi::sched_setscheduler(CALLER, policy, &sched_param { sched_priority: 0 });
}

const CALLER: i32 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_gives_way_and_the_one_that_started_it_does_not() {
        let before = uapi::sched_getscheduler(CALLER).unwrap();
        for (stand, policy) in [(give_way as fn(), SCHED_BATCH), (stand_back, SCHED_IDLE)] {
            let inside = std::thread::spawn(move || {
                stand();
                uapi::sched_getscheduler(CALLER).unwrap()
            });
            assert_eq!(inside.join().unwrap(), policy);
        }
        let inside = std::thread::spawn(|| {
            give_way();
            stand_as_usual();
            uapi::sched_getscheduler(CALLER).unwrap()
        });
        assert_eq!(inside.join().unwrap(), SCHED_OTHER);
        assert_eq!(uapi::sched_getscheduler(CALLER).unwrap(), before);
    }
}

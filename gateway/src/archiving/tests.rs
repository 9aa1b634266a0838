use super::*;
use crate::store::Store;

#[tokio::test]
async fn whoever_asked_for_what_came_to_no_end_is_not_told_that_the_server_ends() {
    let place = tempfile::tempdir().unwrap();
    let queue = Store::in_dir(place.path()).open(|_| {}).unwrap();
    let settings = config::Archive::in_dir(&place.path().join("archive"));
    let (observer, end) = (Observer::heard_by(|_| {}).unwrap(), CancellationToken::new());
    let archiver = Arc::new(Archiver::new(settings, queue, observer, end.clone()));
    let running = tokio::spawn(Arc::clone(&archiver).run());
    let fault = archiver.with(|shelf| assert_eq!(shelf.last(), 7, "a fault")).await;
    let why = fault.unwrap_err().to_string();
    assert!(why.contains("a fault of this program"), "{why}");
    end.cancel();
    running.await.unwrap();
    let why = archiver.with(|_| ()).await.unwrap_err().to_string();
    assert!(why.contains("the server ends"), "{why}");
}

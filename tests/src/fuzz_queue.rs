//! Fuzz bodies of the queue: whatever lies on the disk, reading it never panics.

use mailweir_queue::{
    progress::Progress,
    record::{EnvelopeRecord, decode_body},
};

/// A stored record of any kind. What can be read reads back from what it would be written as.
pub fn stored_record(data: &[u8]) {
    if let Ok(record) = EnvelopeRecord::decode(data) {
        assert_eq!(EnvelopeRecord::decode(&record.encode()), Ok(record));
    }
    if let Ok(progress) = Progress::decode(data) {
        assert_eq!(Progress::decode(&progress.encode()), Ok(progress));
    }
    let _ = decode_body(&data.to_vec().into());
}

#[cfg(test)]
mod tests {
    use mailweir_mail::{Envelope, ReversePath, Timestamp};
    use mailweir_queue::progress::{Progress, State};

    #[test]
    fn records_and_garbage_are_read_without_a_panic() {
        let sender = ReversePath::Mailbox("s@a.example".parse().expect("an address"));
        let envelope = Envelope::from_sender(sender).to("r@b.example".parse().expect("an address"));
        let time = Timestamp::from_secs(1_795_210_205);
        let sound = Progress::new(State::Ready { not_before: time }, &envelope, time).encode();
        for end in 0..=sound.len() {
            super::stored_record(&sound[..end]);
        }
        super::stored_record(b"E\x01garbage");
    }
}

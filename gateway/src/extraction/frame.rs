//! Frames: four bytes of length, little-endian, and so many bytes. Pure.

use std::io::{self, Read, Write};

/// No frame can be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// It is longer than it may be.
    #[error("a frame of {0} bytes")]
    TooLong(usize),
    /// The other side ended within it.
    #[error("a frame that was cut off")]
    Cut,
    /// The pipe failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes a frame.
pub(super) fn write(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(bytes)?;
    out.flush()
}

/// Reads a frame of at most so many bytes; `None`: the other side has ended, and before a frame. Memory is taken for
/// what comes, not for what is announced.
pub(super) fn read(input: &mut impl Read, most: usize) -> Result<Option<Vec<u8>>, FrameError> {
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(None);
    }
    let head: [u8; HEAD] = head.try_into().map_err(|_| FrameError::Cut)?;
    let length = u32::from_le_bytes(head) as usize;
    if length > most {
        return Err(FrameError::TooLong(length));
    }
    let mut bytes = Vec::with_capacity(length.min(AT_ONCE));
    input.by_ref().take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() == length { Ok(Some(bytes)) } else { Err(FrameError::Cut) }
}

const HEAD: usize = 4;

/// Memory that is taken before anything came.
const AT_ONCE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn frames_are_read_as_they_were_written(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5),
        ) {
            let mut bytes = Vec::new();
            frames.iter().for_each(|frame| write(&mut bytes, frame).unwrap());
            let mut input = bytes.as_slice();
            for frame in &frames {
                let found = read(&mut input, 300).unwrap();
                prop_assert_eq!(found.as_ref(), Some(frame));
            }
            prop_assert!(read(&mut input, 300).unwrap().is_none());
        }

        #[test]
        fn whatever_comes_is_a_frame_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..40), most in 0usize..1_000,
        ) {
            let mut input = bytes.as_slice();
            while let Ok(Some(frame)) = read(&mut input, most) {
                prop_assert!(frame.len() <= most);
            }
        }
    }

    #[test]
    fn what_is_announced_and_does_not_come_takes_no_memory() {
        let lie = u32::MAX.to_le_bytes();
        assert!(matches!(read(&mut lie.as_slice(), 64 << 20), Err(FrameError::TooLong(_))));
        assert!(matches!(read(&mut lie.as_slice(), usize::MAX), Err(FrameError::Cut)));
        assert!(matches!(read(&mut [1, 0, 0].as_slice(), 9), Err(FrameError::Cut)));
        assert!(matches!(read(&mut [1, 0, 0, 0].as_slice(), 9), Err(FrameError::Cut)));
    }
}

//! Whatever comes: no panic, bounded memory, and the same findings however the bytes are cut.

use proptest::prelude::*;

use super::{
    super::{Budget, Finding, Inspector, Kind, Limits, budget::View, stream::Stream},
    archives::{Member, extra, gzip, gzip_named, program, tar, tar_member, zip},
    findings, in_words,
    kinds::samples,
};
use crate::decode::charset::Fallbacks;

/// Archives with a bit of everything.
fn archives() -> Vec<Vec<u8>> {
    let inner = zip(&[Member::deflated("c.exe", &program()), Member::stored("d.txt", b"text")]);
    let mut streamed = Member::deflated("e", &program().repeat(40));
    streamed.has_descriptor = true;
    let mut named = Member::stored("f", b"text");
    named.extra = extra(0x7075, b"\x01\0\0\0\0virus.exe");
    let long = tar_member(b'L', b"@LongLink", b"", &[b'l'; 700]);
    let pax = tar_member(b'x', b"pax", b"", b"18 path=virus.exe\n");
    let link = tar_member(b'2', b"link", b"to", b"");
    vec![
        zip(&[Member::stored("inner.zip", &inner), streamed, named]),
        zip(&[Member::deflated("a.tgz", &gzip(&tar(&[("b", &program()), ("c.zip", &inner)])))]),
        [long, tar_member(b'0', b"short", b"", &inner), pax, link, tar(&[("x", b"y")])].concat(),
        [gzip_named("a", &inner), gzip(b"more")].concat(),
        samples().into_iter().find(|(kind, _)| *kind == Kind::VBA).unwrap().1,
    ]
}

/// As `findings`, in pieces, and with an eye on memory.
fn findings_in_pieces(bytes: &[u8], cuts: &[usize]) -> Vec<String> {
    let (mut budget, mut inspector) =
        (Budget::new(Limits::default(), Fallbacks::default()), Inspector::default());
    let mut all = Vec::new();
    let mut note = |finding: Finding<'_>| all.push(in_words(&finding));
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    for piece in cuts.windows(2) {
        inspector.feed(&bytes[piece[0]..piece[1]], &mut budget, &mut note);
        assert!(inspector.buffered() < 1 << 20, "{}", inspector.buffered());
    }
    inspector.finish(&mut budget, &mut note);
    all
}

/// What the readers find when they get pieces of this size, which they never do from the inspector.
fn findings_of_stream(bytes: &[u8], piece: usize) -> Vec<String> {
    let (mut budget, mut said) = (Budget::new(Limits::default(), Fallbacks::default()), 0);
    let (mut path, mut all) = (Vec::new(), Vec::new());
    let mut note = |finding: Finding<'_>| all.push(in_words(&finding));
    let mut view = View::new(&mut budget, &mut said, &mut path, &mut note);
    let mut stream = Stream::new(0);
    bytes.chunks(piece).for_each(|piece| stream.feed(piece, &mut view));
    stream.finish(&mut view);
    all
}

#[test]
fn readers_put_together_what_falls_on_two_pieces() {
    let samples = samples().into_iter().map(|(_, bytes)| bytes);
    // Far behind the head, which is collected before anything is read.
    let far = archives().into_iter().map(|bytes| [vec![b' '; 5000], bytes].concat());
    for bytes in samples.chain(archives()).chain(far) {
        for piece in [1, 2, 3, 7, 511, 513] {
            assert_eq!(findings_of_stream(&bytes, piece), findings(&bytes), "pieces of {piece}");
        }
    }
}

#[test]
fn what_is_cut_short_is_read_as_far_as_it_goes() {
    for archive in archives() {
        let whole = findings(&archive);
        for length in 0..archive.len() {
            let cut = findings(&archive[..length]);
            let names = cut.iter().filter(|words| words.starts_with("name"));
            for name in names {
                assert!(whole.contains(name), "{name} is not in {whole:#?}");
            }
        }
    }
}

#[test]
fn an_inspector_may_wait_on_any_thread() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&(Budget::new(Limits::default(), Fallbacks::default()), Inspector::default()));
}

#[test]
fn the_deepest_archive_is_held_in_bounded_memory() {
    // Squares modulo a prime: no packer makes them smaller.
    let byte = |at: u64| ((at * at % 1_000_003) >> 4).to_le_bytes()[0];
    let mut archive: Vec<u8> = (0..40_000).map(byte).collect();
    for name in ["e", "d", "c", "b", "a"] {
        archive =
            zip(&[Member::deflated(name.repeat(900), &gzip(&archive)), Member::stored("x", b"y")]);
    }
    for max_depth in [5, u8::MAX] {
        let mut budget =
            Budget::new(Limits { max_depth, ..Limits::default() }, Fallbacks::default());
        let mut inspector = Inspector::default();
        let mut most = 0;
        for piece in archive.chunks(100) {
            inspector.feed(piece, &mut budget, &mut |_| {});
            most = most.max(inspector.buffered());
        }
        assert!((200 << 10..1 << 20).contains(&most), "{most}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_alike_however_cut(
        bytes in prop::collection::vec(any::<u8>(), 0..20_000),
        cuts in prop::collection::vec(any::<usize>(), 0..9),
    ) {
        prop_assert_eq!(findings_in_pieces(&bytes, &cuts), findings(&bytes));
    }

    #[test]
    fn damaged_archives_are_read_alike_however_cut(
        archive in prop::sample::select(archives()),
        damage in prop::collection::vec((any::<usize>(), any::<u8>()), 0..20),
        cuts in prop::collection::vec(any::<usize>(), 0..9),
    ) {
        let mut bytes = archive;
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        prop_assert_eq!(findings_in_pieces(&bytes, &cuts), findings(&bytes));
    }

    #[test]
    fn pieces_of_archives_in_any_order_are_read_alike_however_cut(
        pieces in prop::collection::vec((0..5usize, any::<usize>(), any::<usize>()), 0..12),
        cuts in prop::collection::vec(any::<usize>(), 0..9),
    ) {
        let archives = archives();
        let mut bytes = Vec::new();
        for (which, from, to) in pieces {
            let archive = &archives[which];
            let (from, to) = (from % archive.len(), to % archive.len());
            bytes.extend(&archive[from.min(to)..from.max(to)]);
        }
        prop_assert_eq!(findings_in_pieces(&bytes, &cuts), findings(&bytes));
    }

    #[test]
    fn any_headers_of_zip_are_held_in_bounded_memory(
        words in prop::collection::vec(
            prop_oneof![
                Just(b"PK\x03\x04".to_vec()),
                Just(b"PK\x01\x02".to_vec()),
                Just(b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\x0f\xff\xff".to_vec()),
                Just(b"up\xff\xff".to_vec()),
                prop::collection::vec(any::<u8>(), 0..5000),
            ],
            0..60,
        ),
    ) {
        let bytes = words.concat();
        let cuts: Vec<usize> = (0..bytes.len()).step_by(4096).collect();
        prop_assert_eq!(findings_in_pieces(&bytes, &cuts), findings(&bytes));
    }
}

//! Writers of archives, honest and dishonest ones.

use std::io::Write as _;

use flate2::{
    Compression, Crc, GzBuilder,
    write::{DeflateEncoder, GzEncoder},
};

/// A small program of Windows.
pub(super) fn program() -> Vec<u8> {
    let mut program = vec![0; 256];
    program[..2].copy_from_slice(b"MZ");
    program[0x3c] = 0x80;
    program[0x80..0x84].copy_from_slice(b"PE\0\0");
    program
}

/// One member of a zip archive, and how it is written.
#[derive(Clone, Default)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    /// What the directory calls it, if that is something else.
    pub(super) listed: Option<Vec<u8>>,
    pub(super) data: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) extra: Vec<u8>,
    /// Sizes of 0 in front, and behind the data as they are.
    pub(super) has_descriptor: bool,
}

impl Member {
    pub(super) fn stored(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        Self { name: name.as_ref().to_vec(), data: data.to_vec(), ..Self::default() }
    }

    pub(super) fn deflated(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        Self { method: 8, ..Self::stored(name, data) }
    }

    fn packed(&self) -> Vec<u8> {
        if self.method == 8 { deflate(&self.data) } else { self.data.clone() }
    }

    /// From the flags on to the lengths of name and extra fields.
    fn fields(&self, in_front: bool, name: &[u8]) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(&self.data);
        let hidden = in_front && self.has_descriptor;
        let flags = self.flags | if self.has_descriptor { 8 } else { 0 };
        let size = |size: usize| if hidden { 0 } else { u32::try_from(size).unwrap() };
        let crc = if hidden { 0 } else { crc.sum() };
        let mut fields = Vec::new();
        for word in [flags, self.method, 0, 0x21] {
            fields.extend(word.to_le_bytes());
        }
        for long in [crc, size(self.packed().len()), size(self.data.len())] {
            fields.extend(long.to_le_bytes());
        }
        for length in [name.len(), self.extra.len()] {
            fields.extend(u16::try_from(length).unwrap().to_le_bytes());
        }
        fields
    }
}

/// A zip archive.
pub(super) fn zip(members: &[Member]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        let offset = u32::try_from(archive.len()).unwrap();
        archive.extend(local(member));
        let listed = member.listed.as_ref().unwrap_or(&member.name);
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend(member.fields(false, listed));
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(listed);
        directory.extend(&member.extra);
    }
    let (at, size) = (archive.len(), directory.len());
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(members.len() & 0xffff).unwrap();
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend(u32::try_from(size).unwrap().to_le_bytes());
    archive.extend(u32::try_from(at).unwrap().to_le_bytes());
    archive.extend([0, 0]);
    archive
}

/// A member with its header.
pub(super) fn local(member: &Member) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04\x14\0".to_vec();
    bytes.extend(member.fields(true, &member.name));
    bytes.extend(&member.name);
    bytes.extend(&member.extra);
    bytes.extend(member.packed());
    if member.has_descriptor {
        bytes.extend(b"PK\x07\x08");
        bytes.extend(&member.fields(false, b"")[8..20]);
    }
    bytes
}

/// An extra field.
pub(super) fn extra(id: u16, content: &[u8]) -> Vec<u8> {
    let mut field = id.to_le_bytes().to_vec();
    field.extend(u16::try_from(content.len()).unwrap().to_le_bytes());
    field.extend(content);
    field
}

pub(super) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn gzip_named(name: &str, data: &[u8]) -> Vec<u8> {
    let builder = GzBuilder::new().filename(name).comment("a comment").extra(vec![1, 2, 3]);
    let mut encoder = builder.write(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A member of a ustar archive, with its padding.
pub(super) fn tar_member(kind: u8, name: &[u8], link: &[u8], data: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..108].copy_from_slice(b"0000644\0");
    block[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend(data);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

/// A tar archive of plain files.
pub(super) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let members = files.iter().map(|(name, data)| tar_member(b'0', name.as_bytes(), b"", data));
    let mut archive = members.collect::<Vec<_>>().concat();
    archive.extend([0; 1024]);
    archive
}

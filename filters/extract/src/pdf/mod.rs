//! The text of PDF files (ISO 32000-1) that take no password.
//!
//! A reader of our own: see `docs/decisions/0024-documents-by-hand.md`. It looks for objects instead of
//! believing tables, goes through the pages in their order, and runs as much of their content as
//! says which characters stand where. It knows no picture, so a scanned page has no text.

mod cmap;
mod content;
mod document;
mod filter;
mod font;
mod glyphs;
mod matrix;
mod object;
mod pen;

use std::collections::BTreeSet;
use std::rc::Rc;

use mailweir_content::decode::charset::Charset;

use crate::file::{self, Blob};
use crate::harvest::Harvest;
use crate::{File, Origin, Reason};
use content::Interpreter;
use document::Document;
use matrix::Matrix;
use object::{Dict, Object};

/// Writes the text of a file, and reads the files that are attached to it.
pub(crate) fn read(bytes: &[u8], harvest: &mut Harvest<'_>) {
    harvest.set_origin(Origin::Attachment);
    let document = Document::open(bytes, harvest);
    if document.is_encrypted() {
        harvest.mark(Reason::Encrypted);
        return;
    }
    describe(&document, harvest);
    let pages = pages(&document, harvest);
    // Without work left to do, nobody knows.
    if pages.is_empty() && harvest.has_room() {
        harvest.mark(Reason::Damaged);
    }
    let mut interpreter = Interpreter::new(&document);
    for page in pages {
        if !harvest.has_room() {
            break;
        }
        read_page(&page, &document, &mut interpreter, harvest);
    }
    if interpreter.has_unreadable() {
        harvest.mark(Reason::UnknownCharset);
    }
    drop(interpreter);
    read_attached(&document, harvest);
}

/// A text that is meant for people (7.9.2.2).
fn text_of(bytes: &[u8]) -> String {
    let label: &[u8] = match bytes {
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => b"utf-16",
        [0xef, 0xbb, 0xbf, ..] => b"utf-8",
        _ => b"windows-1252",
    };
    Charset::for_label(label).unwrap_or(Charset::UTF_8).decode(bytes)
}

/// A page, and what it has from those above it. It is read when its turn comes, since pages may
/// share what is large.
struct Page {
    number: u32,
    above: Rc<Dict>,
}

/// Title, author and the like.
fn describe(document: &Document<'_>, harvest: &mut Harvest<'_>) {
    let info = document.trailer(b"Info", harvest).into_dict();
    for name in [b"Title".as_slice(), b"Author", b"Subject", b"Keywords"] {
        if let Object::Text(text) = document.field(&info, name, harvest) {
            harvest.push(&text_of(&text));
            harvest.end_line();
        }
    }
}

/// The pages in the order of their tree; those that were met if there is none.
fn pages(document: &Document<'_>, harvest: &mut Harvest<'_>) -> Vec<Page> {
    let catalog = document.catalog(harvest);
    let mut pages = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<(Object, Rc<Dict>)> = Vec::new();
    open.extend(catalog.get(b"Pages".as_slice()).map(|root| (root.clone(), Rc::default())));
    while let Some((node, above)) = open.pop() {
        let Object::Reference(number) = node else { continue };
        if !seen.insert(number) || pages.len() >= MOST_PAGES || !harvest.has_room() {
            continue;
        }
        let dict = document.get(number, harvest).into_dict();
        let Object::List(kids) = document.field(&dict, b"Kids", harvest) else {
            pages.push(Page { number, above });
            continue;
        };
        let resources = resources(&dict, &above, document, harvest);
        open.extend(kids.into_iter().rev().map(|kid| (kid, Rc::clone(&resources))));
    }
    if pages.is_empty() {
        let stray = document.stray_pages().iter().take(MOST_PAGES);
        pages.extend(stray.map(|number| Page { number: *number, above: Rc::default() }));
    }
    pages
}

/// The resources that a page names, or else those from above.
fn resources(
    dict: &Dict,
    above: &Rc<Dict>,
    document: &Document<'_>,
    harvest: &mut Harvest<'_>,
) -> Rc<Dict> {
    match document.field(dict, b"Resources", harvest) {
        Object::Dict(own) => Rc::new(own),
        _ => Rc::clone(above),
    }
}

fn read_page(
    page: &Page,
    document: &Document<'_>,
    interpreter: &mut Interpreter<'_, '_>,
    harvest: &mut Harvest<'_>,
) {
    let dict = document.get(page.number, harvest).into_dict();
    let resources = resources(&dict, &page.above, document, harvest);
    let mut content = Vec::new();
    let contents = match dict.get(b"Contents".as_slice()) {
        Some(Object::Reference(number)) => match document.get(*number, harvest) {
            Object::List(list) => list,
            _ => vec![Object::Reference(*number)],
        },
        Some(list) => list.clone().into_list(),
        None => Vec::new(),
    };
    for part in contents {
        let Object::Reference(number) = part else { continue };
        if content.len() >= harvest.limits().held {
            harvest.mark(Reason::TooLarge);
            break;
        }
        if let Some((_, data)) = document.stream(number, harvest) {
            content.extend(data);
            content.push(b'\n');
        }
    }
    interpreter.page(&content, &resources, harvest);
    read_notes(&dict, &resources, document, interpreter, harvest);
}

/// What notes say, and what was filled into forms.
fn read_notes(
    page: &Dict,
    resources: &Rc<Dict>,
    document: &Document<'_>,
    interpreter: &mut Interpreter<'_, '_>,
    harvest: &mut Harvest<'_>,
) {
    for note in document.field(page, b"Annots", harvest).into_list() {
        if !harvest.has_room() {
            return;
        }
        let note = document.resolve(&note, harvest).into_dict();
        for name in [b"Contents".as_slice(), b"V"] {
            if let Object::Text(text) = document.field(&note, name, harvest) {
                harvest.push(&text_of(&text));
                harvest.end_line();
            }
        }
        let looks = document.field(&note, b"AP", harvest).into_dict();
        if let Some(Object::Reference(number)) = looks.get(b"N".as_slice()) {
            interpreter.run_form(*number, resources, Matrix::IDENTITY, harvest);
            harvest.end_line();
        }
    }
}

/// The files that are attached (7.11.4), such as invoices that programs read.
fn read_attached(document: &Document<'_>, harvest: &mut Harvest<'_>) {
    for number in document.numbers() {
        if !harvest.has_room() {
            return;
        }
        let dict = document.get(number, harvest).into_dict();
        let Object::Dict(streams) = document.field(&dict, b"EF", harvest) else { continue };
        let name = [b"UF".as_slice(), b"F"]
            .iter()
            .find_map(|name| match document.field(&dict, name, harvest) {
                Object::Text(text) => Some(text_of(&text)),
                _ => None,
            })
            .unwrap_or_default();
        let reference = streams.get(b"F".as_slice()).or_else(|| streams.get(b"UF".as_slice()));
        if let Some(Object::Reference(number)) = reference
            && let Some((_, data)) = document.stream(*number, harvest)
        {
            let size = u64::try_from(data.len()).unwrap_or(u64::MAX);
            let file = File { name, size, ..File::default() };
            file::read(file, &Blob::new(&data), harvest);
        }
    }
}

const MOST_PAGES: usize = 20_000;

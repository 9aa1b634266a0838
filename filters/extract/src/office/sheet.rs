//! Tables of Excel: the values of cells that are not among the shared texts, and the names of sheets.

use crate::harvest::Harvest;
use crate::xml::{Tag, Token, Xml};

/// Writes the cells of a sheet: numbers, results of formulas, texts that stand in place. Cells with a
/// shared text only have its number.
pub(super) fn read_cells(document: &[u8], harvest: &mut Harvest<'_>) {
    let mut xml = Xml::new(document);
    let mut is_shared = false;
    let mut cell = Cell::Between;
    while let Some(token) = xml.next(harvest) {
        match token {
            Token::Open(Tag { is_empty: true, .. }) => {}
            Token::Open(tag) => match tag.name {
                b"c" => is_shared = tag.attribute(b"t").as_deref() == Some("s"),
                b"v" if !is_shared && cell == Cell::Between => cell = Cell::Text,
                b"t" if cell == Cell::Between => cell = Cell::Text,
                // How a text is spoken.
                b"rPh" => cell = Cell::Spoken,
                _ => {}
            },
            Token::Text(text) if cell == Cell::Text => {
                harvest.push(&text.decoded().replace(['\n', '\r'], " "));
            }
            Token::Text(_) => {}
            Token::Close(name) => match name {
                b"v" | b"t" if cell == Cell::Text => cell = Cell::Between,
                b"rPh" => cell = Cell::Between,
                b"c" => end_cell(harvest),
                b"row" | b"oddHeader" | b"oddFooter" => harvest.end_line(),
                _ => {}
            },
        }
        if !harvest.has_room() {
            return;
        }
    }
}

/// Writes the names of the sheets and of named ranges.
pub(super) fn read_workbook(document: &[u8], harvest: &mut Harvest<'_>) {
    let mut xml = Xml::new(document);
    while let Some(token) = xml.next(harvest) {
        let Token::Open(tag) = token else { continue };
        let name = matches!(tag.name, b"sheet" | b"definedName").then(|| tag.attribute(b"name"));
        // Names that Excel makes, such as _xlnm.Print_Area.
        if let Some(name) = name.flatten().filter(|name| !name.starts_with('_')) {
            harvest.push(&name);
            harvest.end_line();
        }
        if !harvest.has_room() {
            return;
        }
    }
}

/// Where in a cell the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cell {
    Between,
    Text,
    Spoken,
}

fn end_cell(harvest: &mut Harvest<'_>) {
    if harvest.last_char().is_some_and(|last| last != '\t') {
        harvest.push("\t");
    }
}

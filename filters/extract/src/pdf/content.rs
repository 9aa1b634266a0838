//! Content streams (ISO 32000-1, 7.8.2 and 9.4): the operators that show text, and those that say
//! where.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::document::Document;
use super::font::Font;
use super::matrix::{Matrix, length};
use super::object::{Dict, Object, Parser};
use super::pen::{self, Pen, Place};
use crate::Reason;
use crate::harvest::Harvest;

/// Runs content streams of one file.
pub(super) struct Interpreter<'d, 'a> {
    document: &'d Document<'a>,
    /// Fonts by their numbers, kept from page to page.
    fonts: BTreeMap<u32, Rc<Font>>,
    /// How much they are.
    fonts_size: usize,
    /// For names that mean no font.
    unknown: Rc<Font>,
    pen: Pen,
    /// Forms that are open, one in the other.
    forms: Vec<u32>,
    /// A font was used of which nobody knows what its codes stand for.
    has_unreadable: bool,
}

/// What operators change.
#[derive(Clone)]
struct State {
    page: Matrix,
    text: Matrix,
    line: Matrix,
    font: Rc<Font>,
    size: f64,
    character_space: f64,
    word_space: f64,
    scale: f64,
    leading: f64,
    rise: f64,
}

/// One run of a stream.
struct Run {
    state: State,
    saved: Vec<State>,
    /// States that were saved beyond `MOST_SAVED`.
    unsaved: usize,
    resources: Rc<Dict>,
    /// The fonts by the names that they have in this stream.
    fonts: BTreeMap<Vec<u8>, Rc<Font>>,
    /// Marked content that is open, and how much of it since one that says what it reads.
    marked: usize,
    replaced_at: Option<usize>,
}

impl<'d, 'a> Interpreter<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>) -> Self {
        Self {
            document,
            fonts: BTreeMap::new(),
            fonts_size: 0,
            unknown: Rc::new(Font::unknown()),
            pen: Pen::default(),
            forms: Vec::new(),
            has_unreadable: false,
        }
    }

    /// Whether text was met that nobody can read without the program that drew it.
    pub(super) fn has_unreadable(&self) -> bool {
        self.has_unreadable
    }

    /// Writes the text of a page.
    pub(super) fn page(&mut self, content: &[u8], resources: &Rc<Dict>, harvest: &mut Harvest<'_>) {
        let begin = harvest.written().len();
        self.pen = Pen::default();
        self.run(content, resources, Matrix::IDENTITY, harvest);
        harvest.end_line();
        let page = harvest.written().get(begin..).unwrap_or_default();
        for word in pen::broken_words(page) {
            harvest.push_line(&word);
        }
    }

    fn run(
        &mut self,
        content: &[u8],
        resources: &Rc<Dict>,
        page: Matrix,
        harvest: &mut Harvest<'_>,
    ) {
        let mut run = Run::new(page, Rc::clone(resources), Rc::clone(&self.unknown));
        let mut parser = Parser::of_content(content);
        let mut operands: Vec<Object> = Vec::new();
        loop {
            let before = parser.at;
            let Some(object) = parser.next() else { return };
            if !harvest.work(parser.at - before) || !harvest.has_room() {
                return;
            }
            match object {
                Object::Word(word) if word == b"ID" => skip_picture(&mut parser, harvest),
                Object::Word(word) => {
                    self.operator(&word, &mut operands, &mut run, harvest);
                    operands.clear();
                }
                operand => {
                    if operands.len() == MOST_OPERANDS {
                        operands.remove(0);
                    }
                    operands.push(operand);
                }
            }
        }
    }

    fn operator(
        &mut self,
        word: &[u8],
        operands: &mut Vec<Object>,
        run: &mut Run,
        harvest: &mut Harvest<'_>,
    ) {
        let numbers: Vec<f64> = operands.iter().filter_map(Object::number).collect();
        let number = |at: usize| numbers.get(at).copied().unwrap_or(0.0);
        let state = &mut run.state;
        match word {
            b"q" => run.save(),
            b"Q" => run.restore(),
            b"cm" => state.page = Matrix::of(&numbers).then(state.page),
            b"BT" => (state.text, state.line) = (Matrix::IDENTITY, Matrix::IDENTITY),
            b"Tc" => state.character_space = number(0),
            b"Tw" => state.word_space = number(0),
            b"Tz" => state.scale = number(0) / 100.0,
            b"TL" => state.leading = number(0),
            b"Ts" => state.rise = number(0),
            b"Tm" => (state.text, state.line) = (Matrix::of(&numbers), Matrix::of(&numbers)),
            b"Td" => state.next_line(number(0), number(1)),
            b"TD" => {
                state.leading = -number(1);
                state.next_line(number(0), number(1));
            }
            b"T*" => state.next_line(0.0, -state.leading),
            b"Tf" => {
                state.size = number(0);
                let name = operands.first().and_then(Object::name).unwrap_or_default();
                self.set_font(name, run, harvest);
            }
            b"Tj" => self.show(operands.pop(), run, harvest),
            b"TJ" => self.show_all(operands.pop(), run, harvest),
            b"'" => {
                state.next_line(0.0, -state.leading);
                self.show(operands.pop(), run, harvest);
            }
            b"\"" => {
                (state.word_space, state.character_space) = (number(0), number(1));
                state.next_line(0.0, -state.leading);
                self.show(operands.pop(), run, harvest);
            }
            b"BMC" | b"BDC" => self.begin_marked(operands.pop(), run, harvest),
            b"EMC" => run.end_marked(),
            b"Do" => {
                let name = operands.first().and_then(Object::name).unwrap_or_default();
                self.form(name, run, harvest);
            }
            _ => {}
        }
    }

    /// Texts, and how far the next is moved back.
    fn show_all(&mut self, list: Option<Object>, run: &mut Run, harvest: &mut Harvest<'_>) {
        for part in list.unwrap_or(Object::Null).into_list() {
            match part {
                Object::Number(back) => run.state.advance(-back / 1000.0 * run.state.size),
                part => self.show(Some(part), run, harvest),
            }
        }
    }

    fn show(&mut self, text: Option<Object>, run: &mut Run, harvest: &mut Harvest<'_>) {
        let Some(Object::Text(bytes)) = text else { return };
        let state = &mut run.state;
        let begin = state.place();
        let mut text = String::new();
        let font = Rc::clone(&state.font);
        font.glyphs(&bytes, &mut |glyph| {
            text.push_str(&glyph.text);
            let blank = if glyph.is_space { state.word_space } else { 0.0 };
            state.advance(glyph.width * state.size + state.character_space + blank);
        });
        harvest.work(bytes.len() + text.len());
        self.has_unreadable |= text.is_empty() && !font.is_readable();
        if run.replaced_at.is_none() {
            self.write(&text, begin, harvest);
        }
        self.pen.end(run.state.place());
    }

    fn write(&mut self, text: &str, begin: Place, harvest: &mut Harvest<'_>) {
        if let Some(first) = text.chars().next() {
            self.pen.begin(first, begin, harvest);
            harvest.push(&text.replace(['\n', '\r', '\0'], " "));
        }
    }

    /// What a part of the page reads as, where that is said (14.9.4).
    fn begin_marked(&mut self, says: Option<Object>, run: &mut Run, harvest: &mut Harvest<'_>) {
        run.marked += 1;
        let Some(Object::Dict(says)) = says else { return };
        let Some(Object::Text(text)) = says.get(b"ActualText".as_slice()) else { return };
        if run.replaced_at.is_none() {
            run.replaced_at = Some(run.marked);
            self.write(&super::text_of(text), run.state.place(), harvest);
        }
    }

    fn form(&mut self, name: &[u8], run: &Run, harvest: &mut Harvest<'_>) {
        let forms = self.document.dict(&run.resources, b"XObject", harvest);
        if let Some(Object::Reference(number)) = forms.get(name) {
            self.run_form(*number, &run.resources, run.state.page, harvest);
        }
    }

    /// Runs a stream that stands in a page: a form (8.10), or how an annotation looks.
    pub(super) fn run_form(
        &mut self,
        number: u32,
        resources: &Rc<Dict>,
        page: Matrix,
        harvest: &mut Harvest<'_>,
    ) {
        if self.forms.contains(&number) || self.forms.len() >= DEEPEST {
            return;
        }
        let head = self.document.get(number, harvest).into_dict();
        if self.document.field(&head, b"Subtype", harvest).name() != Some(b"Form") {
            return;
        }
        let Some((head, content)) = self.document.stream(number, harvest) else { return };
        let matrix = self.document.field(&head, b"Matrix", harvest).into_list();
        let matrix: Vec<f64> = matrix.iter().filter_map(Object::number).collect();
        let own = match self.document.field(&head, b"Resources", harvest) {
            Object::Dict(own) => Rc::new(own),
            _ => Rc::clone(resources),
        };
        self.forms.push(number);
        self.run(&content, &own, Matrix::of(&matrix).then(page), harvest);
        self.forms.pop();
    }

    fn set_font(&mut self, name: &[u8], run: &mut Run, harvest: &mut Harvest<'_>) {
        run.state.font = match run.fonts.get(name) {
            Some(font) => Rc::clone(font),
            None => self.font(name, &run.resources, harvest).map_or_else(
                || Rc::clone(&self.unknown),
                |font| {
                    if run.fonts.len() >= MOST_NAMES {
                        run.fonts.clear();
                    }
                    run.fonts.insert(name.to_vec(), Rc::clone(&font));
                    font
                },
            ),
        };
    }

    fn font(
        &mut self,
        name: &[u8],
        resources: &Dict,
        harvest: &mut Harvest<'_>,
    ) -> Option<Rc<Font>> {
        let fonts = self.document.dict(resources, b"Font", harvest);
        let reference = fonts.get(name)?;
        if let Object::Reference(number) = reference
            && let Some(font) = self.fonts.get(number)
        {
            return Some(Rc::clone(font));
        }
        let dict = self.document.dict(&fonts, name, harvest);
        if dict.is_empty() {
            return None;
        }
        let font = Rc::new(Font::read(&dict, self.document, harvest));
        if let Object::Reference(number) = reference {
            self.fonts_size += font.size();
            if self.fonts_size > MOST_FONTS {
                self.fonts.clear();
                self.fonts_size = font.size();
            }
            self.fonts.insert(*number, Rc::clone(&font));
        }
        Some(font)
    }
}

impl Run {
    fn new(page: Matrix, resources: Rc<Dict>, font: Rc<Font>) -> Self {
        let state = State {
            page,
            text: Matrix::IDENTITY,
            line: Matrix::IDENTITY,
            font,
            size: 0.0,
            character_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
        };
        Self {
            state,
            saved: Vec::new(),
            unsaved: 0,
            resources,
            fonts: BTreeMap::new(),
            marked: 0,
            replaced_at: None,
        }
    }

    fn save(&mut self) {
        if self.saved.len() < MOST_SAVED {
            self.saved.push(self.state.clone());
        } else {
            self.unsaved += 1;
        }
    }

    fn restore(&mut self) {
        if self.unsaved > 0 {
            self.unsaved -= 1;
        } else if let Some(state) = self.saved.pop() {
            self.state = state;
        }
    }

    fn end_marked(&mut self) {
        if self.replaced_at == Some(self.marked) {
            self.replaced_at = None;
        }
        self.marked = self.marked.saturating_sub(1);
    }
}

impl State {
    fn next_line(&mut self, x: f64, y: f64) {
        self.line = Matrix::moved(x, y).then(self.line);
        self.text = self.line;
    }

    fn advance(&mut self, by: f64) {
        let moved = match self.font.is_vertical {
            true => Matrix::moved(0.0, -by),
            false => Matrix::moved(by * self.scale, 0.0),
        };
        self.text = moved.then(self.text);
    }

    fn place(&self) -> Place {
        let matrix = Matrix::moved(0.0, self.rise).then(self.text).then(self.page);
        let (up, along) = (matrix.up(), matrix.along());
        let way = if self.font.is_vertical { (-up.0, -up.1) } else { along };
        Place { at: matrix.origin(), way, size: self.size.abs() * length(up) }
    }
}

/// Passes the data of a picture that stands in the content (8.9.7).
fn skip_picture(parser: &mut Parser<'_>, harvest: &mut Harvest<'_>) {
    let rest = parser.rest();
    let is_end = |at: &usize| {
        let around = |at: Option<&u8>| at.is_none_or(u8::is_ascii_whitespace);
        around(at.checked_sub(1).and_then(|at| rest.get(at))) && around(rest.get(at + 2))
    };
    let end = memchr::memmem::find_iter(rest, b"EI").find(is_end);
    let passed = end.map_or(rest.len(), |end| end + 2);
    if !harvest.work(passed) {
        harvest.mark(Reason::TooLarge);
    }
    parser.at += passed;
}

/// Operators have at most six operands.
const MOST_OPERANDS: usize = 64;
const MOST_SAVED: usize = 128;
/// Forms in forms.
const DEEPEST: usize = 12;
/// Names of fonts that are remembered in a stream.
const MOST_NAMES: usize = 256;
/// Widths and tables of fonts that are kept.
const MOST_FONTS: usize = 400_000;

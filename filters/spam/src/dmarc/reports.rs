//! Where reports are asked to go, and when (RFC 9989 sections 4.6 to 4.8). They are read only: nothing here sends one,
//! or asks whether a stranger agreed to get it (RFC 9990 section 4).

use mailweir_mail::Address;

/// One place for reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportUri {
    /// `mailto:` with one address.
    Mailto(Address),
    /// Any other URI. Receivers ignore those whose scheme they do not support.
    Other(Box<str>),
}

impl ReportUri {
    /// The URIs of a list, those that are in form; no more than [`MOST_URIS`].
    pub(super) fn list(value: &str) -> Box<[Self]> {
        value.split(',').filter_map(Self::parse).take(MOST_URIS).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let uri = without_size(text.trim_matches([' ', '\t']));
        let (scheme, rest) = uri.split_once(':')?;
        let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let is_printable =
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'!');
        if !is_scheme || !is_printable || uri.len() > LONGEST_URI {
            return None;
        }
        let address = scheme.eq_ignore_ascii_case("mailto").then(|| address(rest)).flatten();
        Some(address.map_or_else(|| Self::Other(uri.into()), Self::Mailto))
    }
}

/// The address of a `mailto:` URI, which is percent-encoded; header fields behind a `?` do not count.
fn address(text: &str) -> Option<Address> {
    let (encoded, _) = text.split_once('?').unwrap_or((text, ""));
    let mut parts = encoded.split('%');
    let mut decoded = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    Address::parse(std::str::from_utf8(&decoded).ok()?).ok()
}

/// Without the size that RFC 7489 allowed behind a URI (obs-dmarc-report-size).
fn without_size(uri: &str) -> &str {
    let Some((before, size)) = uri.rsplit_once('!') else { return uri };
    let digits = size.strip_suffix(['k', 'm', 'g', 't', 'K', 'M', 'G', 'T']).unwrap_or(size);
    let is_size = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_size { before } else { uri }
}

/// Which failures are to be reported (`fo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureOptions {
    /// Of DMARC.
    pub dmarc: DmarcFailure,
    /// Any DKIM signature that fails (`d`).
    pub dkim: bool,
    /// SPF, if it fails (`s`).
    pub spf: bool,
}

/// The first part of `fo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmarcFailure {
    /// Neither `0` nor `1` stands there: none is asked for.
    Unasked,
    /// `0`: no mechanism gave an aligned pass.
    All,
    /// `1`: at least one mechanism gave none.
    Any,
}

impl Default for FailureOptions {
    fn default() -> Self {
        Self { dmarc: DmarcFailure::All, dkim: false, spf: false }
    }
}

impl FailureOptions {
    /// Nothing, if the value has another form: `0` and `1` exclude each other, and nothing stands there twice.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let mut options = Self { dmarc: DmarcFailure::Unasked, dkim: false, spf: false };
        for option in value.split(':').map(|option| option.trim_matches([' ', '\t'])) {
            match option {
                "0" if options.dmarc == DmarcFailure::Unasked => options.dmarc = DmarcFailure::All,
                "1" if options.dmarc == DmarcFailure::Unasked => options.dmarc = DmarcFailure::Any,
                "d" | "D" if !options.dkim => options.dkim = true,
                "s" | "S" if !options.spf => options.spf = true,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// As many places of each kind are kept of a record; its owner needs one or two.
pub const MOST_URIS: usize = 20;

/// The longest URI that is kept, in bytes: an address of 511 with every byte encoded.
const LONGEST_URI: usize = 2_048;

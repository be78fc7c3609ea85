//! The request as it came, as the text that `worker.mjs` hands over. The runtime's object stays the one that is forwarded.

use js_sys::JsString;
use postern::forward::Vouched;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{header::Lines, log, target, web};

#[wasm_bindgen]
extern "C" {
    type TextEncoder;
    type Progress;

    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;

    #[wasm_bindgen(method, js_name = encodeInto)]
    fn encode_into(this: &TextEncoder, text: &JsString, octets: &mut [u8]) -> Progress;

    #[wasm_bindgen(method, getter)]
    fn written(this: &Progress) -> u32;
}

thread_local! {
    static ENCODER: TextEncoder = TextEncoder::new();
}

/// A unit of UTF-16 takes no more octets than this in UTF-8.
const MOST_OCTETS_A_UNIT: usize = 3;

/// Room that is left over and not worth copying the text for.
const SPARE_OCTETS: usize = 16 * 1024;

/// The method and the URL have a line each.
const HEADS: usize = 2;

/// Method, raw target and header fields of one request.
///
/// What a method or a URL with a line break would do, and no runtime lets pass: shorten the URL, to what is then decided on
/// and forwarded, and add fields, which a caller can send as well.
pub(super) struct Incoming {
    /// The method, the URL, then a line for each field; the runtime has joined repeated fields with commas (Fetch §2.2.2).
    text: Lines,
}

impl Incoming {
    /// Takes the text over. The runtime's own encoder writes it into WebAssembly's memory: the glue's passes over it
    /// character by character, which for a token takes longer than its decision.
    pub(super) fn read(text: &JsString) -> Self {
        let units = usize::try_from(text.length()).unwrap_or_default();
        let mut octets = vec![0; units.saturating_mul(MOST_OCTETS_A_UNIT)];
        let progress = ENCODER.with(|encoder| encoder.encode_into(text, &mut octets));
        octets.truncate(usize::try_from(progress.written()).unwrap_or_default());
        // A request may wait for keys, and many large ones would fill the memory with room for what they do not have.
        if octets.capacity().saturating_sub(octets.len()) > SPARE_OCTETS {
            octets.shrink_to_fit();
        }
        // What is no text is no request, and its empty target is refused. The encoder writes nothing else.
        Self { text: Lines::new(String::from_utf8(octets).unwrap_or_default(), HEADS) }
    }

    pub(super) fn method(&self) -> &str {
        self.text.line(0)
    }

    fn url(&self) -> &str {
        self.text.line(1)
    }

    /// The fields, as they came.
    pub(super) fn fields_in_order(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.fields()
    }

    /// The value of a field whose name is in lower case, as the runtime writes names.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields_in_order().find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    /// What the runtime says of the request. `CF-Connecting-IP` is Cloudflare's own there, and a caller's elsewhere.
    pub(super) fn vouched(&self, is_at_cloudflare: bool) -> Vouched<'_> {
        let (scheme, rest) = self.url().split_once("://").unwrap_or(("https", self.url()));
        Vouched {
            host: rest.split(['/', '?', '#']).next().filter(|host| !host.is_empty()),
            scheme: Some(scheme),
            address: self.field("cf-connecting-ip").filter(|_| is_at_cloudflare),
        }
    }

    pub(super) fn is_head(&self) -> bool {
        self.method() == "HEAD"
    }
}

impl web::Incoming for Incoming {
    fn fields(&self) -> Vec<(&str, &str)> {
        self.fields_in_order().collect()
    }

    fn as_core<'a>(&'a self, headers: &'a [(&'a str, &'a str)]) -> postern::Request<'a> {
        // A URL without a target cannot be; the empty one is refused as not canonical.
        postern::Request { method: self.method(), target: target::target_of(self.url()).unwrap_or_default(), headers }
    }

    /// Cloudflare's name for the request.
    fn id(&self) -> Option<&str> {
        log::request_id(self.field("cf-ray"))
    }
}

//! Texts across the border, in what Node has for it: the glue's own way goes character by character, and its decoder costs
//! more than a route's lookup.

use std::cell::RefCell;

use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

/// Octets beyond a text's characters. The longest sequence of UTF-8 has one less, so that a character which is not ASCII
/// always shows in how many octets were written, whether all of it had room or not.
const SPARE: usize = 4;

#[wasm_bindgen(raw_module = "./event.js")]
extern "C" {
    /// Writes as much of a text as has room, in UTF-8; gives the number of octets.
    #[wasm_bindgen(js_name = write)]
    fn write(text: &JsValue, into: &mut [u8]) -> usize;

    /// A text of ASCII.
    #[wasm_bindgen(js_name = ascii)]
    fn ascii(octets: &[u8]) -> JsValue;
}

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The text, which has `length` characters; `None` when one of them is not ASCII.
pub(super) fn read(text: &JsValue, length: usize) -> Option<String> {
    BUFFER.with_borrow_mut(|buffer| {
        let room = length.checked_add(SPARE)?;
        if buffer.len() < room {
            buffer.resize(room, 0);
        }
        let written = write(text, buffer.get_mut(..room)?);
        let octets = buffer.get(..written).filter(|_| written == length)?;
        octets.is_ascii().then(|| str::from_utf8(octets).ok().map(ToOwned::to_owned)).flatten()
    })
}

/// A text for JavaScript.
pub(super) fn written(text: &str) -> JsValue {
    if text.is_ascii() { ascii(text.as_bytes()) } else { JsValue::from_str(text) }
}

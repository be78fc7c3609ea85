//! Families of input that ask a reader for the most it can be made to do: each a text of about as many octets as asked
//! for, whatever that number.

/// A name, and what makes a text of about `size` octets.
pub(crate) type Family = (&'static str, fn(usize) -> String);

/// `unit`, as often as fits.
pub(crate) fn fill(unit: &str, size: usize) -> String {
    unit.repeat(size / unit.len())
}

/// JSON values.
pub(crate) const VALUES: [Family; 14] = [
    ("a long string", |size| format!("\"{}\"", fill("a", size))),
    ("a string of short escapes", |size| format!("\"{}\"", fill("\\n", size))),
    ("a string of long escapes", |size| format!("\"{}\"", fill("\\u00e9", size))),
    ("a number of many digits", |size| fill("7", size.max(1))),
    ("a number with many decimals", |size| format!("0.{}1", fill("3", size))),
    ("spaces", |size| format!("{}0", fill(" ", size))),
    ("deep arrays", |size| format!("{}{}", fill("[", size / 2), fill("]", size / 2))),
    ("deep objects", |size| format!("{}0{}", fill("{\"\":", size * 4 / 5), fill("}", size / 5))),
    ("arrays at the depth that is read", |size| {
        format!("[{}0]", fill(&format!("{}{},", "[".repeat(100), "]".repeat(100)), size))
    }),
    ("many numbers", |size| format!("[{}0]", fill("0,", size))),
    ("many empty arrays", |size| format!("[{}0]", fill("[],", size))),
    ("many empty objects", |size| format!("[{}0]", fill("{},", size))),
    ("many objects of one member", |size| format!("[{}0]", fill("{\"\":0},", size))),
    ("many strings", |size| format!("[{}0]", fill("\"a\",", size))),
];

/// Members of a JSON object, beside those that it needs.
pub(crate) const MEMBERS: [Family; 3] = [
    ("many members", |size| (0..size / 12).map(|index| format!(",\"m{index:06}\":0")).collect()),
    ("many long names", |size| (0..size / 120).map(|index| format!(",\"{index:0112}\":0")).collect()),
    ("one name twice at the end", |size| format!(",\"x\":\"{}\",\"x\":0", fill("a", size))),
];

/// Objects that begin with `members` and have every one of the families' contents after them.
pub(crate) fn objects(members: &'static str) -> impl Iterator<Item = (&'static str, Box<dyn Fn(usize) -> String>)> {
    type Object = Box<dyn Fn(usize) -> String>;
    let values = VALUES.into_iter().map(move |(name, make)| {
        let object = move |size| format!("{{{members},\"x\":{}}}", make(size));
        (name, Box::new(object) as Object)
    });
    let more = MEMBERS.into_iter().map(move |(name, make)| {
        let object = move |size| format!("{{{members}{}}}", make(size));
        (name, Box::new(object) as Object)
    });
    values.chain(more)
}

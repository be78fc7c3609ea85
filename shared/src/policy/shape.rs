//! The shape of a TOML document, looked at before it is read into types: which members there may be, and of which type.
//!
//! A parser of types stops at the first thing that it does not know. Here every such thing is a fault with its own place,
//! and is mended in the document at once, as its author most likely meant it, so that all that is wrong with the rest is
//! told in the same round: a misspelt member is taken for the one it looks like, what nobody knows or can read is left
//! out. What was mended never becomes a policy, for its faults stand.
//!
//! What members there are: [`super::members`].

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::ops::Range;

use ::toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{PolicyError, PolicyFault, compile::distance, pointer, secret};

/// What may stand somewhere.
#[derive(Debug)]
pub(super) enum Shape {
    /// A string.
    Text,
    /// A list of strings.
    Texts,
    /// `true` or `false`.
    Flag,
    /// A whole number, not negative.
    Number,
    /// A number with or without a fraction.
    Share,
    /// A table with these members.
    Table(&'static Table),
    /// A table with one of these members, and no more than one.
    Choice(&'static Table),
    /// A table with names of the author's own.
    Named(&'static Shape),
    /// `[[…]]` tables.
    Tables(&'static Table),
    /// Any of these, told apart by their TOML types.
    OneOf(&'static [Self]),
    /// Anything.
    Any,
    /// Stamped by an overlay, never written.
    Stamp,
}

/// The members of one table.
#[derive(Debug)]
pub(super) struct Table {
    /// What it is, with its article, as messages say it.
    pub(super) what: &'static str,
    pub(super) members: &'static [Member],
}

/// One member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// Whether the table is nothing without it.
    pub(super) is_needed: bool,
}

impl Shape {
    /// What may stand there, as a message says it.
    fn expected(&self) -> String {
        match self {
            Self::Text => "a string".into(),
            Self::Texts => "a list of strings".into(),
            Self::Flag => "`true` or `false`".into(),
            Self::Number => "a whole number".into(),
            Self::Share => "a number from 0.0 to 1.0".into(),
            Self::Table(_) | Self::Named(_) => "a table".into(),
            Self::Choice(table) => {
                let all: Vec<String> =
                    table.members.iter().map(|member| format!("`{{ {} = … }}`", member.name)).collect();
                all.join(" or ")
            }
            Self::Tables(_) => "a list of tables".into(),
            Self::OneOf(shapes) => {
                let all: Vec<String> = shapes.iter().map(Self::expected).collect();
                all.join(" or ")
            }
            Self::Any => "a value".into(),
            Self::Stamp => "nothing".into(),
        }
    }

    /// The shape of those it may be that a value of this type can have.
    fn for_value(&self, value: &DeValue<'_>) -> Option<&Self> {
        let fits = match (self, value) {
            (Self::OneOf(shapes), _) => return shapes.iter().find_map(|shape| shape.for_value(value)),
            (Self::Any | Self::Stamp, _)
            | (Self::Text, DeValue::String(_))
            | (Self::Flag, DeValue::Boolean(_))
            | (Self::Share, DeValue::Integer(_) | DeValue::Float(_))
            | (Self::Table(_) | Self::Choice(_) | Self::Named(_), DeValue::Table(_)) => true,
            (Self::Number, DeValue::Integer(number)) => u64::from_str_radix(number.as_str(), number.radix()).is_ok(),
            // What stands in them is looked at one by one.
            (Self::Texts | Self::Tables(_), DeValue::Array(_)) => true,
            _ => false,
        };
        fits.then_some(self)
    }

    /// Something of this shape that says nothing, to go on with where a needed member is missing.
    fn placeholder(&self) -> DeValue<'static> {
        match self {
            Self::Texts | Self::Tables(_) => DeValue::Array(Vec::new().into_iter().collect()),
            Self::Flag => DeValue::Boolean(false),
            Self::Table(_) | Self::Choice(_) | Self::Named(_) => DeValue::Table(DeTable::new()),
            _ => DeValue::String("".into()),
        }
    }
}

/// Faults of shape, and the pointers of what was put in the place of something else.
#[derive(Default)]
pub(super) struct Mended {
    pub(super) faults: Vec<PolicyError>,
    /// Members go under other names than in the text.
    pub(super) has_renamed: bool,
    /// What is found wrong there is wrong only because of the mending.
    made_up: Vec<String>,
    /// Entries that lost a member: that something is missing from them is not told again.
    lacking: Vec<String>,
}

impl Mended {
    /// Whether `error` follows from a fault of shape alone.
    pub(super) fn explains(&self, error: &PolicyError) -> bool {
        let pointer = error.pointer.as_str();
        let within = |whole: &String| {
            pointer.strip_prefix(whole.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        // Whoever used it may be what was left out.
        let lost =
            |entries: &[String]| entries.iter().any(|entry| entry.starts_with("route") || entry == "permissions");
        let is_unused = matches!(error.fault, PolicyFault::Unused(..) | PolicyFault::PermissionsUnused);
        (is_unused
            && (lost(&self.made_up)
                || lost(&self.lacking)
                || self.lacking.iter().any(|entry| entry.starts_with("issuer"))))
            || self.made_up.iter().any(within)
            || self.lacking.iter().any(|entry| entry == pointer)
    }

    fn fault(&mut self, at: &At<'_>, span: Range<usize>, fault: PolicyFault) {
        self.faults.push(PolicyError { pointer: at.pointer(), span: Some(span), fault });
    }
}

/// Looks at `document` and mends it. `at` is the pointer of the whole, and empty but for overlays.
pub(super) fn mend(document: &mut Spanned<DeTable<'_>>, table: &'static Table, at: &str) -> Mended {
    let mut mended = Mended::default();
    let span = document.span();
    mended.table(document.get_mut(), table, &At::Whole(at), &span);
    mended
}

/// A pointer that is written out only where there is a fault to tell.
enum At<'a> {
    Whole(&'a str),
    Member(&'a At<'a>, &'a str),
    Item(&'a At<'a>, usize),
}

impl At<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Whole(at) => (*at).to_owned(),
            Self::Member(table, name) => match table.pointer() {
                whole if whole.is_empty() => pointer::step(name),
                table => pointer::entry(&table, name),
            },
            Self::Item(list, index) => format!("{}[{index}]", list.pointer()),
        }
    }
}

impl Mended {
    fn table(&mut self, document: &mut DeTable<'_>, table: &'static Table, at: &At<'_>, span: &Range<usize>) {
        self.unknown(document, table, at);
        for member in table.members {
            let own = At::Member(at, member.name);
            let fits = match document.get_mut(member.name) {
                Some(value) => self.value(value, &member.shape, &own),
                None if member.is_needed => {
                    self.fault(&own, span.clone(), PolicyFault::MissingMember(member.name, table.what));
                    false
                }
                None => true,
            };
            if fits {
                continue;
            }
            document.remove(member.name);
            // Where a route lies, whose callers may use it and for which company: its other rules hang on these.
            let hangs_all = ["issuer", "company", "path"].contains(&member.name) && !matches!(at, At::Whole(_));
            if hangs_all { &mut self.made_up } else { &mut self.lacking }.push(at.pointer());
            self.made_up.push(own.pointer());
            if member.is_needed {
                let key = Spanned::new(span.clone(), member.name.into());
                document.insert(key, Spanned::new(span.clone(), member.shape.placeholder()));
            }
        }
    }

    /// Takes out what nobody knows; what is but misspelt goes under its right name.
    fn unknown(&mut self, document: &mut DeTable<'_>, table: &'static Table, at: &At<'_>) {
        let is_known = |name: &str| table.members.iter().any(|member| member.name == name);
        let strangers: Vec<(String, Range<usize>)> = document
            .keys()
            .filter(|key| !is_known(key.get_ref()))
            .map(|key| (key.get_ref().clone().into_owned(), key.span()))
            .collect();
        for (name, span) in strangers {
            let near = nearest(&name, table);
            let fault = if near.is_none() && secret::is_named_like_one(&name) {
                PolicyFault::Secret(secret::NAMED)
            } else {
                PolicyFault::UnknownMember(name.clone(), table.what, near)
            };
            self.fault(&At::Member(at, &name), span, fault);
            let Some((key, value)) = document.remove_entry(name.as_str()) else { continue };
            match near {
                Some(near) if !document.contains_key(near) => {
                    document.insert(Spanned::new(key.span(), near.into()), value);
                    self.has_renamed = true;
                }
                _ => self.lacking.push(at.pointer()),
            }
        }
    }

    /// Whether the value has the shape, or can be read as if it had after some of it was taken out.
    fn value(&mut self, value: &mut Spanned<DeValue<'_>>, shape: &'static Shape, at: &At<'_>) -> bool {
        let span = value.span();
        if matches!(shape, Shape::Stamp) {
            self.fault(at, span, PolicyFault::Stamp);
            return false;
        }
        let Some(own) = shape.for_value(value.get_ref()) else {
            self.fault(at, span, PolicyFault::MemberType(shape.expected()));
            return false;
        };
        match (own, value.get_mut()) {
            (Shape::Table(table), DeValue::Table(document)) => self.table(document, table, at, &span),
            (Shape::Choice(table), DeValue::Table(document)) => {
                let before = self.faults.len();
                self.table(document, table, at, &span);
                if document.len() != 1 && self.faults.len() == before {
                    self.fault(at, span, PolicyFault::MemberType(own.expected()));
                }
                return document.len() == 1;
            }
            (Shape::Named(shape), DeValue::Table(document)) => self.named(document, shape, at),
            (Shape::Tables(table), DeValue::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let own = At::Item(at, index);
                    let span = item.span();
                    match item.get_mut() {
                        DeValue::Table(document) => self.table(document, table, &own, &span),
                        _ => {
                            self.fault(&own, span, PolicyFault::MemberType("a table".into()));
                            return false;
                        }
                    }
                }
            }
            (Shape::Texts, DeValue::Array(items)) => {
                let before = self.faults.len();
                for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.get_ref().is_str()) {
                    let fault = PolicyFault::MemberType(Shape::Text.expected());
                    self.fault(&At::Item(at, index), item.span(), fault);
                }
                return self.faults.len() == before;
            }
            _ => {}
        }
        true
    }

    fn named(&mut self, document: &mut DeTable<'_>, shape: &'static Shape, at: &At<'_>) {
        let mut unfit: Vec<String> = Vec::new();
        for (name, value) in document.iter_mut() {
            if !self.value(value, shape, &At::Member(at, name.get_ref())) {
                unfit.push(name.get_ref().clone().into_owned());
            }
        }
        for name in unfit {
            document.remove(name.as_str());
            self.made_up.push(At::Member(at, &name).pointer());
            self.lacking.push(at.pointer());
        }
    }
}

/// The member that `name` was most likely meant to be.
fn nearest(name: &str, table: &Table) -> Option<&'static str> {
    // Of a short name, one letter in another place is half of it.
    let most = (name.len() / 3).clamp(1, 3);
    let folded = name.to_ascii_lowercase().replace('-', "_");
    let members = table.members.iter().filter(|member| !matches!(member.shape, Shape::Stamp));
    let (near, far) =
        members.map(|member| (member.name, distance(&folded, member.name))).min_by_key(|(_, far)| *far)?;
    (far <= most).then_some(near)
}

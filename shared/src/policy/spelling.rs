//! Paths that an origin may take for one another, and the requests that are refused for it.
//!
//! Many servers and frameworks ignore the letter case of a path, a closing slash, a space at its end, or a file extension.
//! A route that the policy protects can then be reached by a spelling that a looser route permits.
//!
//! # The spellings of a path
//! Two paths are spellings of each other when they are the same after
//!
//! * letter case is folded ([`case_fold`](super::case_fold)),
//! * a closing slash is left out,
//! * spaces at the end are left out, with a last segment that is nothing else,
//! * the last segment's final extension (`.` and what follows) is left out of one of the two, or of neither.
//!
//! So `/Admin/users.json%20/` is a spelling of `/admin/users`; `/a.css` is one of `/a`, but not of `/a.html`.
//!
//! # The rule
//! A request is refused if one of its path's spellings is another route's, for any method, unless
//!
//! * that route lets in everyone whom the request's own route lets in ([`openness`](super::openness)), or
//! * that route has the path as it is: then specificity has decided between the two.
//!
//! Which routes these may be is worked out for each route when the policy is built; most have none and are never looked at
//! here. The spellings of a template's paths are templates themselves, so that one automaton finds them all.

use alloc::{
    borrow::{Cow, ToOwned},
    string::String,
    vec::Vec,
};

use super::{
    Issuer, Origin, Route,
    case_fold::folded,
    determinise::{self, TableTooLarge},
    origin::Paths,
    table::OwnerTable,
    template::{Segment, Template},
};
use crate::target::CanonicalTarget;

/// The spellings of all templates that matter to some route.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spellings {
    table: OwnerTable,
    /// What each template in the table is a spelling of.
    forms: Vec<Owner>,
    /// For each route, the others that a request of its may be meant for.
    rivals: Vec<Rivals>,
}

/// Routes that may not be reached by way of one route.
#[derive(Clone, Debug, Default)]
struct Rivals {
    /// In the order of their indices.
    routes: Vec<Rival>,
    /// Whether it is so of each of them.
    need_a_tail: bool,
}

/// A route that asks for more than the route whose rival it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rival {
    /// Its index.
    pub(crate) route: usize,
    /// Only a path that ends in a space or an extension can be a spelling of one of its paths.
    pub(crate) needs_tail: bool,
}

#[derive(Clone, Copy, Debug)]
struct Owner {
    route: usize,
    /// The template's own extension is left out.
    is_stem: bool,
}

/// How the spellings of one template's paths are written. Each ends in a closing slash, so that none counts.
struct Form {
    template: Template,
    /// An extension is left out.
    is_stem: bool,
    /// Of a path that ends in a space or an extension alone.
    has_tail: bool,
}

impl Spellings {
    /// Those of `routes`; routes that only shadow are nobody's rivals and have none.
    pub(crate) fn of(routes: &[Route], issuers: &[Issuer], origins: &[Origin]) -> Result<Self, TableTooLarge> {
        let mut spellings = Self::default();
        // Made where they are looked at, which for most routes is never.
        let mut named: Vec<Option<Vec<Form>>> = routes.iter().map(|_| None).collect();
        let mut is_needed: Vec<bool> = routes.iter().map(|_| false).collect();
        for route in routes {
            let mut rivals = Rivals { routes: Vec::new(), need_a_tail: true };
            let folds = origins.get(route.origin).is_none_or(|origin| origin.paths() == Paths::Folded);
            let mut asked = None;
            let others = routes.iter().zip(&mut named).zip(&mut is_needed).enumerate();
            for (index, ((other, forms), is_needed)) in others.filter(|_| folds && !route.is_shadow) {
                if other.is_shadow
                    || !may_meet(&route.template, &other.template)
                    || route.template.is_within(&other.template)
                    || other.is_as_open_as(route, issuers)
                {
                    continue;
                }
                let asked = asked.get_or_insert_with(|| request_forms(&route.template));
                let forms = forms.get_or_insert_with(|| template_forms(&other.template));
                let Some(needs_tail) = meeting(asked, forms) else { continue };
                rivals.need_a_tail &= needs_tail;
                rivals.routes.push(Rival { route: index, needs_tail });
                *is_needed = true;
            }
            spellings.rivals.push(rivals);
        }
        let mut templates = Vec::new();
        let needed = named.into_iter().zip(is_needed).enumerate().filter(|(_, (_, is_needed))| *is_needed);
        for (route, forms) in needed.filter_map(|(route, (forms, _))| Some((route, forms?))) {
            for form in forms {
                spellings.forms.push(Owner { route, is_stem: form.is_stem });
                templates.push(form.template);
            }
        }
        spellings.table = determinise::build_owners(templates.iter().enumerate())?;
        Ok(spellings)
    }

    /// The routes that a request of the route `index` may be meant for.
    pub(crate) fn rivals(&self, index: usize) -> &[Rival] {
        self.rivals.get(index).map(|rivals| rivals.routes.as_slice()).unwrap_or_default()
    }

    /// Whether `target`, which is of the route `index`, has a spelling that is a rival's.
    pub(crate) fn is_ambiguous(&self, index: usize, target: &CanonicalTarget, routes: &[Route]) -> bool {
        let Some(rivals) = self.rivals.get(index).filter(|rivals| !rivals.routes.is_empty()) else { return false };
        if rivals.need_a_tail && !may_have_tail(target.path()) {
            return false;
        }
        let segments: Vec<Cow<'_, str>> = target.segments().filter(|segment| !segment.is_empty()).map(folded).collect();
        let whole = Spelt::new(&segments).shorter();
        let stems = whole.last().and_then(Spelt::without_extension).map(Spelt::shorter).unwrap_or_default();
        let spelt = whole.iter().map(|spelt| (spelt, false)).chain(stems.iter().map(|spelt| (spelt, true)));
        spelt.into_iter().any(|(spelt, is_stem)| {
            self.owners(spelt).filter_map(|form| self.forms.get(*form)).any(|owner| {
                let has_path = |route: &Route| route.template.has(target.segments());
                rivals.routes.binary_search_by_key(&owner.route, |rival| rival.route).is_ok()
                    && !(is_stem && owner.is_stem)
                    && !routes.get(owner.route).is_some_and(has_path)
            })
        })
    }

    fn owners(&self, spelt: &Spelt<'_>) -> impl Iterator<Item = &usize> {
        let segments = spelt.before.iter().map(|segment| &**segment).chain([spelt.last]);
        // The root has no segment but the closing slash's.
        let mut segments = segments.filter(|segment| !segment.is_empty()).chain([""]);
        let last = segments.try_fold(0, |state, segment| self.table.step(state, segment));
        last.map(|state| self.table.owners(state)).unwrap_or_default().iter()
    }
}

/// A folded path without closing slash; the root has an empty last segment.
#[derive(Clone, Copy)]
struct Spelt<'s> {
    before: &'s [Cow<'s, str>],
    last: &'s str,
}

impl<'s> Spelt<'s> {
    fn new(segments: &'s [Cow<'s, str>]) -> Self {
        match segments.split_last() {
            Some((last, before)) => Self { before, last },
            None => Self { before: &[], last: "" },
        }
    }

    /// This and what is left of it without spaces at its end, one segment after the other. The last has none there.
    fn shorter(self) -> Vec<Self> {
        let mut all = Vec::from([self]);
        let mut own = self;
        loop {
            let last = trimmed(own.last);
            if last.len() < own.last.len() && !last.is_empty() {
                own = Self { last, ..own };
            } else if last.is_empty() && !own.before.is_empty() {
                own = Self::new(own.before);
            } else {
                // A root that is written with spaces.
                return if own.last == last { all } else { [all, Vec::from([Self { last, ..own }])].concat() };
            }
            all.push(own);
        }
    }

    fn without_extension(&self) -> Option<Self> {
        Some(Self { last: stem(self.last)?, ..*self })
    }
}

fn trimmed(segment: &str) -> &str {
    segment.trim_end_matches(' ')
}

/// The segment without its final extension, where it has one.
fn stem(segment: &str) -> Option<&str> {
    segment.rsplit_once('.').map(|(stem, _)| stem)
}

/// Whether the path, as it was sent, may end in a space or an extension.
fn may_have_tail(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    path.ends_with("%20") || path.bytes().rev().take_while(|byte| *byte != b'/').any(|byte| byte == b'.')
}

/// The template's segments with their case folded, a closing slash left out.
fn folded_segments(template: &Template) -> Vec<Segment> {
    let fold = |segment: &Segment| match segment {
        Segment::Literal(text) => Segment::Literal(folded(text).into_owned()),
        Segment::Parameter(_) => Segment::Parameter(String::new()),
        Segment::Rest(_) => Segment::Rest(String::new()),
    };
    let mut segments: Vec<Segment> = template.segments().iter().map(fold).collect();
    segments.pop_if(|last| *last == Segment::Literal(String::new()));
    segments
}

impl Form {
    /// `segments`, the last of them as `last` if it is a literal.
    fn new(segments: &[Segment], last: Option<&str>, is_stem: bool, has_tail: bool) -> Self {
        let mut segments = segments.to_vec();
        if let (Some(Segment::Literal(own)), Some(last)) = (segments.last_mut(), last) {
            last.clone_into(own);
        }
        if !matches!(segments.last(), Some(Segment::Rest(_))) {
            segments.push(Segment::Literal(String::new()));
        }
        Self { template: Template::of_segments(segments), is_stem, has_tail }
    }
}

/// What a path must be a spelling of to be meant for `template`.
fn template_forms(template: &Template) -> Vec<Form> {
    let segments = folded_segments(template);
    let mut forms = Vec::from([Form::new(&segments, None, false, false)]);
    if let Some(Segment::Literal(text)) = segments.last() {
        let short = trimmed(text);
        if short != text && !short.is_empty() {
            forms.push(Form::new(&segments, Some(short), false, false));
        }
        // `/.env` is a name of its own and not the root's.
        if let Some(stem) = stem(short).map(trimmed).filter(|stem| !stem.is_empty()) {
            forms.push(Form::new(&segments, Some(stem), true, false));
        }
    }
    forms
}

/// All that paths of `template` may be spellings of.
fn request_forms(template: &Template) -> Vec<Form> {
    let mut segments = folded_segments(template);
    let mut forms = Vec::from([Form::new(&segments, None, false, false)]);
    // A rest may be nothing.
    segments.pop_if(|last| matches!(last, Segment::Rest(_)));
    let mut has_tail = false;
    loop {
        forms.push(Form::new(&segments, None, false, has_tail));
        match segments.last().cloned() {
            Some(Segment::Literal(text)) => {
                let short = trimmed(&text);
                let stem = stem(short).map(trimmed);
                forms.push(Form::new(&segments, Some(short), false, has_tail));
                if let Some(stem) = stem.filter(|stem| !stem.is_empty()) {
                    forms.push(Form::new(&segments, Some(stem), true, has_tail));
                }
                // A literal that is nothing but a space or an extension, as `/.env` is.
                if !short.is_empty() && stem.is_none_or(|stem| !stem.is_empty()) {
                    return forms;
                }
            }
            // Any text may be nothing but a space or an extension.
            Some(_) => has_tail = true,
            None => return forms,
        }
        segments.pop();
    }
}

/// `false` if no path of `own` can be a spelling of one of `other`'s, seen by literals before `other`'s last segment.
fn may_meet(own: &Template, other: &Template) -> bool {
    let whole =
        |segment: &&Segment| !matches!(segment, Segment::Rest(_)) && **segment != Segment::Literal(String::new());
    let count = other.segments().iter().filter(whole).count();
    let before_last = if other.rest().is_some() { count } else { count.saturating_sub(1) };
    own.segments().iter().zip(other.segments()).take(before_last).all(|pair| match pair {
        (Segment::Literal(own), Segment::Literal(other)) => {
            let (own, other) = (folded(own), folded(other));
            // What follows may be left out, and then the end of this.
            let is_longer = |end: &str| end.starts_with([' ', '.']);
            own == other || own.strip_prefix(&*other).is_some_and(is_longer)
        }
        _ => true,
    })
}

/// Whether some path is a spelling in both; if so, whether only one that ends in a space or an extension.
fn meeting(asked: &[Form], named: &[Form]) -> Option<bool> {
    let meet = |has_tail: bool| {
        asked.iter().filter(|own| own.has_tail == has_tail).any(|own| {
            let fits = |other: &Form| !(own.is_stem && other.is_stem) && own.template.overlaps(&other.template);
            named.iter().any(fits)
        })
    };
    if meet(false) { Some(false) } else { meet(true).then_some(true) }
}

//! How the rule about spellings distinguishes paths that lead to the same places.
//!
//! A request may be refused because its path is another spelling of a stricter route's. So two paths are of one class only
//! if they are spellings of the same templates' paths, and stay so whatever follows. The core decides; here it is only
//! worked out, more simply than there, which paths may be decided differently.

use std::collections::BTreeSet;

use postern::policy::fold_case;

use super::paths::{Segment, State, Template};

/// Texts that a segment is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Excluded {
    /// These texts.
    texts: BTreeSet<String>,
    /// Any text of which one of these is left when case, spaces at its end and an extension are left out.
    forms: BTreeSet<String>,
}

/// One way in which a path that is meant for a template is written.
struct Form {
    segments: Vec<Segment>,
    /// The template's own extension is left out.
    is_stem: bool,
}

/// The forms of all templates.
pub(super) struct Spellings {
    forms: Vec<Form>,
}

/// What the rule may make of a path and of all paths that begin with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Meant {
    /// Forms that are still possible, with the number of segments that have been walked.
    walked: State,
    /// Forms of which the path is a spelling: as it is or without spaces at its end, and without an extension.
    ended: [BTreeSet<usize>; 2],
}

impl Excluded {
    pub(super) const fn texts(texts: BTreeSet<String>) -> Self {
        Self { texts, forms: BTreeSet::new() }
    }

    /// Whether the segment is not this text.
    pub(super) fn has(&self, text: &str) -> bool {
        self.texts.contains(text) || (!self.forms.is_empty() && left(text).iter().any(|form| self.forms.contains(form)))
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.texts.extend(other.texts);
        self.forms.extend(other.forms);
    }
}

/// The segment with its case folded, and what is left of it without spaces at its end and without an extension.
fn left(text: &str) -> [String; 3] {
    let whole = fold_case(text).into_owned();
    let trimmed = whole.trim_end_matches(' ').to_owned();
    let stem = trimmed.rsplit_once('.').map_or(trimmed.as_str(), |(stem, _)| stem).trim_end_matches(' ').to_owned();
    [whole, trimmed, stem]
}

impl Spellings {
    pub(super) fn of(templates: &[Template]) -> Self {
        let mut forms = Vec::new();
        for own in templates {
            let fold = |segment: &Segment| match segment {
                Segment::Literal(text) => Segment::Literal(fold_case(text).into_owned()),
                other => other.clone(),
            };
            let mut segments: Vec<Segment> = own.segments.iter().map(fold).collect();
            if segments.last() == Some(&Segment::Literal(String::new())) {
                segments.pop();
            }
            forms.push(Form { segments: segments.clone(), is_stem: false });
            let Some(Segment::Literal(text)) = segments.last().cloned() else { continue };
            let [_, trimmed, stem] = left(&text);
            for (text, is_stem) in [(trimmed.clone(), false), (stem.clone(), stem != trimmed)] {
                if let (Some(last), false) = (segments.last_mut(), text.is_empty()) {
                    *last = Segment::Literal(text);
                    forms.push(Form { segments: segments.clone(), is_stem });
                }
            }
        }
        Self { forms }
    }

    /// The forms that still are possible after these segments.
    fn walked(&self, segments: &[String]) -> State {
        let walks = |form: &Form| {
            let has_rest = form.segments.last() == Some(&Segment::Rest);
            let is_possible = has_rest || segments.len() <= form.segments.len();
            let fits = form.segments.iter().zip(segments).all(|(own, text)| match own {
                Segment::Literal(own) => own == text,
                Segment::Parameter | Segment::Rest => true,
            });
            (is_possible && fits).then(|| segments.len().min(form.segments.len()))
        };
        self.forms.iter().enumerate().filter_map(|(index, form)| Some((index, walks(form)?))).collect()
    }

    /// The forms that end after these segments; a rest may be nothing.
    fn ended(&self, segments: &[String]) -> BTreeSet<usize> {
        let ends = |(index, walked): &(usize, usize)| {
            let form = &self.forms[*index];
            let left = &form.segments[*walked..];
            left.is_empty() || left == [Segment::Rest]
        };
        self.walked(segments).into_iter().filter(ends).map(|(index, _)| index).collect()
    }

    /// The forms that end after these segments or what is left of them without spaces at their end, and the segments that
    /// are left at last.
    fn trimmed(&self, mut segments: Vec<String>) -> (BTreeSet<usize>, Vec<String>) {
        let mut ended = self.ended(&segments);
        while let Some(last) = segments.last_mut() {
            let short = last.trim_end_matches(' ').to_owned();
            if short == *last && !short.is_empty() {
                break;
            }
            if short.is_empty() {
                segments.pop();
            } else {
                *last = short;
            }
            ended.extend(self.ended(&segments));
        }
        (ended, segments)
    }

    /// What the rule may make of the path of these segments, and of what begins with it.
    pub(super) fn meant(&self, segments: &[String]) -> Meant {
        let mut folded: Vec<String> = segments.iter().map(|text| fold_case(text).into_owned()).collect();
        if folded.last().is_some_and(String::is_empty) {
            folded.pop();
        }
        let walked = self.walked(&folded);
        let (whole, mut left) = self.trimmed(folded);
        let mut stem = BTreeSet::new();
        if let Some(last) = left.last_mut()
            && let Some((own, _)) = last.rsplit_once('.')
        {
            *last = own.to_owned();
            stem = self.trimmed(left).0.into_iter().filter(|form| !self.forms[*form].is_stem).collect();
        }
        Meant { walked, ended: [whole, stem] }
    }

    /// Texts of the next segment that the rule tells from `literals` and from any other text, and what any other is not.
    pub(super) fn next(&self, meant: &Meant, literals: BTreeSet<String>) -> (Vec<String>, Excluded) {
        let next = |(index, walked): &(usize, usize)| match self.forms[*index].segments.get(*walked) {
            Some(Segment::Literal(text)) => Some(text.clone()),
            _ => None,
        };
        let mut forms: BTreeSet<String> = meant.walked.iter().filter_map(next).collect();
        let mut texts = Vec::new();
        for form in &forms {
            let spelt = [form.clone(), form.to_uppercase(), form.chars().rev().collect()];
            let other = spelt.into_iter().find(|text| fold_case(text) == form.as_str() && !literals.contains(text));
            texts.extend(other);
            texts.extend([
                format!("{form} "),
                super::paths::fresh(&format!("{form}.x"), |text| !literals.contains(text)),
            ]);
        }
        texts.extend([" ".to_owned(), super::paths::fresh(".x", |text| !literals.contains(text))]);
        texts.retain(|text| !literals.contains(text));
        forms.insert(String::new());
        (texts, Excluded { texts: literals, forms })
    }
}

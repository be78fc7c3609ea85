//! Sends the disguises and judges the answers.

use crate::{
    Aim, Answer, Attempt, Carrier, Disguise, Expected, Member, Plain, Reading, Request,
    compare::{Kind, Telling},
    disguises,
    fields::ADDRESS,
};

/// Who sends requests to the origin.
pub trait Origin {
    /// Why no request can be sent any more.
    type Error;

    /// Sends a request, its target and its fields as they are written, and follows no redirect. `plain` is the request
    /// that it is a disguise of. `None` if the origin closes the connection without an answer.
    ///
    /// # Errors
    /// The origin cannot be reached.
    fn ask(&mut self, plain: &Plain, request: &Request) -> Result<Option<Answer>, Self::Error>;

    /// Waits long enough for an answer that shows the time to show another.
    fn pause(&mut self);
}

/// How the origin reads a disguise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As the request without it, or not as the plain path.
    AsSent,
    /// It refuses the request: the status, or no answer.
    Refused(Option<u16>),
    /// It answers with a redirect, which a caller sends through the edge again: status and `Location`.
    Redirected(u16, Option<String>),
    /// As another request: a finding.
    Changed(Member),
    /// The answers do not say.
    CannotTell(Doubt),
}

/// Why the answers do not say how a disguise is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The origin answers a known and an unknown path alike.
    AnswersAlike,
    /// The answer is neither that of the known nor that of the unknown path.
    OtherAnswer,
    /// Only an echo handler shows this part of a request.
    NeedsEcho,
    /// The plain path has no such spelling.
    NoSuchSpelling,
}

impl Doubt {
    /// The reason, as a clause.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::AnswersAlike => "the origin answers this path and an unknown path alike",
            Self::OtherAnswer => "the answer is neither that of this path nor that of an unknown path",
            Self::NeedsEcho => "only an echo handler shows this part of a request",
            Self::NoSuchSpelling => "this path has no such spelling",
        }
    }
}

/// One disguise, and what became of it.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The disguise.
    pub disguise: Disguise,
    /// The path that was disguised.
    pub path: String,
    /// The request that the outcome is about: the first with a finding, else the last. Absent if there was none.
    pub request: Option<Request>,
    /// How it is read.
    pub outcome: Outcome,
}

/// What was found out.
#[derive(Clone, Debug)]
pub struct Report {
    /// How the origin reads the request without a disguise, if it has an echo handler.
    pub echo: Option<Reading>,
    /// Each disguise, in the order of [`disguises`], for each path.
    pub tried: Vec<Tried>,
}

impl Report {
    /// The disguises that the origin reads as another request.
    pub fn findings(&self) -> impl Iterator<Item = &Tried> {
        self.tried.iter().filter(|tried| matches!(tried.outcome, Outcome::Changed(_)))
    }

    /// Whether no answer said anything.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.tried.iter().all(|tried| matches!(tried.outcome, Outcome::CannotTell(_)))
    }
}

/// Tries every disguise on an origin by its echo handler; `None` if it has none.
///
/// `mark` is a label that occurs in no other request. `unsafe_methods` allows POST.
///
/// # Errors
/// What `origin` says when a request cannot be sent.
pub fn probe_echo<O: Origin>(origin: &mut O, mark: &str, unsafe_methods: bool) -> Result<Option<Report>, O::Error> {
    let mut plain = Plain::echo(mark);
    let answer = origin.ask(&plain, &plain.get())?;
    let Some(echo) = answer.and_then(|answer| Reading::parse(&answer.body)) else {
        return Ok(None);
    };
    plain.scheme.clone_from(&echo.scheme);
    let tried = disguises().map(|disguise| by_echo(origin, disguise, &plain, &echo, unsafe_methods));
    Ok(Some(Report { tried: tried.collect::<Result<_, _>>()?, echo: Some(echo) }))
}

/// Tries every disguise on an origin without an echo handler, by comparing its answers. `known` are paths that it serves,
/// each with the query that it is asked for with.
///
/// `mark` is a label that occurs in no other request. `unsafe_methods` allows POST.
///
/// # Errors
/// What `origin` says when a request cannot be sent.
pub fn probe_answers<O: Origin>(
    origin: &mut O,
    known: &[(String, Option<String>)],
    mark: &str,
    unsafe_methods: bool,
) -> Result<Report, O::Error> {
    let mut tried = Vec::new();
    for (path, query) in known {
        let plain = Plain::at(path, query.as_deref(), mark);
        let known = Known::of(origin, &plain)?;
        for disguise in disguises() {
            tried.push(known.try_disguise(origin, disguise, &plain, unsafe_methods)?);
        }
    }
    Ok(Report { echo: None, tried })
}

fn by_echo<O: Origin>(
    origin: &mut O,
    disguise: Disguise,
    plain: &Plain,
    echo: &Reading,
    unsafe_methods: bool,
) -> Result<Tried, O::Error> {
    each_attempt(origin, disguise, plain, unsafe_methods, |attempt, answer| {
        let Some(reading) = Reading::parse(&answer.body) else {
            return not_served(answer);
        };
        let expected = echo.clone().of_method(attempt.request.method);
        match attempt.expected {
            // That the handler answers is the finding; its own words may say which path it believes to have been asked for.
            Expected::Elsewhere => Outcome::Changed(Member { aim: Aim::Path, read: plain.path.clone() }),
            Expected::Company(company) if reading.company == company => Outcome::AsSent,
            Expected::Company(_) => Outcome::Changed(Member { aim: Aim::Company, read: reading.company_read() }),
            Expected::AsPlain => {
                reading.changes(&expected).into_iter().next().map_or(Outcome::AsSent, Outcome::Changed)
            }
        }
    })
}

/// Sends a disguise's attempts in order, up to the first finding.
fn each_attempt<O: Origin>(
    origin: &mut O,
    disguise: Disguise,
    plain: &Plain,
    unsafe_methods: bool,
    judge: impl Fn(&Attempt, &Answer) -> Outcome,
) -> Result<Tried, O::Error> {
    let path = plain.path.clone();
    let mut tried = Tried { disguise, path, request: None, outcome: Outcome::CannotTell(Doubt::NoSuchSpelling) };
    for attempt in disguise.attempts(plain, unsafe_methods) {
        let outcome = match origin.ask(plain, &attempt.request)? {
            Some(answer) => judge(&attempt, &answer),
            None => Outcome::Refused(None),
        };
        let found = matches!(outcome, Outcome::Changed(_));
        tried = Tried { request: Some(attempt.request), outcome, ..tried };
        if found {
            break;
        }
    }
    Ok(tried)
}

fn not_served(answer: &Answer) -> Outcome {
    match answer.redirect() {
        Some(status) => Outcome::Redirected(status, answer.field("location").map(str::to_owned)),
        None => Outcome::Refused(Some(answer.status)),
    }
}

/// What is known of an origin's answers before any disguise.
struct Known {
    /// What tells a GET for the known path from one for an unknown path.
    paths: Option<Telling>,
    /// What tells a GET from an OPTIONS for the known path.
    methods: Option<Telling>,
}

impl Known {
    fn of<O: Origin>(origin: &mut O, plain: &Plain) -> Result<Self, O::Error> {
        let unknown = plain.request("GET", &plain.unknown);
        let options = plain.request("OPTIONS", &plain.path);
        let mut round = || -> Result<_, O::Error> {
            let mut ask = |request: &Request| origin.ask(plain, request);
            let answers = [ask(&plain.get())?, ask(&unknown)?, ask(&options)?];
            origin.pause();
            Ok(answers)
        };
        // In turn, so that what changes with time differs between the two rounds.
        let (first, second) = (round()?, round()?);
        let telling = |other: usize| {
            let both = |kind: usize| Some([first[kind].as_ref()?, second[kind].as_ref()?]);
            Telling::between(both(0)?, both(other)?)
        };
        Ok(Self { paths: telling(1), methods: telling(2) })
    }

    fn try_disguise<O: Origin>(
        &self,
        origin: &mut O,
        disguise: Disguise,
        plain: &Plain,
        unsafe_methods: bool,
    ) -> Result<Tried, O::Error> {
        each_attempt(origin, disguise, plain, unsafe_methods, |attempt, answer| {
            match (attempt.expected, disguise.aim) {
                (Expected::Company(_), _) => Outcome::CannotTell(Doubt::NeedsEcho),
                (Expected::Elsewhere, _) => self.elsewhere(plain, answer),
                (Expected::AsPlain, Aim::Method) => self.by_method(attempt, answer),
                (Expected::AsPlain, aim) => shown(aim, disguise, plain, answer),
            }
        })
    }

    fn elsewhere(&self, plain: &Plain, answer: &Answer) -> Outcome {
        let Some(telling) = &self.paths else {
            return Outcome::CannotTell(Doubt::AnswersAlike);
        };
        match telling.kind(answer) {
            Kind::One => Outcome::Changed(Member { aim: Aim::Path, read: plain.path.clone() }),
            Kind::Other => Outcome::AsSent,
            Kind::Neither if answer.redirect().is_some() || [400, 404, 414, 421].contains(&answer.status) => {
                not_served(answer)
            }
            Kind::Neither => Outcome::CannotTell(Doubt::OtherAnswer),
        }
    }

    /// Compares with the answers to the sent and to the claimed method.
    fn by_method(&self, attempt: &Attempt, answer: &Answer) -> Outcome {
        // What a DELETE answers is not known: it may have an effect.
        if attempt.request.method != "GET" {
            return Outcome::CannotTell(Doubt::NeedsEcho);
        }
        let Some(telling) = &self.methods else {
            return Outcome::CannotTell(Doubt::AnswersAlike);
        };
        match telling.kind(answer) {
            Kind::One => Outcome::AsSent,
            Kind::Other => Outcome::Changed(Member { aim: Aim::Method, read: "OPTIONS".to_owned() }),
            Kind::Neither => Outcome::CannotTell(Doubt::OtherAnswer),
        }
    }
}

/// A host, prefix or address that the probe made up, in an answer: the origin took it.
fn shown(aim: Aim, disguise: Disguise, plain: &Plain, answer: &Answer) -> Outcome {
    let Carrier::Field(_) = disguise.carrier else {
        return Outcome::CannotTell(Doubt::NeedsEcho);
    };
    let claimed = match aim {
        Aim::Host => format!("{}.example", plain.mark),
        Aim::Prefix => format!("/{}", plain.mark),
        Aim::Address => ADDRESS.to_owned(),
        _ => return Outcome::CannotTell(Doubt::NeedsEcho),
    };
    if answer.shows(&claimed) {
        Outcome::Changed(Member { aim, read: claimed })
    } else {
        Outcome::CannotTell(Doubt::NeedsEcho)
    }
}

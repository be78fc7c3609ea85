//! A theme under construction: cases in the order in which they are written down.

use crate::{
    case::{Author, Case, Deny, Expect, Facts, Permit, Request, World},
    make::Token,
    model::{self, policy::Policy},
};

/// SHA-256 of no octets, in hex.
pub const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Cases of one kind.
#[derive(Debug)]
pub struct Theme {
    world: &'static str,
    /// So far.
    pub cases: Vec<Case>,
}

/// A case that lacks what must be decided. Dropped without, it is lost; `deny`, `permit`, `preflight` and `modelled` end it.
#[must_use = "a case must say what is expected"]
#[derive(Debug)]
pub struct Draft<'t> {
    theme: &'t mut Theme,
    name: String,
    attack: Option<String>,
    facts: Facts,
    request: Request,
}

/// A caller that is permitted something.
#[derive(Clone, Debug)]
pub struct Who(Permit);

/// The caller `subject` of an issuer section, with these scopes, separated by spaces.
pub fn who(issuer: &str, subject: &str, scopes: &str) -> Who {
    Who(Permit {
        route: String::new(),
        issuer: Some(issuer.to_owned()),
        subject: Some(subject.to_owned()),
        scopes: scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        ..Permit::default()
    })
}

/// The caller of a public route, whoever it is.
pub fn nobody() -> Who {
    Who(Permit::default())
}

impl Who {
    /// For this company, with these roles.
    pub fn at(mut self, company: &str, roles: &[&str]) -> Self {
        self.0.company = Some(company.to_owned());
        self.0.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self
    }

    /// With this field handed on.
    pub fn handing(mut self, field: &str, value: &str) -> Self {
        self.0.handed_on.insert(field.to_owned(), value.to_owned());
        self
    }

    /// With these fields of its own that reach the origin, and no other.
    pub fn reaching(mut self, names: &[&str]) -> Self {
        self.0.reaching = Some(names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// With the digest of no octets, where `condition` says that the route binds bodies.
    pub fn binding_nothing_if(self, condition: bool) -> Self {
        if condition { self.binding(NOTHING) } else { self }
    }

    /// With the body bound that has this SHA-256, in hex.
    pub fn binding(mut self, digest: &str) -> Self {
        self.0.body_sha256 = Some(digest.to_owned());
        self
    }
}

impl Theme {
    /// A theme whose cases are of `world` until another is named.
    pub const fn new(world: &'static str) -> Self {
        Self { world, cases: Vec::new() }
    }

    /// From here on in another world.
    pub const fn enter(&mut self, world: &'static str) {
        self.world = world;
    }

    /// Begins a case; `name` is a sentence, in this theme like no other.
    pub fn case(&mut self, name: impl Into<String>, method: &str, target: impl Into<String>) -> Draft<'_> {
        let request = Request { method: method.to_owned(), target: target.into(), headers: Vec::new(), body: None };
        Draft { theme: self, name: name.into(), attack: None, facts: Facts::default(), request }
    }

    /// Begins a case of a GET.
    pub fn get(&mut self, name: impl Into<String>, target: impl Into<String>) -> Draft<'_> {
        self.case(name, "GET", target)
    }
}

impl Draft<'_> {
    /// The attack that it shows, by the words of README.md.
    pub fn attack(mut self, words: &str) -> Self {
        self.attack = Some(words.to_owned());
        self
    }

    /// With one more field.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.request.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a body.
    pub fn body(mut self, text: &str) -> Self {
        self.request.body = Some(text.to_owned());
        self
    }

    /// With this token as its credential.
    pub fn token(mut self, token: &Token) -> Self {
        self.facts = token.facts();
        self.header("authorization", format!("Bearer {}", token.compact()))
    }

    /// What the model is to be told, where no token says it.
    pub fn facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    fn end(self, by: Author, expect: Expect) {
        let (name, world) = (self.name, self.theme.world.to_owned());
        let (attack, facts, request) = (self.attack, self.facts, self.request);
        self.theme.cases.push(Case { name, world, attack, by, facts, request, expect });
    }

    /// Must be refused, by the route `route` if one is reached.
    pub fn deny(self, reason: &str, status: u16, route: impl Into<Option<&'static str>>) {
        let route = route.into().map(str::to_owned);
        self.end(Author::Hand, Expect::Deny(Deny { reason: reason.to_owned(), status, route }));
    }

    /// Must be forwarded by `route`.
    pub fn permit(self, route: &str, who: Who) {
        self.end(Author::Hand, Expect::Permit(Permit { route: route.to_owned(), ..who.0 }));
    }

    /// Must be forwarded by a public route.
    pub fn permit_anyone(self, route: &str) {
        self.end(Author::Hand, Expect::Permit(Permit { route: route.to_owned(), ..Permit::default() }));
    }

    /// Must be answered as a preflight.
    pub fn preflight(self) {
        self.end(Author::Hand, Expect::Preflight {});
    }

    /// Must be decided as the model does.
    pub fn modelled(self, policy: &Policy, world: &World) {
        let expect = model::decide(policy, world, &self.request, self.facts);
        self.end(Author::Model, expect);
    }
}

//! Random policies and requests from small alphabets, so that rules collide: for properties, not for the corpus.
//!
//! What each caller may do is known here without looking at a token, so that others can judge it too (`tests/cedar.rs`).

use std::collections::{BTreeMap, BTreeSet};

use postern::{Policy, policy::from_toml};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use serde_json::{Value, json};

use crate::{
    case::{Reach, Request, World},
    make::{NOW, Pair, Token},
};

/// Issuer sections: the subject is the company, records, claims.
pub const SECTIONS: [&str; 3] = ["machines", "people", "staff"];
const LITERALS: [&str; 2] = ["a", "b"];
const PARAMETERS: [&str; 3] = ["{company}", "{user}", "{thing}"];
const METHODS: [&str; 2] = ["GET", "POST"];
const NAMES: [&str; 3] = ["1", "2", "3"];
const ROLES: [&str; 2] = ["Manager", "Standard"];
const SCOPES: [&str; 3] = ["read", "write", "list"];

/// A source of choices.
#[derive(Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The same choices for the same seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % end.max(1) as u64).unwrap_or(0)
    }

    /// Whether something happens that does so in `percent` of all cases.
    pub fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Those of these that happen.
    fn some(&mut self, of: &[&'static str], percent: usize) -> Vec<&'static str> {
        of.iter().copied().filter(|_| self.happens(percent)).collect()
    }
}

/// Where a route's company comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It has none.
    Nowhere,
    /// Said outright to be any.
    Any,
    /// `{company}`.
    Path,
    /// The subject.
    Subject,
    /// `x-company`.
    Header,
    /// `company`.
    Query,
}

/// A route in pieces.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "members are those of a policy's route")]
pub struct RandomRoute {
    pub name: String,
    pub methods: Vec<&'static str>,
    pub path: Vec<&'static str>,
    pub issuers: Vec<&'static str>,
    pub subject: bool,
    pub company: Place,
    pub roles: Vec<&'static str>,
    pub all_of: Vec<&'static str>,
    pub any_of: Vec<&'static str>,
    pub tier: bool,
}

/// What the generator may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// All of it.
    Whole,
    /// What stands in the path and in the token alone.
    PathAndToken,
}

/// A policy in pieces; it builds.
#[derive(Clone, Debug)]
pub struct RandomPolicy {
    /// In the order of the file.
    pub routes: Vec<RandomRoute>,
}

/// A caller with a good token, and what is so of it.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "members are named like what they hold")]
pub struct Caller {
    pub section: &'static str,
    pub subject: String,
    pub scopes: Vec<&'static str>,
    pub companies: Vec<(String, Vec<String>)>,
    pub tier: bool,
    pub compact: String,
}

impl RandomRoute {
    fn random(chance: &mut Chance, index: usize, language: Language) -> Self {
        let mut path: Vec<&'static str> = Vec::new();
        for _ in 0..1 + chance.below(3) {
            let piece = if chance.happens(45) { chance.one(&LITERALS) } else { chance.one(&PARAMETERS) };
            path.push(if path.contains(&piece) && piece.starts_with('{') { "a" } else { piece });
        }
        if chance.happens(12) {
            path.push("{*rest}");
        } else if chance.happens(6) {
            path.push("");
        }
        let methods = if chance.happens(20) { METHODS.to_vec() } else { vec![chance.one(&METHODS)] };
        let mut issuers = chance.some(&SECTIONS, 45);
        if issuers.is_empty() && !chance.happens(25) {
            issuers.push(chance.one(&SECTIONS));
        }
        let is_public = issuers.is_empty();
        let company = if path.contains(&"{company}") {
            if is_public || chance.happens(15) { Place::Any } else { Place::Path }
        } else if is_public {
            Place::Nowhere
        } else if issuers == ["machines"] && chance.happens(30) {
            Place::Subject
        } else if language == Language::Whole && chance.happens(50) {
            chance.one(&[Place::Header, Place::Query])
        } else {
            Place::Nowhere
        };
        let binds = !matches!(company, Place::Nowhere | Place::Any);
        let may_have_roles = binds && !issuers.contains(&"machines");
        Self {
            name: format!("route-{index}"),
            methods,
            subject: !is_public && path.contains(&"{user}") && chance.happens(60),
            roles: if may_have_roles { chance.some(&ROLES, 35) } else { Vec::new() },
            all_of: if is_public { Vec::new() } else { chance.some(&SCOPES, 25) },
            any_of: if is_public || chance.happens(70) { Vec::new() } else { vec!["write", "list"] },
            tier: !is_public && chance.happens(15),
            path,
            issuers,
            company,
        }
    }

    /// The template's text.
    #[must_use]
    pub fn template(&self) -> String {
        format!("/{}", self.path.join("/"))
    }

    fn toml(&self) -> String {
        let mut text = format!(
            "[[route]]\nname = {:?}\nmethods = {:?}\npath = {:?}\norigin = \"o\"\n",
            self.name,
            self.methods,
            self.template()
        );
        match self.issuers.is_empty() {
            true => text += "public = true\n",
            false => text += &format!("issuer = {:?}\n", self.issuers),
        }
        if self.subject {
            text += "subject = \"{user}\"\n";
        }
        text += match self.company {
            Place::Nowhere => "",
            Place::Any => "company = \"any\"\n",
            Place::Path => "company = \"{company}\"\n",
            Place::Subject => "company = \"subject\"\n",
            Place::Header => "company = { header = \"x-company\" }\n",
            Place::Query => "company = { query = \"company\" }\n",
        };
        if !self.roles.is_empty() {
            text += &format!("roles = {:?}\n", self.roles);
        }
        if !(self.all_of.is_empty() && self.any_of.is_empty()) {
            text += &format!("scopes = {{ all_of = {:?}, any_of = {:?} }}\n", self.all_of, self.any_of);
        }
        if self.tier {
            text += "require.tier = [\"gold\", \"silver\"]\n";
        }
        text
    }
}

impl RandomPolicy {
    /// A policy of up to `most` routes. What would not build beside the others is left out.
    #[must_use]
    pub fn random(chance: &mut Chance, most: usize, language: Language) -> Self {
        loop {
            let mut policy = Self { routes: Vec::new() };
            for index in 0..1 + chance.below(most) {
                policy.routes.push(RandomRoute::random(chance, index, language));
                if policy.build().is_none() {
                    policy.routes.pop();
                }
            }
            if !policy.routes.is_empty() {
                return policy;
            }
        }
    }

    /// The checked policy, if it builds.
    #[must_use]
    pub fn build(&self) -> Option<Policy> {
        from_toml(&self.toml(), None).ok()
    }

    /// The policy's text. What no route uses is not in it.
    #[must_use]
    pub fn toml(&self) -> String {
        let used: BTreeSet<&str> = self.routes.iter().flat_map(|route| route.issuers.iter().copied()).collect();
        let roles: BTreeSet<&str> = self.routes.iter().flat_map(|route| route.roles.iter().copied()).collect();
        let mut text = format!("roles = {:?}\n", roles.iter().collect::<Vec<_>>());
        if used.contains("people") {
            text += "[permissions]\norigin = \"records\"\n[origin.records]\nurl = \"https://records.example\"\nkey = \"RECORDS\"\n";
        }
        text += "[origin.o]\nurl = \"https://o.example\"\nkey = \"O\"\n";
        // A policy without any issuer does not build, whatever its routes ask.
        let sections = SECTIONS.into_iter().filter(|name| used.contains(name) || (used.is_empty() && *name == "staff"));
        for section in sections {
            let permissions = match section {
                "machines" => "subject",
                "people" => "service",
                _ => "claims",
            };
            text += &format!(
                "[issuer.{section}]\nurl = \"https://{section}.example\"\nalgorithms = [\"EdDSA\"]\naudience = [\"api\"]\n\
                 token_use = \"access\"\npermissions = \"{permissions}\"\n"
            );
        }
        text + &self.routes.iter().map(RandomRoute::toml).collect::<String>()
    }
}

/// Callers of every section: their tokens are really signed.
#[must_use]
pub fn callers(chance: &mut Chance, count: usize, rename: &dyn Fn(&str) -> String) -> Vec<Caller> {
    (0..count).map(|index| Caller::random(chance, SECTIONS[index % SECTIONS.len()], rename)).collect()
}

impl Caller {
    fn random(chance: &mut Chance, section: &'static str, rename: &dyn Fn(&str) -> String) -> Self {
        let subject = rename(chance.one(&NAMES));
        let scopes = chance.some(&SCOPES, 80);
        let tier = chance.happens(85);
        let mut companies = Vec::new();
        match section {
            "machines" => {
                companies.push((subject.clone(), Vec::new()));
            }
            // All of them have one record for each subject.
            "people" => companies = recorded(&subject, rename),
            _ => {
                let roles: Vec<String> = chance.some(&ROLES, 80).into_iter().map(str::to_owned).collect();
                companies.extend(chance.some(&NAMES, 70).into_iter().map(|name| (rename(name), roles.clone())));
            }
        }
        let roles = companies.first().map(|(_, roles)| roles.clone()).unwrap_or_default();
        let mut claims = json!({
            "iss": format!("https://{section}.example"), "aud": "api", "token_use": "access", "sub": subject,
            "scope": scopes.join(" "),
        });
        if tier {
            claims["tier"] = chance.one(&[json!("gold"), json!(["bronze", "silver"])]);
        }
        if section == "staff" {
            claims["companies"] = json!(companies.iter().map(|(name, _)| name).collect::<Vec<_>>());
            claims["role"] = json!(roles);
        }
        let compact = Token::new(Pair("ed"), "k", claims).compact();
        Self { section, subject, scopes, companies, tier, compact }
    }
}

/// The record of a subject, the same in every world: 1 is a manager of 1 and 2, 2 a standard of 2, 3 a member of 3.
fn recorded(subject: &str, rename: &dyn Fn(&str) -> String) -> Vec<(String, Vec<String>)> {
    let of = |company: &str, roles: &[&str]| (rename(company), roles.iter().map(|role| (*role).to_owned()).collect());
    if subject == rename("1") {
        vec![of("1", &["Manager"]), of("2", &["Manager", "Standard"])]
    } else if subject == rename("2") {
        vec![of("2", &["Standard"]), of("1", &["Standard"])]
    } else {
        vec![of("3", &[]), of("1", &["Manager"])]
    }
}

/// A world for these policies: one key, and a record for each subject but one that nobody has.
#[must_use]
pub fn world(rename: &dyn Fn(&str) -> String) -> World {
    let set = json!({"keys": [Pair("ed").public("k")]});
    let record = |name: &&str| {
        let subject = rename(name);
        let record: Value =
            json!({"id": subject, "companies": recorded(&subject, rename).into_iter().collect::<BTreeMap<_, _>>()});
        (subject, record)
    };
    World {
        about: "random".to_owned(),
        policy: String::new(),
        now: NOW,
        keys: SECTIONS.iter().map(|section| ((*section).to_owned(), set.clone())).collect(),
        reach_of_keys: Reach::Answers,
        permissions: NAMES.iter().map(record).collect(),
        reach_of_permissions: Reach::Answers,
    }
}

/// Spells the path as some server might read it all the same.
fn respell(chance: &mut Chance, segments: &mut Vec<String>) {
    if chance.happens(50) {
        let place = chance.below(segments.len());
        // Names of callers are texts of their own, whose case means something.
        if LITERALS.contains(&segments[place].as_str()) {
            segments[place] = segments[place].to_uppercase();
        }
    }
    for end in ["%20", ".x", "%20", "/", "%20", ".x", "/"] {
        if let Some(last) = segments.last_mut().filter(|last| !last.is_empty() && chance.happens(25)) {
            match end {
                "/" if last.ends_with('/') => {}
                "/" => segments.push(String::new()),
                end => last.push_str(end),
            }
        }
    }
}

/// A request that some route of the policy is likely to be about, and its caller.
pub fn request<'c>(
    chance: &mut Chance,
    policy: &RandomPolicy,
    callers: &'c [Caller],
    rename: &dyn Fn(&str) -> String,
) -> (Request, Option<&'c Caller>) {
    let route = chance.one(&policy.routes);
    let fitting: Vec<&Caller> = callers.iter().filter(|caller| route.issuers.contains(&caller.section)).collect();
    let caller = match (chance.below(20), fitting.is_empty()) {
        (0, _) => None,
        (1, _) | (_, true) => Some(&callers[chance.below(callers.len())]),
        (_, false) => Some(fitting[chance.below(fitting.len())]),
    };
    let name = |chance: &mut Chance, likely: Option<String>| match likely {
        Some(likely) if chance.happens(78) => likely,
        _ => rename(chance.one(&NAMES)),
    };
    let likely_company = |chance: &mut Chance| {
        let companies: Vec<String> = caller
            .map(|caller| caller.companies.iter().map(|(company, _)| company.clone()).collect())
            .unwrap_or_default();
        let likely = (!companies.is_empty()).then(|| chance.one(&companies));
        name(chance, likely)
    };
    let mut segments = Vec::new();
    for piece in &route.path {
        segments.push(match *piece {
            "{company}" => likely_company(chance),
            "{user}" => name(chance, caller.map(|caller| caller.subject.clone())),
            "{*rest}" => chance.one(&["a", "a/b", "b/", "a/a/a", ""]).to_owned(),
            parameter if parameter.starts_with('{') => {
                if chance.happens(30) {
                    chance.one(&LITERALS).to_owned()
                } else {
                    rename(chance.one(&NAMES))
                }
            }
            literal => literal.to_owned(),
        });
    }
    let is_closed = segments.last().is_some_and(|last| last.is_empty() || last.ends_with('/'));
    if chance.happens(4) && !is_closed {
        segments.push(chance.one(&["", "a", "b"]).to_owned());
    }
    if chance.happens(6) && segments.last().is_some_and(|last| !last.is_empty()) {
        respell(chance, &mut segments);
    }
    let mut target = format!("/{}", segments.join("/"));
    let mut headers = Vec::new();
    if route.company == Place::Query || chance.happens(3) {
        let company = likely_company(chance);
        let odd = ["&page=2", "&Company=2", "&company=2", "&ids[]=1", "&x=?company=2", "&_method=GET", "%20"];
        target += &format!("?company={company}{}", if chance.happens(12) { chance.one(&odd) } else { "" });
    }
    if route.company == Place::Header || chance.happens(3) {
        headers.push(("x-company".to_owned(), likely_company(chance)));
    }
    if let Some(caller) = caller {
        headers.push(("authorization".to_owned(), format!("Bearer {}", caller.compact)));
    }
    let method = match chance.below(20) {
        0 => "HEAD",
        1 => "DELETE",
        _ => chance.one(&route.methods),
    };
    (Request { method: method.to_owned(), target, headers, body: None }, caller)
}

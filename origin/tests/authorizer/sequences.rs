//! Random sequences of requests and of changes, the same in every run.

use postern::{PermissionsRecord, target::encode_segment};

use crate::{
    gateway::Sent,
    world::{Records, partner, record, user},
};

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn of<T: Clone>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(items.len() as u64)).expect("an index")].clone()
    }
}

/// What happens next.
pub(crate) enum Step {
    /// So many seconds pass.
    Wait(u64),
    /// A record changes, or is gone.
    Change(String, Option<PermissionsRecord>),
    Send(Sent),
}

const SUBJECTS: [&str; 3] = ["auth0|alice", "bob", "carol"];
const COMPANIES: [&str; 4] = ["1111", "2222", "p 3", "orders"];
const IDENTIFIERS: [&str; 7] = ["17", "a%7Cb", "latest", "caf%C3%A9", "x.y", "*", "$1"];
const QUERIES: [&str; 7] = ["x=1", "q=it's", "x=%zz", "company=2222", "a=1;company=2222", "%3Fx=%26", "x"];
const METHODS: [&str; 7] = ["GET", "GET", "GET", "HEAD", "POST", "DELETE", "get"];
/// What a path is spoilt with.
const JUNK: [&str; 25] = [
    "/",
    "//",
    "/x",
    "/..",
    "/.",
    "/%2e%2e",
    "/%2E%2E",
    "%2Fx",
    "%2fx",
    ";x",
    "%00",
    "/x/y",
    "\\x",
    "%3Fx",
    "%41",
    "%252e",
    "/..%c0%af..",
    "/%C1%9C",
    "/%e0%80%af",
    "%E0%80%AF",
    "%f0%80%80%af",
    "%u002f",
    "%U005C",
    "%F0%82%81%9C",
    "%zz",
];

/// A caller: what its tokens say it is, and those tokens, of which some end while the sequence goes on.
pub(crate) struct Persona {
    subject: &'static str,
    /// The companies that it asks for most.
    companies: &'static [&'static str],
    tokens: Vec<String>,
}

/// Everyone there is; the last has tokens that are no good.
pub(crate) fn personas() -> Vec<Persona> {
    let mut personas = Vec::new();
    for (subject, companies) in
        [("auth0|alice", &["1111", "p 3"][..]), ("bob", &["2222", "orders"]), ("carol", &["1111"])]
    {
        let lives = [("audit", 4000), ("", 25), ("audit", 4000), ("", 300)];
        let tokens = lives.iter().map(|(scope, life)| format!("Bearer {}", user(subject, scope, *life))).collect();
        personas.push(Persona { subject, companies, tokens });
    }
    for (company, companies) in [("1111", &["1111"][..]), ("2222", &["2222"]), ("p 3", &["p 3"])] {
        let tokens = [4000, 40].iter().map(|life| format!("bearer {}", partner(company, *life))).collect();
        personas.push(Persona { subject: company, companies, tokens });
    }
    let good = &personas[0].tokens[0];
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    let tokens = vec![forged, "Bearer x".to_owned(), "Basic eDp5".to_owned()];
    personas.push(Persona { subject: "auth0|alice", companies: &["1111"], tokens });
    personas
}

/// The records that a sequence begins with.
pub(crate) fn records() -> Records {
    let all = [
        record("auth0|alice", &[("1111", &["Manager"]), ("p 3", &["Standard"])]),
        record("bob", &[("2222", &["Manager"]), ("orders", &["Manager"])]),
    ];
    all.into_iter().map(|record| (record.id().to_owned(), record)).collect()
}

/// `recent` is what was sent last: clients ask for the same again.
pub(crate) fn step(random: &mut Random, templates: &[String], personas: &[Persona], recent: &[Sent]) -> Step {
    match random.below(20) {
        0..=2 => Step::Wait(1 + random.below(20)),
        3 => {
            let subject = random.of(&SUBJECTS);
            let companies: Vec<(&str, &[&str])> = COMPANIES
                .iter()
                .filter_map(|company| match random.below(4) {
                    0 | 1 => Some((*company, &["Manager"][..])),
                    2 => Some((*company, &["Standard"][..])),
                    _ => None,
                })
                .collect();
            let record = (random.below(6) > 0).then(|| record(subject, &companies));
            Step::Change(subject.to_owned(), record)
        }
        4..=11 if !recent.is_empty() => {
            let again = random.of(recent);
            let query = if random.below(2) == 0 { query(random) } else { again.query };
            Step::Send(Sent { query, ..again })
        }
        _ => {
            let place = usize::try_from(random.below(personas.len() as u64)).expect("a place");
            let persona = &personas[place];
            let token = if random.below(30) == 0 { None } else { Some(random.of(&persona.tokens)) };
            let (method, path) = (random.of(&METHODS).to_owned(), path(random, templates, persona));
            Step::Send(Sent { method, path, query: query(random), token })
        }
    }
}

/// None, or one that is or is not in canonical form.
fn query(random: &mut Random) -> String {
    match random.below(4) {
        0 => random.of(&QUERIES).to_owned(),
        1 if random.below(8) == 0 => format!("x={}", "y".repeat(9000)),
        _ => String::new(),
    }
}

/// A path of some template, filled in with what may or may not be the caller's, and sometimes spoilt.
fn path(random: &mut Random, templates: &[String], persona: &Persona) -> String {
    let mut path = String::new();
    for part in random.of(templates).split('/').skip(1) {
        path.push('/');
        path.push_str(&match part {
            "{company}" if random.below(4) > 0 => encode_segment(random.of(persona.companies)),
            "{company}" => encode_segment(random.of(&COMPANIES)),
            "{user}" if random.below(5) > 0 => encode_segment(persona.subject),
            "{user}" => encode_segment(random.of(&SUBJECTS)),
            "{*path}" => format!("{}/{}", random.of(&IDENTIFIERS), random.of(&IDENTIFIERS)),
            free if free.starts_with('{') => random.of(&IDENTIFIERS).to_owned(),
            literal => literal.to_owned(),
        });
    }
    match random.below(5) {
        0 => path + random.of(&JUNK),
        1 => match random.below(3) {
            0 => path.rsplit_once('/').map(|(before, _)| format!("{before}/")).unwrap_or_default(),
            1 => path.rsplit_once('/').map_or(String::from("/"), |(before, _)| before.to_owned()),
            _ => path.to_ascii_lowercase(),
        },
        _ => path,
    }
}

//! What an authoriser remembers decides nothing: whatever it has seen before, it decides as one that has seen nothing.
//!
//! Random policies, callers and requests, while time goes on and back, keys are rotated, records and policies change,
//! and the cache of verified tokens is filled past its end. Nobody signs here: a token is good when its issuer made it,
//! and those that nobody made end as good ones do.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use postern::{
    Authorizer, JwkSet, Keys, Permissions, PermissionsRecord, Policy, Progress, SignatureCheck, UnixTime,
    authorizer::NeedsSignature,
};
use postern_corpus::{
    Expect,
    case::Request,
    drivers::host::shown,
    make::{NOW, Pair, Token},
    random::{self, Caller, Chance, Language, RandomPolicy, SECTIONS},
};
use serde_json::{Value, json};

const POLICIES: u64 = 60;
const STEPS: usize = 150;
/// Longer than a signature check is remembered.
const MEMORY_SECONDS: u64 = 300;
/// More tokens than are ever remembered.
const FLOOD: usize = 2100;

fn as_they_are(name: &str) -> String {
    name.to_owned()
}

/// Everything outside the authoriser.
struct World {
    now: u64,
    /// The `kid` that tokens are signed under, and all that have been.
    kid: usize,
    records: BTreeMap<String, PermissionsRecord>,
    /// What the issuers made.
    issued: Vec<String>,
    /// When a signature was last found valid for one that remembers.
    verified: HashMap<String, u64>,
    /// The sets that were published, by their first and last `kid`: each read once.
    sets: HashMap<(usize, usize), Rc<JwkSet>>,
}

/// A decision, and whether a signature was asked for.
type Decided = (Expect, bool);

impl World {
    fn new() -> Self {
        let mut world = Self {
            now: NOW,
            kid: 0,
            records: BTreeMap::new(),
            issued: Vec::new(),
            verified: HashMap::new(),
            sets: HashMap::new(),
        };
        world.change_records(&["Manager", "Standard"]);
        world
    }

    fn change_records(&mut self, roles: &[&str]) {
        for (subject, companies) in [("1", json!({"1": roles, "2": ["Standard"]})), ("2", json!({"2": roles}))] {
            let text = json!({"id": subject, "companies": companies}).to_string();
            self.records.insert(subject.to_owned(), PermissionsRecord::parse(text.as_bytes()).expect("a record"));
        }
    }

    fn keys(&mut self, of_old: bool) -> Rc<JwkSet> {
        let (from, to) = (if of_old { 0 } else { self.kid }, self.kid);
        let set = self.sets.entry((from, to)).or_insert_with(|| {
            let keys: Vec<Value> = (from..=to).map(|kid| Pair("ed").public(&format!("k{kid}"))).collect();
            Rc::new(JwkSet::parse(json!({"keys": keys}).to_string().as_bytes()).expect("a set"))
        });
        Rc::clone(set)
    }

    /// A token of the caller's, good for so many seconds from now.
    fn token(&mut self, caller: &Caller, number: usize, seconds: i64) -> String {
        let mut claims = claims(&caller.compact);
        claims["iat"] = json!(NOW - 1000);
        claims["exp"] = json!(self.now.saturating_add_signed(seconds));
        claims["jti"] = json!(number);
        let token = Token::new(Pair("ed"), &format!("k{}", self.kid), claims).with_signature(&signature(number));
        self.issued.push(token.compact());
        token.compact()
    }

    fn decide(&mut self, authorizer: &Authorizer, request: &Request, of_old: bool, remembers: bool) -> Decided {
        let headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let now = UnixTime::from_secs(self.now);
        let keys = self.keys(of_old);
        let request = postern::Request { method: &request.method, target: &request.target, headers: &headers };
        let mut asked = false;
        let mut progress = authorizer.begin(&request, now);
        loop {
            progress = match progress {
                Progress::Decided(decision) => return (shown(&decision), asked),
                Progress::NeedsKeys(need) => need.resume(Keys::Fresh(&keys), now),
                Progress::NeedsSignature(need) => {
                    asked = true;
                    let made = self.made(&need);
                    if let (Some(compact), true) = (&made, remembers) {
                        self.verified.insert(compact.clone(), self.now);
                    }
                    need.resume(if made.is_some() { SignatureCheck::Valid } else { SignatureCheck::Invalid }, now)
                }
                Progress::NeedsPermissions(need) => {
                    let record = self.records.get(need.subject());
                    need.resume(record.map_or(Permissions::Absent, Permissions::Found), now)
                }
                Progress::NeedsBody(_) => unreachable!("no route binds a body"),
            };
        }
    }

    /// The token that is asked about, if some issuer made it.
    fn made(&self, need: &NeedsSignature<'_>) -> Option<String> {
        let message = std::str::from_utf8(need.message()).expect("ASCII");
        let compact = format!("{message}.{}", Base64UrlUnpadded::encode_string(need.signature()));
        self.issued.contains(&compact).then_some(compact)
    }
}

fn claims(compact: &str) -> Value {
    let payload = compact.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).expect("base64url")).expect("claims")
}

/// Octets that an Ed25519 signature could consist of; tokens whose numbers are 16 apart end alike.
fn signature(number: usize) -> Vec<u8> {
    let mut octets = vec![7; 64];
    octets[32] = (number % 251) as u8;
    octets[62] = (number % 16) as u8;
    octets[63] = 0;
    octets
}

/// A token that nobody made, as near to this one as can be.
fn forged(chance: &mut Chance, compact: &str) -> String {
    let parts: Vec<&str> = compact.split('.').collect();
    match chance.below(4) {
        // Another's claims under this signature: it ends as the good one does.
        0 => {
            let mut claims = claims(compact);
            claims["sub"] = json!(chance.one(&["1", "2", "3"]));
            claims["scope"] = json!("read write list");
            claims["companies"] = json!(["1", "2", "3"]);
            claims["role"] = json!(["Manager", "Standard"]);
            format!("{}.{}.{}", parts[0], Base64UrlUnpadded::encode_string(claims.to_string().as_bytes()), parts[2])
        }
        // It lives longer.
        1 => {
            let mut claims = claims(compact);
            claims["exp"] = json!(NOW + 1_000_000);
            format!("{}.{}.{}", parts[0], Base64UrlUnpadded::encode_string(claims.to_string().as_bytes()), parts[2])
        }
        // The good one's beginning, and another's end.
        2 => {
            let other = Base64UrlUnpadded::encode_string(&signature(chance.below(1000)));
            format!("{}.{}.{other}", parts[0], parts[1])
        }
        _ => compact[1..].to_owned(),
    }
}

fn authorizer(policy: &RandomPolicy) -> (Policy, Authorizer) {
    let policy = policy.build().expect("it builds");
    (policy.clone(), Authorizer::new(policy))
}

#[test]
fn an_authoriser_that_remembers_decides_as_one_that_does_not() {
    let mut seen: BTreeMap<&'static str, usize> = BTreeMap::new();
    for index in 0..POLICIES {
        let mut chance = Chance::of(7_000_000 + index);
        let callers = random::callers(&mut chance, 6, &as_they_are);
        let mut written = RandomPolicy::random(&mut chance, 7, Language::Whole);
        let (mut policy, mut warm) = authorizer(&written);
        let mut world = World::new();
        let mut tokens: Vec<(usize, String)> = Vec::new();
        let mut count = |what| *seen.entry(what).or_default() += 1;
        for step in 0..STEPS {
            world.now = world.now.saturating_add_signed(chance.one(&[0, 0, 0, 0, 1, 5, 30, 120, 400, -20, -400]));
            match chance.below(60) {
                0 => world.kid += 1,
                1 => world.change_records(chance.one(&[&["Manager"][..], &["Standard"], &[]])),
                2 => {
                    written = RandomPolicy::random(&mut chance, 7, Language::Whole);
                    (policy, warm) = authorizer(&written);
                    world.verified.clear();
                }
                3 if index % 20 == 0 => {
                    flood(&mut world, &warm, &callers, &written, &mut chance);
                    count("flood");
                }
                _ => {}
            }
            let (mut request, caller) = random::request(&mut chance, &written, &callers, &as_they_are);
            if let Some(caller) = caller {
                let place = callers.iter().position(|other| other.compact == caller.compact).unwrap_or_default();
                let known: Vec<&String> =
                    tokens.iter().filter(|(own, _)| *own == place).map(|(_, token)| token).collect();
                let compact = match known.is_empty() || chance.happens(15) {
                    true => {
                        let seconds = chance.one(&[-5, 3, 60, 250, 1000, 3600, 3600, 3600]);
                        let made = world.token(caller, step, seconds);
                        tokens.push((place, made.clone()));
                        made
                    }
                    false => chance.one(&known).clone(),
                };
                let compact = if chance.happens(20) { forged(&mut chance, &compact) } else { compact };
                request.headers.retain(|(name, _)| name != "authorization");
                request.headers.push(("authorization".to_owned(), format!("Bearer {compact}")));
            }
            // The same request again and again: what was remembered a moment ago is remembered now.
            for _ in 0..2 {
                let (remembering, asked) = world.decide(&warm, &request, false, true);
                let (cold, cold_asked) = world.decide(&Authorizer::new(policy.clone()), &request, false, false);
                if remembering == cold {
                    let permits = matches!(cold, Expect::Permit(_));
                    count(match (permits, cold_asked && !asked) {
                        (true, true) => "permit from memory",
                        (false, true) => "denial from memory",
                        (true, false) => "permit",
                        (false, false) => "denial",
                    });
                    continue;
                }
                // A key that its issuer has withdrawn counts for as long as a check is remembered, and no longer.
                let bearer = request.headers.last().map(|(_, value)| value.trim_start_matches("Bearer "));
                let verified = bearer.and_then(|compact| world.verified.get(compact)).copied();
                let is_withdrawn = matches!(&cold, Expect::Deny(deny) if deny.reason == "key_unknown");
                let is_recent = verified.is_some_and(|at| at <= world.now && world.now - at < MEMORY_SECONDS);
                let (with_old_keys, _) = world.decide(&Authorizer::new(policy.clone()), &request, true, false);
                assert!(
                    is_withdrawn && is_recent && remembering == with_old_keys,
                    "warm: {remembering:?}\ncold: {cold:?}\nat {} {request:?}\n{}",
                    world.now,
                    written.toml()
                );
                count("withdrawn key");
            }
        }
    }
    println!("{seen:?}");
    for (what, least) in [
        ("permit from memory", 800),
        ("denial from memory", 300),
        ("permit", 300),
        ("denial", 1000),
        ("withdrawn key", 20),
        ("flood", 1),
    ] {
        assert!(seen.get(what).is_some_and(|count| *count >= least), "{what}: {seen:?}");
    }
}

/// More good tokens than are remembered, and all of them permitted or denied as ever.
fn flood(world: &mut World, warm: &Authorizer, callers: &[Caller], policy: &RandomPolicy, chance: &mut Chance) {
    let caller = callers.iter().find(|caller| caller.section == SECTIONS[2]).expect("one of each section");
    let (request, _) = random::request(chance, policy, callers, &as_they_are);
    let issued = world.issued.len();
    for number in 0..FLOOD {
        let compact = world.token(caller, 10_000 + number, 3600);
        let headers = vec![("authorization".to_owned(), format!("Bearer {compact}"))];
        world.decide(warm, &Request { headers, ..request.clone() }, false, true);
        // They are never shown again, and looking through them costs time.
        world.issued.truncate(issued);
    }
}

//! Ten thousand random requests, decided by the core and by Cedar.

use cedar_policy::{Authorizer, Decision, Entities};
use postern_corpus::{
    Expect,
    drivers::host::{self, Stage},
    random::{self, Chance, Language, RandomPolicy},
};
use postern_corpus_cedar::{asked, principal, translate};

const POLICIES: u64 = 100;
const REQUESTS: usize = 120;

#[test]
fn cedar_decides_as_the_core_does() {
    let as_they_are = |name: &str| name.to_owned();
    let world = random::world(&as_they_are);
    let cedar = Authorizer::new();
    let (mut all, mut permitted, mut unread) = (0, 0, 0);
    for index in 0..POLICIES {
        let mut chance = Chance::of(11_000_000 + index);
        let callers = random::callers(&mut chance, 6, &as_they_are);
        let policy = RandomPolicy::random(&mut chance, 6, Language::PathAndToken);
        let stage = Stage::with_policy(policy.build().expect("it builds"), &world).expect("the world stands");
        let translated = translate(&policy);
        for _ in 0..REQUESTS {
            let (request, caller) = random::request(&mut chance, &policy, &callers, &as_they_are);
            let decision = stage.decide(&request, host::portable);
            // What servers read in two ways is refused before any rule is looked at.
            if matches!(&decision, Expect::Deny(denial) if denial.status == 400) {
                unread += 1;
                continue;
            }
            let principal = principal(caller);
            let question = asked(&request, &principal);
            let entities = Entities::from_entities([principal], None).expect("one entity");
            let answer = cedar.is_authorized(&question, &translated, &entities);
            let faults: Vec<String> = answer.diagnostics().errors().map(ToString::to_string).collect();
            assert!(faults.is_empty(), "{faults:?}\n{request:?}\n{translated}");
            let is_permitted = matches!(decision, Expect::Permit(_));
            assert_eq!(
                answer.decision() == Decision::Allow,
                is_permitted,
                "{decision:?}\n{request:?}\n{translated}\n{}",
                policy.toml()
            );
            all += 1;
            permitted += usize::from(is_permitted);
        }
    }
    println!("{all} requests, {permitted} permitted by both, no difference; {unread} more are not asked about");
    assert!(all >= 10_000, "{all}");
    assert!(unread * 10 < all, "{unread} of {all} are not asked about");
    assert!((all * 35..=all * 65).contains(&(permitted * 100)), "{permitted} of {all} permitted: the mix says little");
}

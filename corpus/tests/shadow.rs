//! What shadow routes would decide: the core and the naive model are of one opinion on every request of the corpus, and
//! what is enforced hears nothing of it (that is what the corpus's own expectations say).

use postern_corpus::{
    Corpus, Expect,
    case::{Deny, Key, policy_text},
    drivers::host::{self, Stage},
    model::{self, policy::Policy},
};

#[test]
fn shadow_routes_would_decide_as_the_model_says() {
    let corpus = Corpus::read().expect("the corpus");
    let (mut tried, mut otherwise) = (0, 0);
    for (name, world) in &corpus.worlds {
        let model = Policy::parse(&policy_text(&world.policy).expect("a policy")).expect("the model reads it");
        let stage = Stage::of(world).expect("the world stands");
        let of_world = corpus.cases().filter(|(_, case)| case.world == *name);
        for (theme, case) in of_world.filter(|(_, case)| case.facts.key == Key::Known) {
            let expected = model::decide_shadow(&model, world, &case.request, case.facts);
            let mut found = stage.decide_shadow(&case.request, host::portable);
            // Which of the request's fields reach the origin is not part of the decision.
            if let Some(Expect::Permit(permit)) = &mut found {
                permit.reaching = None;
            }
            assert_eq!(found.clone().map(by_issuer), expected.map(by_issuer), "{theme}: {}", case.name);
            tried += usize::from(found.is_some());
            otherwise += usize::from(found.is_some_and(|found| found != case.expect));
        }
    }
    println!("{tried} requests on which a shadow route was tried, {otherwise} decided otherwise");
    assert!(tried > 50 && otherwise > 30, "{tried} {otherwise}");
}

/// A case says of its key that the enforced route's issuer publishes it. Where the shadow route has another issuer, the
/// model learns of that later than the core, which finds no such key.
fn by_issuer(expect: Expect) -> Expect {
    match expect {
        Expect::Deny(deny) if ["key_unknown", "issuer_mismatch"].contains(&deny.reason.as_str()) => {
            Expect::Deny(Deny { reason: "of another issuer".to_owned(), ..deny })
        }
        other => other,
    }
}

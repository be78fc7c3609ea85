//! The naive model is of one opinion with whoever wrote the expectations by hand.

use std::collections::BTreeMap;

use postern_corpus::{
    Corpus,
    case::{Author, Expect, policy_text},
    model::{self, policy::Policy},
};

#[test]
fn the_model_decides_as_people_wrote_it_down() {
    let corpus = Corpus::read().expect("the corpus");
    let mut policies: BTreeMap<&str, Policy> = BTreeMap::new();
    for world in corpus.worlds.values() {
        let text = policy_text(&world.policy).expect("the policy is there");
        policies.entry(&world.policy).or_insert_with(|| Policy::parse(&text).expect("the model reads it"));
    }
    let mut differing = Vec::new();
    for (theme, case) in corpus.cases().filter(|(_, case)| case.by == Author::Hand) {
        let world = corpus.world(case);
        let found = model::decide(&policies[world.policy.as_str()], world, &case.request, case.facts);
        let mut expected = case.expect.clone();
        if let Expect::Permit(permit) = &mut expected {
            // The model decides, and forwards nothing.
            permit.reaching = None;
        }
        if found != expected {
            differing.push(format!("{theme}: {}\n  by hand  {expected:?}\n  by model {found:?}", case.name));
        }
    }
    assert!(differing.is_empty(), "{} differ\n{}", differing.len(), differing.join("\n"));
}

//! Everything against everything: every kind of caller at every kind of path. What is expected comes from the naive
//! model; `tests/model.rs` holds the model to all that is written by hand.

use std::collections::BTreeMap;

use crate::{
    case::{World, repository_file},
    make::{
        Theme, Token,
        callers::{machine, partner, person, pool_partner, pool_user, staff, user},
        worlds::{EXAMPLE, RULES},
    },
    model::policy::Policy,
};

pub(super) fn cases(worlds: &BTreeMap<String, World>) -> Theme {
    let mut theme = Theme::new("example");
    let policy =
        |name| Policy::parse(&repository_file(name).expect("the policy is there")).expect("the model reads it");
    example(&mut theme, &policy(EXAMPLE), &worlds["example"]);
    theme.enter("rules");
    rules(&mut theme, &policy(RULES), &worlds["rules"]);
    theme
}

type Caller = (&'static str, Option<Token>);

fn all(theme: &mut Theme, policy: &Policy, world: &World, callers: &[Caller], requests: &[(&str, &str)]) {
    for (method, target) in requests {
        for (name, token) in callers {
            let draft = theme.case(format!("{name}: {method} {target}"), method, *target);
            match token {
                Some(token) => draft.token(token).modelled(policy, world),
                None => draft.modelled(policy, world),
            }
        }
    }
}

fn example(theme: &mut Theme, policy: &Policy, world: &World) {
    let users = [
        ("nobody", None),
        ("manager", Some(user("manager"))),
        ("standard", Some(user("standard"))),
        ("manager of one, standard of two", Some(user("per-company"))),
        ("manager of both", Some(user("of-both"))),
        ("manager without scopes", Some(user("manager").without("scope"))),
    ];
    let requests = [
        ("GET", "/companies/1111/users/manager/orders"),
        ("GET", "/companies/2222/users/per-company/orders/o"),
        ("POST", "/companies/1111/users/per-company/orders"),
        ("POST", "/companies/2222/users/of-both/orders"),
        ("GET", "/companies/1111/users/standard/vouchers/v"),
        ("GET", "/companies/2222/users/of-both/vouchers/v"),
        ("DELETE", "/companies/1111/users/manager/orders"),
    ];
    all(theme, policy, world, &users, &requests);
    let partners = [
        ("1111", Some(partner("1111"))),
        ("2222", Some(partner("2222"))),
        ("1111 that only lists", Some(partner("1111").claim("scope", "orders/list.orders"))),
        ("1111 that has ended", Some(partner("1111").claim("exp", 1))),
    ];
    let requests = [
        ("GET", "/companies/1111/orders"),
        ("HEAD", "/companies/2222/orders"),
        ("POST", "/companies/1111/orders"),
        ("GET", "/companies/2222/orders/o"),
        ("GET", "/health"),
        ("GET", "/companies"),
    ];
    all(theme, policy, world, &partners, &requests);
}

fn rules(theme: &mut Theme, policy: &Policy, world: &World) {
    let unknown = Token::of_unknown_key;
    let machines = [
        ("nobody", None),
        ("machine 1111", Some(machine("1111"))),
        ("machine 2222, reading only", Some(machine("2222").claim("scope", "things/read"))),
        ("a person", Some(unknown(person("1111")))),
    ];
    let requests = [
        ("GET", "/machines/1111/things"),
        ("POST", "/machines/2222/things"),
        ("PUT", "/machines/1111/things"),
        ("GET", "/machines/2222/self/2222"),
        ("DELETE", "/machines/1111/self/2222"),
        ("GET", "/machines/3333/notes"),
        ("GET", "/scopes/any"),
        ("GET", "/bodies/declared"),
        ("GET", "/shop/special"),
        ("POST", "/shop/special"),
    ];
    all(theme, policy, world, &machines, &requests);
    let people = [
        ("manager", Some(person("manager"))),
        ("editor", Some(person("editor"))),
        ("standard, reading only", Some(person("standard").claim("scope", "papers/read"))),
        ("manager of one, standard of two", Some(person("per-company"))),
        ("unknown", Some(person("unknown"))),
    ];
    let requests = [
        ("GET", "/people/1111/papers"),
        ("GET", "/people/2222/papers/p"),
        ("GET", "/people/1111/papers/p"),
        ("HEAD", "/people/1111/papers/latest"),
        ("PUT", "/people/1111/papers/p"),
        ("DELETE", "/people/2222/papers/latest"),
        ("GET", "/people/1111/users/manager/papers"),
        ("GET", "/people/2222/users/per-company/papers"),
        ("GET", "/either/1111"),
        ("GET", "/by/query?company=2222"),
        ("GET", "/stale/2222/anew"),
        ("GET", "/me/manager"),
    ];
    all(theme, policy, world, &people, &requests);
    let others = [("a pool's user", Some(pool_user("u1"))), ("a pool's partner", Some(pool_partner("1111")))];
    let requests = [
        ("GET", "/pool/1111/users"),
        ("GET", "/pool/2222/partners"),
        ("GET", "/pool/1111/both"),
        ("GET", "/pool/2222/both"),
    ];
    all(theme, policy, world, &others, &requests);
    let staff = [
        ("auditor", Some(staff("u1"))),
        ("auditor of nothing", Some(staff("u1").without("access"))),
        ("auditor without scopes", Some(staff("u2").without("permissions"))),
    ];
    let requests = [
        ("GET", "/staff/1111/reports"),
        ("GET", "/staff/3333/reports"),
        ("GET", "/profiles/users/u1"),
        ("POST", "/staff/1111/reports"),
    ];
    all(theme, policy, world, &staff, &requests);
}

//! Internal orders: a signed-in user, a manager of the company, and the user's own orders.

use postern_e2e::{Call, Session, session};
use serde_json::{Value, json};

const SCOPES: [&str; 3] = ["orders/list.orders", "orders/get.order", "orders/create.order"];

fn orders(company: &str, user: &str) -> String {
    format!("/companies/{company}/users/{user}/orders")
}

/// Every endpoint for one company and user, with the scope it takes and the status of success.
fn endpoints(stack: &Session, company: &str, user: &str) -> [(Call, &'static str, u16); 3] {
    let path = orders(company, user);
    [
        (stack.get(&path), SCOPES[0], 200),
        (stack.get(format!("{path}/sample-1")), SCOPES[1], 200),
        (stack.post(&path), SCOPES[2], 201),
    ]
}

#[track_caller]
fn denied_everywhere(stack: &Session, company: &str, user: &str, token: &str, (status, code): (u16, &str)) {
    for (call, ..) in endpoints(stack, company, user) {
        call.bearer(token).send().denied(status, code);
    }
}

const ACCESS_DENIED: (u16, &str) = (403, "access_denied");

#[track_caller]
fn check_order(order: &Value, company: &str) {
    let members: Vec<&str> = order.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(members, ["companyId", "orderId", "orderStatus"], "{order}");
    assert_eq!((&order["companyId"], &order["orderStatus"]), (&json!(company), &json!("PENDING")), "{order}");
}

#[test]
fn a_manager_lists_reads_and_places_orders() {
    let stack = session();
    let token = stack.user("user-manager");
    let path = orders("1111", "user-manager");
    let listed = stack.get(&path).bearer(&token).send().expect(200).json();
    assert!(listed.as_array().is_some_and(|orders| orders.len() >= 2), "{listed}");
    for order in listed.as_array().into_iter().flatten() {
        check_order(order, "1111");
    }
    check_order(&stack.get(format!("{path}/sample-2")).bearer(&token).send().expect(200).json(), "1111");

    let answer = stack.post(&path).bearer(&token).send().expect(201);
    let placed = answer.json();
    check_order(&placed, "1111");
    let id = placed["orderId"].as_str().unwrap_or_default();
    assert_eq!(id.len(), 36, "{placed}");
    assert_eq!(answer.header("location"), Some(format!("{path}/{id}").as_str()));
    assert_eq!(stack.get(format!("{path}/{id}")).bearer(&token).send().expect(200).json(), placed);
}

#[test]
fn a_user_does_not_reach_another_users_orders_in_the_same_company() {
    let stack = session();
    denied_everywhere(&stack, "1111", "user-standard", &stack.user("user-manager"), ACCESS_DENIED);
    denied_everywhere(&stack, "1111", "user-manager", &stack.user("user-standard"), ACCESS_DENIED);
    denied_everywhere(&stack, "1111", "user-percompany", &stack.user("user-manager"), ACCESS_DENIED);
}

#[test]
fn a_user_is_compared_whole_and_with_case() {
    let stack = session();
    let token = stack.user("user-manager");
    for user in ["User-Manager", "user-manage", "user-manager2", "user-manager%20", "user-manager@x", "me"] {
        denied_everywhere(&stack, "1111", user, &token, ACCESS_DENIED);
    }
}

#[test]
fn a_manager_does_not_reach_a_company_that_is_not_theirs() {
    let stack = session();
    let token = stack.user("user-manager");
    for company in ["2222", "3333", "111", "user-manager"] {
        denied_everywhere(&stack, company, "user-manager", &token, ACCESS_DENIED);
    }
}

#[test]
fn a_user_of_the_company_without_the_role_is_denied() {
    let stack = session();
    denied_everywhere(&stack, "1111", "user-standard", &stack.user("user-standard"), ACCESS_DENIED);
}

#[test]
fn a_user_without_a_permissions_record_may_sign_in_and_do_nothing() {
    let stack = session();
    denied_everywhere(&stack, "1111", "user-unseeded", &stack.user("user-unseeded"), ACCESS_DENIED);
}

#[test]
fn why_a_caller_may_not_is_not_told_apart() {
    let stack = session();
    let manager = stack.user("user-manager");
    let answers = [
        stack.get(orders("1111", "user-standard")).bearer(&manager).send(),
        stack.get(orders("2222", "user-manager")).bearer(&manager).send(),
        stack.get(orders("1111", "user-standard")).bearer(&stack.user("user-standard")).send(),
        stack.get(orders("1111", "user-unseeded")).bearer(&stack.user("user-unseeded")).send(),
    ];
    let bodies: Vec<Value> = answers.into_iter().map(|answer| answer.denied(403, "access_denied").json()).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
}

#[test]
fn a_role_is_held_in_one_company_and_not_in_another() {
    let stack = session();
    let token = stack.user("user-percompany");
    for (call, _, status) in endpoints(&stack, "1111", "user-percompany") {
        call.bearer(&token).send().expect(status);
    }
    denied_everywhere(&stack, "2222", "user-percompany", &token, ACCESS_DENIED);
}

#[test]
fn each_endpoint_takes_its_own_scope() {
    let stack = session();
    for held in SCOPES {
        let token = stack.control().user_token("user-manager", Some(held));
        for (call, needed, status) in endpoints(&stack, "1111", "user-manager") {
            let answer = call.bearer(&token).send();
            if needed == held {
                answer.expect(status);
            } else {
                let answer = answer.denied(403, "insufficient_scope");
                let challenge = answer.header("www-authenticate").unwrap_or_default();
                assert!(challenge.contains(&format!("scope=\"{needed}\"")), "{answer:?}");
            }
        }
    }
}

#[test]
fn without_a_token_every_endpoint_answers_401() {
    let stack = session();
    for (call, ..) in endpoints(&stack, "1111", "user-manager") {
        call.send().denied(401, "missing_token");
    }
}

#[test]
fn a_partners_token_opens_no_users_endpoint_even_if_the_names_agree() {
    let stack = session();
    denied_everywhere(&stack, "1111", "1111", &stack.partner("1111"), (401, "invalid_token"));
    // A record under the partner's name, in the users' section, must not help either.
    stack.control().put_permissions("1111", &json!({"companies": ["1111"], "role": "Manager"}));
    denied_everywhere(&stack, "1111", "1111", &stack.partner("1111"), (401, "invalid_token"));
}

#[test]
fn the_username_of_a_token_is_not_its_subject() {
    let stack = session();
    let token = stack.control().mint("users", json!({"claims": {"sub": "user-standard", "username": "user-manager"}}));
    denied_everywhere(&stack, "1111", "user-manager", &token, ACCESS_DENIED);
}

#[test]
fn permissions_in_a_token_are_not_believed_where_the_service_is_asked() {
    let stack = session();
    let claims =
        json!({"sub": "user-standard", "companies": ["1111", "2222"], "role": "Manager", "roles": ["Manager"]});
    let token = stack.control().mint("users", json!({"claims": claims}));
    denied_everywhere(&stack, "1111", "user-standard", &token, ACCESS_DENIED);
    denied_everywhere(&stack, "2222", "user-standard", &token, ACCESS_DENIED);
}

#[test]
fn a_role_is_compared_whole_and_with_case() {
    let stack = session();
    for (number, role) in ["manager", "MANAGER", "Manager ", "Managers", "Manager,Standard"].into_iter().enumerate() {
        let user = format!("user-role-{number}");
        stack.control().put_permissions(&user, &json!({"companies": ["1111"], "role": role}));
        denied_everywhere(&stack, "1111", &user, &stack.user(&user), ACCESS_DENIED);
    }
}

#[test]
fn head_follows_get() {
    let stack = session();
    let token = stack.user("user-manager");
    let answer = stack.call("HEAD", orders("1111", "user-manager")).bearer(&token).send().expect(200);
    assert!(answer.body().is_empty());
    let answer = stack.call("HEAD", orders("1111", "user-standard")).bearer(&token).send().expect(403);
    assert!(answer.body().is_empty());
}

#[test]
fn other_methods_are_405_and_other_paths_404() {
    let stack = session();
    let path = orders("1111", "user-manager");
    for method in ["PUT", "PATCH", "DELETE"] {
        let answer = stack.call(method, &path).send().denied(405, "method_not_allowed");
        assert_eq!(answer.list("allow"), ["get", "head", "post"]);
        let answer = stack.call(method, format!("{path}/sample-1")).send().denied(405, "method_not_allowed");
        assert_eq!(answer.list("allow"), ["get", "head"]);
    }
    for target in ["/companies/1111/users", "/companies/1111/users/user-manager", "/companies/1111/users/user-manager/"]
    {
        stack.get(target).bearer(&stack.user("user-manager")).send().denied(404, "not_found");
    }
}

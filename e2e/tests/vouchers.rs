//! Vouchers: decided wholly at the edge; the service behind it looks at nobody.

use postern_e2e::session;
use serde_json::json;

fn voucher(company: &str, user: &str) -> String {
    format!("/companies/{company}/users/{user}/vouchers/voucher-7")
}

#[test]
fn a_manager_validates_a_voucher() {
    let stack = session();
    let answer = stack.get(voucher("1111", "user-manager")).bearer(&stack.user("user-manager")).send().expect(200);
    assert_eq!(answer.json(), json!("validated"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn a_voucher_takes_no_scope() {
    let stack = session();
    let token = stack.control().mint("users", json!({"remove": ["scope"]}));
    stack.get(voucher("1111", "user-manager")).bearer(&token).send().expect(200);
}

#[test]
fn nobody_validates_a_voucher_for_another_user() {
    let stack = session();
    let token = stack.user("user-manager");
    for user in ["user-standard", "user-percompany", "User-Manager", "nobody"] {
        stack.get(voucher("1111", user)).bearer(&token).send().denied(403, "access_denied");
    }
}

#[test]
fn nobody_validates_a_voucher_of_another_company() {
    let stack = session();
    let token = stack.user("user-manager");
    for company in ["2222", "3333", "user-manager"] {
        stack.get(voucher(company, "user-manager")).bearer(&token).send().denied(403, "access_denied");
    }
}

#[test]
fn nobody_validates_a_voucher_without_the_role_in_that_company() {
    let stack = session();
    for (company, user) in [("1111", "user-standard"), ("2222", "user-percompany"), ("1111", "user-unseeded")] {
        stack.get(voucher(company, user)).bearer(&stack.user(user)).send().denied(403, "access_denied");
    }
    stack.get(voucher("1111", "user-percompany")).bearer(&stack.user("user-percompany")).send().expect(200);
}

#[test]
fn nobody_validates_a_voucher_without_a_users_token() {
    let stack = session();
    let target = voucher("1111", "user-manager");
    stack.get(&target).send().denied(401, "missing_token");
    stack.get(&target).bearer(&stack.partner("1111")).send().denied(401, "invalid_token");
    stack.get(voucher("1111", "1111")).bearer(&stack.partner("1111")).send().denied(401, "invalid_token");
}

#[test]
fn a_voucher_can_only_be_got() {
    let stack = session();
    let token = stack.user("user-manager");
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let call = stack.call(method, voucher("1111", "user-manager")).bearer(&token);
        assert_eq!(call.send().denied(405, "method_not_allowed").list("allow"), ["get", "head"]);
    }
    let head = stack.call("HEAD", voucher("1111", "user-manager")).bearer(&token).send().expect(200);
    assert!(head.body().is_empty());
}

#[test]
fn other_voucher_paths_are_not_found() {
    let stack = session();
    let token = stack.user("user-manager");
    for target in [
        "/companies/1111/users/user-manager/vouchers",
        "/companies/1111/users/user-manager/vouchers/",
        "/companies/1111/vouchers/voucher-7",
    ] {
        stack.get(target).bearer(&token).send().denied(404, "not_found");
    }
}

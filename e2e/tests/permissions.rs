//! The permissions service: not for callers, and for services only as far as their credential goes.

use postern::assertion::{Assertion, Capability};
use postern_e2e::{
    Call, Session,
    assertions::{ADMIN, EDGE, for_permissions, keys},
    session,
};
use serde_json::{Value, json};

const MANAGER: &str = "/users/user-manager";

fn ask(stack: &Session, method: &str, target: &str) -> Call {
    stack.direct("permissions", method, target).header("content-type", "application/json")
}

fn with(call: Call, stack: &Session, key: &str, assertion: &Assertion) -> Call {
    call.header("postern-assertion", &assertion.sign(&keys(stack, key)))
}

/// A request with the edge's own credential.
fn as_edge(stack: &Session, capability: Capability, method: &str, target: &str) -> Call {
    let assertion = for_permissions(EDGE, capability, method, target);
    with(ask(stack, method, target), stack, "permissions", &assertion)
}

/// A request with the administrator's.
fn as_admin(stack: &Session, capability: Capability, method: &str, target: &str) -> Call {
    stack.control().permissions_change();
    let assertion = for_permissions(ADMIN.0, capability, method, target);
    with(ask(stack, method, target), stack, ADMIN.1, &assertion)
}

fn read(stack: &Session, target: &str) -> Call {
    as_edge(stack, Capability::Read, "GET", target)
}

fn write(stack: &Session, target: &str, record: &Value) -> Call {
    as_admin(stack, Capability::Write, "PUT", target).body(record.to_string())
}

#[test]
fn it_cannot_be_reached_through_the_edge() {
    let stack = session();
    for token in [stack.user("user-manager"), stack.partner("1111")] {
        for target in [MANAGER, "/users/user-standard", "/permissions/users/user-manager", "/users"] {
            stack.get(target).bearer(&token).send().denied(404, "not_found");
            stack.call("PUT", target).bearer(&token).body("{}").send().denied(404, "not_found");
        }
    }
}

#[test]
fn it_cannot_be_reached_through_the_edge_with_a_credential_of_a_services() {
    let stack = session();
    let assertion = for_permissions(ADMIN.0, Capability::Write, "GET", MANAGER).sign(&keys(&stack, ADMIN.1));
    stack.get(MANAGER).header("postern-assertion", &assertion).send().denied(404, "not_found");
}

#[test]
fn it_refuses_whoever_comes_without_an_assertion() {
    let stack = session();
    for token in [stack.user("user-manager"), stack.partner("1111")] {
        ask(&stack, "GET", MANAGER).bearer(&token).send().refused_by("permissions");
    }
    for target in [MANAGER, "/users/nobody", "/", "/users"] {
        ask(&stack, "GET", target).send().refused_by("permissions");
        ask(&stack, "PUT", target).body("{}").send().refused_by("permissions");
    }
}

#[test]
fn the_edges_key_reads() {
    let stack = session();
    let answer = read(&stack, MANAGER).send().expect(200);
    assert_eq!(answer.json(), json!({"id": "user-manager", "companies": ["1111"], "role": "Manager"}));
    assert!(answer.header("etag").is_some_and(|tag| tag.starts_with('"')), "{answer:?}");
    assert_eq!(read(&stack, "/users/nobody").send().expect(404).code().as_deref(), Some("not_found"));
}

#[test]
fn the_edges_key_cannot_write_whatever_it_claims() {
    let stack = session();
    let record = json!({"id": "user-standard", "companies": ["1111"], "role": "Manager"}).to_string();
    for capability in [Capability::Write, Capability::Read] {
        let call = as_edge(&stack, capability, "PUT", "/users/user-standard").header("if-match", "*");
        let answer = call.body(record.clone()).send().expect(403);
        assert_eq!(answer.code().as_deref(), Some("access_denied"));
    }
    assert_eq!(stack.control().permissions("user-standard")["role"], "Standard");
}

#[test]
fn an_edge_that_calls_itself_the_administrator_is_refused() {
    let stack = session();
    let assertion = for_permissions(ADMIN.0, Capability::Write, "PUT", MANAGER);
    let call = with(ask(&stack, "PUT", MANAGER), &stack, "permissions", &assertion).header("if-match", "*");
    call.body("{}").send().refused_by("permissions");
}

#[test]
fn a_credential_without_a_capability_does_nothing() {
    let stack = session();
    let mut assertion = for_permissions(EDGE, Capability::Read, "GET", MANAGER);
    assertion.capability = None;
    with(ask(&stack, "GET", MANAGER), &stack, "permissions", &assertion).send().expect(403);
}

#[test]
fn a_credential_to_write_does_not_read_nor_the_other_way_round() {
    let stack = session();
    as_admin(&stack, Capability::Write, "GET", MANAGER).send().expect(403);
    let call = as_admin(&stack, Capability::Read, "PUT", MANAGER).header("if-match", "*");
    call.body(json!({"id": "user-manager", "companies": []}).to_string()).send().expect(403);
    as_admin(&stack, Capability::Read, "GET", MANAGER).send().expect(200);
}

#[test]
fn the_administrator_writes_a_new_record_and_then_the_next_version_of_it() {
    let stack = session();
    let target = "/users/user-written";
    let first = json!({"id": "user-written", "companies": {"1111": ["Standard"]}});
    let created = write(&stack, target, &first).header("if-none-match", "*").send().expect(201);
    assert_eq!(created.json()["version"], 1);
    let tag = created.header("etag").expect("a tag").to_owned();
    write(&stack, target, &first).header("if-none-match", "*").send().expect(412);

    let second = json!({"id": "user-written", "companies": {"1111": ["Manager"], "2222": ["Standard"]}});
    let changed = write(&stack, target, &second).header("if-match", &tag).send().expect(200);
    assert_eq!(changed.json()["version"], 2);
    assert_eq!(changed.json()["companies"], second["companies"]);
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
    write(&stack, target, &first).header("if-match", &tag).send().expect(412);
    assert_eq!(read(&stack, target).send().expect(200).json(), changed.json());
}

#[test]
fn a_write_must_say_what_it_replaces() {
    let stack = session();
    let record = json!({"id": "user-manager", "companies": ["1111"], "role": "Standard"});
    let answer = write(&stack, MANAGER, &record).send().expect(428);
    assert_eq!(answer.code().as_deref(), Some("precondition_required"));
    assert_eq!(stack.control().permissions("user-manager")["role"], "Manager");
}

#[test]
fn of_two_writers_of_one_state_one_is_told() {
    let stack = session();
    let tag = read(&stack, MANAGER).send().expect(200).header("etag").expect("a tag").to_owned();
    let record = |role: &str| json!({"id": "user-manager", "companies": ["1111"], "role": role});
    let writers: Vec<_> = ["Standard", "Manager", "Standard", "Manager"]
        .into_iter()
        .map(|role| {
            let call = write(&stack, MANAGER, &record(role)).header("if-match", &tag);
            std::thread::spawn(move || call.send().status())
        })
        .collect();
    let mut statuses: Vec<u16> = writers.into_iter().map(|writer| writer.join().expect("a writer")).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412]);
}

#[test]
fn a_change_made_by_another_tool_changes_the_tag() {
    let stack = session();
    let tag = read(&stack, MANAGER).send().expect(200).header("etag").expect("a tag").to_owned();
    let known = read(&stack, MANAGER).header("if-none-match", &tag).send().expect(304);
    assert!(known.body().is_empty() && known.header("etag") == Some(tag.as_str()), "{known:?}");
    stack.control().put_permissions("user-manager", &json!({"companies": ["1111"], "role": "Standard"}));
    let answer = read(&stack, MANAGER).header("if-none-match", &tag).send().expect(200);
    assert_eq!(answer.json()["role"], "Standard");
    let record = json!({"id": "user-manager", "companies": ["1111"], "role": "Manager"});
    write(&stack, MANAGER, &record).header("if-match", &tag).send().expect(412);
}

#[test]
fn both_shapes_are_read_and_written_as_they_are() {
    let stack = session();
    let shown = read(&stack, "/users/user-percompany").send().expect(200).json();
    let expected = json!({"1111": ["Manager"], "2222": ["Standard"]});
    assert_eq!((&shown["companies"], &shown["version"]), (&expected, &json!(1)));
    for (user, companies, role) in [
        ("user-listed", json!(["1111", "2222"]), json!("Manager")),
        ("user-mapped", json!({"1111": ["Manager", "Standard"]}), Value::Null),
    ] {
        let mut record = json!({"id": user, "companies": companies});
        if !role.is_null() {
            record["role"] = role;
        }
        let target = format!("/users/{user}");
        let written = write(&stack, &target, &record).header("if-none-match", "*").send().expect(201).json();
        assert_eq!((&written["companies"], &written["role"]), (&record["companies"], &record["role"]));
        let stored = stack.control().permissions(user);
        assert_eq!((&stored["companies"], &stored["role"]), (&record["companies"], &record["role"]));
    }
}

#[test]
fn a_record_that_no_authoriser_could_use_is_not_taken() {
    let stack = session();
    for record in [
        json!({"id": "user-bad", "companies": "1111"}),
        json!({"id": "user-bad", "companies": ["1111"], "role": ["Manager"]}),
        json!({"id": "user-bad", "companies": {"1111": "Manager"}}),
        json!({"id": "user-bad", "companies": {"1111": ["Manager"]}, "role": "Manager"}),
        json!({"id": "user-other", "companies": ["1111"]}),
        json!({"companies": ["1111"]}),
        json!(["1111"]),
        json!({"id": "user-bad", "companies": ["1111"], "admin": true}),
    ] {
        write(&stack, "/users/user-bad", &record).header("if-none-match", "*").send().expect(400);
    }
    assert!(stack.control().permissions("user-bad").is_null());
}

#[test]
fn a_subject_with_a_bar_in_it_is_escaped_in_the_path() {
    let stack = session();
    let answer = read(&stack, "/users/auth0%7Cpipe").send().expect(200);
    assert_eq!(answer.json()["id"], "auth0|pipe");
}

#[test]
fn the_same_subject_of_another_issuer_has_a_record_of_its_own() {
    let stack = session();
    stack.control().put_permissions("partners%23user-manager", &json!({"companies": ["2222"], "role": "Standard"}));
    let mut assertion = for_permissions(EDGE, Capability::Read, "GET", MANAGER);
    assertion.subject_issuer = Some("partners".to_owned());
    let answer = with(ask(&stack, "GET", MANAGER), &stack, "permissions", &assertion).send().expect(200);
    assert_eq!((&answer.json()["id"], &answer.json()["companies"]), (&json!("user-manager"), &json!(["2222"])));
    assert_eq!(read(&stack, MANAGER).send().expect(200).json()["companies"], json!(["1111"]));
    read(&stack, "/users/partners%23user-manager").send().refused_by("permissions");
    stack.control().delete_permissions("partners%23user-manager");
}

#[test]
fn what_the_administrator_writes_the_edge_decides_by() {
    let stack = session();
    let token = stack.user("user-manager");
    let orders = stack.post("/companies/1111/users/user-manager/orders").bearer(&token);
    orders.send().expect(201);
    let record = json!({"id": "user-manager", "companies": {"1111": ["Standard"]}});
    write(&stack, MANAGER, &record).header("if-match", "*").send().expect(200);
    orders.send().denied(403, "access_denied");
    let record = json!({"id": "user-manager", "companies": {"1111": ["Manager"]}});
    write(&stack, MANAGER, &record).header("if-match", "*").send().expect(200);
    orders.send().expect(201);
}

#[test]
fn it_has_no_other_resources_and_methods() {
    let stack = session();
    for target in ["/", "/users/", "/users/a/b"] {
        read(&stack, target).send().expect(404);
    }
    for method in ["POST", "PATCH"] {
        let answer = as_edge(&stack, Capability::Read, method, MANAGER).send().expect(405);
        assert_eq!(answer.list("allow"), ["delete", "get", "head", "put"]);
    }
    // What is there for administrators is not there for the edge.
    read(&stack, "/users").send().expect(403);
    read(&stack, &format!("{MANAGER}/history")).send().expect(403);
    as_edge(&stack, Capability::Read, "DELETE", MANAGER).header("if-match", "*").send().expect(403);
}

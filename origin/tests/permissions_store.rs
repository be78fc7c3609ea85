//! The permissions service on a real DynamoDB interface: both shapes, versions, races.
//!
//! The endpoint of a local DynamoDB comes from `POSTERN_DYNAMODB`; each test makes a table of its own there.

mod support;

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, PutRequest, ScalarAttributeType,
        WriteRequest,
    },
};
use lambda_http::Body;
use postern::{
    assertion::{Capability, HEADER},
    permissions::PermissionsRecord,
};
use postern_origin::{
    config::Environment,
    http::{Answer, Router},
    services::permissions::{Store, router},
};
use serde_json::json as value;
use support::{credential, header, json, request, send};

const ENDPOINT: &str = "POSTERN_DYNAMODB";
const LEGACY: &str = r#"{"id":"alice","companies":["1111"],"role":"Manager"}"#;
const ROLES: &str = r#"{"id":"alice","companies":{"1111":["Manager"],"2222":["Standard"]}}"#;

/// The service on a table of its own, and a client that goes round it.
struct Table {
    name: String,
    client: Client,
    service: Router<Store>,
}

impl Table {
    async fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let endpoint = std::env::var(ENDPOINT).expect("POSTERN_DYNAMODB must name the endpoint of a local DynamoDB");
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let name = format!("permissions-{nanos}-{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("local"))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .endpoint_url(&endpoint)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        let client = Client::from_conf(config);
        let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
        client
            .create_table()
            .table_name(&name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(id.build().unwrap())
            .key_schema(key.build().unwrap())
            .send()
            .await
            .expect("a table");
        let table = name.clone();
        let environment = Environment::from_fn(move |variable| match variable {
            "POSTERN_PERMISSIONS_ISSUER" => Some("users".to_owned()),
            "POSTERN_PERMISSIONS_TABLE" => Some(table.clone()),
            "AWS_ENDPOINT_URL_DYNAMODB" => Some(endpoint.clone()),
            "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("local".to_owned()),
            _ => None,
        });
        let service = router(Store::from_environment(&environment).expect("store"));
        let table = Self { name, client, service };
        table.wait_until_it_is_there().await;
        table
    }

    async fn wait_until_it_is_there(&self) {
        for _ in 0..100 {
            let described = self.client.describe_table().table_name(&self.name).send().await.expect("description");
            if described.table.and_then(|table| table.table_status).is_some_and(|status| status.as_str() == "ACTIVE") {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the table did not become active");
    }

    async fn read(&self, user: &str) -> Answer {
        self.read_with(user, "users", &[]).await
    }

    async fn read_with(&self, user: &str, section: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("edge", section, Capability::Read, "GET", user, headers, "").await
    }

    async fn get(&self, issuer: &str, section: &str, capability: Capability, target: &str) -> Answer {
        let request = request("GET", target).header(HEADER, credential(issuer, section, capability, "GET", target));
        send(self.service.clone(), request.body(Body::Empty).unwrap()).await
    }

    async fn history(&self, user: &str) -> Answer {
        self.get("admin", "users", Capability::Write, &format!("/users/{user}/history")).await
    }

    async fn write(&self, user: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send("admin", "users", Capability::Write, "PUT", user, headers, body).await
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one request")]
    async fn send(
        &self,
        issuer: &str,
        section: &str,
        capability: Capability,
        method: &str,
        user: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let target = format!("/users/{}", postern::target::encode_segment(user));
        let mut request =
            request(method, &target).header(HEADER, credential(issuer, section, capability, method, &target));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(self.service.clone(), request.body(Body::from(body)).unwrap()).await
    }

    /// Writes an item as a tool does that knows neither versions nor this service.
    async fn put(&self, id: &str, role: &str) {
        let item = HashMap::from([
            ("id".to_owned(), AttributeValue::S(id.to_owned())),
            ("companies".to_owned(), AttributeValue::L(vec![AttributeValue::S("1111".to_owned())])),
            ("role".to_owned(), AttributeValue::S(role.to_owned())),
        ]);
        self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await.expect("put");
    }

    async fn set(&self, id: &str, attribute: &str, value: AttributeValue) {
        let update = self.client.update_item().table_name(&self.name).key("id", AttributeValue::S(id.to_owned()));
        update
            .update_expression("SET #attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .expect("update");
    }
}

fn tag(answer: &Answer) -> String {
    header(answer, "etag").expect("an entity tag").to_owned()
}

macro_rules! store_tests {
    ($($(#[$doc:meta])* async fn $name:ident($table:ident) $body:block)*) => {$(
        $(#[$doc])*
        #[tokio::test]
        #[ignore = "needs POSTERN_DYNAMODB, the endpoint of a local DynamoDB: `cargo xtask test` brings one"]
        async fn $name() {
            let $table = Table::new().await;
            $body
        }
    )*};
}

store_tests! {
    async fn an_absent_record_is_404(table) {
        let answer = table.read("alice").await;
        assert_eq!((answer.status().as_u16(), json(&answer)["code"].as_str()), (404, Some("not_found")));
    }

    async fn a_record_from_before_is_answered_in_its_own_shape(table) {
        table.put("auth0|pipe", "Manager").await;
        let answer = table.read("auth0|pipe").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "cache-control"), Some("private, no-store"));
        assert_eq!(answer.body()[..], br#"{"id":"auth0|pipe","companies":["1111"],"role":"Manager"}"#[..]);
        let record = PermissionsRecord::parse(answer.body()).unwrap();
        assert_eq!((record.id(), record.version()), ("auth0|pipe", None));
        assert!(tag(&answer).starts_with("\"0-"));
    }

    async fn a_new_record_is_201_with_version_1_and_reads_back_the_same(table) {
        let written = table.write("alice", &[("if-none-match", "*")], ROLES).await;
        assert_eq!(written.status(), 201);
        assert_eq!(json(&written), value!({"id": "alice", "companies": {"1111": ["Manager"], "2222": ["Standard"]}, "version": 1}));
        let read = table.read("alice").await;
        assert_eq!((json(&read), tag(&read)), (json(&written), tag(&written)));
        assert!(tag(&read).starts_with("\"1-"));
    }

    async fn both_shapes_are_written_as_they_are_sent_and_replace_each_other(table) {
        let first = table.write("alice", &[("if-none-match", "*")], LEGACY).await;
        assert_eq!(json(&first), value!({"id": "alice", "companies": ["1111"], "role": "Manager", "version": 1}));
        let second = table.write("alice", &[("if-match", &tag(&first))], ROLES).await;
        assert_eq!(second.status(), 200);
        assert_eq!(json(&second), value!({"id": "alice", "companies": {"1111": ["Manager"], "2222": ["Standard"]}, "version": 2}));
        let third = table.write("alice", &[("if-match", &tag(&second))], LEGACY).await;
        assert_eq!(json(&third)["version"], 3);
        assert_eq!(json(&table.read("alice").await), json(&third));
    }

    async fn a_new_record_does_not_overwrite_one_that_is_there(table) {
        table.put("alice", "Standard").await;
        assert_eq!(table.write("alice", &[("if-none-match", "*")], LEGACY).await.status(), 412);
        assert_eq!(json(&table.read("alice").await)["role"], "Standard");
    }

    async fn a_write_of_a_state_that_is_gone_is_412(table) {
        let first = table.write("alice", &[("if-none-match", "*")], LEGACY).await;
        assert_eq!(table.write("alice", &[("if-match", &tag(&first))], ROLES).await.status(), 200);
        let late = table.write("alice", &[("if-match", &tag(&first))], LEGACY).await;
        assert_eq!((late.status().as_u16(), json(&late)["code"].as_str()), (412, Some("precondition_failed")));
        assert_eq!(json(&table.read("alice").await)["version"], 2);
    }

    async fn a_write_of_a_state_that_never_was_is_412(table) {
        for value in ["\"1-0000000000000000\"", "*"] {
            assert_eq!(table.write("alice", &[("if-match", value)], LEGACY).await.status(), 412, "{value}");
        }
        assert_eq!(table.read("alice").await.status(), 404);
    }

    async fn any_state_may_be_replaced_by_who_says_so(table) {
        table.put("alice", "Standard").await;
        let written = table.write("alice", &[("if-match", "*")], LEGACY).await;
        assert_eq!((written.status().as_u16(), &json(&written)["version"]), (200, &value!(1)));
    }

    async fn a_record_without_a_version_gets_one_with_its_first_write(table) {
        table.put("alice", "Manager").await;
        let read = table.read("alice").await;
        let written = table.write("alice", &[("if-match", &tag(&read))], r#"{"id":"alice","companies":["1111"],"role":"Standard"}"#).await;
        assert_eq!(json(&written), value!({"id": "alice", "companies": ["1111"], "role": "Standard", "version": 1}));
    }

    async fn a_known_state_is_304_until_it_changes(table) {
        let written = table.write("alice", &[("if-none-match", "*")], LEGACY).await;
        let known = tag(&written);
        let again = table.read_with("alice", "users", &[("if-none-match", &known)]).await;
        assert_eq!((again.status().as_u16(), again.body().len(), tag(&again)), (304, 0, known.clone()));
        table.write("alice", &[("if-match", &known)], ROLES).await;
        assert_eq!(table.read_with("alice", "users", &[("if-none-match", &known)]).await.status(), 200);
    }

    /// A downgrade in the console leaves the version as it is; nobody may take the old state for current.
    async fn a_change_by_a_tool_without_versions_is_no_known_state_and_is_not_overwritten(table) {
        let known = tag(&table.write("alice", &[("if-none-match", "*")], LEGACY).await);
        table.set("alice", "role", AttributeValue::S("Standard".to_owned())).await;
        let read = table.read_with("alice", "users", &[("if-none-match", &known)]).await;
        assert_eq!((read.status().as_u16(), &json(&read)["role"]), (200, &value!("Standard")));
        assert_eq!(table.write("alice", &[("if-match", &known)], ROLES).await.status(), 412);
    }

    async fn of_racing_writers_of_one_state_one_wins_and_nothing_is_lost(table) {
        let mut known = tag(&table.write("alice", &[("if-none-match", "*")], LEGACY).await);
        for round in 2..=5_u64 {
            let writers = (0..20).map(|writer| {
                let body = format!(r#"{{"id":"alice","companies":{{"{writer}":["Manager"]}}}}"#);
                let (table, known) = (&table, &known);
                async move { (writer, table.write("alice", &[("if-match", known)], &body).await) }
            });
            let answers = join_all(writers).await;
            let winners: Vec<_> = answers.iter().filter(|(_, answer)| answer.status() == 200).collect();
            assert_eq!(winners.len(), 1, "round {round}");
            assert!(answers.iter().all(|(_, answer)| [200, 409, 412].contains(&answer.status().as_u16())));
            let read = table.read("alice").await;
            let company = winners[0].0.to_string();
            assert_eq!(json(&read), value!({"id": "alice", "companies": {company: ["Manager"]}, "version": round}));
            known = tag(&read);
        }
    }

    async fn of_racing_creators_one_wins(table) {
        let answers = join_all((0..20).map(|_| table.write("alice", &[("if-none-match", "*")], LEGACY))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status() == 201).count(), 1);
        assert_eq!(json(&table.read("alice").await)["version"], 1);
    }

    async fn writers_without_a_state_of_their_own_count_every_write(table) {
        table.put("alice", "Manager").await;
        let answers = join_all((0..10).map(|_| table.write("alice", &[("if-match", "*")], LEGACY))).await;
        assert!(answers.iter().all(|answer| answer.status() == 200));
        assert_eq!(json(&table.read("alice").await)["version"], 10);
    }

    /// Both have read version 1; the one who is slower is told so, and what the other wrote stands.
    async fn of_two_administrators_who_name_the_same_version_one_gets_409(table) {
        table.write("alice", &[("if-none-match", "*")], LEGACY).await;
        let body = |role: &str| format!(r#"{{"id":"alice","companies":["1111"],"role":"{role}","version":1}}"#);
        let (one, other) = (body("One"), body("Other"));
        let any = [("if-match", "*")];
        let answers = join_all([table.write("alice", &any, &one), table.write("alice", &any, &other)]).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status().as_u16()).collect();
        assert!(statuses == [200, 409] || statuses == [409, 200], "{statuses:?}");
        let winner = answers.iter().find(|answer| answer.status() == 200).unwrap();
        assert_eq!(json(&table.read("alice").await), json(winner));
        assert_eq!(json(&table.history("alice").await)["changes"].as_array().unwrap().len(), 2);
        let late = table.write("alice", &any, &one).await;
        assert_eq!((late.status().as_u16(), json(&late)["code"].as_str()), (409, Some("conflict")));
        // A new record has no version yet, and an absent one none to be replaced.
        assert_eq!(table.write("bob", &[("if-none-match", "*")], r#"{"id":"bob","companies":[],"version":1}"#).await.status(), 409);
    }

    /// The precondition held when it was looked at, and no longer when it counted.
    async fn whoever_is_overtaken_between_the_look_and_the_write_gets_409_and_never_200(table) {
        let mut overtaken = 0;
        table.put("alice", "Manager").await;
        for _ in 0..20 {
            let known = tag(&table.write("alice", &[("if-match", "*")], LEGACY).await);
            let headers = [("if-match", known.as_str())];
            let writers = (0..8).map(|_| table.write("alice", &headers, ROLES));
            let statuses: Vec<u16> = join_all(writers).await.iter().map(|answer| answer.status().as_u16()).collect();
            assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
            overtaken += statuses.iter().filter(|status| **status == 409).count();
        }
        assert!(overtaken > 0, "nobody ever met");
    }

    async fn a_change_and_its_audit_entry_are_one_write(table) {
        table.put("alice", "Manager").await;
        let read = table.read("alice").await;
        table.write("alice", &[("if-match", &tag(&read))], ROLES).await;
        // What is refused leaves no trace.
        table.write("alice", &[("if-match", &tag(&read))], LEGACY).await;
        let revoked = table.send("admin", "users", Capability::Write, "DELETE", "alice", &[("if-match", "*")], "").await;
        assert_eq!((revoked.status().as_u16(), json(&revoked)), (200, value!({"id": "alice", "companies": [], "version": 2})));
        let history = table.history("alice").await;
        let changes = json(&history)["changes"].clone();
        assert_eq!(changes.as_array().unwrap().len(), 2);
        assert_eq!((&changes[0]["what"], &changes[0]["from"], &changes[0]["to"]), (&value!("revoke"), &value!(1), &value!(2)));
        assert_eq!((&changes[1]["what"], &changes[1]["from"], &changes[1]["to"]), (&value!("set"), &value!(0), &value!(1)));
        assert_eq!((&changes[0]["by"], &changes[1]["by"]), (&value!("admin"), &value!("admin")));
        assert_eq!(changes[1]["was"], r#"{"id":"alice","companies":["1111"],"role":"Manager"}"#);
        let at = changes[0]["at"].as_u64().unwrap();
        assert!(support::now().as_secs().abs_diff(at) < 60);
        // And no reader of the record sees it.
        assert!(!String::from_utf8_lossy(table.read("alice").await.body()).contains("audit"));
    }

    async fn whose_permissions_are_revoked_has_a_record_without_companies_and_can_have_new_ones(table) {
        let known = tag(&table.write("alice", &[("if-none-match", "*")], ROLES).await);
        let delete = |headers: Vec<(&'static str, String)>| {
            let table = &table;
            async move {
                let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                table.send("admin", "users", Capability::Write, "DELETE", "alice", &headers, "").await
            }
        };
        assert_eq!(delete(vec![]).await.status(), 428);
        assert_eq!(delete(vec![("if-none-match", "*".to_owned())]).await.status(), 400);
        assert_eq!(delete(vec![("if-match", "\"other\"".to_owned())]).await.status(), 412);
        assert_eq!(delete(vec![("if-match", known.clone())]).await.status(), 200);
        assert_eq!(delete(vec![("if-match", known)]).await.status(), 412);
        let read = table.read("alice").await;
        assert_eq!(PermissionsRecord::parse(read.body()).unwrap().companies().count(), 0);
        assert_eq!(table.write("alice", &[("if-match", &tag(&read))], ROLES).await.status(), 200);
        let nobody = table.send("admin", "users", Capability::Write, "DELETE", "bob", &[("if-match", "*")], "").await;
        assert_eq!(nobody.status(), 412);
    }

    async fn the_list_is_of_one_section_in_pages_that_lose_nobody(table) {
        for number in 0..25 {
            table.put(&format!("user-{number}"), "Manager").await;
        }
        table.put("partners#1111", "Standard").await;
        table.put("odd", "Manager").await;
        table.set("odd", "companies", AttributeValue::N("7".to_owned())).await;
        let (mut users, mut unreadable, mut pages) = (Vec::new(), Vec::new(), 0);
        let mut target = "/users?limit=10".to_owned();
        loop {
            let answer = table.get("admin", "users", Capability::Write, &target).await;
            assert_eq!(answer.status(), 200, "{target}");
            let page = json(&answer);
            let records = page["users"].as_array().unwrap();
            assert!(records.len() <= 10);
            users.extend(records.iter().map(|record| record["id"].as_str().unwrap().to_owned()));
            unreadable.extend(page["unreadable"].as_array().into_iter().flatten().cloned());
            pages += 1;
            match page["next"].as_str() {
                Some(next) => target = format!("/users?limit=10&cursor={next}"),
                None => break,
            }
        }
        users.sort();
        let mut expected: Vec<String> = (0..25).map(|number| format!("user-{number}")).collect();
        expected.sort();
        assert_eq!((users, unreadable), (expected, vec![value!("odd")]));
        assert!(pages >= 3);
        let partners = json(&table.get("admin", "partners", Capability::Write, "/users").await);
        assert_eq!(partners, value!({"users": [{"id": "1111", "companies": ["1111"], "role": "Standard"}]}));
    }

    async fn a_section_that_is_rare_in_its_table_is_listed_in_time_however_short_the_pages(table) {
        for batch in 0..100 {
            let user = |number: usize| {
                let item = HashMap::from([("id".to_owned(), AttributeValue::S(format!("user-{}", batch * 25 + number)))]);
                WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
            };
            let users = (0..25).map(user).collect();
            table.client.batch_write_item().request_items(&table.name, users).send().await.expect("a batch");
        }
        table.put("partners#1111", "Standard").await;
        table.put("partners#2222", "Standard").await;
        let (mut found, mut target) = (Vec::new(), "/users?limit=1".to_owned());
        loop {
            let answer = table.get("admin", "partners", Capability::Write, &target).await;
            assert_eq!(answer.status(), 200, "{target}: {found:?}");
            let page = json(&answer);
            let records = page["users"].as_array().unwrap();
            assert!(records.len() <= 1, "{page}");
            found.extend(records.iter().map(|record| record["id"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => target = format!("/users?limit=1&cursor={next}"),
                None => break,
            }
        }
        found.sort();
        assert_eq!(found, ["1111", "2222"]);
    }

    async fn subjects_of_two_sections_have_records_of_their_own(table) {
        table.put("1111", "Manager").await;
        table.put("partners#1111", "Standard").await;
        assert_eq!(json(&table.read("1111").await)["role"], "Manager");
        let partner = table.read_with("1111", "partners", &[]).await;
        assert_eq!((&json(&partner)["id"], &json(&partner)["role"]), (&value!("1111"), &value!("Standard")));
        assert_eq!(table.read_with("1111", "others", &[]).await.status(), 404);
    }

    async fn attributes_of_other_tools_are_left_alone_and_not_shown(table) {
        table.put("alice", "Manager").await;
        table.set("alice", "note", AttributeValue::S("on leave".to_owned())).await;
        let written = table.write("alice", &[("if-match", "*")], ROLES).await;
        assert_eq!(json(&written).get("note"), None);
        let stored = table.client.get_item().table_name(&table.name).key("id", AttributeValue::S("alice".to_owned())).send().await.unwrap();
        let item = stored.item.unwrap();
        assert_eq!(item["note"], AttributeValue::S("on leave".to_owned()));
        assert!(!item.contains_key("role"), "a role beside roles per company would make the record unreadable");
    }

    async fn a_stored_record_that_makes_no_sense_is_500_and_grants_nothing(table) {
        table.put("alice", "Manager").await;
        table.set("alice", "companies", AttributeValue::S("1111".to_owned())).await;
        let answer = table.read("alice").await;
        assert_eq!((answer.status().as_u16(), json(&answer)["code"].as_str()), (500, Some("record_malformed")));
    }
}

/// All futures at once, on one task.
async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    use std::{pin::Pin, task::Poll};
    let mut pending: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = pending.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, output) in pending.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(ready) = future.as_mut().poll(context)
            {
                *output = Some(ready);
            }
        }
        if outputs.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs.into_iter().flatten().collect()
}

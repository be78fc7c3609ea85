//! The ready-made requests that show what the stack permits and what it refuses.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::http::Client;
use crate::stack::{SCOPES, Stack};

const USERS_ORDERS: &str = "/companies/1111/users/user-manager/orders";

/// One request and the status it promises.
#[derive(Debug)]
pub(crate) struct Example {
    status: u16,
    title: &'static str,
    method: &'static str,
    path: &'static str,
    token: Option<String>,
}

impl Example {
    /// The request as one pastes it.
    pub(crate) fn curl(&self, edge: &str) -> String {
        let method = if self.method == "GET" { String::new() } else { format!("-X {} ", self.method) };
        let token = self.token.as_ref().map(|token| format!("-H 'Authorization: Bearer {token}' ")).unwrap_or_default();
        format!("curl -i {method}{token}'{edge}{}'", self.path)
    }

    /// A heading: the status and why.
    pub(crate) fn heading(&self) -> String {
        format!("{} {}", self.status, self.title)
    }

    /// Sends the request and fails if the status is not the promised one.
    pub(crate) fn check(&self, client: &Client, edge: &str) -> Result<()> {
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let (status, body) = client.send(self.method, &format!("{edge}{}", self.path), &headers, "")?;
        anyhow::ensure!(
            status == self.status,
            "{}: {} {} answered {status}: {body}",
            self.title,
            self.method,
            self.path
        );
        Ok(())
    }
}

/// The examples, with tokens that the running issuers have just issued.
pub(crate) fn live(stack: &Stack) -> Result<Vec<Example>> {
    let client = Client::new();
    let token = |route: &str, field: &str, body: Value| -> Result<String> {
        let answer = client.post_json(&format!("{}/{route}", stack.control), &body)?;
        answer[field].as_str().map(str::to_owned).with_context(|| format!("the issuers answered no `{field}`"))
    };
    let partner = |client: &str| token("token", "access_token", json!({ "issuer": "partners", "client": client }));
    let user = |account: &str| token("token", "access_token", json!({ "issuer": "users", "account": account }));
    let (company, limited) = (partner("1111")?, partner("3333")?);
    let (manager, standard) = (user("user-manager")?, user("user-standard")?);
    let list_only =
        token("token", "access_token", json!({ "issuer": "users", "account": "user-manager", "scope": SCOPES[0] }))?;
    let expired = token(
        "mint",
        "token",
        json!({ "issuer": "partners", "claims": { "iat": 1_700_000_000, "exp": 1_700_003_600 } }),
    )?;
    let forged = token("forge", "token", json!({ "issuer": "partners" }))?;

    let example = |status, title, method, path, token: Option<&String>| Example {
        status,
        title,
        method,
        path,
        token: token.cloned(),
    };
    let get = |status, title, path, token| example(status, title, "GET", path, token);
    Ok(vec![
        get(200, "a company lists its orders", "/companies/1111/orders", Some(&company)),
        example(201, "a company orders", "POST", "/companies/1111/orders", Some(&company)),
        get(200, "a manager lists orders", USERS_ORDERS, Some(&manager)),
        get(200, "a manager validates a voucher", "/companies/1111/users/user-manager/vouchers/v-1", Some(&manager)),
        get(401, "no token", "/companies/1111/orders", None),
        get(401, "an expired token, rightly signed", "/companies/1111/orders", Some(&expired)),
        get(401, "a forged token, signed by a stranger", "/companies/1111/orders", Some(&forged)),
        get(403, "another company's orders", "/companies/2222/orders", Some(&company)),
        get(403, "a scope is missing", "/companies/3333/orders/o-1", Some(&limited)),
        get(403, "a company that the manager is not in", "/companies/2222/users/user-manager/orders", Some(&manager)),
        get(403, "another user's orders", "/companies/1111/users/user-standard/orders", Some(&manager)),
        get(403, "the role is missing", "/companies/1111/users/user-standard/orders", Some(&standard)),
        get(403, "a user's token without the scope", "/companies/1111/users/user-manager/orders/o-1", Some(&list_only)),
        get(404, "no such route", "/nothing/here", Some(&company)),
        example(405, "a method that the route has not", "DELETE", "/companies/1111/orders", Some(&company)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_can_be_pasted() {
        let example = Example { status: 201, title: "t", method: "POST", path: "/a", token: Some("x.y.z".to_owned()) };
        assert_eq!(example.curl("http://e"), "curl -i -X POST -H 'Authorization: Bearer x.y.z' 'http://e/a'");
        let anonymous = Example { method: "GET", token: None, ..example };
        assert_eq!(anonymous.curl("http://e"), "curl -i 'http://e/a'");
    }
}

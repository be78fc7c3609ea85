//! Policies that lists and caches are tried on.

/// Two issuers, and what all of the policies begin with.
const HEAD: &str = r#"
roles = ["Manager", "Standard"]

[permissions]
origin = "permissions"

[issuer.users]
url = "https://users.example"
algorithms = ["EdDSA"]
audience = "any"
clients = ["app"]
token_use = "access"
permissions = "service"

[issuer.partners]
url = "https://partners.example"
algorithms = ["EdDSA"]
audience = ["https://api.example"]
token_use = "access"
permissions = "subject"

[origin.permissions]
url = "https://permissions.example"
key = "KEY_PERMISSIONS"

[origin.api]
url = "https://api.example"
key = "KEY_API"
"#;

fn route(name: &str, methods: &str, path: &str, rules: &str) -> String {
    format!("\n[[route]]\nname = \"{name}\"\nmethods = {methods}\npath = \"{path}\"\norigin = \"api\"\n{rules}\n")
}

const PARTNER: &str = "issuer = \"partners\"\ncompany = \"{company}\"";
const USER: &str = "issuer = \"users\"\nsubject = \"{user}\"\ncompany = \"{company}\"\nroles = [\"Manager\"]\npermissions_max_age = \"60s\"";
const COMPANY: &str = "issuer = \"users\"\ncompany = \"{company}\"\npermissions_max_age = \"60s\"";

/// The example's routes: companies and users in paths, identifiers that nothing binds at the end.
pub(crate) fn orders() -> String {
    HEAD.to_owned()
        + &route("partner-list", "[\"GET\", \"POST\"]", "/companies/{company}/orders", PARTNER)
        + &route("partner-get", "[\"GET\"]", "/companies/{company}/orders/{order}", PARTNER)
        + &route("user-list", "[\"GET\", \"POST\"]", "/companies/{company}/users/{user}/orders", USER)
        + &route("user-get", "[\"GET\"]", "/companies/{company}/users/{user}/orders/{order}", USER)
        + &route("voucher", "[\"GET\"]", "/companies/{company}/users/{user}/vouchers/{voucher}", USER)
        + &route("report", "[\"GET\"]", "/companies/{company}/report", COMPANY)
}

/// An unbound parameter in the middle, a rest, a path that ends in `/`, scopes, and a route without a company.
pub(crate) fn documents() -> String {
    HEAD.to_owned()
        + &route("files", "[\"GET\", \"PUT\"]", "/companies/{company}/files/{*path}", COMPANY)
        + &route("pages", "[\"GET\"]", "/companies/{company}/books/{book}/pages", COMPANY)
        + &route("folder", "[\"GET\"]", "/folders/{user}/", "issuer = \"users\"\nsubject = \"{user}\"")
        + &route("me", "[\"GET\", \"HEAD\", \"DELETE\"]", "/me", "issuer = [\"users\", \"partners\"]")
        + &route("scoped", "[\"POST\"]", "/companies/{company}/audit", &format!("{COMPANY}\nscopes = [\"audit\"]"))
        + &route("shelf", "[\"GET\"]", "/shelves/{shelf}", "issuer = \"partners\"")
}

/// Routes beneath and beside routes: no list can be made of them.
pub(crate) fn nested() -> String {
    HEAD.to_owned()
        + &route("order", "[\"GET\", \"DELETE\"]", "/companies/{company}/orders/{order}", COMPANY)
        + &route("items", "[\"GET\"]", "/companies/{company}/orders/{order}/items", COMPANY)
        + &route(
            "latest",
            "[\"GET\"]",
            "/companies/{company}/orders/latest",
            &format!("{COMPANY}\nroles = [\"Manager\"]"),
        )
        + &route("user", "[\"GET\"]", "/users/{user}", "issuer = \"users\"\nsubject = \"{user}\"")
        + &route("me", "[\"GET\"]", "/users/me", "issuer = \"partners\"")
        + &route("health", "[\"GET\"]", "/health", "public = true")
}

//! `docs/cli.md` says what the command does: every `console` block is run, and what it prints compared.
//!
//! A line that begins with `$` is a command, which may read `< FILE` and write `> FILE`; `? N` under it is its exit code
//! where that is not 0; what follows is its standard error and then its standard output. `POSTERN_RENEW=1` writes the
//! document anew.

use std::fs;

use crate::support::{
    PARTNERS, RECORDS, ROOT, Scratch, USERS, assert_kept, example, jwks, output, partner, postern, user,
};
use serde_json::json;

const DOCUMENT: &str = "docs/cli.md";

/// A policy that is small enough for a list of all that an upgrade changes.
const ISSUER: &str = r#"[issuer.partners]
url = "https://auth.partners.example"
algorithms = ["RS256"]
audience = ["https://api.example"]
token_use = "access"
permissions = "subject"

[origin.orders]
url = "https://orders.example"
key = "KEY_ORDERS"

[[route]]
name = "orders-list"
methods = ["GET"]
path = "/companies/{company}/orders"
issuer = "partners"
origin = "orders"
company = "{company}"
scopes = ["orders/list.orders"]
"#;

/// The files that the document's commands are given.
fn folder() -> Scratch {
    let scratch = Scratch::new();
    scratch.file("postern.toml", &example());
    let faulty = example().replacen("issuer = \"partners\"", "issuer = \"partner\"", 1);
    scratch.file(
        "faulty.toml",
        &faulty.replacen("company = \"{company}\"\nscopes = [\"orders/get", "scopes = [\"orders/get", 1),
    );
    scratch.file("issuer.toml", ISSUER);
    let stricter = "company = \"{company}\"\nroles = [\"Standard\"]\nscopes = [\"orders/list";
    scratch.file(
        "changed.toml",
        &example().replacen("company = \"{company}\"\nroles = [\"Manager\"]\nscopes = [\"orders/list", stricter, 1),
    );
    scratch.file("distribution.json", &crate::cloudfront::keeping());
    scratch.file("partners.json", &jwks(&PARTNERS));
    scratch.file("users.json", &jwks(&USERS));
    let mut set = json!({"keys": [PARTNERS.jwk().unwrap(), USERS.jwk().unwrap()]});
    set["keys"].as_array_mut().unwrap().push(json!({"kty": "oct", "kid": "shared", "k": "AAAA"}));
    scratch.file("jwks.json", &set.to_string());
    scratch.file("records.json", RECORDS);
    scratch.file("jane.jwt", &user(json!({})));
    let token = partner(json!({}));
    scratch.file("cut-off.jwt", token.rsplit_once('.').unwrap().0);
    scratch.file("partner.jwt", &token);
    let request = |id: u64, target: &str| {
        let headers = json!([["authorization", format!("Bearer {token}")]]);
        json!({"id": id, "method": "GET", "target": target, "headers": headers}).to_string()
    };
    let requests = [request(1, "/companies/1111/orders"), request(2, "/companies/2222/orders"), "oops".to_owned()];
    scratch.file("requests.jsonl", &requests.join("\n"));
    scratch
}

/// Runs one command line in the folder; its exit code and what it printed.
fn run(folder: &Scratch, line: &str) -> (i32, String) {
    let (line, target) = line.split_once(" > ").map_or((line, None), |(line, file)| (line, Some(file)));
    let (line, source) = line.split_once(" < ").map_or((line, None), |(line, file)| (line, Some(file)));
    let words = words(line);
    assert_eq!(words.first().map(String::as_str), Some("postern"), "{line}");
    // Or it would print something else tomorrow.
    let has_token =
        source.is_some_and(|file| file.ends_with(".jwt")) || line.contains(".jwt") || line.contains("decide");
    assert!(!has_token || line.contains("--now") || line.contains("--help"), "`{line}` judges by the time of the day");
    let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let input = source.map(|file| fs::read(folder.path().join(file)).unwrap()).unwrap_or_default();
    let told = output(postern(&args).current_dir(folder.path()).write_stdin(input));
    match target {
        Some(file) => {
            folder.file(file, &told.out);
            (told.code, told.err)
        }
        None => (told.code, told.err + &told.out),
    }
}

/// Words with spaces between, some in single quotation marks.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            continue;
        }
        for (index, word) in part.split(' ').enumerate() {
            if index > 0 {
                words.push(String::new());
            }
            words.last_mut().unwrap().push_str(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The document with every command's output as it is now, and how many commands there were.
fn renewed(document: &str) -> (String, usize) {
    let folder = folder();
    let (mut text, mut count, mut in_console) = (String::new(), 0, false);
    for line in document.lines() {
        match (in_console, line) {
            (_, "```console") => in_console = true,
            (true, "```") => in_console = false,
            (true, line) if !line.starts_with("$ ") => continue,
            _ => {}
        }
        text += line;
        text.push('\n');
        if let Some(command) = line.strip_prefix("$ ").filter(|_| in_console) {
            let (code, printed) = run(&folder, command);
            if code != 0 {
                text += &format!("? {code}\n");
            }
            text += printed.trim_end();
            text += if printed.trim_end().is_empty() { "" } else { "\n" };
            count += 1;
        }
    }
    (text, count)
}

#[test]
fn the_document_of_the_command_says_what_it_prints() {
    let document = fs::read_to_string(format!("{ROOT}/{DOCUMENT}")).unwrap();
    let (text, count) = renewed(&document);
    assert!(count >= 12, "only {count} commands are in the document");
    assert_kept(DOCUMENT, &text);
}

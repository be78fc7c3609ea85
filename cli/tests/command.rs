//! The command as a person runs it.

use assert_cmd::Command;

fn postern(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("postern").unwrap();
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(args);
    command
}

fn output(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_example_policy_builds() {
    let (code, out, _) = output(postern(&["check"]));
    assert_eq!(code, 0);
    assert!(out.starts_with("postern.toml: builds (8 routes, 2 issuers, 4 origins, version "), "{out}");
}

#[test]
fn a_faulty_policy_is_told_with_line_column_and_mend() {
    let directory = std::env::temp_dir().join(format!("postern-check-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("faulty.toml");
    let policy = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../postern.toml")).unwrap();
    std::fs::write(&file, policy.replacen("issuer = \"partners\"", "issuer = \"partner\"", 1)).unwrap();
    let line = 1 + policy.lines().position(|line| line == "issuer = \"partners\"").unwrap();
    let (code, out, errors) = output(postern(&["check", file.to_str().unwrap()]));
    std::fs::remove_dir_all(&directory).unwrap();
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(
        errors.contains(&format!("faulty.toml:{line}:10: error: route[0].issuer: no issuer is named `partner`")),
        "{errors}"
    );
    assert!(errors.contains("= mend: write `partners`, or define the issuer"), "{errors}");
    assert!(errors.ends_with("1 fault\n"), "{errors}");
}

/// `postern check` on the example with `from` replaced by `to`.
fn check_altered(name: &str, from: &str, to: &str) -> (i32, String) {
    let file = std::env::temp_dir().join(format!("postern-{name}-{}.toml", std::process::id()));
    let policy = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../postern.toml")).unwrap();
    assert!(policy.contains(from), "{from}");
    std::fs::write(&file, policy.replacen(from, to, 1)).unwrap();
    let (code, _, errors) = output(postern(&["check", file.to_str().unwrap()]));
    std::fs::remove_file(&file).unwrap();
    (code, errors)
}

#[test]
fn bad_issuers_are_told_with_file_line_and_mend() {
    for (name, from, to, line, fault, mend) in [
        (
            "http",
            "https://auth.partners",
            "http://auth.partners",
            "url = \"http://auth.partners.ljg-sushi.example\"",
            "`http://auth.partners.ljg-sushi.example` is not a URL that may stand here",
            "write an `https://` URL",
        ),
        (
            "algorithm",
            "\"ES256\"",
            "\"HS256\"",
            "algorithms = [\"RS256\", \"HS256\", \"EdDSA\"]",
            "`HS256` is not a signature algorithm for issuers",
            "use what the issuer signs with, of RS256, RS384, RS512, PS256",
        ),
        (
            "audience",
            "audience = [\"https://api.ljg-sushi.example\"]\n",
            "",
            "[issuer.partners]",
            "the issuer says neither for whom (`audience`) nor by which client (`clients`) its tokens are",
            "add `audience = [",
        ),
    ] {
        let (code, errors) = check_altered(name, from, to);
        assert_eq!(code, 1, "{errors}");
        let at = format!("postern-{name}-{}.toml:", std::process::id());
        assert!(errors.contains(&at) && errors.contains(fault), "{errors}");
        assert!(errors.contains(&format!("\n    | {line}\n    = mend: {mend}")), "{errors}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let (code, _, errors) = output(postern(&["check", "no-such-file.toml"]));
    assert_eq!(code, 2);
    assert!(errors.contains("`no-such-file.toml`"), "{errors}");
}

#[test]
fn routes_are_a_table_of_who_may_do_what() {
    let (code, out, _) = output(postern(&["routes"]));
    assert_eq!(code, 0);
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 9);
    assert!(rows.contains(&vec![
        "GET",
        "/companies/{company}/users/{user}/vouchers/{voucher}",
        "vouchers",
        "users",
        "the",
        "subject",
        "{user},",
        "company",
        "{company},",
        "role",
        "Manager"
    ]));
    assert!(rows.contains(&vec!["GET", "/health", "external-orders", "-", "anyone"]));
}

#[test]
fn keys_made_here_sign_and_verify_and_rotate() {
    use postern::assertion::{Assertion, AssertionKeys, AssertionVerifier, Capability};
    let (_, first, _) = output(postern(&["assertion-key", "new", "--kid", "a"]));
    let mut rotate = postern(&["assertion-key", "rotate", "--kid", "b"]);
    rotate.write_stdin(first.clone());
    let (_, second, _) = output(rotate);
    let mut trust = postern(&["assertion-key", "trust", "edge", "--capability", "read"]);
    trust.write_stdin(second.clone());
    let (code, trusted, _) = output(trust);
    assert_eq!(code, 0);
    let verifier = AssertionVerifier::from_json("vouchers", &trusted).unwrap();
    let now = postern::UnixTime::from_secs(1_760_000_000);
    for keys in [&first, &second] {
        let keys = AssertionKeys::from_json(keys).unwrap();
        let assertion =
            Assertion::for_permissions("edge", "vouchers", "users", Capability::Read, ("GET", "/a"), now, [7; 16]);
        let verified = verifier.verify(&assertion.sign(&keys), "GET", "/a", now).unwrap();
        assert_eq!(verified.capability(), Some(Capability::Read));
    }
}

#[test]
fn keys_that_are_none_are_refused_without_being_shown() {
    let mut trust = postern(&["assertion-key", "trust"]);
    trust.write_stdin(r#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#);
    let (code, out, errors) = output(trust);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(errors.contains("shorter than 32 octets") && !errors.contains("c2VjcmV0"), "{errors}");
}

/// Answers as many requests on the loopback interface as there are bodies, by path; `None` closes the connection.
fn serve(bodies: Vec<(&'static str, Option<String>)>) -> (String, std::thread::JoinHandle<()>) {
    use std::io::{BufRead as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let own = url.clone();
    let server = std::thread::spawn(move || {
        for (path, body) in bodies {
            let mut stream = accept(&listener);
            let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            assert!(first.starts_with(&format!("GET {path} ")), "{first}");
            for line in reader.lines() {
                if line.unwrap().is_empty() {
                    break;
                }
            }
            if let Some(body) = body {
                let body = body.replace("{URL}", &own);
                let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all((head + &body).as_bytes()).unwrap();
            }
        }
    });
    (url, server)
}

/// The next connection; a command that never makes it is a failure and no wait without end.
fn accept(listener: &std::net::TcpListener) -> std::net::TcpStream {
    listener.set_nonblocking(true).unwrap();
    for _ in 0..1_000 {
        if let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(false).unwrap();
            return stream;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("no request came");
}

const METADATA: &str = r#"{"issuer":"{URL}","jwks_uri":"{URL}/jwks"}"#;
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"oct","kid":"b","k":"AAAA"}]}"#;

/// An overlay that puts the example's issuers there.
fn issuers_at(url: &str) -> String {
    format!("[issuer.partners]\nurl = \"{url}\"\n[issuer.users]\nurl = \"{url}/users\"\n")
}

/// `postern keys seal` on the example whose issuers are all at `url`.
fn seal(name: &str, url: &str) -> (i32, String, String) {
    let overlay = std::env::temp_dir().join(format!("postern-{name}-{}.toml", std::process::id()));
    std::fs::write(&overlay, issuers_at(url)).unwrap();
    let outcome = output(postern(&["keys", "seal", "--overlay", overlay.to_str().unwrap()]));
    std::fs::remove_file(&overlay).unwrap();
    outcome
}

#[test]
fn sealed_keys_are_seeds_that_a_build_takes() {
    let users = ("/users/.well-known/jwks.json", Some(KEYS.to_owned()));
    let (url, server) = serve(vec![
        ("/.well-known/openid-configuration", Some(METADATA.to_owned())),
        ("/jwks", Some(KEYS.to_owned())),
        users,
    ]);
    let (code, out, progress) = seal("sealed", &url);
    server.join().unwrap();
    assert_eq!(code, 0, "{progress}");
    assert!(progress.contains(&format!("partners: 1 key from {url}/jwks")), "{progress}");
    assert!(progress.contains("partners: key 1 of the set is not used: `kty` is `oct`"), "{progress}");
    let seeds = postern::cache::KeySeeds::parse(out.as_bytes()).unwrap();
    assert_eq!(seeds.sections().collect::<Vec<_>>(), ["partners", "users"]);
    assert!(!out.contains("AAAA"), "{out}");
    let (code, checked, errors) = check_keys("sealed-keys", &out, &url);
    assert_eq!(code, 0, "{errors}");
    assert!(checked.contains("users: 1 key, usable for another 3"), "{checked}");
}

/// `postern keys check` of a file with this text, against the example whose issuers are at `url`.
fn check_keys(name: &str, text: &str, url: &str) -> (i32, String, String) {
    let path = |kind: &str| std::env::temp_dir().join(format!("postern-{name}-{}.{kind}", std::process::id()));
    let (keys, overlay) = (path("json"), path("toml"));
    std::fs::write(&keys, text).unwrap();
    std::fs::write(&overlay, issuers_at(url)).unwrap();
    let outcome = output(postern(&["keys", "check", keys.to_str().unwrap(), "--overlay", overlay.to_str().unwrap()]));
    std::fs::remove_file(&keys).unwrap();
    std::fs::remove_file(&overlay).unwrap();
    outcome
}

#[test]
fn a_key_file_that_is_none_is_told_with_file_line_and_mend() {
    let url = "http://127.0.0.1:9";
    let seed = |issuer: &str, fetched_at: u64| {
        format!(
            "{{\"{issuer}\": {{\"issuer\": \"{url}\", \"jwks_url\": \"{url}/jwks\", \"fetched_at\": {fetched_at}, \
             \"max_age\": 300, \"jwks\": {KEYS}}}}}"
        )
    };
    for (name, text, says) in [
        ("no-json", "{\n  partners".to_owned(), "at line 2 column 3"),
        ("no-snapshot", "{\"partners\": {}}".to_owned(), "`partners`: missing field"),
        ("no-keys", seed("partners", 1).replace("OKP", "oct"), "`partners`: the JWK set holds no usable key"),
        ("stranger", seed("strangers", 1), "the policy has no issuer `strangers`"),
        ("too-old", seed("partners", 1), "`partners`: the keys are past the issuer's hard maximum age"),
    ] {
        let (code, out, errors) = check_keys(name, &text, url);
        assert_eq!((code, out.as_str()), (2, ""), "{name}: {errors}");
        assert!(errors.contains(&format!("postern-{name}-")) && errors.contains(says), "{name}: {errors}");
        assert!(errors.contains("write it anew with `postern keys seal`"), "{name}: {errors}");
    }
}

#[test]
fn an_issuer_whose_keys_cannot_be_sealed_is_named_with_its_url() {
    for (name, bodies, says) in [
        (
            "html",
            vec![("/.well-known/openid-configuration", Some("<html>".to_owned()))],
            "the metadata is no JSON object",
        ),
        (
            "other",
            vec![("/.well-known/openid-configuration", Some(METADATA.replace("{URL}\",", "https://evil.example\",")))],
            "the metadata is that of another issuer",
        ),
        ("closed", vec![("/.well-known/openid-configuration", None)], "cannot be fetched"),
    ] {
        let (url, server) = serve(bodies);
        let (code, out, errors) = seal(name, &url);
        server.join().unwrap();
        assert_eq!((code, out.as_str()), (2, ""), "{name}: {errors}");
        assert!(
            errors.contains("issuer `partners`") && errors.contains(&url) && errors.contains(says),
            "{name}: {errors}"
        );
    }
}

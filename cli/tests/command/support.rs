//! What the tests stand on: the binary, files that go away, issuers that really sign, a server for one answer or a few.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use assert_cmd::Command;
use postern::Algorithm;
use serde_json::{Map, Value, json};

use crate::signer::Signer;

/// When the tests take place.
pub(crate) const NOW: u64 = 1_800_000_000;
/// The repository.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// An Ed25519 key of RFC 8037, appendix A.1, and one that no set should have.
pub(crate) const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"oct","kid":"b","k":"AAAA"}]}"#;

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Output {
    /// The JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The binary in the repository's folder, with nothing of the environment that alters what it prints.
pub(crate) fn postern(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("postern").unwrap();
    command.current_dir(ROOT).args(args).env("LC_ALL", "C.UTF-8");
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI"] {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(args: &[&str]) -> Output {
    output(postern(args).write_stdin(""))
}

pub(crate) fn run_with(args: &[&str], input: &str) -> Output {
    output(postern(args).write_stdin(input))
}

pub(crate) fn output(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A folder that is removed when the test ends.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("postern-command-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file that only its owner can read, since it may hold a key; its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The example's policy.
pub(crate) fn example() -> String {
    fs::read_to_string(format!("{ROOT}/postern.toml")).unwrap()
}

/// The example with `from` replaced by `to` once; fails when the example does not say `from`.
pub(crate) fn example_with(from: &str, to: &str) -> String {
    let text = example();
    assert!(text.contains(from), "the example does not say `{from}`");
    text.replacen(from, to, 1)
}

/// The example's issuers, as they sign.
pub(crate) static PARTNERS: LazyLock<Signer> =
    LazyLock::new(|| Signer::generate(Algorithm::EdDsa, "partners-1").unwrap());
pub(crate) static USERS: LazyLock<Signer> = LazyLock::new(|| Signer::generate(Algorithm::Rs256, "users-1").unwrap());

pub(crate) fn jwks(signer: &Signer) -> String {
    json!({"keys": [signer.jwk().unwrap()]}).to_string()
}

/// A token with these claims over those that it needs.
pub(crate) fn token(signer: &Signer, base: Value, over: Value) -> String {
    let (Value::Object(mut claims), Value::Object(over)) = (base, over) else { panic!("claims are objects") };
    claims.extend(over);
    signer.token(&Map::new(), &claims).unwrap()
}

/// What the partners' issuer gives company 1111.
pub(crate) fn partner(over: Value) -> String {
    let base = json!({
        "iss": "https://auth.partners.ljg-sushi.example", "aud": "https://api.ljg-sushi.example", "sub": "1111",
        "token_use": "access", "scope": "orders/list.orders", "iat": NOW, "exp": NOW + 300,
    });
    token(&PARTNERS, base, over)
}

/// What the users' issuer gives jane.
pub(crate) fn user(over: Value) -> String {
    let base = json!({
        "iss": "https://cognito-idp.eu-west-2.amazonaws.com/eu-west-2_Example", "sub": "jane",
        "client_id": "p4iondtoa9aljeoultesa4nvc", "token_use": "access", "scope": "orders/list.orders",
        "iat": NOW, "exp": NOW + 300,
    });
    token(&USERS, base, over)
}

/// Records: jane is a manager of 1111 and a standard user of 2222.
pub(crate) const RECORDS: &str = r#"{"jane": {"companies": {"1111": ["Manager"], "2222": ["Standard"]}}}"#;

/// Answers as many requests on the loopback interface as there are bodies, by path; `None` closes the connection.
pub(crate) fn serve(bodies: Vec<(&'static str, Option<String>)>) -> (String, std::thread::JoinHandle<()>) {
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
                // A client that has read enough hangs up.
                let _ = stream.write_all((head + &body).as_bytes());
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

/// Compares `text` with the file at `path` of the repository; `POSTERN_RENEW=1` writes it instead.
pub(crate) fn assert_kept(path: &str, text: &str) {
    let file = format!("{ROOT}/{path}");
    if std::env::var_os("POSTERN_RENEW").is_some() {
        fs::write(&file, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    if kept == text {
        return;
    }
    let pairs = kept.lines().map(Some).chain(std::iter::repeat(None)).zip(text.lines());
    let differing = pairs.enumerate().find(|(_, (kept, now))| *kept != Some(*now));
    panic!(
        "`{path}` is no longer what the command prints: {differing:?}; renew it with `POSTERN_RENEW=1 cargo test -p \
         postern-cli`, and read the difference"
    );
}

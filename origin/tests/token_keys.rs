//! Tokens verified natively against issuers that really answer over HTTP, or fail to: what is decided, and how often
//! the issuer is asked.

mod issuer;

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, Instant},
};

use issuer::{Answer, Issuer};
use postern::{
    Authorizer, Decision, Policy, Progress, Reason, Request, UnixTime,
    cache::{KeyCache, KeyLookup, KeySeeds, KeyStep},
    policy::from_toml,
};
use postern_origin::{
    clock::system_time,
    token::{keys::IssuerKeys, signature},
};

thread_local! {
    /// Milliseconds that the clock of this test is ahead; each test has a thread, and its tasks run there.
    static AHEAD: Cell<u64> = const { Cell::new(0) };
}

fn clock() -> UnixTime {
    UnixTime::from_millis(system_time().as_millis() + AHEAD.get())
}

fn later(duration: Duration) {
    AHEAD.set(AHEAD.get() + u64::try_from(duration.as_millis()).unwrap());
}

/// A process that verifies tokens of one issuer.
struct Process {
    authorizer: Arc<Authorizer>,
    keys: Arc<IssuerKeys>,
}

fn policy(issuer: &Issuer) -> Policy {
    let text = r#"
        [issuer.machines]
        url = "https://issuer.example"
        algorithms = ["EdDSA"]
        audience = ["api"]
        token_use = "access"
        permissions = "subject"
        [origin.o]
        url = "https://o.example"
        key = "KEY"
        [[route]]
        name = "orders"
        methods = ["GET"]
        path = "/companies/{company}/orders"
        origin = "o"
        issuer = "machines"
        company = "{company}"
    "#;
    from_toml(text, Some(&format!("[issuer.machines]\nurl = \"{}\"", issuer.url()))).unwrap()
}

impl Process {
    fn start(issuer: &Issuer) -> Self {
        let policy = policy(issuer);
        let keys = Arc::new(IssuerKeys::with_clock(&policy, clock).unwrap());
        Self { authorizer: Arc::new(Authorizer::new(policy)), keys }
    }

    /// What becomes of a token; `Ok` when it is permitted.
    async fn decide(&self, token: &str) -> Result<(), (u16, Reason)> {
        let credential = format!("Bearer {token}");
        let headers = [("authorization", credential.as_str())];
        let request = Request { method: "GET", target: "/companies/1111/orders", headers: &headers };
        let mut progress = self.authorizer.begin(&request, clock());
        loop {
            progress = match progress {
                Progress::Decided(Decision::Permit(_)) => return Ok(()),
                Progress::Decided(Decision::Deny(denial)) => return Err((denial.answer().status, denial.reason())),
                Progress::NeedsKeys(need) => self.keys.provide(need).await,
                Progress::NeedsSignature(need) => {
                    let check = signature::check(&need);
                    need.resume(check, clock())
                }
                other => panic!("{other:?}"),
            };
        }
    }

    /// All at once, as tasks of one thread.
    async fn decide_all(&self, tokens: Vec<String>) -> Vec<Result<(), (u16, Reason)>> {
        let decide = |token: String| {
            let process = Self { authorizer: Arc::clone(&self.authorizer), keys: Arc::clone(&self.keys) };
            tokio::task::spawn_local(async move { process.decide(&token).await })
        };
        let tasks: Vec<_> = tokens.into_iter().map(decide).collect();
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    }
}

const UNAVAILABLE: Result<(), (u16, Reason)> = Err((503, Reason::KeysUnavailable));
const UNKNOWN: Result<(), (u16, Reason)> = Err((401, Reason::KeyUnknown));

/// Runs a test on a runtime of one thread.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

#[test]
fn a_token_is_verified_with_keys_found_by_discovery() {
    run(async {
        let issuer = Issuer::start("a").await;
        let process = Process::start(&issuer);
        assert_eq!(process.decide(&issuer.token("a")).await, Ok(()));
        assert_eq!(process.decide(&issuer.forged_token("a")).await, Err((401, Reason::SignatureInvalid)));
        assert_eq!((issuer.metadata_fetches(), issuer.jwks_fetches()), (1, 1));
    });
}

#[test]
fn a_thousand_requests_at_once_cause_one_fetch() {
    run(async {
        let issuer = Issuer::start("a").await;
        issuer.answer(Answer::After(Duration::from_millis(300)));
        let process = Process::start(&issuer);
        let outcomes = process.decide_all((0..1_000).map(|_| issuer.token("a")).collect()).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        assert_eq!(issuer.jwks_fetches(), 1);
    });
}

#[test]
fn a_leader_that_is_given_up_still_brings_the_keys() {
    run(async {
        let issuer = Issuer::start("a").await;
        issuer.answer(Answer::After(Duration::from_millis(500)));
        let process = Arc::new(Process::start(&issuer));
        let (leader, token) = (Arc::clone(&process), issuer.token("a"));
        let leader = tokio::task::spawn_local(async move { leader.decide(&token).await });
        while issuer.jwks_fetches() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        leader.abort();
        assert_eq!(process.decide_all(vec![issuer.token("a"); 20]).await, vec![Ok(()); 20]);
        assert_eq!(issuer.jwks_fetches(), 1);
    });
}

#[test]
fn an_issuer_that_fails_is_503_cold_and_no_outage_for_known_keys_until_the_hard_maximum() {
    let faults = [
        Answer::Status(500),
        Answer::Status(302),
        Answer::Html,
        Answer::Endless,
        Answer::Cut,
        Answer::HangUp,
        Answer::Empty,
        Answer::OtherIssuer,
    ];
    for fault in faults {
        AHEAD.set(0);
        run(async move {
            let issuer = Issuer::start("a").await;
            issuer.answer(fault);
            let cold = Process::start(&issuer);
            assert_eq!(cold.decide(&issuer.token("a")).await, UNAVAILABLE, "{fault:?}");
            // At once again: the issuer is left alone.
            let asked = issuer.fetches();
            assert_eq!(cold.decide(&issuer.token("a")).await, UNAVAILABLE, "{fault:?}");
            assert_eq!(issuer.fetches(), asked, "{fault:?}");

            issuer.answer(Answer::Keys);
            let warm = Process::start(&issuer);
            assert_eq!(warm.decide(&issuer.token("a")).await, Ok(()), "{fault:?}");
            issuer.answer(fault);
            for (hours, expected) in [(1, Ok(())), (4, Ok(())), (2, UNAVAILABLE)] {
                later(Duration::from_secs(hours * 3600));
                assert_eq!(warm.decide(&issuer.token("a")).await, expected, "{fault:?}");
            }
            later(Duration::from_secs(10));
            issuer.answer(Answer::Keys);
            assert_eq!(warm.decide(&issuer.token("a")).await, Ok(()), "{fault:?}");
        });
    }
}

#[test]
fn an_issuer_that_does_not_answer_is_given_up_in_time() {
    run(async {
        let issuer = Issuer::start("a").await;
        issuer.answer(Answer::After(Duration::from_secs(60)));
        let process = Process::start(&issuer);
        let begun = Instant::now();
        assert_eq!(process.decide(&issuer.token("a")).await, UNAVAILABLE);
        // The bound of the driver, not a measure of its speed.
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert_eq!(issuer.fetches(), 1);
    });
}

#[test]
fn a_refused_connection_is_503() {
    run(async {
        let issuer = Issuer::start("a").await;
        let process = Process::start(&issuer);
        let token = issuer.token("a");
        drop(issuer);
        assert_eq!(process.decide(&token).await, UNAVAILABLE);
    });
}

#[test]
fn rotation_is_no_outage_and_made_up_kids_are_bounded() {
    run(async {
        let issuer = Issuer::start("a").await;
        let process = Process::start(&issuer);
        assert_eq!(process.decide(&issuer.token("a")).await, Ok(()));
        issuer.publish(&["a", "b"]);
        later(Duration::from_secs(10));
        assert_eq!(process.decide(&issuer.token("b")).await, Ok(()));
        assert_eq!(issuer.jwks_fetches(), 2);
        later(Duration::from_secs(10));
        let made_up: Vec<String> = (0..500).map(|count| issuer.token_of(&format!("made-up-{count}"), "a")).collect();
        let outcomes = process.decide_all(made_up).await;
        assert_eq!(outcomes, vec![UNKNOWN; 500]);
        assert_eq!(process.decide(&issuer.token("a")).await, Ok(()));
        assert_eq!(issuer.jwks_fetches(), 3);
        // The old key is withdrawn.
        issuer.publish(&["b"]);
        later(Duration::from_secs(901));
        assert_eq!(process.decide(&issuer.token("a")).await, UNKNOWN);
        assert_eq!(process.decide(&issuer.token("b")).await, Ok(()));
    });
}

#[test]
fn seeds_spare_a_cold_start_the_wait() {
    run(async {
        let issuer = Issuer::start("a").await;
        let policy = policy(&issuer);
        let section = &policy.issuers()[0];
        // Sealed an hour ago, as a build does it.
        let sealed_at = UnixTime::from_secs(system_time().as_secs() - 3600);
        let mut cache = KeyCache::new();
        let KeyLookup::Fetch(mut fetch) = cache.look_up(section, None, sealed_at) else { panic!("no fetch") };
        let snapshot = loop {
            let body = issuer.body_at(fetch.url());
            let answer =
                postern::cache::KeyAnswer { status: 200, cache_control: None, age: None, body: body.as_bytes() };
            match fetch.answered(section, &answer).unwrap() {
                KeyStep::Next(next) => fetch = next,
                KeyStep::Fetched(fetched) => break cache.store(section, fetched, sealed_at),
            }
        };
        let mut seeds = KeySeeds::default();
        seeds.insert(section, snapshot.expect("no other fetch"));

        // The issuer is down, and the seed serves.
        issuer.answer(Answer::Status(500));
        let process = Process::start(&issuer);
        process.keys.seed(&policy, &seeds);
        assert_eq!(process.decide(&issuer.token("a")).await, Ok(()));
        // It is refreshed at first use.
        assert_eq!(issuer.fetches(), 1);
        later(Duration::from_secs(5 * 3600));
        assert_eq!(process.decide(&issuer.token("a")).await, UNAVAILABLE);
    });
}

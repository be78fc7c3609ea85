//! The permissions cache: a record decides while it is young enough, counted from when it was asked for.

use std::{sync::Arc, time::Duration};

use postern::{
    PermissionsRecord, Policy, UnixTime,
    cache::{PermissionsCache, PermissionsLookup},
    policy::Issuer,
};

use crate::support::{NOW, policies};

struct Bench {
    policy: Policy,
    cache: PermissionsCache,
}

/// What a look-up says, with the version of the record it knows.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Known(u64),
    Absent,
    Fetch,
    Wait,
}
use Look::{Absent, Fetch, Known, Wait};

fn millis(after: u64) -> UnixTime {
    UnixTime::from_millis(NOW * 1000 + after)
}

impl Bench {
    fn new() -> Self {
        Self { policy: policies::example(), cache: PermissionsCache::new() }
    }

    fn issuer(&self, name: &str) -> Issuer {
        self.policy.issuers().iter().find(|issuer| issuer.name() == name).unwrap().clone()
    }

    fn look_up_for(&mut self, section: &str, subject: &str, max_age: u64, now: UnixTime) -> Look {
        match self.cache.look_up(&self.issuer(section), subject, Duration::from_millis(max_age), now) {
            PermissionsLookup::Known(Some(record)) => Known(record.version().unwrap()),
            PermissionsLookup::Known(None) => Absent,
            PermissionsLookup::Fetch => Fetch,
            PermissionsLookup::Wait => Wait,
        }
    }

    fn look_up(&mut self, max_age: u64, now: u64) -> Look {
        self.look_up_for("users", "u", max_age, millis(now))
    }

    fn store(&mut self, version: Option<u64>, asked_at: u64) {
        let record = version.map(|version| Arc::new(record(version)));
        self.cache.store(&self.issuer("users"), "u", record, millis(asked_at));
    }
}

fn record(version: u64) -> PermissionsRecord {
    PermissionsRecord::parse(br#"{"id":"u","companies":{}}"#).unwrap().with_version(version)
}

#[test]
fn at_zero_every_request_asks_and_waits_for_nobody() {
    let mut bench = Bench::new();
    for now in [0, 0, 1, 1_000] {
        assert_eq!(bench.look_up(0, now), Fetch);
        bench.store(Some(1), now);
        assert_eq!(bench.look_up(0, now), Fetch);
    }
}

#[test]
fn a_record_decides_until_it_is_as_old_as_the_route_allows() {
    let mut bench = Bench::new();
    assert_eq!(bench.look_up(2_000, 0), Fetch);
    bench.store(Some(1), 0);
    for (now, expected) in [(0, Known(1)), (1_999, Known(1)), (2_000, Fetch)] {
        assert_eq!(bench.look_up(2_000, now), expected, "{now}");
    }
}

#[test]
fn age_is_counted_from_when_it_was_asked_for() {
    let mut bench = Bench::new();
    assert_eq!(bench.look_up(2_000, 0), Fetch);
    // The answer took 1.5 s; what changed at the service meanwhile is perhaps not in it.
    assert_eq!(bench.look_up(2_000, 1_500), Wait);
    bench.store(Some(1), 0);
    assert_eq!(bench.look_up(2_000, 1_500), Known(1));
    assert_eq!(bench.look_up(2_000, 2_000), Fetch);
}

#[test]
fn each_route_takes_what_is_young_enough_for_it() {
    let mut bench = Bench::new();
    bench.look_up(2_000, 0);
    bench.store(Some(1), 0);
    assert_eq!(bench.look_up(30_000, 5_000), Known(1));
    assert_eq!(bench.look_up(2_000, 5_000), Fetch);
    assert_eq!(bench.look_up(0, 5_000), Fetch);
    bench.store(Some(2), 5_000);
    assert_eq!(bench.look_up(30_000, 5_001), Known(2));
}

#[test]
fn an_older_fetch_does_not_replace_a_newer_one() {
    let mut bench = Bench::new();
    bench.look_up(0, 0);
    bench.look_up(0, 500);
    bench.store(Some(2), 500);
    bench.store(Some(1), 0);
    assert_eq!(bench.look_up(2_000, 600), Known(2));
    // Nor does it make the newer one young again.
    assert_eq!(bench.look_up(2_000, 2_500), Fetch);
}

#[test]
fn that_there_is_no_record_is_remembered_for_as_long() {
    let mut bench = Bench::new();
    bench.look_up(2_000, 0);
    bench.store(None, 0);
    assert_eq!(bench.look_up(2_000, 1_999), Absent);
    assert_eq!(bench.look_up(2_000, 2_000), Fetch);
    bench.store(Some(1), 2_000);
    assert_eq!(bench.look_up(2_000, 2_001), Known(1));
}

#[test]
fn one_caller_asks_and_its_lead_lapses() {
    let mut bench = Bench::new();
    assert_eq!(bench.look_up(2_000, 0), Fetch);
    assert_eq!(bench.look_up(2_000, 0), Wait);
    assert_eq!(bench.look_up(30_000, 3_999), Wait);
    assert_eq!(bench.look_up(2_000, 4_000), Fetch);
    assert_eq!(bench.look_up(2_000, 4_000), Wait);
}

#[test]
fn after_a_failure_the_next_caller_asks_and_old_records_do_not_decide() {
    let mut bench = Bench::new();
    bench.look_up(2_000, 0);
    bench.store(Some(1), 0);
    assert_eq!(bench.look_up(2_000, 3_000), Fetch);
    let users = bench.issuer("users");
    bench.cache.fail(&users, "u");
    assert_eq!(bench.look_up(2_000, 3_000), Fetch);
}

#[test]
fn subjects_and_issuer_sections_are_kept_apart() {
    let mut bench = Bench::new();
    bench.look_up(2_000, 0);
    bench.store(Some(1), 0);
    assert_eq!(bench.look_up_for("partners", "u", 2_000, millis(1)), Fetch);
    assert_eq!(bench.look_up_for("users", "U", 2_000, millis(1)), Fetch);
    assert_eq!(bench.look_up(2_000, 1), Known(1));
}

#[test]
fn a_clock_that_goes_backwards_has_the_record_asked_for_again() {
    let mut bench = Bench::new();
    bench.look_up(2_000, 100_000);
    bench.store(Some(1), 100_000);
    assert_eq!(bench.look_up(2_000, 99_999), Fetch);
    assert_eq!(bench.look_up(2_000, 99_999), Wait);
}

#[test]
fn a_record_from_ahead_of_the_clock_does_not_come_back_when_the_clock_gets_there() {
    for max_age_meanwhile in [0, 2_000] {
        let mut bench = Bench::new();
        // The clock was wrong by 100 s and was set right; meanwhile the role was taken away.
        bench.look_up(2_000, 100_000);
        bench.store(Some(1), 100_000);
        assert_eq!(bench.look_up(max_age_meanwhile, 0), Fetch);
        bench.store(Some(2), 0);
        assert_eq!(bench.look_up(2_000, 1), Known(2));
        assert_eq!(bench.look_up(2_000, 100_001), Fetch);
    }
}

#[test]
fn a_lead_that_lies_ahead_of_the_clock_does_not_block() {
    let mut bench = Bench::new();
    assert_eq!(bench.look_up(2_000, 100_000), Fetch);
    assert_eq!(bench.look_up(2_000, 0), Fetch);
}

#[test]
fn memory_is_bounded_and_what_is_used_stays() {
    let mut bench = Bench::new();
    bench.look_up(300_000, 0);
    bench.store(Some(1), 0);
    for count in 0..10_000 {
        let subject = format!("subject-{count}");
        assert_eq!(bench.look_up_for("users", &subject, 300_000, millis(1)), Fetch);
        let users = bench.issuer("users");
        bench.cache.store(&users, &subject, None, millis(1));
        assert_eq!(bench.look_up(300_000, 1), Known(1));
    }
    assert_eq!(bench.look_up_for("users", "subject-0", 300_000, millis(2)), Fetch);
    assert_eq!(bench.look_up_for("users", "subject-9999", 300_000, millis(2)), Absent);
}

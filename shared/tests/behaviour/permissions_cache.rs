//! The permissions cache: a record decides while it is young enough, counted from when it was asked for; what is older is
//! asked about by its tag, and stands in for a service that fails where the route says so.

use std::{collections::BTreeMap, time::Duration};

use postern::{
    Policy, UnixTime,
    cache::{
        OUTAGE_FAILURES, OUTAGE_SPREAD, PERMISSIONS_ABSENT_MAX_AGE, PERMISSIONS_COOLDOWN, PERMISSIONS_FETCH_LEASE,
        PermissionsAnswer, PermissionsCache, PermissionsFailure, PermissionsFetch, PermissionsInquiry,
        PermissionsLookup,
    },
    policy::Issuer,
};
use proptest::prelude::*;

use crate::support::{NOW, policies};

struct Bench {
    policy: Policy,
    cache: PermissionsCache,
    /// The fetches that were asked for, by when.
    fetches: BTreeMap<UnixTime, PermissionsFetch>,
    /// The clock, as of the last look-up.
    now: UnixTime,
}

/// What a look-up says, with the version of the record it knows.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Known(u64),
    Absent,
    StandIn(u64),
    Fetch,
    Wait,
    Unavailable,
}
use Look::{Absent, Fetch, Known, StandIn, Unavailable, Wait};

fn millis(after: u64) -> UnixTime {
    UnixTime::from_millis(NOW * 1000 + after)
}

impl Bench {
    fn new() -> Self {
        Self { policy: policies::example(), cache: PermissionsCache::new(), fetches: BTreeMap::new(), now: millis(0) }
    }

    fn issuer(&self, name: &str) -> Issuer {
        self.policy.issuers().iter().find(|issuer| issuer.name() == name).unwrap().clone()
    }

    fn look_up_at(&mut self, section: &str, subject: &str, (max_age, stale): (u64, u64), now: UnixTime) -> Look {
        let ages = (Duration::from_millis(max_age), Duration::from_millis(stale));
        let inquiry = self.cache.inquire(&self.issuer(section), subject, ages);
        self.look_again(&inquiry, now)
    }

    fn look_again(&mut self, inquiry: &PermissionsInquiry, now: UnixTime) -> Look {
        self.now = now;
        match self.cache.look_up(inquiry, now) {
            PermissionsLookup::Known(Some(record)) => Known(record.version().unwrap()),
            PermissionsLookup::StandIn(Some(record)) => StandIn(record.version().unwrap()),
            PermissionsLookup::Known(None) | PermissionsLookup::StandIn(None) => Absent,
            PermissionsLookup::Fetch(fetch) => {
                self.fetches.insert(now, fetch);
                Fetch
            }
            PermissionsLookup::Wait => Wait,
            PermissionsLookup::Unavailable => Unavailable,
        }
    }

    fn look_up_for(&mut self, section: &str, subject: &str, max_age: u64, now: UnixTime) -> Look {
        self.look_up_at(section, subject, (max_age, 0), now)
    }

    fn look_up(&mut self, max_age: u64, now: u64) -> Look {
        self.look_up_for("users", "u", max_age, millis(now))
    }

    /// On a route that takes a record of two seconds, and one of sixty more while the service is out of order.
    fn look_up_or_stand_in(&mut self, now: u64) -> Look {
        self.look_up_at("users", "u", (2_000, 60_000), millis(now))
    }

    fn answer(&mut self, asked_at: u64, status: u16, etag: Option<&str>, body: &str) {
        let fetch = self.fetches.get(&millis(asked_at)).expect("a fetch that was asked for");
        let answer = PermissionsAnswer { status, etag, retry_after: None, body: body.as_bytes() };
        self.cache.store(fetch.answered(&answer).unwrap(), self.now);
    }

    fn store(&mut self, version: Option<u64>, asked_at: u64) {
        match version {
            Some(version) => self.answer(asked_at, 200, None, &record(version)),
            None => self.answer(asked_at, 404, None, ""),
        }
    }

    fn fail(&mut self, asked_at: u64, now: u64) {
        self.fail_by(asked_at, PermissionsFailure::Outage, now);
    }

    fn fail_by(&mut self, asked_at: u64, failure: PermissionsFailure, now: u64) {
        self.cache.fail(&self.fetches[&millis(asked_at)], failure, millis(now));
    }

    /// Fails for somebody else until the service is known to be out of order, in the ten seconds before `now`.
    fn outage(&mut self, now: u64) {
        for at in [now - 10_000, now - 5_000, now] {
            self.look_up_for("users", "somebody", 0, millis(at));
            self.fail(at, at);
        }
    }

    /// A request of the subject `u` arrives.
    fn arrives(&mut self, max_age: u64, stale: u64) -> PermissionsInquiry {
        let ages = (Duration::from_millis(max_age), Duration::from_millis(stale));
        let issuer = self.issuer("users");
        self.cache.inquire(&issuer, "u", ages)
    }

    /// Whether an old record of the subject `u` stands in.
    fn stands_in(&mut self, now: u64) -> bool {
        let inquiry = self.arrives(2_000, 60_000);
        self.cache.stand_in(&inquiry, millis(now)).is_some()
    }

    /// What the fetch of that time asks about.
    fn tag(&self, asked_at: u64) -> Option<&str> {
        self.fetches[&millis(asked_at)].if_none_match()
    }
}

fn record(version: u64) -> String {
    format!(r#"{{"id":"u","companies":{{}},"version":{version}}}"#)
}

#[test]
fn at_zero_every_request_is_asked_about_anew() {
    let mut bench = Bench::new();
    for now in [0, 1, 2, 1_000] {
        assert_eq!(bench.look_up(0, now), Fetch);
        bench.store(Some(1), now);
    }
}

/// The record changes between the first question and the second request; the second request sees the change.
#[test]
fn at_zero_requests_that_arrive_during_a_question_wait_for_the_next_which_is_asked_once_for_all() {
    let mut bench = Bench::new();
    assert_eq!(bench.look_up(0, 0), Fetch);
    let (second, third) = (bench.arrives(0, 0), bench.arrives(0, 0));
    assert_eq!(bench.look_again(&second, millis(1)), Wait);
    assert_eq!(bench.look_again(&third, millis(1)), Wait);
    bench.store(Some(1), 0);
    // What left before they arrived is no answer to them, and one of them asks for both.
    assert_eq!(bench.look_again(&second, millis(2)), Fetch);
    assert_eq!(bench.look_again(&third, millis(2)), Wait);
    let late = bench.arrives(0, 0);
    assert_eq!(bench.look_again(&late, millis(3)), Wait);
    bench.store(Some(2), 2);
    assert_eq!(bench.look_again(&third, millis(4)), Known(2));
    assert_eq!(bench.look_again(&late, millis(4)), Fetch);
    bench.store(Some(3), 4);
    assert_eq!(bench.look_again(&late, millis(5)), Known(3));
}

#[test]
fn a_question_that_failed_answers_those_who_arrived_before_it_left_and_nobody_else() {
    for max_age in [0, 2_000] {
        let mut bench = Bench::new();
        assert_eq!(bench.look_up(max_age, 0), Fetch);
        let (second, third) = (bench.arrives(max_age, 0), bench.arrives(max_age, 0));
        bench.fail(0, 1);
        assert_eq!(bench.look_again(&second, millis(2)), Fetch);
        let late = bench.arrives(max_age, 0);
        bench.fail(2, 3);
        assert_eq!(bench.look_again(&third, millis(4)), Unavailable);
        assert_eq!(bench.look_again(&late, millis(4)), Fetch);
    }
}

#[test]
fn a_lead_that_is_lost_keeps_nobody_waiting_at_zero() {
    let mut bench = Bench::new();
    assert_eq!(bench.look_up(0, 0), Fetch);
    let second = bench.arrives(0, 0);
    assert_eq!(bench.look_again(&second, millis(3_999)), Wait);
    assert_eq!(bench.look_again(&second, millis(4_000)), Fetch);
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
    assert_eq!(bench.look_up(0, 5_000), Wait);
    bench.store(Some(2), 5_000);
    assert_eq!(bench.look_up(30_000, 5_001), Known(2));
    assert_eq!(bench.look_up(0, 5_001), Fetch);
}

#[test]
fn an_older_fetch_does_not_replace_a_newer_one() {
    let mut bench = Bench::new();
    bench.look_up(0, 0);
    // The first lead has lapsed.
    assert_eq!(bench.look_up(0, 4_000), Fetch);
    bench.store(Some(2), 4_000);
    bench.store(Some(1), 0);
    assert_eq!(bench.look_up(2_000, 4_100), Known(2));
    // Nor does it make the newer one young again.
    assert_eq!(bench.look_up(2_000, 6_000), Fetch);
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
    bench.fail(3_000, 3_000);
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

/// Its own age cannot be told, and by its time it would be the younger of the two.
#[test]
fn an_answer_that_was_asked_for_ahead_of_the_clock_replaces_nothing_and_is_not_kept() {
    let mut bench = Bench::new();
    bench.look_up(0, 1_000_000);
    // The clock is set back, and a later question brings the downgrade.
    assert_eq!(bench.look_up(2_000, 500_000), Fetch);
    bench.store(Some(2), 500_000);
    bench.store(Some(1), 1_000_000);
    assert_eq!(bench.look_up(2_000, 500_300), Known(2));
    assert_eq!(bench.look_up(2_000, 1_001_000), Fetch);
    // Nor is it kept where nothing is held.
    let mut bench = Bench::new();
    bench.look_up(2_000, 1_000_000);
    bench.look_up(0, 500_000);
    bench.store(Some(1), 1_000_000);
    assert_eq!(bench.look_up(2_000, 1_001_000), Fetch);
}

#[test]
fn a_lead_that_lies_ahead_of_the_clock_does_not_block() {
    let mut bench = Bench::new();
    assert_eq!(bench.look_up(2_000, 100_000), Fetch);
    assert_eq!(bench.look_up(2_000, 0), Fetch);
}

/// Subjects can be made up by whoever has an issuer of the policy sign them, and have no record then.
#[test]
fn memory_is_bounded_and_subjects_without_a_record_drive_out_none_that_have_one() {
    let mut bench = Bench::new();
    bench.look_up(300_000, 0);
    bench.store(Some(1), 0);
    for count in 0..20_000 {
        let subject = format!("subject-{count}");
        assert_eq!(bench.look_up_for("users", &subject, 300_000, millis(1)), Fetch);
        bench.store(None, 1);
    }
    assert_eq!(bench.look_up(300_000, 1), Known(1));
    assert_eq!(bench.look_up_for("users", "subject-0", 300_000, millis(2)), Fetch);
    assert_eq!(bench.look_up_for("users", "subject-19999", 300_000, millis(2)), Absent);
    bench.store(None, 2);
    // Those that have one are bounded by themselves, and who is asked about stays.
    for count in 0..20_000 {
        let subject = format!("subject-{count}");
        bench.look_up_for("users", &subject, 0, millis(3));
        let body = format!(r#"{{"id":"{subject}","companies":{{}},"version":2}}"#);
        bench.answer(3, 200, None, &body);
        assert_eq!(bench.look_up(300_000, 3), Known(1));
    }
    assert_eq!(bench.look_up_for("users", "subject-0", 300_000, millis(4)), Fetch);
    assert_eq!(bench.look_up_for("users", "subject-19999", 300_000, millis(4)), Known(2));
}

#[test]
fn that_there_is_no_record_is_remembered_for_a_minute_at_most() {
    let limit = u64::try_from(PERMISSIONS_ABSENT_MAX_AGE.as_millis()).unwrap();
    let mut bench = Bench::new();
    bench.look_up(300_000, 0);
    bench.store(None, 0);
    assert_eq!(bench.look_up(300_000, limit - 1), Absent);
    bench.outage(limit - 1);
    assert_eq!(bench.look_up_at("users", "u", (300_000, 10_000), millis(limit)), Fetch);
    bench.fail(limit, limit);
    // Where it stands in for a service that cannot tell, it does so from then on.
    assert_eq!(bench.look_up_at("users", "u", (300_000, 4_000), millis(limit + 3_999)), Absent);
    assert_eq!(bench.look_up_at("users", "u", (300_000, 4_000), millis(limit + 4_000)), Fetch);
}

#[test]
fn a_record_past_its_age_is_asked_about_by_its_tag_and_is_young_again_if_unchanged() {
    let mut bench = Bench::new();
    assert_eq!(bench.look_up(2_000, 0), Fetch);
    assert_eq!(bench.tag(0), None);
    bench.answer(0, 200, Some("\"1-a\""), &record(1));
    assert_eq!(bench.look_up(2_000, 2_000), Fetch);
    assert_eq!(bench.tag(2_000), Some("\"1-a\""));
    bench.answer(2_000, 304, Some("\"1-a\""), "");
    // From the asking on, and with its tag.
    assert_eq!(bench.look_up(2_000, 3_999), Known(1));
    assert_eq!(bench.look_up(2_000, 4_000), Fetch);
    assert_eq!(bench.tag(4_000), Some("\"1-a\""));
    bench.answer(4_000, 200, Some("\"2-b\""), &record(2));
    assert_eq!(bench.look_up(0, 4_001), Fetch);
    assert_eq!(bench.tag(4_001), Some("\"2-b\""));
}

#[test]
fn a_304_means_the_state_that_was_asked_about_whatever_came_meanwhile() {
    let mut bench = Bench::new();
    bench.look_up(0, 0);
    bench.answer(0, 200, Some("\"1\""), &record(1));
    bench.look_up(0, 1_000);
    bench.look_up(0, 5_000);
    bench.answer(5_000, 200, Some("\"2\""), &record(2));
    // Asked earlier, about the first state, and answered late: it neither comes back nor makes the second younger.
    bench.answer(1_000, 304, None, "");
    assert_eq!(bench.look_up(2_000, 6_999), Known(2));
    assert_eq!(bench.look_up(2_000, 7_000), Fetch);
    assert_eq!(bench.tag(7_000), Some("\"2\""));
}

#[test]
fn a_record_without_a_tag_and_one_that_is_gone_are_asked_for_whole() {
    let mut bench = Bench::new();
    bench.look_up(0, 0);
    bench.answer(0, 200, Some("\"1\""), &record(1));
    bench.look_up(0, 1);
    bench.answer(1, 200, None, &record(2));
    bench.look_up(0, 2);
    assert_eq!(bench.tag(2), None);
    bench.answer(2, 200, Some("\"3\""), &record(3));
    bench.look_up(0, 3);
    bench.store(None, 3);
    bench.look_up(0, 4);
    assert_eq!(bench.tag(4), None);
}

#[test]
fn during_an_outage_a_record_stands_in_at_once_until_the_cooldown_ends() {
    let cooldown = u64::try_from(PERMISSIONS_COOLDOWN.as_millis()).unwrap();
    let mut bench = Bench::new();
    bench.look_up_or_stand_in(0);
    bench.store(Some(1), 0);
    bench.outage(20_000);
    // Nobody knows yet that it has nothing to say about this subject: the first asks, the others wait for it.
    assert_eq!(bench.look_up_or_stand_in(20_001), Fetch);
    assert_eq!(bench.look_up_or_stand_in(20_002), Wait);
    bench.fail(20_001, 23_000);
    for now in [23_000, 23_001, 23_000 + cooldown - 1] {
        assert_eq!(bench.look_up_or_stand_in(now), StandIn(1), "{now}");
    }
    // One tries again, and the others do not wait to see it fail.
    assert_eq!(bench.look_up_or_stand_in(23_000 + cooldown), Fetch);
    assert_eq!(bench.look_up_or_stand_in(23_001 + cooldown), StandIn(1));
    bench.store(Some(2), 23_000 + cooldown);
    assert_eq!(bench.look_up_or_stand_in(23_002 + cooldown), Known(2));
}

#[test]
fn a_record_stands_in_only_after_three_failures_in_a_row_over_ten_seconds() {
    assert_eq!((OUTAGE_FAILURES, OUTAGE_SPREAD), (3, Duration::from_secs(10)));
    for (failures, expected) in [
        (&[2_000][..], false),
        (&[2_000, 12_000], false),
        (&[2_000, 7_000, 11_999], false),
        (&[2_000, 2_001, 2_002, 2_003, 11_999], false),
        (&[2_000, 7_000, 12_000], true),
        (&[2_000, 2_001, 12_000], true),
    ] {
        let mut bench = Bench::new();
        bench.look_up_or_stand_in(0);
        bench.store(Some(1), 0);
        for at in failures {
            // Until then each request asks, and none is answered from an old record.
            assert_eq!(bench.look_up_or_stand_in(*at), Fetch, "{failures:?}");
            bench.fail(*at, *at);
        }
        assert_eq!(bench.stands_in(*failures.last().unwrap()), expected, "{failures:?}");
        // A new instance starts at zero.
        assert!(!Bench::new().stands_in(12_000));
    }
}

/// Refusals too: a service that refuses is not out of order.
#[test]
fn whatever_the_service_answers_ends_an_outage() {
    type Answer = fn(&mut Bench, u64);
    let answers: [(&str, Answer); 5] = [
        ("a record", |bench, at| bench.answer(at, 200, None, r#"{"id":"somebody","companies":{},"version":1}"#)),
        ("no record", |bench, at| bench.answer(at, 404, None, "")),
        ("a refusal", |bench, at| bench.fail_by(at, PermissionsFailure::Misconfigured, at)),
        ("429", |bench, at| bench.fail_by(at, PermissionsFailure::Backoff(Duration::from_secs(1)), at)),
        ("nothing", |bench, at| bench.fail_by(at, PermissionsFailure::CutShort, at)),
    ];
    for (name, answer) in answers {
        let mut bench = Bench::new();
        bench.look_up_or_stand_in(0);
        bench.store(Some(1), 0);
        bench.outage(20_000);
        assert!(bench.stands_in(20_001));
        bench.look_up_for("users", "somebody", 0, millis(20_002));
        answer(&mut bench, 20_002);
        assert_eq!(bench.stands_in(22_000), name == "nothing", "{name}");
        // And the count starts again.
        for at in [22_001, 23_000] {
            assert_eq!(bench.look_up_or_stand_in(at), Fetch, "{name}");
            bench.fail(at, at);
            if name == "nothing" {
                break;
            }
            assert!(!bench.stands_in(at), "{name}");
        }
    }
}

#[test]
fn a_service_that_wants_to_be_left_alone_is_asked_nothing_and_nothing_stands_in() {
    let mut bench = Bench::new();
    bench.look_up_or_stand_in(0);
    bench.store(Some(1), 0);
    assert_eq!(bench.look_up_for("users", "somebody", 0, millis(3_000)), Fetch);
    bench.fail_by(3_000, PermissionsFailure::Backoff(Duration::from_secs(7)), 3_000);
    for now in [3_000, 9_999] {
        assert_eq!(bench.look_up_or_stand_in(now), Unavailable, "{now}");
        assert_eq!(bench.look_up(0, now), Unavailable, "{now}");
        // What is young enough needs no question.
        assert_eq!(bench.look_up(20_000, now), Known(1), "{now}");
    }
    assert_eq!(bench.look_up_or_stand_in(10_000), Fetch);
    // By a clock that was set back nobody can tell when it ends.
    assert_eq!(bench.look_up_for("users", "v", 0, millis(2_999)), Fetch);
}

/// Questions that left before it said so may still fail.
#[test]
fn nothing_stands_in_while_the_service_wants_to_be_left_alone_whatever_fails_meanwhile() {
    let mut bench = Bench::new();
    bench.look_up_or_stand_in(0);
    bench.store(Some(1), 0);
    for (subject, at) in [("a", 1_000), ("b", 1_001), ("c", 1_002), ("d", 1_003)] {
        assert_eq!(bench.look_up_for("users", subject, 0, millis(at)), Fetch);
    }
    bench.fail_by(1_000, PermissionsFailure::Backoff(Duration::from_secs(20)), 3_000);
    bench.fail(1_001, 4_000);
    bench.fail(1_002, 9_000);
    bench.fail(1_003, 15_000);
    assert!(!bench.stands_in(22_999));
    assert!(bench.stands_in(23_000));
}

/// How far apart the failures were, nobody can tell then.
#[test]
fn nothing_stands_in_by_a_clock_that_was_set_back_behind_the_failures() {
    let mut bench = Bench::new();
    bench.look_up_or_stand_in(0);
    bench.store(Some(1), 0);
    bench.outage(20_000);
    assert!(bench.stands_in(20_000));
    assert!(!bench.stands_in(19_999));
}

#[test]
fn nothing_stands_in_where_the_route_does_not_say_so_and_nothing_past_both_ages() {
    let mut bench = Bench::new();
    bench.look_up_or_stand_in(0);
    bench.store(Some(1), 0);
    bench.outage(20_000);
    assert_eq!(bench.look_up_or_stand_in(20_001), Fetch);
    bench.fail(20_001, 21_000);
    assert_eq!(bench.look_up_or_stand_in(21_500), StandIn(1));
    assert_eq!(bench.look_up_at("users", "u", (0, 60_000), millis(21_501)), Fetch);
    bench.fail(21_501, 21_501);
    assert_eq!(bench.look_up(2_000, 21_502), Fetch);
    bench.fail(21_502, 59_999);
    assert_eq!(bench.look_up_or_stand_in(61_999), StandIn(1));
    assert_eq!(bench.look_up_or_stand_in(62_000), Fetch);
}

/// Or a subject whose record cannot be read would keep everybody else's in use.
#[test]
fn during_an_outage_each_subject_is_asked_about_before_a_record_stands_in() {
    let mut bench = Bench::new();
    bench.look_up_or_stand_in(0);
    bench.store(Some(1), 0);
    bench.outage(20_000);
    assert_eq!(bench.look_up_or_stand_in(20_001), Fetch);
}

#[test]
fn a_failure_of_a_question_that_a_later_one_has_overtaken_is_none() {
    let mut bench = Bench::new();
    bench.look_up_or_stand_in(0);
    assert_eq!(bench.look_up(0, 4_000), Fetch);
    bench.store(Some(1), 4_000);
    for now in [5_000, 10_000, 16_000] {
        bench.fail(0, now);
    }
    assert!(!bench.stands_in(16_000));
    assert_eq!(bench.look_up_or_stand_in(16_001), Fetch);
}

#[test]
fn the_cooldown_outlasts_a_lead() {
    assert!(PERMISSIONS_COOLDOWN > PERMISSIONS_FETCH_LEASE);
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    /// A request on a route with these ages, and whether the service answers it.
    Ask { max_age: u64, stale: u64, answers: Option<bool> },
    /// The record changes at the service.
    Change,
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let ages = prop::sample::select(vec![(0, 0), (500, 0), (2_000, 0), (2_000, 6_000), (5_000, 9_000)]);
    let ask = (ages, prop::option::weighted(0.8, any::<bool>())).prop_map(|((max_age, stale), answers)| Step::Ask {
        max_age,
        stale,
        answers,
    });
    prop::collection::vec((0_u64..3_000, prop_oneof![4 => ask, 1 => Just(Step::Change)]), 1..60)
}

proptest! {
    /// Whatever comes in whatever order, what decides was the service's state at some moment no longer ago than the route
    /// allows, and longer by what it allows on failure only after one.
    #[test]
    fn what_decides_is_no_older_than_the_route_allows(steps in steps()) {
        let mut bench = Bench::new();
        let mut now = 0;
        // When each version began; the service says by its tag which one it has.
        let mut since = vec![0];
        let mut pending: Vec<u64> = Vec::new();
        for (pause, step) in steps {
            now += pause + 1;
            let Step::Ask { max_age, stale, answers } = step else {
                since.push(now);
                continue;
            };
            let look = bench.look_up_at("users", "u", (max_age, stale), millis(now));
            let newest = since.len() - 1;
            // The moment at which version `held` was replaced.
            let replaced = |held: u64| since.get(usize::try_from(held).unwrap() + 1).copied();
            match look {
                Known(held) => {
                    prop_assert!(max_age > 0);
                    prop_assert!(replaced(held).is_none_or(|at| now - at < max_age), "{held} of {newest} at {now}");
                }
                StandIn(held) => {
                    prop_assert!(max_age > 0 && stale > 0);
                    prop_assert!(replaced(held).is_none_or(|at| now - at < max_age + stale), "{held} of {newest} at {now}");
                }
                Absent => prop_assert!(false, "there always is a record"),
                Wait => prop_assert!(!pending.is_empty()),
                Unavailable => prop_assert!(false, "each request is new, and nobody wants to be left alone"),
                Fetch => match answers {
                    Some(true) => {
                        let tag = format!("\"{newest}\"");
                        if bench.tag(now) == Some(tag.as_str()) {
                            bench.answer(now, 304, Some(&tag), "");
                        } else {
                            bench.answer(now, 200, Some(&tag), &record(u64::try_from(newest).unwrap()));
                        }
                    }
                    Some(false) => bench.fail(now, now),
                    // Neither: it hangs, until a later step takes its lead.
                    None => pending.push(now),
                },
            }
        }
    }

    /// A question that has left never answers a request that arrived after it, in whatever order they come and end.
    #[test]
    fn at_zero_no_answer_is_older_than_the_request(steps in prop::collection::vec((0_u8..5, any::<prop::sample::Index>()), 1..80)) {
        let mut bench = Bench::new();
        let (mut version, mut waiting, mut pending) = (0, Vec::new(), None);
        for (now, (step, which)) in (0_u64..).zip(steps) {
            match step {
                0 => version += 1,
                1 => waiting.push((bench.arrives(0, 0), version)),
                2 => if let Some((asked_at, asked)) = pending.take() {
                    bench.store(Some(asked), asked_at);
                },
                3 => if let Some((asked_at, _)) = pending.take() {
                    bench.fail(asked_at, now);
                },
                _ if waiting.is_empty() => {}
                _ => {
                    let index = which.index(waiting.len());
                    let (inquiry, least) = waiting[index].clone();
                    match bench.look_again(&inquiry, millis(now)) {
                        Known(held) => {
                            prop_assert!(held >= least, "{held} answers a request that came at {least}");
                            waiting.remove(index);
                        }
                        Fetch => {
                            prop_assert!(pending.is_none(), "two questions at once");
                            pending = Some((now, version));
                        }
                        Wait => prop_assert!(pending.is_some()),
                        Unavailable => drop(waiting.remove(index)),
                        Absent | StandIn(_) => prop_assert!(false),
                    }
                }
            }
        }
    }
}

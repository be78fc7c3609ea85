//! `p`, `q` and `r` ask for the records of two subjects, and of one of them at another issuer; `w` looks up again for whoever
//! asked last. `a` and `A` answer the oldest and the newest question, `m` with what is known, `n` that there is none; `e`, `b`,
//! `c` and `d` fail it: out of order, to be left alone, misconfigured, cut short. `P` asks for many subjects.

use std::{sync::Arc, time::Duration};

use postern::{
    PermissionsRecord, UnixTime,
    cache::{
        OUTAGE_FAILURES, OUTAGE_SPREAD, PERMISSIONS_ABSENT_MAX_AGE, PERMISSIONS_FETCH_LEASE, PermissionsAnswer,
        PermissionsCache, PermissionsFailure, PermissionsFetch, PermissionsInquiry, PermissionsLookup,
    },
    policy::Issuer,
};

use super::{Clock, Reached, numbers_after};
use crate::{Script, world::CHECKED};

/// Whose records are asked for: issuer section and subject.
const WHOSE: [(&str, &str); 3] = [("users", "u1"), ("users", "u2"), ("partners", "u1")];
/// Subjects that one step makes up, and most such steps.
const FLOOD: (usize, usize) = (160, 8);
/// Records remembered in a half, and subjects without one.
const MOST: [usize; 2] = [4096, 1024];

type Record = Option<Arc<PermissionsRecord>>;

struct Asked {
    whose: usize,
    fetch: PermissionsFetch,
    at: UnixTime,
    step: usize,
}

/// An answer that was stored.
struct Stored {
    whose: usize,
    record: Record,
    asked_at: UnixTime,
    /// The step at which its question left.
    step: usize,
}

pub(super) struct Permissions {
    cache: PermissionsCache,
    ages: (Duration, Duration),
    inquiry: Option<(usize, PermissionsInquiry, usize)>,
    asked: Vec<Asked>,
    stored: Vec<Stored>,
    /// When the service failed, since it last did anything else.
    failures: Vec<UnixTime>,
    steps: usize,
    floods: usize,
}

fn issuer(whose: usize) -> &'static Issuer {
    CHECKED.issuers().iter().find(|issuer| issuer.name() == WHOSE[whose].0).expect("an issuer")
}

impl Permissions {
    pub(super) fn new(script: &mut Script<'_>) -> Self {
        let seconds = Duration::from_secs;
        let ages = (script.pick(&[seconds(0), seconds(30), seconds(300)]), script.pick(&[seconds(0), seconds(600)]));
        Self {
            cache: PermissionsCache::new(),
            ages,
            inquiry: None,
            asked: Vec::new(),
            stored: Vec::new(),
            failures: Vec::new(),
            steps: 0,
            floods: 0,
        }
    }

    pub(super) fn step(&mut self, step: u8, clock: &Clock) -> Option<Reached> {
        self.steps += 1;
        match step {
            b'p' => return self.inquire(0, clock),
            b'q' => return self.inquire(1, clock),
            b'r' => return self.inquire(2, clock),
            b'w' => {
                let (whose, inquiry, arrived) = self.inquiry.clone()?;
                return self.look_up(whose, &inquiry, arrived, clock);
            }
            b'P' if self.floods < FLOOD.1 => self.flood(clock),
            b'A' => {
                let asked = self.asked.pop()?;
                self.answer(&asked, 200, clock);
            }
            b'a' | b'm' | b'n' | b'e' | b'b' | b'c' | b'd' if !self.asked.is_empty() => {
                let asked = self.asked.remove(0);
                match step {
                    b'a' => self.answer(&asked, 200, clock),
                    b'm' => self.answer(&asked, 304, clock),
                    b'n' => self.answer(&asked, 404, clock),
                    b'e' => self.fail(&asked, PermissionsFailure::Outage, clock),
                    b'b' => self.fail(&asked, PermissionsFailure::Backoff(Duration::from_secs(5)), clock),
                    b'c' => self.fail(&asked, PermissionsFailure::Misconfigured, clock),
                    _ => self.fail(&asked, PermissionsFailure::CutShort, clock),
                }
            }
            _ => {}
        }
        None
    }

    fn inquire(&mut self, whose: usize, clock: &Clock) -> Option<Reached> {
        let inquiry = self.cache.inquire(issuer(whose), WHOSE[whose].1, self.ages);
        self.inquiry = Some((whose, inquiry.clone(), self.steps));
        self.look_up(whose, &inquiry, self.steps, clock)
    }

    fn look_up(
        &mut self,
        whose: usize,
        inquiry: &PermissionsInquiry,
        arrived: usize,
        clock: &Clock,
    ) -> Option<Reached> {
        let now = clock.now();
        match self.cache.look_up(inquiry, now) {
            PermissionsLookup::Known(record) => {
                assert!(self.may_be_known(whose, &record, arrived, now), "an answer past its time, or another's");
                Some(Reached::Known)
            }
            PermissionsLookup::StandIn(record) => {
                self.assert_may_stand_in(whose, &record, now);
                Some(Reached::StandIn)
            }
            PermissionsLookup::Fetch(fetch) => {
                let is_under_way =
                    |asked: &Asked| asked.whose == whose && now.saturating_since(asked.at) < PERMISSIONS_FETCH_LEASE;
                assert!(clock.is_set_back || !self.asked.iter().any(is_under_way), "two questions at a time");
                self.asked.push(Asked { whose, fetch, at: now, step: self.steps });
                None
            }
            PermissionsLookup::Wait | PermissionsLookup::Unavailable => None,
        }
    }

    /// Whether this was stored for this very subject, young enough or asked for since the request arrived.
    fn may_be_known(&self, whose: usize, record: &Record, arrived: usize, now: UnixTime) -> bool {
        let (max_age, _) = self.ages;
        let max_age = if record.is_some() { max_age } else { max_age.min(PERMISSIONS_ABSENT_MAX_AGE) };
        self.answers(whose, record).any(|stored| {
            let is_young = stored.asked_at <= now && now.saturating_since(stored.asked_at) < max_age;
            // The step that made it arrive may have sent the question too, for whoever looks up again.
            is_young || stored.step >= arrived
        })
    }

    fn assert_may_stand_in(&self, whose: usize, record: &Record, now: UnixTime) {
        let (max_age, more) = self.ages;
        assert!(!max_age.is_zero() && !more.is_zero(), "a record stands in where none may");
        let max_age = if record.is_some() { max_age } else { max_age.min(PERMISSIONS_ABSENT_MAX_AGE) };
        let is_young = |stored: &Stored| {
            stored.asked_at <= now && now.saturating_since(stored.asked_at) < max_age.saturating_add(more)
        };
        assert!(self.answers(whose, record).any(is_young), "a record stands in past its time, or for another");
        let (first, last) = (self.failures.iter().min(), self.failures.iter().max());
        let spread = last.zip(first).map_or(Duration::ZERO, |(last, first)| last.saturating_since(*first));
        let count = self.failures.len();
        assert!(count >= usize::try_from(OUTAGE_FAILURES).expect("a few"), "stands in after {count} failures");
        assert!(spread >= OUTAGE_SPREAD, "stands in after failures within {spread:?}");
    }

    fn answers<'s>(&'s self, whose: usize, record: &'s Record) -> impl Iterator<Item = &'s Stored> {
        self.stored.iter().filter(move |stored| {
            let is_same = match (&stored.record, record) {
                (Some(own), Some(other)) => Arc::ptr_eq(own, other),
                (own, other) => own.is_none() && other.is_none(),
            };
            stored.whose == whose && is_same
        })
    }

    fn answer(&mut self, asked: &Asked, status: u16, clock: &Clock) {
        let (_, subject) = WHOSE[asked.whose];
        let body = format!(r#"{{"id":"{subject}","companies":{{"c1":["Manager"]}}}}"#);
        let answer = PermissionsAnswer { status, etag: Some("\"1\""), retry_after: None, body: body.as_bytes() };
        let fetched = match asked.fetch.answered(&answer) {
            Ok(fetched) => fetched,
            Err(error) => {
                assert!(status == 304 && asked.fetch.if_none_match().is_none(), "an answer is not taken: {error}");
                self.fail(asked, error.failure(), clock);
                return;
            }
        };
        let record = fetched.record();
        assert_eq!(record.is_some(), status != 404, "a record is lost or made up");
        assert!(record.as_ref().is_none_or(|record| record.id() == subject), "a record of somebody else");
        let other = WHOSE.iter().find(|(_, other)| *other != subject).expect("another subject").1;
        let body = format!(r#"{{"id":"{other}","companies":{{"c1":["Manager"]}}}}"#);
        let answer = PermissionsAnswer { status: 200, body: body.as_bytes(), ..answer };
        assert!(asked.fetch.answered(&answer).is_err(), "a record of somebody else is taken");
        self.failures.clear();
        self.stored.push(Stored { whose: asked.whose, record, asked_at: asked.at, step: asked.step });
        self.cache.store(fetched, clock.now());
    }

    fn fail(&mut self, asked: &Asked, failure: PermissionsFailure, clock: &Clock) {
        match failure {
            PermissionsFailure::Outage => self.failures.push(clock.now()),
            PermissionsFailure::Backoff(_) | PermissionsFailure::Misconfigured => self.failures.clear(),
            PermissionsFailure::CutShort => {}
        }
        self.cache.fail(&asked.fetch, failure, clock.now());
    }

    fn flood(&mut self, clock: &Clock) {
        for index in 0..FLOOD.0 {
            let subject = format!("{}-{index}", self.floods);
            let inquiry = self.cache.inquire(issuer(0), &subject, self.ages);
            let _ = self.cache.look_up(&inquiry, clock.now());
        }
        self.floods += 1;
        let shown = format!("{:?}", self.cache);
        for numbers in [numbers_after(&shown, "young"), numbers_after(&shown, "old")] {
            for (remembered, most) in numbers.zip(MOST) {
                assert!(remembered <= most, "{remembered} subjects are remembered");
            }
        }
    }
}

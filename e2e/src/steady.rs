//! A steady stream of requests, to see what happens to them while something changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    client::{Answer, Call},
    wait,
};

/// Time between the end of one request of a thread and its next.
const PAUSE: Duration = Duration::from_millis(10);
/// Time for a handful of requests of each kind on a machine under load.
const PATIENCE: Duration = Duration::from_secs(20);

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When it was sent.
    pub began: Instant,
    /// When its answer had come.
    pub ended: Instant,
    /// Its answer; `None` when the connection broke.
    pub answer: Option<Answer>,
}

impl Sample {
    /// The status; 0 when the connection broke.
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, Answer::status)
    }
}

/// Requests that go on until they are stopped.
#[derive(Debug)]
pub struct Steady {
    stop: Arc<AtomicBool>,
    /// Requests that each kind has behind it.
    counts: Vec<Arc<AtomicUsize>>,
    threads: Vec<JoinHandle<Vec<Sample>>>,
}

impl Steady {
    /// Starts as many threads as there are kinds of request; each sends what its kind makes, over and over.
    pub fn start(kinds: Vec<Box<dyn Fn() -> Call + Send>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let counts: Vec<Arc<AtomicUsize>> = kinds.iter().map(|_| Arc::default()).collect();
        let threads = kinds
            .into_iter()
            .zip(&counts)
            .map(|(kind, count)| {
                let (stop, count) = (Arc::clone(&stop), Arc::clone(count));
                thread::spawn(move || {
                    let mut samples = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let began = Instant::now();
                        let answer = kind().try_send().ok();
                        samples.push(Sample { began, ended: Instant::now(), answer });
                        count.fetch_add(1, Ordering::Relaxed);
                        thread::sleep(PAUSE);
                    }
                    samples
                })
            })
            .collect();
        Self { stop, counts, threads }
    }

    /// Requests that all kinds together have behind them.
    pub fn count(&self) -> usize {
        self.counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Waits until each kind has begun and ended so many more requests.
    #[track_caller]
    pub fn each_sends(&self, more: usize) {
        let before: Vec<usize> = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        // One more, since one is under way.
        let sent = |(count, before): (&Arc<AtomicUsize>, &usize)| count.load(Ordering::Relaxed) > before + more;
        wait::until("requests flow", PATIENCE, || self.counts.iter().zip(&before).all(sent));
    }

    /// Stops, and gives what each kind of request saw.
    ///
    /// # Panics
    /// When a thread has.
    pub fn stop(mut self) -> Vec<Vec<Sample>> {
        self.stop.store(true, Ordering::Relaxed);
        std::mem::take(&mut self.threads).into_iter().map(|thread| thread.join().expect("a steady thread")).collect()
    }
}

impl Drop for Steady {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

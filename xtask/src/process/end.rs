//! Ending processes: politely, then not, with all that they have started. SIGTERM comes first because wrangler and
//! `cargo lambda` end their own children on it, and lose them on SIGKILL.

use std::collections::HashSet;
use std::fs;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

const POLITE: Duration = Duration::from_secs(6);
const AFTER_KILL: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(50);

/// Ends one child that is not the head of a group.
pub(super) fn child(child: &mut Child) {
    signal(child.id(), Signal::TERM);
    let start = Instant::now();
    while start.elapsed() < POLITE {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(POLL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Ends the groups that these children head, one after another's SIGTERM, all within one stretch of patience.
pub(super) fn groups(children: &mut [&mut Child]) {
    let heads: Vec<u32> = children.iter().map(|child| child.id()).collect();
    end(&heads, || {
        for child in &mut *children {
            // Reaped here, or it would stay in the process table and count as alive.
            let _ = child.try_wait();
        }
    });
}

/// The same for groups whose parent is gone.
pub(super) fn orphans(heads: &[u32]) {
    end(heads, || {});
}

fn end(heads: &[u32], mut reap: impl FnMut()) {
    // Taken before the first signal: an orphan can no longer be traced to its head. A process that a head starts in a
    // group of its own (as `cargo lambda watch` does) is found by its parent.
    let mut family = members(heads, &HashSet::new());
    for head in heads {
        if let Some(group) = pid(*head) {
            let _ = kill_process_group(group, Signal::TERM);
        }
    }
    let start = Instant::now();
    let mut told_all = false;
    loop {
        reap();
        family = members(heads, &family);
        if family.is_empty() || start.elapsed() > POLITE + AFTER_KILL {
            return;
        }
        let heads_left = heads.iter().any(|head| family.contains(head));
        if !told_all && (!heads_left || start.elapsed() > POLITE / 2) {
            family.iter().for_each(|member| signal(*member, Signal::TERM));
            told_all = true;
        }
        if start.elapsed() > POLITE {
            family.iter().for_each(|member| signal(*member, Signal::KILL));
        }
        thread::sleep(POLL);
    }
}

/// The living processes that are in one of the groups, descend from one of the heads, or were known before.
fn members(heads: &[u32], known: &HashSet<u32>) -> HashSet<u32> {
    let processes = processes();
    let mut family: HashSet<u32> = processes
        .iter()
        .filter(|process| heads.contains(&process.id) || heads.contains(&process.group) || known.contains(&process.id))
        .map(|process| process.id)
        .collect();
    loop {
        let before = family.len();
        for process in &processes {
            if family.contains(&process.parent) {
                family.insert(process.id);
            }
        }
        if family.len() == before {
            return family;
        }
    }
}

fn signal(process: u32, signal: Signal) {
    if let Some(process) = pid(process) {
        let _ = kill_process(process, signal);
    }
}

fn pid(id: u32) -> Option<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw)
}

#[derive(Debug, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    group: u32,
}

/// The process table without the dead that nobody has reaped: from `/proc`, elsewhere from `ps`.
fn processes() -> Vec<Process> {
    if let Ok(entries) = fs::read_dir("/proc") {
        let found: Vec<Process> = entries
            .flatten()
            .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
            .filter_map(|stat| from_proc(&stat))
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    let Ok(listed) = Command::new("ps").args(["-A", "-o", "pid=,ppid=,pgid=,stat="]).output() else {
        return Vec::new();
    };
    String::from_utf8_lossy(&listed.stdout).lines().filter_map(from_ps).collect()
}

/// proc(5): `pid (name) state ppid pgrp …`; the name may hold anything, `)` included.
fn from_proc(stat: &str) -> Option<Process> {
    let (id, rest) = stat.split_once(' ')?;
    let mut fields = rest.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let (parent, group) = (fields.next()?, fields.next()?);
    living(state, id, parent, group)
}

fn from_ps(line: &str) -> Option<Process> {
    let mut fields = line.split_whitespace();
    let (id, parent, group, state) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    living(state, id, parent, group)
}

fn living(state: &str, id: &str, parent: &str, group: &str) -> Option<Process> {
    if state.starts_with(['Z', 'X']) {
        return None;
    }
    Some(Process { id: id.parse().ok()?, parent: parent.parse().ok()?, group: group.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn process_tables_are_read() {
        let expected = Some(Process { id: 7, parent: 1, group: 5 });
        assert_eq!(from_proc("7 (a) b) S 1 5 5 0 -1"), expected);
        assert_eq!(from_ps("  7   1   5 Ss+"), expected);
        assert_eq!(from_proc("7 (a) Z 1 5 5"), None);
        assert_eq!(from_ps("7 1 5 Z"), None);
        assert_eq!(from_ps("garbage"), None);
    }

    #[test]
    fn a_grandchild_in_its_own_group_is_ended_too() {
        // `set -m` gives the background job a group of its own, and the trap keeps the shell from passing the signal on.
        let mut head = Command::new("bash")
            .args(["-c", "set -m; sleep 300 & echo $!; trap 'exit 0' TERM; wait"])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("bash");
        let mut line = String::new();
        let stdout = head.stdout.take().expect("piped");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
        let grandchild: u32 = line.trim().parse().expect("a process id");
        assert!(processes().iter().any(|process| process.id == grandchild));
        groups(&mut [&mut head]);
        assert!(!processes().iter().any(|process| process.id == grandchild), "the grandchild lives on");
    }
}

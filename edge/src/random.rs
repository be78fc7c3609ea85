//! Randomness drawn from the runtime for many identifiers at once: each call into it costs more than what it brings.
//!
//! An isolate of Cloudflare's and a container of Lambda's serve nobody else and are never copied once they run, so that
//! what waits here is given to one request alone. It is drawn while a request is served, never as the module loads.

/// Identifiers drawn at once: more than an isolate serves in a moment, and less than what a page of memory holds.
const IDS: usize = 64;
const ID_BYTES: usize = 16;
const POOL_BYTES: usize = IDS * ID_BYTES;

/// Random octets that nobody has been given yet.
#[derive(Debug)]
pub struct Pool {
    octets: [u8; POOL_BYTES],
    /// How many of the octets, from the end on, are still to be given.
    left: usize,
}

impl Pool {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self { octets: [0; POOL_BYTES], left: 0 }
    }

    /// The next 128 bits, which are given once. Where none are left, `draw` fills all of a slice with new ones.
    ///
    /// # Errors
    /// What `draw` says; the pool is then as empty as it was.
    pub fn take<E>(&mut self, draw: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<[u8; ID_BYTES], E> {
        if self.left < ID_BYTES {
            self.left = 0;
            draw(&mut self.octets)?;
            self.left = POOL_BYTES;
        }
        let (rest, id) = self.octets.split_at_mut(self.left.saturating_sub(ID_BYTES));
        self.left = rest.len();
        let mut taken = [0; ID_BYTES];
        // What was given is kept by nobody, least of all here.
        for (given, octet) in taken.iter_mut().zip(id) {
            *given = std::mem::take(octet);
        }
        Ok(taken)
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A source whose octets never repeat in sixteens.
    fn counting() -> impl FnMut(&mut [u8]) -> Result<(), ()> {
        let mut next = 0_u128;
        move |octets| {
            for id in octets.chunks_exact_mut(ID_BYTES) {
                next += 1;
                id.copy_from_slice(&next.to_le_bytes());
            }
            Ok(())
        }
    }

    #[test]
    fn no_identifier_is_given_twice_and_every_octet_is_drawn() {
        let (mut pool, mut source, mut draws) = (Pool::new(), counting(), 0);
        let mut given = BTreeSet::new();
        for _ in 0..3 * IDS {
            let id = pool.take(|octets| {
                draws += 1;
                source(octets)
            });
            assert!(given.insert(id.unwrap()));
        }
        assert!(!given.contains(&[0; ID_BYTES]));
        assert_eq!((given.len(), draws), (3 * IDS, 3));
    }

    #[test]
    fn what_was_given_is_not_kept_and_what_waits_is() {
        let (mut pool, mut source) = (Pool::new(), counting());
        for given in 1..=IDS {
            pool.take(&mut source).unwrap();
            let (waiting, gone) = pool.octets.split_at(POOL_BYTES - given * ID_BYTES);
            assert!(gone.iter().all(|octet| *octet == 0), "after {given}");
            assert!(waiting.chunks_exact(ID_BYTES).all(|id| id != [0; ID_BYTES]), "after {given}");
        }
    }

    #[test]
    fn a_runtime_without_randomness_gives_no_identifier_and_the_next_draw_counts() {
        let mut pool = Pool::new();
        assert_eq!(pool.take(|_| Err("none")), Err("none"));
        assert_eq!(
            pool.take(|octets| {
                octets[..8].fill(7);
                Err("broke")
            }),
            Err("broke")
        );
        assert_eq!(
            pool.take(|octets| {
                octets.fill(9);
                Ok::<(), &str>(())
            }),
            Ok([9; ID_BYTES])
        );
    }
}

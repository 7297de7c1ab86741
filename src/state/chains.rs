//! Many rows to a lookup key: chains through the entries of a state.
//!
//! ```text
//!   heads    hash of the lookup key -> newest entry        HashTable
//!   links    entry 7 <-> entry 4 <-> entry 0               one a entry, newest first
//! ```
//!
//! Adding and removing an entry cost the same however long its chain is.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as TableEntry;

/// No entry: the end of a chain.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Head {
    hash: u64,
    entry: u32,
    length: u32,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    newer: u32,
    older: u32,
}

/// Chains of the entries whose lookup keys are equal.
#[derive(Debug, Default)]
pub(super) struct Chains {
    heads: HashTable<Head>,
    links: Vec<Link>,
    /// How long a chain is that was the longest when it last changed.
    longest: u32,
}

impl Chains {
    /// Adds an entry. `is_same` tells whether the lookup key of another entry is the same.
    pub(super) fn add(&mut self, hash: u64, entry: u32, is_same: impl Fn(u32) -> bool) {
        let place = entry as usize;
        let end = Link {
            newer: NONE,
            older: NONE,
        };
        if self.links.len() <= place {
            self.links.resize(place + 1, end);
        }
        self.links[place] = end;
        let head = self
            .heads
            .entry(hash, |head| is_same(head.entry), |head| head.hash);
        match head {
            TableEntry::Occupied(mut head) => {
                let head = head.get_mut();
                let older = std::mem::replace(&mut head.entry, entry);
                head.length += 1;
                self.longest = self.longest.max(head.length);
                self.links[older as usize].newer = entry;
                self.links[place].older = older;
            }
            TableEntry::Vacant(vacant) => {
                vacant.insert(Head {
                    hash,
                    entry,
                    length: 1,
                });
                self.longest = self.longest.max(1);
            }
        }
    }

    /// Takes an entry out. `hash` is that of its lookup key, `is_same` tells whether that of another entry is the same.
    pub(super) fn remove(&mut self, hash: u64, entry: u32, is_same: impl Fn(u32) -> bool) {
        if let Some(head) = self.heads.find_mut(hash, |head| is_same(head.entry)) {
            if head.length == self.longest {
                self.longest -= 1;
            }
            head.length -= 1;
        }
        let Link { newer, older } = self.links[entry as usize];
        if let Some(link) = self.links.get_mut(older as usize) {
            link.newer = newer;
        }
        if let Some(link) = self.links.get_mut(newer as usize) {
            link.older = older;
        } else if let Ok(mut head) = self.heads.find_entry(hash, |head| head.entry == entry) {
            if older == NONE {
                head.remove();
            } else {
                head.get_mut().entry = older;
            }
        }
    }

    /// The entries with a lookup key, newest first.
    pub(super) fn find(&self, hash: u64, is_same: impl Fn(u32) -> bool) -> impl Iterator<Item = u32> {
        let head = self.heads.find(hash, |head| is_same(head.entry));
        std::iter::successors(head.map(|head| head.entry), |&entry| {
            Some(self.links[entry as usize].older).filter(|&older| older != NONE)
        })
    }

    /// So many entries some key has at least. It is the longest chain unless that one has become shorter than another
    /// since the other's last change: nothing is walked to find out.
    pub(super) fn longest(&self) -> u32 {
        self.longest
    }

    /// Bytes in memory, near enough.
    pub(super) fn memory_bytes(&self) -> usize {
        self.heads.capacity() * (size_of::<Head>() + 1) + self.links.capacity() * size_of::<Link>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_and_go_at_any_place_of_a_chain() {
        let keys = [1, 2, 1, 1, 2, 1];
        let mut chains = Chains::default();
        for (entry, key) in (0..).zip(keys) {
            chains.add(key, entry, |other| keys[other as usize] == key);
        }
        let all = |chains: &Chains, key: u64| {
            let found = chains.find(key, |other| keys[other as usize] == key);
            found.collect::<Vec<_>>()
        };
        assert_eq!(all(&chains, 1), [5, 3, 2, 0]);
        assert_eq!(chains.longest(), 4);
        for (gone, left) in [(3, vec![5, 2, 0]), (5, vec![2, 0]), (0, vec![2]), (2, vec![])] {
            chains.remove(1, gone, |other| keys[other as usize] == 1);
            assert_eq!(all(&chains, 1), left);
            assert!(chains.longest() as usize <= left.len().max(2));
        }
        assert_eq!(all(&chains, 2), [4, 1]);
        chains.add(1, 3, |other| keys[other as usize] == 1);
        assert_eq!(all(&chains, 1), [3]);
    }
}

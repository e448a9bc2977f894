/// Accounts for the capacity of a cache and counts its evictions. It is part of
/// the other parts. The twin of policies-native/kit/space.go.
pub struct Space {
    capacity: i64,
    pub(crate) used: i64, // never above capacity between requests
    pub(crate) evicted: i64,
}

impl Space {
    pub fn new(capacity: i64) -> Self {
        Space { capacity, used: 0, evicted: 0 }
    }

    /// What the cache holds at most, in the unit of sizes.
    pub fn capacity(&self) -> i64 {
        self.capacity
    }

    /// A part of the capacity, rounded down.
    pub fn share(&self, part: f64) -> i64 {
        (self.capacity as f64 * part) as i64
    }

    /// The sizes of all resident objects together.
    pub fn used(&self) -> i64 {
        self.used
    }

    /// Whether an object of so many bytes needs an eviction first.
    #[inline]
    pub fn full(&self, size: i64) -> bool {
        self.used + size > self.capacity
    }

    /// Objects evicted so far.
    pub fn evictions(&self) -> i64 {
        self.evicted
    }
}

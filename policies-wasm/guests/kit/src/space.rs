/// Accounts for the bytes of a cache and counts its evictions.
pub struct Space {
    capacity: i64,
    used: i64,
    evicted: i64,
}

impl Space {
    pub fn new(capacity: i64) -> Self {
        Space { capacity, used: 0, evicted: 0 }
    }

    /// Tells whether an object of so many bytes needs an eviction first.
    pub fn full(&self, size: i64) -> bool {
        self.used + size > self.capacity
    }

    pub fn admit(&mut self, size: i64) {
        self.used += size;
    }

    pub fn evict(&mut self, size: i64) {
        self.used -= size;
        self.evicted += 1;
    }

    pub fn evictions(&self) -> i64 {
        self.evicted
    }
}

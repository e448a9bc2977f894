use crate::{Record, Space};
use alloc::vec::Vec;
use core::mem::size_of;

/// Objects in one of a few intrusive queues, or in none. The first queues hold
/// residents, the objects in the cache; the others hold ghosts, objects that are
/// remembered but take no space of the cache. A `T` is kept for every object,
/// whether it is in a queue or not. The twin of policies-native/kit/queues.go.
///
/// ```text
/// nodes   0        1        2     3     4
///         queue 0  queue 1  id 0  id 1  id 2 ...
/// ```
///
/// The node of each queue closes its ring: its `next` is the front, its `prev`
/// the back. `N` is the number of queues, of which `RESIDENTS` hold residents.
pub struct Queues<T, const RESIDENTS: usize, const N: usize> {
    pub space: Space,
    nodes: Vec<Node<T>>,
    rings: [Ring; N],
    loaded: u64, // keeps the loads of preload from being removed
}

#[derive(Clone, Copy, Default)]
struct Node<T> {
    value: T,
    prev: u32,
    next: u32,
    meta: u64, // size << 8 | queue + 1; 0: in no queue
}

#[derive(Clone, Copy)]
struct Ring {
    bytes: i64,
    len: usize,
}

/// How large the nodes have to be, in bytes, for preloading to gain: smaller ones
/// stay in the processor's caches.
const PRELOAD_FROM: usize = 4 << 20;

/// One queue of residents, with nothing else kept for each object.
pub type Queue = Queues<(), 1, 1>;

impl<T: Copy + Default, const RESIDENTS: usize, const N: usize> Queues<T, RESIDENTS, N> {
    pub fn new(capacity: i64) -> Self {
        let mut nodes = Vec::new();
        nodes.resize(N, Node::default());
        for (i, n) in nodes.iter_mut().enumerate() {
            (n.prev, n.next) = (i as u32, i as u32);
        }
        Queues { space: Space::new(capacity), nodes, rings: [Ring { bytes: 0, len: 0 }; N], loaded: 0 }
    }

    /// Makes room for so many objects.
    pub fn reserve(&mut self, objects: usize) {
        let n = objects + N;
        if n > self.nodes.len() {
            self.nodes.resize(n, Node::default());
        }
    }

    /// Makes sure that there is a node for the object. The other methods take
    /// an id that has been through it.
    #[inline]
    pub fn touch(&mut self, id: u32) {
        if id as usize + N >= self.nodes.len() {
            self.grow(id);
        }
    }

    #[cold]
    fn grow(&mut self, id: u32) {
        self.reserve((id as usize + 1).max(2 * self.nodes.len()));
    }

    /// Loads the nodes of the objects in `requests`, then the neighbours of those
    /// that are in a queue. Tells whether the nodes are large enough for that to gain.
    #[inline]
    pub fn preload(&mut self, requests: &[Record]) -> bool {
        if !self.preload_nodes(requests) {
            return false;
        }
        let nodes = &self.nodes[..];
        let meta = |n: u32| nodes.get(n as usize).map_or(0, |x| x.meta);
        let mut sum = 0;
        for r in requests {
            match nodes.get(r.id as usize + N) {
                Some(x) if x.meta != 0 => sum ^= meta(x.prev) ^ meta(x.next),
                _ => {}
            }
        }
        self.loaded ^= sum;
        true
    }

    /// [`Queues::preload`] for a policy whose hits move nothing: it loads the nodes of
    /// the objects only.
    #[inline]
    pub fn preload_nodes(&mut self, requests: &[Record]) -> bool {
        let nodes = &self.nodes[..];
        if nodes.len() * size_of::<Node<T>>() < PRELOAD_FROM {
            return false;
        }
        let mut sum = 0;
        for r in requests {
            // An object that has no node yet is one that was never requested.
            sum ^= nodes.get(r.id as usize + N).map_or(0, |x| x.meta);
        }
        self.loaded ^= sum;
        true
    }

    #[inline]
    fn at(&self, id: u32) -> &Node<T> {
        &self.nodes[id as usize + N]
    }

    #[inline]
    fn object(&self, n: u32) -> Option<u32> {
        n.checked_sub(N as u32)
    }

    /// Whether the object is resident.
    #[inline]
    pub fn has(&self, id: u32) -> bool {
        (self.at(id).meta & 0xff).wrapping_sub(1) < RESIDENTS as u64
    }

    /// Whether the object is in the given queue.
    #[inline]
    pub fn is_in(&self, queue: usize, id: u32) -> bool {
        self.at(id).meta & 0xff == queue as u64 + 1
    }

    /// The queue that the object is in.
    #[inline]
    pub fn queue(&self, id: u32) -> Option<usize> {
        ((self.at(id).meta & 0xff) as usize).checked_sub(1)
    }

    /// The object's `T`, whether it is in a queue or not.
    #[inline]
    pub fn value(&mut self, id: u32) -> &mut T {
        &mut self.nodes[id as usize + N].value
    }

    /// The size of an object that is in a queue.
    #[inline]
    pub fn size(&self, id: u32) -> i64 {
        (self.at(id).meta >> 8) as i64
    }

    /// The sizes of the objects in a queue together.
    #[inline]
    pub fn bytes(&self, queue: usize) -> i64 {
        self.rings[queue].bytes
    }

    /// The number of objects in a queue.
    #[inline]
    pub fn len(&self, queue: usize) -> usize {
        self.rings[queue].len
    }

    /// The object at the front of a queue.
    #[inline]
    pub fn front(&self, queue: usize) -> Option<u32> {
        self.object(self.nodes[queue].next)
    }

    /// The object at the back of a queue.
    #[inline]
    pub fn back(&self, queue: usize) -> Option<u32> {
        self.object(self.nodes[queue].prev)
    }

    /// The object behind this one, towards the back.
    #[inline]
    pub fn next(&self, id: u32) -> Option<u32> {
        self.object(self.at(id).next)
    }

    /// The object before this one, towards the front.
    #[inline]
    pub fn prev(&self, id: u32) -> Option<u32> {
        self.object(self.at(id).prev)
    }

    /// Puts an object that is in no queue at the front of a queue.
    #[inline]
    pub fn push_front(&mut self, queue: usize, id: u32, size: i64) {
        self.enter(queue, id, size);
        self.link(queue, id);
    }

    /// Puts an object that is in no queue at the back of a queue.
    #[inline]
    pub fn push_back(&mut self, queue: usize, id: u32, size: i64) {
        self.enter(queue, id, size);
        let last = self.nodes[queue].prev as usize;
        self.link(last, id);
    }

    /// Puts an object that is in no queue behind another one, in that one's
    /// queue.
    #[inline]
    pub fn insert_behind(&mut self, at: u32, id: u32, size: i64) {
        let queue = (self.at(at).meta & 0xff) as usize - 1;
        self.enter(queue, id, size);
        self.link(at as usize + N, id);
    }

    /// Moves an object to the front of the queue that it is in.
    #[inline]
    pub fn move_to_front(&mut self, id: u32) {
        let queue = (self.at(id).meta & 0xff) as usize - 1;
        self.unlink(id);
        self.link(queue, id);
    }

    /// Moves an object behind another one of the same queue.
    #[inline]
    pub fn move_behind(&mut self, at: u32, id: u32) {
        self.unlink(id);
        self.link(at as usize + N, id);
    }

    /// Moves an object that is in a queue to the front of another one. From a
    /// queue of residents to one of ghosts it is an eviction.
    pub fn shift(&mut self, id: u32, queue: usize) {
        let size = self.size(id);
        self.unlink(id);
        if self.leave(id) && queue >= RESIDENTS {
            self.space.evicted += 1;
        }
        self.enter(queue, id, size);
        self.link(queue, id);
    }

    /// Evicts a resident and remembers it at the front of a queue of ghosts that
    /// holds at most `limit` bytes. Ghosts leave at its back until the new one
    /// fits. An object larger than `limit` is not remembered.
    pub fn demote(&mut self, id: u32, ghosts: usize, limit: i64) {
        let size = self.size(id);
        if size > limit {
            self.evict(id);
            return;
        }
        while self.bytes(ghosts) + size > limit {
            let oldest = self.back(ghosts).unwrap();
            self.drop(oldest);
        }
        self.shift(id, ghosts);
    }

    /// Drops the object if it is in the given queue of ghosts, and tells whether
    /// it was.
    pub fn forget(&mut self, id: u32, ghosts: usize) -> bool {
        let ghost = self.is_in(ghosts, id);
        if ghost {
            self.drop(id);
        }
        ghost
    }

    /// Takes a resident out of its queue and counts the eviction.
    #[inline]
    pub fn evict(&mut self, id: u32) {
        self.drop(id);
        self.space.evicted += 1;
    }

    /// Takes an object out of its queue and counts nothing.
    #[inline]
    pub fn drop(&mut self, id: u32) {
        self.unlink(id);
        self.leave(id);
        self.nodes[id as usize + N].meta = 0;
    }

    /// Takes the object out of the cache and tells whether it was in there. A
    /// ghost stays where it is. A policy that keeps references to objects
    /// outside the queues, such as the hand of a clock, has more to do.
    pub fn remove(&mut self, id: u32) -> bool {
        self.touch(id);
        let resident = self.has(id);
        if resident {
            self.drop(id);
        }
        resident
    }

    #[inline]
    fn enter(&mut self, queue: usize, id: u32, size: i64) {
        self.nodes[id as usize + N].meta = (size as u64) << 8 | (queue as u64 + 1);
        let r = &mut self.rings[queue];
        r.bytes += size;
        r.len += 1;
        if queue < RESIDENTS {
            self.space.used += size;
        }
    }

    /// The reverse of `enter`; it tells whether the object was resident.
    #[inline]
    fn leave(&mut self, id: u32) -> bool {
        let meta = self.at(id).meta;
        let size = (meta >> 8) as i64;
        let queue = (meta & 0xff) as usize - 1;
        let r = &mut self.rings[queue];
        r.bytes -= size;
        r.len -= 1;
        if queue < RESIDENTS {
            self.space.used -= size;
            return true;
        }
        false
    }

    // Both take the nodes as a slice first: its address and length then stay in
    // locals, where those of a Vec would be read again after every write.

    /// Puts an object behind node `at`.
    #[inline]
    fn link(&mut self, at: usize, id: u32) {
        let nodes = &mut self.nodes[..];
        let n = id as usize + N;
        let next = nodes[at].next;
        nodes[at].next = n as u32;
        nodes[next as usize].prev = n as u32;
        let x = &mut nodes[n];
        (x.prev, x.next) = (at as u32, next);
    }

    #[inline]
    fn unlink(&mut self, id: u32) {
        let nodes = &mut self.nodes[..];
        let Node { prev, next, .. } = nodes[id as usize + N];
        nodes[prev as usize].next = next;
        nodes[next as usize].prev = prev;
    }
}

use alloc::vec::Vec;

/// One node per object, which is in an intrusive queue or in none. Ids are
/// dense, so the nodes are an array. Node 0 stands for "no node", node 1 closes
/// the queue's ring: its `next` is the front, its `prev` the back.
pub struct Table<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Clone, Copy, Default)]
struct Node<T> {
    value: T,
    prev: u32, // 0: not in the queue
    next: u32,
}

const RING: u32 = 1;
const FIRST: u32 = 2; // node of id 0

impl<T: Copy + Default> Table<T> {
    pub fn new() -> Self {
        let ring = Node { prev: RING, next: RING, ..Node::default() };
        Table { nodes: [Node::default(), ring].to_vec() }
    }

    /// Makes room for so many objects.
    pub fn reserve(&mut self, objects: usize) {
        let n = objects + FIRST as usize;
        if n > self.nodes.len() {
            self.nodes.resize(n, Node::default());
        }
    }

    /// Makes sure that there is a node for the object. The others take an id
    /// that has been through it.
    #[inline]
    pub fn touch(&mut self, id: u32) {
        if (id + FIRST) as usize >= self.nodes.len() {
            self.grow(id);
        }
    }

    #[cold]
    fn grow(&mut self, id: u32) {
        self.reserve((id as usize + 1).max(2 * self.nodes.len()));
    }

    #[inline]
    pub fn has(&self, id: u32) -> bool {
        self.nodes[(id + FIRST) as usize].next != 0
    }

    /// The object's value, whether it is in the queue or not.
    #[inline]
    pub fn value(&mut self, id: u32) -> &mut T {
        &mut self.nodes[(id + FIRST) as usize].value
    }

    /// The object at the front.
    pub fn front(&self) -> Option<u32> {
        self.object(self.nodes[RING as usize].next)
    }

    /// The object at the back.
    pub fn back(&self) -> Option<u32> {
        self.object(self.nodes[RING as usize].prev)
    }

    /// The object behind this one.
    pub fn next(&self, id: u32) -> Option<u32> {
        self.object(self.nodes[(id + FIRST) as usize].next)
    }

    /// The object before this one.
    pub fn prev(&self, id: u32) -> Option<u32> {
        self.object(self.nodes[(id + FIRST) as usize].prev)
    }

    fn object(&self, n: u32) -> Option<u32> {
        n.checked_sub(FIRST)
    }

    /// Puts an object that is not in the queue at its front.
    #[inline]
    pub fn push_front(&mut self, id: u32) {
        self.link(RING, id + FIRST);
    }

    /// Puts an object that is not in the queue behind one that is.
    #[inline]
    pub fn insert_after(&mut self, at: u32, id: u32) {
        self.link(at + FIRST, id + FIRST);
    }

    // Both take the nodes as a slice first: its place and length then stay in
    // locals, where those of a Vec would be read again after every write.

    #[inline]
    fn link(&mut self, at: u32, n: u32) {
        let nodes = &mut self.nodes[..];
        let next = nodes[at as usize].next;
        nodes[at as usize].next = n;
        nodes[next as usize].prev = n;
        let x = &mut nodes[n as usize];
        (x.prev, x.next) = (at, next);
    }

    /// Takes the object out of the queue and returns its value.
    #[inline]
    pub fn remove(&mut self, id: u32) -> T {
        let nodes = &mut self.nodes[..];
        let x = &mut nodes[(id + FIRST) as usize];
        let Node { prev, next, value } = *x;
        (x.prev, x.next) = (0, 0);
        nodes[prev as usize].next = next;
        nodes[next as usize].prev = prev;
        value
    }
}

impl<T: Copy + Default> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

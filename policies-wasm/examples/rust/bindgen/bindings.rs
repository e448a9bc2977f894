//! The interface of policy.wit, as wit-bindgen makes it, on the kit.
use crate::kit;

wit_bindgen::generate!({ world: "cache", path: "policy.wit" });

struct Policy;

impl exports::cachesim::policy::policy::Guest for Policy {
    fn init(capacity: u64, objects: u32, seed: u64) {
        kit::wit_init(capacity, objects, seed);
    }

    fn send(object: u32, size: u64) -> bool {
        kit::wit_send(object, size) != 0
    }
}

export!(Policy with_types_in self);

//! The contract of `wit/` as Rust types, generated; nothing outside this room
//! sees them.

pub(super) mod parser {
    #![allow(unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({ path: "../wit/parser/0.1", world: "parser" });
}

pub(super) mod policy {
    #![allow(unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({ path: "../wit/policy/0.1", world: "policy" });
}

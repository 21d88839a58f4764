//! Rust types generated from the contracts in `wit/`. Private to `plugin`.

pub(super) mod parser {
    #![allow(unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({ path: "../wit/parser/0.1", world: "parser" });
}

pub(super) mod policy {
    #![allow(unreachable_pub, reason = "generated")]
    wasmtime::component::bindgen!({ path: "../wit/policy/0.1", world: "policy" });
}

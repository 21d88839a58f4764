//! The contract of `wit/` as Rust types, generated. Authors see [`crate::parser`]
//! and [`crate::policy`] instead.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "generated from documented WIT"
)]
#![allow(clippy::all, reason = "generated")]

pub mod parser {
    wit_bindgen::generate!({
        path: "../../wit/parser/0.1",
        world: "parser",
        pub_export_macro: true,
        export_macro_name: "export_parser_world",
        default_bindings_module: "::vthost_plugin::bindings::parser",
    });
}

pub mod policy {
    wit_bindgen::generate!({
        path: "../../wit/policy/0.1",
        world: "policy",
        pub_export_macro: true,
        export_macro_name: "export_policy_world",
        default_bindings_module: "::vthost_plugin::bindings::policy",
    });
}

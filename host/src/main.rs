//! vthost
fn main() {}

//! Unit tests of the envelopes.

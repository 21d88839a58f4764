//! Lifts a parser's observations out of its memory.
//!
//! A chunk gives thousands of observations. The derived code lifts each field with a
//! call, which took 7 % of a run. This module reads the list directly: 40 bytes for
//! each observation, in the layout of the canonical ABI
//! (<https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md>).
//!
//! It implements traits of wasmtime whose methods use `component::__internal`, which is
//! not covered by semantic versioning. That is why the workspace requires an exact
//! version of wasmtime. After an upgrade the tests must pass unchanged.

use wasmtime::Store;
use wasmtime::bail;
use wasmtime::component::__internal::{
    CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext, bad_type_info,
};
use wasmtime::component::{ComponentType, Func, Instance, Lift, ResourceAny};

use super::bindings::parser::exports::vthost::parser::parsing as wit;
use super::sandbox::Sandbox;
use crate::indicator::Kind;
use crate::observation::Action;

/// The functions of a session that return a batch.
pub(super) struct BatchCalls {
    parse: Func,
    finish: Func,
}

/// The result of such a function: a batch, or the parser's error message.
type BatchResult = (Result<RawBatch, String>,);

/// A batch before it is checked.
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
pub(super) struct RawBatch {
    pub(super) text: Vec<u8>,
    pub(super) observations: Observations,
    pub(super) records: u32,
    pub(super) ignored: Vec<wit::Tally>,
    pub(super) rejected: Vec<wit::Tally>,
}

/// The list of observations of a batch.
#[derive(Debug)]
pub(super) struct Observations(pub(super) Vec<RawObservation>);

/// An observation before it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawObservation {
    pub(super) line: u32,
    pub(super) kind: Kind,
    pub(super) action: Action,
    pub(super) value: Span,
    pub(super) client: Span,
    pub(super) user: Span,
    pub(super) time_us: i64,
}

/// A range of bytes in the chunk or in the batch's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Span {
    /// The position after the span.
    #[inline]
    pub(super) fn end(self) -> u64 {
        u64::from(self.start) + u64::from(self.len)
    }
}

/// The size and the alignment of an observation in the canonical ABI.
const SIZE: usize = 40;
const ALIGNMENT: usize = 8;
const _: () = assert!(
    <wit::Observation as ComponentType>::SIZE32 == SIZE
        && <wit::Observation as ComponentType>::ALIGN32 as usize == ALIGNMENT
);

impl BatchCalls {
    /// Looks up the functions in an instance of a parser.
    pub(super) fn new(store: &mut Store<Sandbox>, instance: &Instance) -> wasmtime::Result<Self> {
        let parsing = instance.get_export_index(&mut *store, None, PARSING);
        let mut call = |name| {
            let index = instance.get_export_index(&mut *store, parsing.as_ref(), name);
            index.ok_or_else(|| wasmtime::format_err!("no export {PARSING}#{name}"))
        };
        let (parse, finish) = (
            call("[method]session.parse")?,
            call("[method]session.finish")?,
        );
        let mut func = |index| {
            let func = instance.get_func(&mut *store, index);
            func.ok_or_else(|| wasmtime::format_err!("{PARSING} exports no function"))
        };
        Ok(Self {
            parse: func(parse)?,
            finish: func(finish)?,
        })
    }

    /// Calls `session.parse`.
    pub(super) fn parse(
        &self,
        store: &mut Store<Sandbox>,
        session: ResourceAny,
        chunk: &[u8],
    ) -> wasmtime::Result<Result<RawBatch, String>> {
        let parse = self
            .parse
            .typed::<(ResourceAny, &[u8]), BatchResult>(&*store)?;
        let (given,) = parse.call(store, (session, chunk))?;
        Ok(given)
    }

    /// Calls `session.finish`.
    pub(super) fn finish(
        &self,
        store: &mut Store<Sandbox>,
        session: ResourceAny,
    ) -> wasmtime::Result<Result<RawBatch, String>> {
        let finish = self.finish.typed::<(ResourceAny,), BatchResult>(&*store)?;
        let (given,) = finish.call(store, (session,))?;
        Ok(given)
    }
}

const PARSING: &str = "vthost:parser/parsing@0.1.0";

// SAFETY: the layout and the type check are those of a list of the generated
// observation.
unsafe impl ComponentType for Observations {
    type Lower = <[wit::Observation] as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <[wit::Observation] as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> wasmtime::Result<()> {
        <[wit::Observation] as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: all bytes are read with bounds checks, and every sequence of bytes gives a
// list or an error.
unsafe impl Lift for Observations {
    fn linear_lift_from_flat(
        _: &mut LiftContext<'_>,
        _: InterfaceType,
        _: &Self::Lower,
    ) -> wasmtime::Result<Self> {
        // A batch has too many fields to be passed as core values.
        bad_type_info()
    }

    fn linear_lift_from_memory(
        context: &mut LiftContext<'_>,
        _: InterfaceType,
        bytes: &[u8],
    ) -> wasmtime::Result<Self> {
        let Some((start, len)) = pointer_and_len(bytes) else {
            return bad_type_info();
        };
        context.consume_fuel_array(len, SIZE)?;
        list(context.memory(), start, len).map(Self)
    }
}

/// The address and the length of a list.
fn pointer_and_len(bytes: &[u8]) -> Option<(usize, usize)> {
    let (words, _) = bytes.as_chunks();
    match *words {
        [start, len] => Some((
            u32::from_le_bytes(start) as usize,
            u32::from_le_bytes(len) as usize,
        )),
        _ => None,
    }
}

/// The observations at the address `start` of a component's memory.
fn list(memory: &[u8], start: usize, len: usize) -> wasmtime::Result<Vec<RawObservation>> {
    if !start.is_multiple_of(ALIGNMENT) {
        bail!("list pointer is not aligned");
    }
    let bytes = memory.get(start..).unwrap_or_default();
    let (records, _) = bytes.as_chunks::<SIZE>();
    let Some(records) = records.get(..len) else {
        bail!("list pointer/length out of bounds of memory");
    };
    // Collecting fallible elements does not reserve capacity in advance.
    let mut observations = Vec::with_capacity(len);
    for record in records {
        observations.push(observation(record)?);
    }
    Ok(observations)
}

#[inline]
fn observation(bytes: &[u8; SIZE]) -> wasmtime::Result<RawObservation> {
    let (words, _) = bytes.as_chunks();
    let word = |index: usize| u32::from_le_bytes(words[index]);
    let span = |index: usize| Span {
        start: word(index),
        len: word(index + 1),
    };
    let kind = match bytes[4] {
        0 => Kind::Url,
        1 => Kind::Domain,
        2 => Kind::Ip,
        other => bail!("unexpected discriminant: {other}"),
    };
    let action = match bytes[5] {
        0 => Action::Unstated,
        1 => Action::Allowed,
        2 => Action::Blocked,
        other => bail!("unexpected discriminant: {other}"),
    };
    Ok(RawObservation {
        line: word(0),
        kind,
        action,
        value: span(2),
        client: span(4),
        user: span(6),
        time_us: (u64::from(word(9)) << 32 | u64::from(word(8))) as i64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: RawObservation = RawObservation {
        line: 7,
        kind: Kind::Domain,
        action: Action::Blocked,
        value: Span { start: 1, len: 2 },
        client: Span { start: 3, len: 4 },
        user: Span {
            start: u32::MAX,
            len: 5,
        },
        time_us: -2,
    };

    /// An observation in the layout of the canonical ABI, with these discriminants.
    fn stored(observation: &RawObservation, kind_and_action: [u8; 2]) -> Vec<u8> {
        let RawObservation {
            value,
            client,
            user,
            ..
        } = observation;
        let spans = [value, client, user].map(|span| [span.start, span.len]);
        let spans = spans.as_flattened().iter().copied();
        let mut bytes = observation.line.to_le_bytes().to_vec();
        bytes.extend(kind_and_action);
        bytes.extend([0xaa; 2]);
        bytes.extend(spans.flat_map(u32::to_le_bytes));
        bytes.extend(observation.time_us.to_le_bytes());
        bytes
    }

    #[test]
    fn observations_are_read_in_the_abi_layout() {
        let second = RawObservation {
            kind: Kind::Url,
            action: Action::Unstated,
            time_us: i64::MIN,
            ..FIRST
        };
        let memory = [
            vec![0xff; 16],
            stored(&FIRST, [1, 2]),
            stored(&second, [0, 0]),
        ]
        .concat();
        assert_eq!(list(&memory, 16, 2).unwrap(), [FIRST, second]);
        assert_eq!(list(&memory, 56, 1).unwrap(), [second]);
        assert!(list(&memory, 0, 0).unwrap().is_empty());
    }

    #[test]
    fn invalid_lists_are_refused() {
        let memory = stored(&FIRST, [1, 2]).repeat(2);
        let error = |start, len| list(&memory, start, len).unwrap_err().to_string();
        assert_eq!(error(4, 1), "list pointer is not aligned");
        for (start, len) in [(0, 3), (8, 2), (80, 1), (1 << 31, 1), (0, usize::MAX)] {
            let expected = "list pointer/length out of bounds of memory";
            assert_eq!(error(start, len), expected, "{len} at {start}");
        }
        for discriminants in [[3, 0], [0, 3]] {
            let error = list(&stored(&FIRST, discriminants), 0, 1).unwrap_err();
            assert_eq!(error.to_string(), "unexpected discriminant: 3");
        }
    }
}

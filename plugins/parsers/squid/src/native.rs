//! The native format, `squid`, and the programs that write the same columns:
//!
//! ```text
//! %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt
//! 1714564800.123    161 10.0.0.5 TCP_MISS/200 4310 GET http://www.example.com/ - HIER_DIRECT/192.0.2.10 text/html
//! ```
//!
//! The time may be an ISO date, and further columns may follow.

use vthost_plugin::{scan, split, time};

use crate::row::Row;

/// Why a line is no row of the native format.
pub(crate) const TOO_FEW: &str = "too few columns";
pub(crate) const NO_TIME: &str = "no time in the first column";
pub(crate) const OTHER_COLUMNS: &str = "not the columns of Squid's native format";

/// Reads a row in which no value has a blank.
#[inline(always)]
pub(crate) fn read(line: &[u8], utc_offset_minutes: i16) -> Result<Row<'_>, &'static str> {
    let row = columns(line, utc_offset_minutes)?;
    if is_hierarchy(row.hierarchy) {
        Ok(row)
    } else {
        Err(OTHER_COLUMNS)
    }
}

/// Reads a row that has blanks in the user or the URL. Squid removes blanks from
/// URLs (`uri_whitespace strip`, the default) and not from users, so the words
/// between URL and hierarchy are the user; only a last `-` shows that there is no
/// user and that the blanks are in the URL.
#[cold]
pub(crate) fn read_with_blanks(
    line: &[u8],
    utc_offset_minutes: i16,
) -> Result<Row<'_>, &'static str> {
    let row = columns(line, utc_offset_minutes)?;
    let start = row.target.as_ptr() as usize - line.as_ptr() as usize;
    let rest = &line[start..];
    let mut words = split::blanks(rest);
    let mut last = words.next().unwrap_or_default();
    let mut end = None;
    for word in words {
        if end.is_some() && is_hierarchy(word) {
            break;
        }
        (last, end) = (word, Some(end_of(word, rest)));
    }
    let end = end.filter(|end| *end < rest.trim_ascii_end().len());
    let end = end.ok_or("no hierarchy/peer in the ninth column")?;
    let (target, user) = if last == b"-" {
        (rest[..end - 1].trim_ascii_end(), last)
    } else {
        (row.target, rest[row.target.len()..end].trim_ascii())
    };
    Ok(Row {
        target,
        user,
        ..row
    })
}

/// Reads a record that was cut: at least its target was begun.
#[cold]
pub(crate) fn read_cut(line: &[u8], utc_offset_minutes: i16) -> Option<Row<'_>> {
    let (time_us, rest) = any_head(line, utc_offset_minutes).ok()?;
    let mut fields = split::blanks(rest);
    let client = fields.next()?;
    let (result, status) = split_status(fields.next()?)?;
    let (_size, method, target) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Row {
        time_us: Some(time_us),
        client,
        result,
        status,
        method,
        target,
        ..Row::default()
    })
}

#[inline(always)]
fn columns(line: &[u8], utc_offset_minutes: i16) -> Result<Row<'_>, &'static str> {
    let (time_us, rest) = match usual_head(line) {
        Some(read) => read,
        None if split::blanks(line).nth(8).is_none() => return Err(TOO_FEW),
        None => any_head(line, utc_offset_minutes)?,
    };
    let mut fields = split::blanks(rest);
    let mut next = || fields.next().ok_or(TOO_FEW);
    let (client, result, _size) = (next()?, next()?, next()?);
    let (method, target, user, hierarchy) = (next()?, next()?, next()?, next()?);
    let (result, status) = split_status(result).ok_or(OTHER_COLUMNS)?;
    Ok(Row {
        time_us: Some(time_us),
        client,
        result,
        status,
        method,
        target,
        user,
        hierarchy,
        sni: b"",
        is_terminated: false,
    })
}

/// The time and what follows the elapsed time, where both have the width that
/// `%ts.%03tu %6tr ` gives them: few requests take 1,000 s or longer.
///
/// ```text
/// 1714564800.123    161 10.0.0.5
/// |      time    ||elapsed|
/// blanks          11110001        a 1 is a blank of the eight bytes after the time
/// digits          00001110        read from the left, that is from the lowest bit
/// ```
///
/// The digits are one run that ends right before the last byte exactly if adding
/// the lowest of them carries into the last bit.
#[inline(always)]
fn usual_head(line: &[u8]) -> Option<(i64, &[u8])> {
    let (head, rest) = line.split_first_chunk::<22>()?;
    let (time, elapsed) = head.split_at(14);
    let [blanks, digits] = scan::places(elapsed, |block| {
        [block.mask(0, b' '), block.between(b'0', b'9')]
    });
    let lowest = digits & digits.wrapping_neg();
    let ends_in_digits = digits & 1 == 0 && digits + lowest == 0x80;
    if !ends_in_digits || blanks != 0xff ^ digits {
        return None;
    }
    Some((time::epoch(time)?, rest))
}

/// The same of a line with other widths or an ISO time.
#[cold]
fn any_head(line: &[u8], utc_offset_minutes: i16) -> Result<(i64, &[u8]), &'static str> {
    let mut fields = split::blanks(line);
    let (Some(time), Some(elapsed)) = (fields.next(), fields.next()) else {
        return Err(TOO_FEW);
    };
    let time_us = time::epoch(time)
        .or_else(|| time::iso8601(time, utc_offset_minutes))
        .ok_or(NO_TIME)?;
    if !is_number(elapsed) {
        return Err(OTHER_COLUMNS);
    }
    Ok((time_us, &line[end_of(elapsed, line)..]))
}

/// `TCP_MISS` and `200` of `TCP_MISS/200`.
#[inline(always)]
fn split_status(word: &[u8]) -> Option<(&[u8], &[u8])> {
    if let Some((result, [b'/', status @ ..])) = word.split_last_chunk::<4>()
        && scan::is_digits(status)
    {
        return Some((result, status));
    }
    let slash = scan::find(word, b'/')?;
    let status = &word[slash + 1..];
    is_number(status).then_some((&word[..slash], status))
}

#[inline(always)]
fn is_number(field: &[u8]) -> bool {
    scan::is_digits(field.strip_prefix(b"-").unwrap_or(field))
}

/// `HIER_DIRECT/192.0.2.10`, `NONE/-`, `DIRECT/www.example.com`.
#[inline(always)]
pub(crate) fn is_hierarchy(field: &[u8]) -> bool {
    if field.starts_with(b"HIER_DIRECT/") {
        return true;
    }
    match scan::find(field, b'/') {
        Some(slash) if slash > 0 => {
            let words = [b'A'..=b'Z', b'_'..=b'_', b'0'..=b'9'];
            scan::is_all(&field[..slash], words)
        }
        _ => false,
    }
}

/// Where a part of a text ends in it.
fn end_of(part: &[u8], text: &[u8]) -> usize {
    part.as_ptr_range().end as usize - text.as_ptr() as usize
}

//! zip. A file without its directory, because it was cut off, is read by the headers before
//! each member.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};

use zip::read::{ZipArchive, ZipFile, ZipReadOptions};
use zip::result::ZipError;

use super::{Members, Sender, UnpackLimits, Unpacking, decode_name, start, workbook};
use crate::input::Password;

/// The members of a zip archive, which together unpack to `limits.max_unpacked_bytes` at most.
///
/// # Errors
///
/// When it is an office document, or no thread can be started.
pub(super) fn members(file: File, limits: &UnpackLimits) -> io::Result<Members> {
    let mut left = limits.max_unpacked_bytes;
    let password = limits.archive_password.clone();
    match ZipArchive::new(BufReader::new(file.try_clone()?)) {
        // The directory of a stored archive inside, which is the last one in a file that was cut.
        Ok(archive) if archive.offset() > 0 => by_local_headers(
            file,
            limits,
            Some(ZipError::InvalidArchive(NO_DIRECTORY.into())),
        ),
        // The directory keeps one member of each name.
        Ok(archive) if archive.has_duplicate_names() => by_local_headers(file, limits, None),
        Ok(archive) if archive.index_for_name("xl/workbook.xml").is_some() => {
            workbook::members(archive, limits)
        }
        Ok(mut archive) => {
            refuse_documents(&archive)?;
            start(move |sender| {
                for index in 0..archive.len() {
                    if !send_indexed(&mut archive, index, password.as_ref(), sender, &mut left) {
                        return;
                    }
                }
            })
        }
        Err(error) => by_local_headers(file, limits, Some(error)),
    }
}

const NO_DIRECTORY: &str = "it has no directory";

/// The members as their local headers name them, up to the first that cannot be read. With a
/// `failure` the archive is reported as damaged in any case.
fn by_local_headers(
    file: File,
    limits: &UnpackLimits,
    failure: Option<ZipError>,
) -> io::Result<Members> {
    let left = limits.max_unpacked_bytes;
    let password = limits.archive_password.clone();
    start(move |sender| {
        let sent = send_by_local_headers(file, password.as_ref(), sender, left);
        if let Some(error) = failure.or(sent.err()) {
            sender.fail_archive(&error);
        }
    })
}

/// Documents are zip archives of XML.
fn refuse_documents<R: io::Read + io::Seek>(archive: &ZipArchive<R>) -> io::Result<()> {
    const MARKS: [(&str, &str); 3] = [
        (
            "xl/workbook.bin",
            "a binary Excel workbook; save it as xlsx, or each sheet as CSV (UTF-8)",
        ),
        (
            "word/document.xml",
            "a Word document; save it as plain text",
        ),
        (
            "content.xml",
            "an OpenDocument file; save it as CSV or plain text",
        ),
    ];
    let found = MARKS
        .iter()
        .find(|(name, _)| archive.index_for_name(name).is_some());
    match found {
        Some((_, advice)) => Err(io::Error::other(format!("it is {advice}"))),
        None => Ok(()),
    }
}

/// Sends a member of the directory. Returns false if no more members are wanted.
fn send_indexed<R: io::Read + io::Seek>(
    archive: &mut ZipArchive<R>,
    index: usize,
    password: Option<&Password>,
    sender: &Sender,
    left: &mut u64,
) -> bool {
    let name = archive
        .by_index_raw(index)
        .map(|member| name_of(&member, index));
    let options = ZipReadOptions::new().password(password.map(Password::as_bytes));
    match archive.by_index_with_options(index, options) {
        Ok(member) => send(member, index, sender, left),
        Err(error) => {
            let name = name.unwrap_or_else(|_| format!("member {}", index + 1));
            sender.fail(name, explain(error));
            true
        }
    }
}

fn send<R: Read>(member: ZipFile<'_, R>, index: usize, sender: &Sender, left: &mut u64) -> bool {
    if !member.is_file() {
        return true;
    }
    let path = name_of(&member, index);
    let modified_us = member.last_modified().and_then(instant);
    let mut content = Unpacking::new("zip", member, *left);
    let is_wanted = sender.send(path, modified_us, &mut content);
    *left = content.left();
    is_wanted
}

fn name_of<R: Read>(member: &ZipFile<'_, R>, index: usize) -> String {
    decode_name(member.name_raw())
        .or_else(|| member.name().ok().map(std::borrow::Cow::into_owned))
        .unwrap_or_else(|| format!("member {}", index + 1))
}

/// A member's date. The format has no zone; UTC is taken.
fn instant(date: zip::DateTime) -> Option<i64> {
    let civil = jiff::civil::DateTime::new(
        i16::try_from(date.year()).ok()?,
        i8::try_from(date.month()).ok()?,
        i8::try_from(date.day()).ok()?,
        i8::try_from(date.hour()).ok()?,
        i8::try_from(date.minute()).ok()?,
        i8::try_from(date.second()).ok()?,
        0,
    );
    let timestamp = jiff::tz::Offset::UTC.to_timestamp(civil.ok()?).ok()?;
    Some(timestamp.as_microsecond())
}

/// Sends members up to the directory.
fn send_by_local_headers(
    mut file: File,
    password: Option<&Password>,
    sender: &Sender,
    mut left: u64,
) -> Result<(), ZipError> {
    file.rewind()?;
    let mut reader = BufReader::new(file);
    for index in 0.. {
        let options = ZipReadOptions::new().password(password.map(Password::as_bytes));
        let member = zip::read::read_zipfile_from_stream_with_options(&mut reader, options)?;
        let Some(member) = member else {
            break;
        };
        if !send(member, index, sender, &mut left) {
            break;
        }
    }
    Ok(())
}

fn explain(error: ZipError) -> io::Error {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
            io::Error::other("it is encrypted; give the password with --archive-password-file")
        }
        ZipError::InvalidPassword => {
            io::Error::other("the password of --archive-password-file is wrong for it")
        }
        error => io::Error::other(error),
    }
}

//! Excel workbooks (xlsx): each worksheet is an input, its rows as CSV. The line number is that
//! of the row.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use calamine::{DataRef, ExcelDateTime, Reader as _, SheetType, Xlsx, XlsxCellReader};
use zip::read::ZipArchive;

use super::rows::{RowReader, push_cell};
use super::{Members, Sender, UnpackLimits, Unpacking, start};

/// Rows of a worksheet at most (Excel's specification); a file that states more is damaged.
const MOST_ROWS: u32 = 1 << 20;

/// The worksheets of a workbook, whose text together has `limits.max_unpacked_bytes` at most.
/// No part of the workbook may unpack to more than `limits.max_window_bytes`, for the reader
/// keeps some of them in memory.
///
/// # Errors
///
/// When no thread can be started.
pub(super) fn members(
    mut archive: ZipArchive<BufReader<File>>,
    limits: &UnpackLimits,
) -> io::Result<Members> {
    let (max_part_bytes, left) = (limits.max_window_bytes, limits.max_unpacked_bytes);
    start(move |sender| {
        let sent = check_parts(&mut archive, max_part_bytes).and_then(|()| {
            let mut file = archive.into_inner();
            file.rewind()?;
            send_sheets(file, sender, left)
        });
        if let Err(error) = sent {
            sender.fail_archive(&error);
        }
    })
}

/// Unpacks every part once, to nowhere, up to the limit.
fn check_parts<R: Read + Seek>(archive: &mut ZipArchive<R>, max_bytes: u64) -> io::Result<()> {
    for index in 0..archive.len() {
        let part = archive.by_index(index)?;
        let read = io::copy(&mut part.take(max_bytes.saturating_add(1)), &mut io::sink())?;
        if read > max_bytes {
            let text = "a part of the workbook is larger than is allowed; --max-window allows more";
            return Err(io::Error::other(text));
        }
    }
    Ok(())
}

fn send_sheets(file: BufReader<File>, sender: &Sender, mut left: u64) -> io::Result<()> {
    let mut workbook = Xlsx::new(file).map_err(io::Error::other)?;
    let sheets = workbook.sheets_metadata().iter();
    let names: Vec<String> = sheets
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| sheet.name.clone())
        .collect();
    for name in names {
        let mut sheet = match workbook.worksheet_cells_reader(&name) {
            Ok(cells) => Sheet::new(cells),
            Err(error) => {
                sender.fail(name, io::Error::other(error));
                continue;
            }
        };
        let rows = RowReader::new(|text: &mut Vec<u8>| sheet.push_row(text));
        let mut content = Unpacking::new("workbook", rows, left);
        if !sender.send(name, None, &mut content) {
            return Ok(());
        }
        left = content.left();
    }
    Ok(())
}

/// The rows of a worksheet.
struct Sheet<'a, R: Read + Seek> {
    cells: XlsxCellReader<'a, R>,
    /// The next row, from 0.
    row: u32,
    /// A cell of a later row, which was read.
    ahead: Option<((u32, u32), DataRef<'a>)>,
}

impl<'a, R: Read + Seek> Sheet<'a, R> {
    fn new(cells: XlsxCellReader<'a, R>) -> Self {
        Self {
            cells,
            row: 0,
            ahead: None,
        }
    }

    fn next_cell(&mut self) -> io::Result<Option<((u32, u32), DataRef<'a>)>> {
        if let Some(cell) = self.ahead.take() {
            return Ok(Some(cell));
        }
        let cell = self.cells.next_cell().map_err(io::Error::other)?;
        Ok(cell.map(|cell| (cell.get_position(), cell.get_value().clone())))
    }

    /// Appends the next row that has cells, and blank lines for the rows before it.
    fn push_row(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        let Some(first) = self.next_cell()? else {
            return Ok(());
        };
        let row = first.0.0;
        if row < self.row || row >= MOST_ROWS {
            return Err(io::Error::other("the rows of a worksheet are not in order"));
        }
        text.resize((row - self.row) as usize, b'\n');
        let mut column = 0;
        let mut next = Some(first);
        while let Some(((of_row, at), value)) = next {
            if of_row != row {
                self.ahead = Some(((of_row, at), value));
                break;
            }
            let separators = at.saturating_sub(column);
            text.extend(std::iter::repeat_n(b',', separators as usize));
            column = column.max(at);
            push_cell(text, &text_of(&value));
            next = self.next_cell()?;
        }
        text.push(b'\n');
        self.row = row + 1;
        Ok(())
    }
}

fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(time) => text_of_time(time),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

/// A date without a time if it is midnight, a time without a date if it is of the day 0.
fn text_of_time(time: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let clock = format!("{hour:02}:{minute:02}:{second:02}.{milli:03}");
    let value = time.as_f64();
    match () {
        () if value < 1.0 => clock,
        () if value.fract() == 0.0 => date,
        () => format!("{date} {clock}"),
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn times_are_written_as_far_as_the_cell_has_them() {
        let check = |value: f64, expected: &str| {
            let time = ExcelDateTime::new(value, ExcelDateTimeType::DateTime, false);
            assert_eq!(text_of_time(&time), expected);
        };
        // 45413 is 2024-05-01 in Excel's count of days.
        check(45413.0, "2024-05-01");
        check(45413.5, "2024-05-01 12:00:00.000");
        check(0.5, "12:00:00.000");
    }

    #[test]
    fn numbers_are_written_without_a_fraction_they_do_not_have() {
        assert_eq!(text_of(&DataRef::Float(443.0)), "443");
        assert_eq!(text_of(&DataRef::Float(1_714_564_800.5)), "1714564800.5");
    }
}

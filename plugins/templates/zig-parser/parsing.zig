//! The log of our own gateway. Blanks separate the fields:
//! `2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/`.

const std = @import("std");
const c = @import("bindings/parser.zig");

/// The most line numbers that are kept for a reason.
const max_samples = 8;

/// Memory for results, which the host's bindings free.
const allocator = std.heap.c_allocator;

/// An open input. The lines of this log are independent of each other.
const Session = struct { unused: u8 = 0 };

fn copied(bytes: []const u8) c.parser_string_t {
    var string: c.parser_string_t = undefined;
    c.parser_string_dup_n(&string, bytes.ptr, bytes.len);
    return string;
}

export fn exports_parsing_describe(said: *c.exports_parsing_description_t) void {
    const format = allocator.create(c.exports_parsing_format_t) catch @panic("out of memory");
    format.* = .{
        .name = copied("our-plugin"),
        .title = copied("Our gateway's access log"),
        // A line that `detect` and `parse` accept.
        .example = copied("2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/"),
    };
    said.* = .{
        .name = copied("our-plugin"),
        .version = copied("1.0.0"),
        .licence = copied("MIT"),
        .summary = copied("The log of our own gateway"),
        .formats = .{ .ptr = format, .len = 1 },
        .settings_schema = copied(""),
    };
}

/// The fields of a line, as parts of the chunk. Only the first four are kept.
const Fields = struct {
    parts: [4][]const u8,
    count: usize,

    fn of(line: []const u8) Fields {
        var fields: Fields = .{ .parts = undefined, .count = 0 };
        var parts = std.mem.tokenizeAny(u8, line, " \t\r");
        while (parts.next()) |part| : (fields.count += 1) {
            if (fields.count < fields.parts.len) fields.parts[fields.count] = part;
        }
        return fields;
    }

    fn isAllowed(fields: *const Fields) bool {
        return std.mem.eql(u8, fields.parts[2], "allow");
    }

    fn areOurs(fields: *const Fields) bool {
        return fields.count == 4 and
            (fields.isAllowed() or std.mem.eql(u8, fields.parts[2], "deny"));
    }
};

/// 95 of 100 if nearly all lines have our format. The last line may be truncated.
export fn exports_parsing_detect(input: *c.exports_parsing_input_t) u8 {
    defer c.exports_parsing_input_free(input);
    const head = input.head.ptr[0..input.head.len];
    var written: usize = 0;
    var ours: usize = 0;
    var lines = std.mem.splitScalar(u8, head, '\n');
    while (lines.next()) |line| {
        const fields = Fields.of(line);
        const is_cut_off = lines.index == null and line.len < head.len;
        if (fields.count == 0 or is_cut_off) continue;
        written += 1;
        if (fields.areOurs()) ours += 1;
    }
    return if (written > 0 and ours * 10 >= written * 9) 95 else 0;
}

/// To refuse an input, write the reason to `refusal` and return false.
export fn exports_parsing_static_session_open(
    input: *c.exports_parsing_input_t,
    settings: *c.parser_string_t,
    opened: *c.exports_parsing_own_session_t,
    refusal: *c.parser_string_t,
) bool {
    _ = refusal;
    c.exports_parsing_input_free(input);
    c.parser_string_free(settings);
    const session = allocator.create(Session) catch @panic("out of memory");
    session.* = .{};
    opened.* = c.exports_parsing_session_new(@ptrCast(session));
    return true;
}

export fn exports_parsing_session_destructor(session: *Session) void {
    allocator.destroy(session);
}

export fn exports_parsing_method_session_reading(session: *Session) c.exports_parsing_reading_t {
    _ = session;
    return c.EXPORTS_PARSING_READING_INDEPENDENT_LINES;
}

/// The lists of a batch while they grow.
const Found = struct {
    observations: std.ArrayList(c.exports_parsing_observation_t) = .empty,
    ignored: Counted = .{ .reason = "blank" },
    rejected: Counted = .{ .reason = "not time, client, verdict and URL" },

    fn add(found: *Found, chunk: []const u8, number: u32, fields: *const Fields) !void {
        if (fields.count == 0) {
            try found.ignored.add(number);
        } else if (!fields.areOurs()) {
            try found.rejected.add(number);
        } else {
            var seen = std.mem.zeroes(c.exports_parsing_observation_t);
            seen.line = number;
            seen.kind = c.EXPORTS_PARSING_INDICATOR_KIND_URL;
            seen.action = if (fields.isAllowed())
                c.EXPORTS_PARSING_ACTION_ALLOWED
            else
                c.EXPORTS_PARSING_ACTION_BLOCKED;
            seen.value = spanOf(chunk, fields.parts[3]);
            seen.client = spanOf(chunk, fields.parts[1]);
            seen.time_us = microseconds(fields.parts[0]) orelse std.math.minInt(i64);
            try found.observations.append(allocator, seen);
        }
    }

    fn intoBatch(found: *Found) !c.exports_parsing_batch_t {
        var batch = std.mem.zeroes(c.exports_parsing_batch_t);
        batch.records = @intCast(found.observations.items.len);
        const observations = try found.observations.toOwnedSlice(allocator);
        batch.observations = .{ .ptr = observations.ptr, .len = observations.len };
        batch.ignored = try found.ignored.intoList();
        batch.rejected = try found.rejected.intoList();
        return batch;
    }
};

/// The lines that have one reason.
const Counted = struct {
    reason: []const u8,
    count: u32 = 0,
    samples: std.ArrayList(u32) = .empty,

    fn add(counted: *Counted, number: u32) !void {
        counted.count += 1;
        if (counted.samples.items.len < max_samples) try counted.samples.append(allocator, number);
    }

    fn intoList(counted: *Counted) !c.exports_parsing_list_tally_t {
        var list = std.mem.zeroes(c.exports_parsing_list_tally_t);
        if (counted.count == 0) return list;
        const samples = try counted.samples.toOwnedSlice(allocator);
        const tally = try allocator.create(c.exports_parsing_tally_t);
        tally.* = .{
            .reason = copied(counted.reason),
            .count = counted.count,
            .samples = .{ .ptr = samples.ptr, .len = samples.len },
        };
        list.ptr = tally;
        list.len = 1;
        return list;
    }
};

fn spanOf(chunk: []const u8, part: []const u8) c.exports_parsing_span_t {
    return .{
        .start = @intCast(@intFromPtr(part.ptr) - @intFromPtr(chunk.ptr)),
        .len = @intCast(part.len),
    };
}

/// `2024-05-01T12:00:00Z` in microseconds since 1970.
fn microseconds(text: []const u8) ?i64 {
    const form = "dddd-dd-ddTdd:dd:ddZ";
    if (text.len != form.len) return null;
    for (text, form) |byte, expected| {
        if (if (expected == 'd') !std.ascii.isDigit(byte) else byte != expected) return null;
    }
    const days = daysTo(integer(text[0..4]), integer(text[5..7]), integer(text[8..10])) orelse
        return null;
    const minutes = (days * 24 + integer(text[11..13])) * 60 + integer(text[14..16]);
    return (minutes * 60 + integer(text[17..19])) * 1_000_000;
}

fn integer(digits: []const u8) i64 {
    return std.fmt.parseInt(i64, digits, 10) catch unreachable;
}

/// The days from 1970-01-01 to a date of the Gregorian calendar.
fn daysTo(year: i64, month: i64, day: i64) ?i64 {
    if (year < 1970 or month < 1 or month > 12) return null;
    // Years that begin in March have the leap day at the end.
    const from_march = @mod(month + 9, 12);
    const years = if (month <= 2) year - 1 else year;
    const leap_days = @divFloor(years, 4) - @divFloor(years, 100) + @divFloor(years, 400);
    return years * 365 + leap_days + @divFloor(from_march * 153 + 2, 5) + day - 1 - 719468;
}

/// To end the input, write the reason to `refusal` and return false.
export fn exports_parsing_method_session_parse(
    session: *Session,
    chunk: *c.parser_list_u8_t,
    batch: *c.exports_parsing_batch_t,
    refusal: *c.parser_string_t,
) bool {
    _ = session;
    _ = refusal;
    defer c.parser_list_u8_free(chunk);
    batch.* = parsed(chunk.ptr[0..chunk.len]) catch @panic("out of memory");
    return true;
}

fn parsed(chunk: []const u8) !c.exports_parsing_batch_t {
    var found: Found = .{};
    // A line feed ends the last line and begins no other.
    const text = if (std.mem.endsWith(u8, chunk, "\n")) chunk[0 .. chunk.len - 1] else chunk;
    if (chunk.len > 0) {
        var lines = std.mem.splitScalar(u8, text, '\n');
        var line_number: u32 = 0;
        while (lines.next()) |line| : (line_number += 1) {
            const fields = Fields.of(line);
            try found.add(chunk, line_number, &fields);
        }
    }
    return found.intoBatch();
}

export fn exports_parsing_method_session_finish(
    session: *Session,
    batch: *c.exports_parsing_batch_t,
    refusal: *c.parser_string_t,
) bool {
    _ = session;
    _ = refusal;
    batch.* = std.mem.zeroes(c.exports_parsing_batch_t);
    return true;
}

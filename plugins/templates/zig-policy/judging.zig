//! The rule of our organisation.

const std = @import("std");
const c = @import("bindings/policy.zig");

/// The number of engines that make an indicator bad.
const min_engines = 2;

/// Our own domains. No request is spent on them.
const own_domains = [_][]const u8{"example.com"};

/// Memory for results, which the host's bindings free.
const allocator = std.heap.c_allocator;

/// An open policy. This one has no settings.
const Session = struct { min_engines: u32 };

fn text(string: c.policy_string_t) []const u8 {
    return string.ptr[0..string.len];
}

fn copied(bytes: []const u8) c.policy_string_t {
    var string: c.policy_string_t = undefined;
    c.policy_string_dup_n(&string, bytes.ptr, bytes.len);
    return string;
}

export fn exports_judging_describe(said: *c.exports_judging_description_t) void {
    said.* = .{
        .name = copied("our-plugin"),
        .version = copied("1.0.0"),
        .licence = copied("MIT"),
        .summary = copied("Bad is what several engines call malicious or suspicious"),
        // A JSON Schema, if `open` uses settings.
        .settings_schema = copied(""),
    };
}

/// To refuse settings, write the reason to `refusal` and return false.
export fn exports_judging_static_session_open(
    settings: *c.policy_string_t,
    opened: *c.exports_judging_own_session_t,
    refusal: *c.policy_string_t,
) bool {
    _ = refusal;
    c.policy_string_free(settings);
    const session = allocator.create(Session) catch @panic("out of memory");
    session.* = .{ .min_engines = min_engines };
    opened.* = c.exports_judging_session_new(@ptrCast(session));
    return true;
}

export fn exports_judging_session_destructor(session: *Session) void {
    allocator.destroy(session);
}

/// Whether a host is this domain or a subdomain.
fn isWithin(host: []const u8, domain: []const u8) bool {
    if (!std.mem.endsWith(u8, host, domain)) return false;
    const rest = host[0 .. host.len - domain.len];
    return rest.len == 0 or rest[rest.len - 1] == '.';
}

/// Called before a request is spent.
export fn exports_judging_method_session_screen(
    session: *Session,
    seen: *c.exports_judging_sightings_t,
    screening: *c.exports_judging_screening_t,
) void {
    _ = session;
    defer c.exports_judging_sightings_free(seen);
    screening.tag = c.EXPORTS_JUDGING_SCREENING_ASK;
    screening.val.ask = 0;
    for (own_domains) |domain| {
        if (isWithin(text(seen.indicator.host), domain)) {
            screening.tag = c.EXPORTS_JUDGING_SCREENING_SKIP;
            screening.val.skip = copied("own domain");
            return;
        }
    }
}

/// Called for each report.
export fn exports_judging_method_session_judge(
    session: *Session,
    seen: *c.exports_judging_sightings_t,
    report: *c.exports_judging_report_t,
    now: i64,
    judgement: *c.exports_judging_judgement_t,
) void {
    _ = now;
    defer c.exports_judging_sightings_free(seen);
    defer c.exports_judging_report_free(report);
    const count = report.stats.malicious +| report.stats.suspicious;
    const is_bad = count >= session.min_engines;
    const reason = reasonFor(report, count, is_bad) catch @panic("out of memory");
    defer allocator.free(reason);
    judgement.* = std.mem.zeroes(c.exports_judging_judgement_t);
    judgement.verdict = if (is_bad) c.EXPORTS_JUDGING_VERDICT_BAD else c.EXPORTS_JUDGING_VERDICT_GOOD;
    judgement.reason = copied(reason);
}

fn reasonFor(report: *const c.exports_judging_report_t, count: u32, is_bad: bool) ![]u8 {
    const is_host = report.scope == c.EXPORTS_JUDGING_SCOPE_HOST;
    const whose = if (is_host)
        try std.fmt.allocPrint(allocator, "the host {s}: ", .{text(report.subject.value)})
    else
        try allocator.dupe(u8, "");
    defer allocator.free(whose);
    if (!is_bad) {
        return std.fmt.allocPrint(allocator, "{s}{d} engines call it bad", .{ whose, count });
    }
    const names = try accusers(text(report.engines));
    defer allocator.free(names);
    return std.fmt.allocPrint(allocator, "{s}{d} engines: {s}", .{ whose, count, names });
}

/// The malicious and suspicious engines with their results: `ESET (phishing)`. They come
/// first in the report, one per line: name, tab, category, tab, result.
fn accusers(engines: []const u8) ![]u8 {
    var names: std.ArrayList(u8) = .empty;
    var lines = std.mem.splitScalar(u8, engines, '\n');
    while (lines.next()) |line| {
        var columns = std.mem.splitScalar(u8, line, '\t');
        const name = columns.first();
        const opinion = columns.next() orelse break;
        const label = columns.next() orelse "";
        if (!std.mem.eql(u8, opinion, "malicious") and !std.mem.eql(u8, opinion, "suspicious")) break;
        if (names.items.len > 0) try names.appendSlice(allocator, ", ");
        try names.appendSlice(allocator, name);
        if (label.len > 0) {
            try names.appendSlice(allocator, " (");
            try names.appendSlice(allocator, label);
            try names.appendSlice(allocator, ")");
        }
    }
    return names.toOwnedSlice(allocator);
}

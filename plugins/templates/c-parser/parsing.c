// The log of our own gateway. Blanks separate the fields:
// `2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/`.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser.h"

// The most line numbers that are kept for a reason.
#define SAMPLES 8

// An open input. The lines of this log are independent of each other.
struct exports_parsing_session_t {
    int nothing;
};

// Allocates memory for results, or reallocates it.
static void *allocated(void *old, size_t bytes) {
    void *memory = realloc(old, bytes ? bytes : 1);
    if (!memory) abort();
    return memory;
}

void exports_parsing_describe(exports_parsing_description_t *said) {
    parser_string_dup(&said->name, "our-plugin");
    parser_string_dup(&said->version, "1.0.0");
    parser_string_dup(&said->licence, "MIT");
    parser_string_dup(&said->summary, "The log of our own gateway");
    said->formats.len = 1;
    said->formats.ptr = allocated(NULL, sizeof *said->formats.ptr);
    // A line that `detect` and `parse` accept.
    exports_parsing_format_t *format = said->formats.ptr;
    parser_string_dup(&format->name, "our-plugin");
    parser_string_dup(&format->title, "Our gateway's access log");
    parser_string_dup(&format->example,
                      "2024-05-01T12:00:00Z 192.0.2.10 allow http://www.example.com/");
    parser_string_dup(&said->settings_schema, "");
}

// A line of the log, and its fields as spans of the chunk.
typedef struct {
    size_t start, end;
    size_t count;
    exports_parsing_span_t fields[4];
} line_t;

static bool is_blank(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

// Splits the line at `start` into fields. Stops after the fifth.
static line_t line_at(const parser_list_u8_t *chunk, size_t start) {
    const uint8_t *feed = memchr(chunk->ptr + start, '\n', chunk->len - start);
    line_t line = {.start = start, .end = feed ? (size_t)(feed - chunk->ptr) : chunk->len};
    for (size_t at = start; at < line.end && line.count < 5;) {
        if (is_blank(chunk->ptr[at])) {
            at++;
            continue;
        }
        size_t first = at;
        while (at < line.end && !is_blank(chunk->ptr[at])) at++;
        if (line.count < 4) {
            line.fields[line.count] = (exports_parsing_span_t){.start = first, .len = at - first};
        }
        line.count++;
    }
    return line;
}

static bool is_word(const parser_list_u8_t *chunk, exports_parsing_span_t span, const char *word) {
    return span.len == strlen(word) && memcmp(chunk->ptr + span.start, word, span.len) == 0;
}

static bool is_ours(const parser_list_u8_t *chunk, const line_t *line) {
    return line->count == 4 && (is_word(chunk, line->fields[2], "allow") ||
                                is_word(chunk, line->fields[2], "deny"));
}

// 95 of 100 if nearly all lines have our format. The last line may be truncated.
uint8_t exports_parsing_detect(exports_parsing_input_t *input) {
    const parser_list_u8_t *head = &input->head;
    size_t written = 0, ours = 0;
    for (size_t start = 0; start < head->len;) {
        line_t line = line_at(head, start);
        bool is_cut_off = line.end == head->len && start > 0;
        if (line.count > 0 && !is_cut_off) {
            written++;
            ours += is_ours(head, &line);
        }
        start = line.end + 1;
    }
    exports_parsing_input_free(input);
    return written > 0 && ours * 10 >= written * 9 ? 95 : 0;
}

// To refuse an input, write the reason to `refusal` and return false.
bool exports_parsing_static_session_open(exports_parsing_input_t *input,
                                         parser_string_t *settings,
                                         exports_parsing_own_session_t *opened,
                                         parser_string_t *refusal) {
    (void)refusal;
    exports_parsing_input_free(input);
    parser_string_free(settings);
    exports_parsing_session_t *session = allocated(NULL, sizeof *session);
    *opened = exports_parsing_session_new(session);
    return true;
}

void exports_parsing_session_destructor(exports_parsing_session_t *session) {
    free(session);
}

exports_parsing_reading_t
exports_parsing_method_session_reading(exports_parsing_borrow_session_t session) {
    (void)session;
    return EXPORTS_PARSING_READING_INDEPENDENT_LINES;
}

// The days from 1970-01-01 to a date of the Gregorian calendar.
static int64_t days_to(int64_t year, int64_t month, int64_t day) {
    // Years that begin in March have the leap day at the end.
    int64_t from_march = (month + 9) % 12;
    if (month <= 2) year--;
    int64_t leap_days = year / 4 - year / 100 + year / 400;
    return year * 365 + leap_days + (from_march * 153 + 2) / 5 + day - 1 - 719468;
}

// `2024-05-01T12:00:00Z` in microseconds since 1970, or the value for no time.
static int64_t microseconds(const parser_list_u8_t *chunk, exports_parsing_span_t span) {
    char text[32], zone = 0;
    int year, month, day, hour, minute, second, length = 0;
    if (span.len >= sizeof text) return INT64_MIN;
    memcpy(text, chunk->ptr + span.start, span.len);
    text[span.len] = 0;
    int read = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%c%n", &year, &month, &day, &hour, &minute,
                      &second, &zone, &length);
    if (read != 7 || zone != 'Z' || (size_t)length != span.len || year < 1970 || month < 1 ||
        month > 12) {
        return INT64_MIN;
    }
    int64_t minutes = (days_to(year, month, day) * 24 + hour) * 60 + minute;
    return (minutes * 60 + second) * 1000000;
}

// The result for a chunk, and the capacity of its list of observations.
typedef struct {
    exports_parsing_batch_t *batch;
    size_t room;
} found_t;

static void push(found_t *found, const parser_list_u8_t *chunk, size_t number, const line_t *line) {
    exports_parsing_list_observation_t *seen = &found->batch->observations;
    if (seen->len == found->room) {
        found->room = found->room ? found->room * 2 : 256;
        seen->ptr = allocated(seen->ptr, found->room * sizeof *seen->ptr);
    }
    seen->ptr[seen->len++] = (exports_parsing_observation_t){
        .line = number,
        .kind = EXPORTS_PARSING_INDICATOR_KIND_URL,
        .action = is_word(chunk, line->fields[2], "allow") ? EXPORTS_PARSING_ACTION_ALLOWED
                                                           : EXPORTS_PARSING_ACTION_BLOCKED,
        .value = line->fields[3],
        .client = line->fields[1],
        .time_us = microseconds(chunk, line->fields[0]),
    };
    found->batch->records++;
}

// Counts a line in a list that has one reason.
static void count(exports_parsing_list_tally_t *tallies, const char *reason, size_t number) {
    if (tallies->len == 0) {
        tallies->len = 1;
        tallies->ptr = allocated(NULL, sizeof *tallies->ptr);
        memset(tallies->ptr, 0, sizeof *tallies->ptr);
        parser_string_dup(&tallies->ptr->reason, reason);
        tallies->ptr->samples.ptr = allocated(NULL, SAMPLES * sizeof(uint32_t));
    }
    exports_parsing_tally_t *tally = tallies->ptr;
    tally->count++;
    if (tally->samples.len < SAMPLES) tally->samples.ptr[tally->samples.len++] = number;
}

// To end the input, write the reason to `refusal` and return false.
bool exports_parsing_method_session_parse(exports_parsing_borrow_session_t session,
                                          parser_list_u8_t *chunk,
                                          exports_parsing_batch_t *batch,
                                          parser_string_t *refusal) {
    (void)session, (void)refusal;
    memset(batch, 0, sizeof *batch);
    found_t found = {.batch = batch};
    size_t number = 0;
    for (size_t start = 0; start < chunk->len; number++) {
        line_t line = line_at(chunk, start);
        if (is_ours(chunk, &line)) {
            push(&found, chunk, number, &line);
        } else if (line.count > 0) {
            count(&batch->rejected, "not time, client, verdict and URL", number);
        } else {
            count(&batch->ignored, "blank", number);
        }
        start = line.end + 1;
    }
    parser_list_u8_free(chunk);
    return true;
}

bool exports_parsing_method_session_finish(exports_parsing_borrow_session_t session,
                                           exports_parsing_batch_t *batch,
                                           parser_string_t *refusal) {
    (void)session, (void)refusal;
    memset(batch, 0, sizeof *batch);
    return true;
}

// The rule of our organisation.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

// The number of engines that make an indicator bad.
#define MIN_ENGINES 2

// Our own domains. No request is spent on them.
static const char *const OWN_DOMAINS[] = {"example.com"};

// An open policy. This one has no settings.
struct exports_judging_session_t {
    uint32_t min_engines;
};

void exports_judging_describe(exports_judging_description_t *said) {
    policy_string_dup(&said->name, "our-plugin");
    policy_string_dup(&said->version, "1.0.0");
    policy_string_dup(&said->licence, "MIT");
    policy_string_dup(&said->summary, "Bad is what several engines call malicious or suspicious");
    // A JSON Schema, if `open` uses settings.
    policy_string_dup(&said->settings_schema, "");
}

// To refuse settings, write the reason to `refusal` and return false.
bool exports_judging_static_session_open(policy_string_t *settings,
                                         exports_judging_own_session_t *opened,
                                         policy_string_t *refusal) {
    (void)refusal;
    policy_string_free(settings);
    exports_judging_session_t *session = malloc(sizeof *session);
    if (!session) abort();
    session->min_engines = MIN_ENGINES;
    *opened = exports_judging_session_new(session);
    return true;
}

void exports_judging_session_destructor(exports_judging_session_t *session) {
    free(session);
}

// Whether a host is this domain or a subdomain.
static bool is_within(const policy_string_t *host, const char *domain) {
    size_t len = strlen(domain);
    if (host->len < len) return false;
    const uint8_t *tail = host->ptr + (host->len - len);
    return memcmp(tail, domain, len) == 0 && (tail == host->ptr || tail[-1] == '.');
}

// Called before a request is spent.
void exports_judging_method_session_screen(exports_judging_borrow_session_t session,
                                           exports_judging_sightings_t *seen,
                                           exports_judging_screening_t *screening) {
    (void)session;
    screening->tag = EXPORTS_JUDGING_SCREENING_ASK;
    screening->val.ask = 0;
    for (size_t i = 0; i < sizeof OWN_DOMAINS / sizeof *OWN_DOMAINS; i++) {
        if (is_within(&seen->indicator.host, OWN_DOMAINS[i])) {
            screening->tag = EXPORTS_JUDGING_SCREENING_SKIP;
            policy_string_dup(&screening->val.skip, "own domain");
            break;
        }
    }
    exports_judging_sightings_free(seen);
}

// Text of a bounded length.
typedef struct {
    char bytes[512];
    size_t len;
} text_t;

static void append(text_t *text, const char *bytes, size_t len) {
    size_t room = sizeof text->bytes - text->len;
    if (len > room) len = room;
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
}

// The malicious and suspicious engines with their results: `ESET (phishing)`. They
// come first in the report, one per line: name, tab, category, tab, result.
static void append_accusers(text_t *text, const policy_string_t *engines) {
    const char *line = (const char *)engines->ptr, *end = line + engines->len;
    const char *between = "";
    while (line < end) {
        const char *feed = memchr(line, '\n', end - line);
        const char *name_end = memchr(line, '\t', feed - line);
        const char *opinion = name_end + 1;
        const char *label = (const char *)memchr(opinion, '\t', feed - opinion) + 1;
        if (*opinion != 'm' && *opinion != 's') break;
        append(text, between, strlen(between));
        append(text, line, name_end - line);
        if (label < feed) {
            append(text, " (", 2);
            append(text, label, feed - label);
            append(text, ")", 1);
        }
        between = ", ";
        line = feed + 1;
    }
}

// Called for each report.
void exports_judging_method_session_judge(exports_judging_borrow_session_t session,
                                          exports_judging_sightings_t *seen,
                                          exports_judging_report_t *report,
                                          int64_t now,
                                          exports_judging_judgement_t *judgement) {
    (void)now;
    uint32_t count = report->stats.malicious + report->stats.suspicious;
    bool is_bad = count >= session->min_engines;
    text_t reason = {.len = 0};
    if (report->scope == EXPORTS_JUDGING_SCOPE_HOST) {
        append(&reason, "the host ", 9);
        append(&reason, (char *)report->subject.value.ptr, report->subject.value.len);
        append(&reason, ": ", 2);
    }
    char words[64];
    int len = snprintf(words, sizeof words, is_bad ? "%u engines: " : "%u engines call it bad",
                       (unsigned)count);
    append(&reason, words, len);
    if (is_bad) append_accusers(&reason, &report->engines);

    memset(judgement, 0, sizeof *judgement);
    judgement->verdict = is_bad ? EXPORTS_JUDGING_VERDICT_BAD : EXPORTS_JUDGING_VERDICT_GOOD;
    policy_string_dup_n(&judgement->reason, reason.bytes, reason.len);
    exports_judging_report_free(report);
    exports_judging_sightings_free(seen);
}

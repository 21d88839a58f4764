// The votes of VirusTotal's community decide if no engine calls it bad.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

// A verdict needs this many votes, and twice as many as there are against it.
#define MIN_VOTES 3

struct exports_judging_session_t {
    int nothing;
};

void exports_judging_describe(exports_judging_description_t *said) {
    policy_string_dup(&said->name, "crowd");
    policy_string_dup(&said->version, "1.0.0");
    policy_string_dup(&said->licence, "MIT OR Apache-2.0");
    policy_string_dup(&said->summary, "The community's votes decide if no engine calls it bad");
    policy_string_dup(&said->settings_schema, "");
}

bool exports_judging_static_session_open(policy_string_t *settings,
                                         exports_judging_own_session_t *opened,
                                         policy_string_t *refusal) {
    (void)refusal;
    policy_string_free(settings);
    exports_judging_session_t *session = malloc(sizeof *session);
    if (!session) abort();
    *opened = exports_judging_session_new(session);
    return true;
}

void exports_judging_session_destructor(exports_judging_session_t *session) {
    free(session);
}

void exports_judging_method_session_screen(exports_judging_borrow_session_t session,
                                           exports_judging_sightings_t *seen,
                                           exports_judging_screening_t *screening) {
    (void)session;
    screening->tag = EXPORTS_JUDGING_SCREENING_ASK;
    screening->val.ask = 0;
    exports_judging_sightings_free(seen);
}

// Whether the votes are enough for a verdict.
static bool is_clear(uint64_t votes, uint64_t others) {
    return votes >= MIN_VOTES && votes >= others * 2;
}

static exports_judging_verdict_t verdict(uint32_t engines, uint32_t bad, uint32_t good) {
    if (engines > 0 || is_clear(bad, good)) return EXPORTS_JUDGING_VERDICT_BAD;
    if (is_clear(good, bad)) return EXPORTS_JUDGING_VERDICT_GOOD;
    return EXPORTS_JUDGING_VERDICT_UNKNOWN;
}

void exports_judging_method_session_judge(exports_judging_borrow_session_t session,
                                          exports_judging_sightings_t *seen,
                                          exports_judging_report_t *report,
                                          int64_t now,
                                          exports_judging_judgement_t *judgement) {
    (void)session, (void)now;
    uint32_t engines = report->stats.malicious + report->stats.suspicious;
    uint32_t bad = report->votes_malicious.is_some ? report->votes_malicious.val : 0;
    uint32_t good = report->votes_harmless.is_some ? report->votes_harmless.val : 0;
    memset(judgement, 0, sizeof *judgement);
    judgement->verdict = verdict(engines, bad, good);
    char reason[128];
    snprintf(reason, sizeof reason, "%u engines, %u votes against it and %u for it",
             (unsigned)engines, (unsigned)bad, (unsigned)good);
    policy_string_dup(&judgement->reason, reason);
    exports_judging_report_free(report);
    exports_judging_sightings_free(seen);
}

/* model/manifest.h: an app: functions, triggers, grants, contracts, contacts: medulla.yaml as
 * values.
 * Owns:    a manifest lives in the arena it was parsed into, with all it points to; the YAML text
 *          must live as long.
 * Units:   *_ms milliseconds, *_bytes bytes; in the file: 2s, 64MiB, 6h.
 * Errors:  manifest_parse: INVALID with every problem at once.
 * Threads: pure; any thread.
 * Limits:  MANIFEST_PROBLEMS_MAX reported, MANIFEST_FUNCTIONS_MAX, MANIFEST_TRIGGERS_MAX per
 *          function, MANIFEST_BATCH_MAX, and the ranges in manifest.tbl.h, where defaults are, too.
 *
 * What a time zone is called, whether files are there and whether a secret is set, is for deploy to
 * check: parsing looks at nothing but the text.                                              */
#ifndef MEDULLA_MODEL_MANIFEST_H
#define MEDULLA_MODEL_MANIFEST_H

#include "base/arena.h"
#include "base/err.h"
#include "model/cron.h"
#include "model/filter.h"
#include "model/grant.h"
#include "model/retry.h"
#include "wire/json.h"

#define MANIFEST_PROBLEMS_MAX 50
#define MANIFEST_FUNCTIONS_MAX 1000
#define MANIFEST_TRIGGERS_MAX 32
#define MANIFEST_BATCH_MAX 100 /* deliveries in one run */
#define MANIFEST_BYTES_MAX (1u << 20)

enum manifest_trigger_kind {
  TRIGGER_EVENT,
  TRIGGER_HTTP,
  TRIGGER_SCHEDULE,
  TRIGGER_QUEUE,
  TRIGGER_OBJECT,
  TRIGGER_TELEMETRY,
  TRIGGER_FHIR, /* known, refused by this version's deploy with a clear sentence */
  TRIGGER_HL7,
  TRIGGER_DICOM,
};

enum manifest_missed { MISSED_SKIP, MISSED_ONCE, MISSED_ALL }; /* ticks missed while down */

struct manifest_trigger {
  const struct manifest_trigger *next;
  enum manifest_trigger_kind kind;
  uint32_t index; /* place in the function's list */
  /* event, queue, object, telemetry: over the envelope. A queue's events have its name as source,
   * an object's its bucket as source and its key as subject. */
  const struct filter *filter;
  struct bytes method, path;           /* http: method "ANY" for all; path pattern under /fn/ */
  struct bytes queue;                  /* queue: its name */
  struct bytes bucket, prefix, suffix; /* object */
  struct bytes cron, zone;             /* schedule, as written: cron or rate(...) */
  enum manifest_missed missed;
};

enum manifest_record { RECORD_NONE, RECORD_FAILURES, RECORD_ALL };

/* Where the outcome of an asynchronous run goes: an event type to emit, or a queue. */
struct manifest_destination {
  struct bytes emit, queue;
};

struct manifest_function {
  const struct manifest_function *next;
  struct bytes name; /* bare */
  struct bytes code; /* file in the app's folder */
  bool wasm;
  struct bytes handler; /* export; empty: handler */
  const struct manifest_trigger *triggers;
  struct bytes order_by; /* path over the envelope; empty: no order */
  bool unordered_when_missing;
  bool hold; /* on_failure: hold (true) or skip */
  int64_t hold_max_ms;
  int64_t time_ms;
  uint64_t memory_bytes;
  uint32_t concurrency, provisioned;
  int64_t idle_ms;
  struct retry_policy retry;
  enum manifest_record record;
  unsigned isolation_floor; /* enum sandbox_level's number */
  uint32_t batch_size;      /* of queue triggers; 1: no batching */
  int64_t batch_window_ms;
  const struct grant_set *grants;
  struct bytes input_schema, output_schema; /* files; empty: none */
  const struct json *env;                   /* object of texts, or NULL */
  const struct json *secrets;               /* array of names, or NULL */
  struct manifest_destination on_success, on_failure;
};

struct manifest_contact {
  const struct manifest_contact *next;
  struct bytes name;
  const struct json *spec; /* {smtp, from, to} | {webhook, secret} | {sms, template, ...} */
};

struct manifest {
  struct bytes app;
  const struct manifest_function *functions;
  const struct manifest_contact *contacts;
  const struct json *prices; /* or NULL: defaults */
  const struct json *tree;
  struct bytes yaml;
};

struct manifest_problem {
  uint32_t line, column;
  struct bytes path;    /* functions.news2.limits.time */
  struct bytes message; /* what is wrong, nearest known key or what is allowed */
};
struct manifest_problems {
  uint32_t count;
  struct manifest_problem list[MANIFEST_PROBLEMS_MAX];
};

/* yaml: the text of medulla.yaml. The same check runs in the CLI and on the server. False: problems
 * holds them all (and err the first). Everything lives in the arena. */
bool manifest_parse(struct arena *arena, struct bytes yaml, const struct manifest **ret_manifest,
                    struct manifest_problems *ret_problems, struct err *err) MUST_CHECK;
/* What is well formed but waits for a later version (clinical triggers, feeds, links): deploy must
 * refuse it, and adds the reasons here. */
bool manifest_is_supported(struct arena *arena, const struct manifest *manifest,
                           struct manifest_problems *ret_problems, struct err *err) MUST_CHECK;
struct disk;
/* Whether the time zones its schedules name are there, in a folder like ZONE_FOLDER. */
bool manifest_zones_exist(struct arena *arena, const struct manifest *manifest, struct disk *tzdata,
                          struct manifest_problems *ret_problems, struct err *err) MUST_CHECK;
const struct manifest_function *manifest_function(const struct manifest *manifest,
                                                  struct bytes name);
const struct manifest_contact *manifest_contact(const struct manifest *manifest, struct bytes name);

#endif

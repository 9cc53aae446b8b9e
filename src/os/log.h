/* os/log.h: structured log lines: a tag from the table, a trail, typed fields; no free text.
 * Owns:    nothing; one log per process, on stderr until log_open says otherwise.
 * Units:   times are UTC, to the millisecond.
 * Errors:  none: a line that cannot be written at once is dropped and counted.
 * Threads: any.
 * Limits:  LOG_LINE_BYTES_MAX, LOG_WORD_BYTES_MAX, LOG_TRAIL_DEPTH_MAX; lines a second by tag.
 *
 *   LOG(LISTENING, NULL, log_word("address", "127.0.0.1"), log_int("port", 8080));
 *
 * The log is best effort and shares no code with the audit. A field never holds anything from a
 * message: words are names that we or an administrator gave.                                   */
#ifndef MEDULLA_OS_LOG_H
#define MEDULLA_OS_LOG_H

#include "base/err.h"
#include "base/id.h"
#include "os/clock.h"

#define LOG_LINE_BYTES_MAX 4096 /* PIPE_BUF: a line is written whole or not at all */
#define LOG_WORD_BYTES_MAX 200
#define LOG_TRAIL_DEPTH_MAX 8

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_tag {
#define LOG_TAG(name, ...) LOG_##name##_TAG,
#include "os/log.tbl.h"
#undef LOG_TAG
  LOG_TAG_COUNT
};

enum log_form {
  LOG_FORM_AUTO, /* text on a terminal, else JSON lines */
  LOG_FORM_JSON,
  LOG_FORM_TEXT,
};

struct log_options {
  int fd;                         /* Required unless sink is set; stays the caller's */
  enum log_form form;             /* Optional */
  enum log_level level;           /* Optional: LOG_DEBUG, everything */
  const struct clock_port *clock; /* Optional: the real one */
  /* Optional: gets each line, newline included, instead of fd. */
  void (*sink)(void *arg, struct bytes line);
  void *sink_arg;
};

/* Once, before there are threads; again in tests. */
void log_open(const struct log_options *options);
/* Lines lost because the descriptor was not ready, since the start. */
uint64_t log_dropped(void);

enum log_kind {
  LOG_KIND_END,
  LOG_KIND_INT,
  LOG_KIND_BOOL,
  LOG_KIND_WORD,
  LOG_KIND_ID,
  LOG_KIND_ERR
};

struct log_field {
  const char *name;
  enum log_kind kind;
  union {
    int64_t number;
    struct bytes word;
    struct id id;
    const struct err *err;
  };
};

static inline struct log_field log_int(const char *name, int64_t value) {
  return (struct log_field){name, LOG_KIND_INT, {.number = value}};
}
static inline struct log_field log_bool(const char *name, bool value) {
  return (struct log_field){name, LOG_KIND_BOOL, {.number = value}};
}
/* A name or address: letters, digits and "._:/@-[]"; anything else is printed as '?'. */
static inline struct log_field log_word(const char *name, const char *word) {
  return (struct log_field){name, LOG_KIND_WORD, {.word = bytes_str(word)}};
}
static inline struct log_field log_name(const char *name, struct bytes word) {
  return (struct log_field){name, LOG_KIND_WORD, {.word = word}};
}
static inline struct log_field log_id(const char *name, struct id id) {
  return (struct log_field){name, LOG_KIND_ID, {.id = id}};
}
/* Prints as error, place and detail; see base/err.h for what a detail may hold. */
static inline struct log_field log_err(const struct err *err) {
  return (struct log_field){"error", LOG_KIND_ERR, {.err = err}};
}

/* What every line below has in common; a chain of fields, outermost first in print. Embedded in
 * what it is about (a tenant, a function, an event, a run). */
struct log_trail {
  const struct log_trail *up; /* NULL at the top */
  struct log_field field;
};

bool log_wanted(enum log_tag tag);
void log_line(enum log_tag tag, const struct log_trail *trail, const struct log_field *fields);

#define LOG(name, trail, ...) \
  log_line(LOG_##name##_TAG, (trail), \
           (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, )(struct log_field){0}})

#endif

/* runtime/guest_impl.h: what the parts of the guest side share; not for anyone else.
 * Owns:    struct guest owns its instance, its mapped snapshot and its module handle.
 * Units:   milliseconds and nanoseconds as named.
 * Errors:  as runtime/guest.h.
 * Threads: one run at a time per process.                                          */
#ifndef MEDULLA_RUNTIME_GUEST_IMPL_H
#define MEDULLA_RUNTIME_GUEST_IMPL_H

#include "runtime/guest.h"
#include "runtime/instance.h"
#include "runtime/random.h"
#include "runtime/snapshot.h"

/* The clock that code sees while it is prepared: 2020-01-01T00:00:00Z, standing still. */
#define GUEST_PREPARE_CLOCK_MS 1577836800000

/* One run, or the preparation. */
struct guest_turn {
  bool preparing;
  bool ended; /* the outcome is in output and reason */
  const struct guest_input *input;
  const struct guest_host *host;
  struct guest_output *output;
  struct guest_random random;
  int64_t start_mono_ns;
  uint64_t ordinal;
};

struct guest {
  struct instance in;
  enum guest_kind kind;
  const char *hash;
  uint32_t words[SNAPSHOT_WORDS];
  void *image; /* the mapped snapshot */
  size_t image_bytes;
  void *module;   /* from dlopen */
  void *language; /* of wasm.c */
  struct guest_turn turn;
};

/* Whole milliseconds since the run began; 0 while preparing. */
int64_t guest_elapsed_ms(const struct guest *guest);
int64_t guest_clock_ms(const struct guest *guest);
/* Ends the turn with a result; the text becomes the body (it may be the body already, whole). Only
 * the first end counts. */
void guest_end(struct guest *guest, enum guest_result result, const char *reason,
               struct bytes body);
/* Ends it with Lambda's error JSON, made of plain ASCII texts. */
void guest_end_error(struct guest *guest, enum guest_result result, const char *reason,
                     const char *type, const char *message);
/* Sends a request; its ordinal, or 0 past GUEST_REQUESTS_MAX. */
uint64_t guest_request(struct guest *guest, struct bytes effect, struct bytes payload);
void guest_log(struct guest *guest, unsigned level, struct bytes line);

/* JavaScript. */
bool js_open(struct guest *guest, uint64_t bytes_max, struct err *err) MUST_CHECK;
bool js_prepare(struct guest *guest, const struct guest_code *code, struct err *err) MUST_CHECK;
/* The engine and our prelude, without user code: what the base snapshot is made from. */
bool js_prepare_base(struct guest *guest, struct err *err) MUST_CHECK;
void js_run(struct guest *guest); /* under trap_try */

/* The base snapshot, from the build; empty while the build makes it. */
extern const uint8_t guest_base_image[], guest_base_image_end[];

#endif

/* runtime/ring_message.h: what the messages in the rings say.
 * Owns:    nothing; slices point into the message's payload.
 * Units:   as named.
 * Errors:  readers return false for a payload that does not have its form; it is never an abort.
 * Threads: pure.
 * Limits:  those of ring.h; RING_EFFECT_BYTES_MAX.                                              */
#ifndef MEDULLA_RUNTIME_RING_MESSAGE_H
#define MEDULLA_RUNTIME_RING_MESSAGE_H

#include "runtime/guest.h"
#include "runtime/ring.h"

#define RING_EFFECT_BYTES_MAX 64u /* longest effect name */

/* RING_RUN: this, then event, context, env, handler. */
struct ring_run {
  int64_t clock_ms, deadline_mono_ns;
  uint8_t seed[32];
  uint32_t event_bytes, context_bytes, env_bytes, handler_bytes;
};

/* RING_READY: this, then a sentence when ok is 0. */
struct ring_ready {
  uint32_t ok;
  uint32_t level; /* enum sandbox_level in force */
  uint32_t code;  /* enum err_code when not ok */
};

/* RING_DONE: this, then the body. */
struct ring_done {
  uint32_t result; /* enum guest_result */
  uint32_t requests;
  uint32_t dirty_pages;
  uint32_t reason; /* place of guest_output.reason in the table of words */
  uint64_t memory_bytes;
  int64_t restore_us, run_us, effect_us, cpu_us;
};
/* The words that a guest gives as reasons; others become the first one. */
uint32_t ring_reason_number(const char *word);
const char *ring_reason_word(uint32_t number);

/* The parts of an outgoing message; `head` must live as long as the out. */
void ring_run_out(struct ring_out *ret_out, struct ring_run *head, const struct guest_input *input);
void ring_answer_out(struct ring_out *ret_out, uint64_t ordinal, bool ok, struct bytes body);
void ring_ready_out(struct ring_out *ret_out, const struct ring_ready *head, struct bytes sentence);
void ring_request_out(struct ring_out *ret_out, uint64_t ordinal, uint32_t *effect_bytes,
                      struct bytes effect, struct bytes payload);
void ring_log_out(struct ring_out *ret_out, uint32_t *number, enum guest_level level,
                  struct bytes line);
void ring_done_out(struct ring_out *ret_out, const struct ring_done *head, struct bytes body);

bool ring_run_read(struct bytes payload, struct guest_input *ret_input);
bool ring_answer_read(const struct ring_message *message, struct guest_answer *ret_answer);
bool ring_ready_read(struct bytes payload, struct ring_ready *ret_head, struct bytes *ret_sentence);
bool ring_request_read(struct bytes payload, struct bytes *ret_effect, struct bytes *ret_payload);
bool ring_log_read(struct bytes payload, enum guest_level *ret_level, struct bytes *ret_line);
/* Checks ranges too: a meter is never negative, a level or result is one of its enum. */
bool ring_done_read(struct bytes payload, struct ring_done *ret_head, struct bytes *ret_body);

#endif

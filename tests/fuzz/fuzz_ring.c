/* tests/fuzz/fuzz_ring.c: ring_pull and the ring_*_read functions against a hostile worker.
 * Input: u32 bytes claimed as written, u32 position the worker says it has taken, the
 * ring itself. */
#include "runtime/ring.h"
#include "runtime/ring_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

static void parse(const struct ring_message *message) {
  struct bytes first, rest;
  enum guest_level level;
  struct ring_ready ready;
  struct ring_done done;
  struct guest_answer answer;
  struct guest_input input;
  switch (message->kind) {
  case RING_READY: (void)ring_ready_read(message->payload, &ready, &rest); break;
  case RING_REQUEST: (void)ring_request_read(message->payload, &first, &rest); break;
  case RING_LOG: (void)ring_log_read(message->payload, &level, &rest); break;
  case RING_DONE: (void)ring_done_read(message->payload, &done, &rest); break;
  case RING_ANSWER: (void)ring_answer_read(message, &answer); break;
  case RING_RUN: (void)ring_run_read(message->payload, &input); break;
  case RING_NONE:
  case RING_KIND_COUNT: abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len) {
  if (len < 8) return 0;
  uint32_t written, taken;
  memcpy(&written, at, 4);
  memcpy(&taken, at + 4, 4);
  at += 8, len -= 8;
  uint8_t *memory = aligned_alloc(4096, RING_MEMORY_BYTES);
  memset(memory, 0, RING_MEMORY_BYTES);
  struct ring ring;
  ring_init(&ring, memory, true);
  for (uint32_t done = 0; done < RING_BYTES && len; done += (uint32_t)len)
    memcpy(ring.in_at + done, at, len < RING_BYTES - done ? len : RING_BYTES - done);
  atomic_store(&ring.shared->up_head, written);
  atomic_store(&ring.shared->down_tail, taken);
  struct ring_message message;
  while (ring_pull(&ring, &message) == RING_DONE_ALL) parse(&message);
  struct ring_out out;
  ring_answer_out(&out, 1, true, BYTES("answer"));
  (void)ring_push(&ring, &out);
  ring_rewind(&ring);
  ring_fini(&ring);
  free(memory);
  return 0;
}

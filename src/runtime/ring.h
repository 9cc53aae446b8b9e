/* runtime/ring.h: two byte rings in one shared memory, between the core and one worker.
 * Owns:    struct ring owns the buffer of the message being put together, never the memory.
 * Units:   bytes; positions count the bytes of one turn from 0.
 * Errors:  values: a side that breaks the format is RING_BROKEN; the core then kills the worker.
 * Threads: one thread on each side. No system call in here: who sleeps and wakes is the caller's.
 * Limits:  RING_MESSAGE_BYTES_MAX, RING_CHUNK_BYTES_MAX.
 *
 *   0                     struct ring_shared: turn, sleep words, positions
 *   4096                  down: core to worker, RING_BYTES
 *   4096 + RING_BYTES     up: worker to core, RING_BYTES
 *
 * A message is one chunk or more; a chunk is a head of 16 bytes, its payload, and zeros up to the
 * next multiple of 16. It may wrap around the end. All numbers have the machine's byte order.
 *
 *   0  u32 bytes     of this chunk's payload
 *   4  u8  kind      enum ring_kind
 *   5  u8  flags     RING_MORE: another chunk of the same message follows
 *   6  u16           zero
 *   8  u64 ordinal   of the request or answer, else 0
 *
 * The other side can write anything at any time. So each side keeps its own positions, copies a
 * head once, checks it against its own constants, copies the payload, and only then parses.
 *
 * A run is one turn. Between the end of a run and the next turn the rings belong to the core: it
 * wipes what was used, sets all positions to 0, puts the run in, and counts the turn up.         */
#ifndef MEDULLA_RUNTIME_RING_H
#define MEDULLA_RUNTIME_RING_H

#include "base/buf.h"

#include <stdatomic.h>

#define RING_BYTES (128u << 10)
#define RING_CHUNK_BYTES_MAX (32u << 10)
#define RING_MESSAGE_BYTES_MAX (8u << 20)
#define RING_HEAD_BYTES 16u
#define RING_CONTROL_BYTES 4096u
#define RING_MEMORY_BYTES (RING_CONTROL_BYTES + 2 * RING_BYTES)
#define RING_PARTS_MAX 6
#define RING_SPIN_MAX 2000u /* pauses; about what waking a sleeper costs */

enum ring_kind {
  RING_NONE,
  RING_RUN,     /* down: struct ring_run and its fields */
  RING_ANSWER,  /* down: u8 ok, body */
  RING_READY,   /* up: struct ring_ready and a sentence when it is not */
  RING_REQUEST, /* up: u32 effect bytes, effect, payload */
  RING_LOG,     /* up: struct ring_log and the line */
  RING_DONE,    /* up: struct ring_done and the body */
  RING_KIND_COUNT
};

enum { RING_MORE = 1 };

/* What a sleeper waits for. */
enum { RING_WANT_MESSAGE = 1, RING_WANT_ROOM = 2 };

/* Each word on its own cache line: the two sides never write to the same one in the usual case. */
struct ring_shared {
  _Alignas(64) _Atomic uint32_t turn; /* the core counts */
  _Atomic uint32_t spin_max;          /* the core: pauses a worker may spin before it sleeps */
  _Alignas(64) _Atomic uint32_t worker_sleeps; /* RING_WANT_ bits; a futex word */
  _Alignas(64) _Atomic uint32_t core_sleeps;   /* RING_WANT_ bits; woken by an eventfd */
  _Alignas(64) _Atomic uint64_t down_head;     /* the core has written so far */
  _Alignas(64) _Atomic uint64_t down_tail;     /* the worker has taken so far */
  _Alignas(64) _Atomic uint64_t up_head;
  _Alignas(64) _Atomic uint64_t up_tail;
};

struct ring {
  struct ring_shared *shared;
  bool core;
  uint8_t *out_at, *in_at;
  uint64_t head; /* own: written to the outgoing ring this turn */
  uint64_t tail; /* own: taken from the incoming ring this turn */
  uint32_t turn;
  struct buf in; /* the message being put together */
  uint8_t in_kind;
  bool in_more;
  uint64_t in_ordinal;
};

/* A message on its way out; the parts must live until it is pushed whole. */
struct ring_out {
  uint8_t kind;
  uint64_t ordinal;
  struct bytes parts[RING_PARTS_MAX];
  unsigned count;
  /* ring_push's progress. */
  unsigned part;
  size_t offset, left;
  bool begun;
};

struct ring_message {
  enum ring_kind kind;
  uint64_t ordinal;
  struct bytes payload; /* until the next ring_pull */
};

enum ring_result {
  RING_DONE_ALL, /* push: whole message written; pull: a message */
  RING_WAIT,     /* push: no room now; pull: nothing (more) there now */
  RING_BROKEN,   /* the other side broke the format */
};

/* memory: RING_MEMORY_BYTES, zeroed when it is new, aligned to a page. */
void ring_init(struct ring *ring, void *memory, bool core);
void ring_fini(struct ring *ring);

/* Core: wipe what the last turn used and start over; then push, then ring_turn_begin. */
void ring_rewind(struct ring *ring);
void ring_turn_begin(struct ring *ring);
/* Worker: has the next turn begun? Then start over with it. */
bool ring_turn_next(struct ring *ring);

/* Both read at most one ring's worth per call: a writer that never stops cannot hold a reader. */
enum ring_result ring_push(struct ring *ring, struct ring_out *out);
enum ring_result ring_pull(struct ring *ring, struct ring_message *ret_message);
/* The incoming ring is empty and no message is half there. */
bool ring_is_empty(const struct ring *ring);

/* What ring_push must have free to go on with this message. */
size_t ring_out_room(const struct ring_out *out);
/* Trade buffers: the message pulled last now lives in *buf; *buf's old memory serves the ring. */
void ring_swap_in(struct ring *ring, struct buf *buf);

/* After a push (RING_WANT_MESSAGE) or pull (RING_WANT_ROOM): must the other side be woken? */
bool ring_peer_sleeps(struct ring *ring, uint32_t what);
/* Before sleeping: say what for. False: it is there already, do not sleep. */
bool ring_arm(struct ring *ring, uint32_t want, size_t room_bytes);
void ring_disarm(struct ring *ring);

#endif

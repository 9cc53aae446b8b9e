/* runtime/ring.c: moving chunks between private memory and the shared rings. */
#include "runtime/ring.h"

#include "base/must.h"

#include <string.h>

struct chunk_head {
  uint32_t bytes;
  uint8_t kind, flags;
  uint16_t zero;
  uint64_t ordinal;
};
_Static_assert(sizeof(struct chunk_head) == RING_HEAD_BYTES, "the format");
_Static_assert(sizeof(struct ring_shared) <= RING_CONTROL_BYTES, "the layout");
_Static_assert((RING_BYTES & (RING_BYTES - 1)) == 0, "positions are masked");

void ring_init(struct ring *ring, void *memory, bool core) {
  uint8_t *down = (uint8_t *)memory + RING_CONTROL_BYTES, *up = down + RING_BYTES;
  *ring = (struct ring){
      .shared = memory, .core = core, .out_at = core ? down : up, .in_at = core ? up : down};
  buf_init(&ring->in, RING_MESSAGE_BYTES_MAX + 1);
}

void ring_fini(struct ring *ring) {
  buf_fini(&ring->in);
}

static _Atomic uint64_t *out_head(struct ring *ring) {
  return ring->core ? &ring->shared->down_head : &ring->shared->up_head;
}

static _Atomic uint64_t *out_tail(struct ring *ring) {
  return ring->core ? &ring->shared->down_tail : &ring->shared->up_tail;
}

static _Atomic uint64_t *in_head(const struct ring *ring) {
  return ring->core ? &ring->shared->up_head : &ring->shared->down_head;
}

static _Atomic uint64_t *in_tail(struct ring *ring) {
  return ring->core ? &ring->shared->up_tail : &ring->shared->down_tail;
}

static size_t padded(size_t bytes) {
  return (bytes + RING_HEAD_BYTES - 1) & ~(size_t)(RING_HEAD_BYTES - 1);
}

static void copy_in(uint8_t *ring_at, uint64_t position, const void *from, size_t len) {
  size_t at = position & (RING_BYTES - 1);
  size_t first = len < RING_BYTES - at ? len : RING_BYTES - at;
  memcpy(ring_at + at, from, first);
  if (len > first) memcpy(ring_at, (const uint8_t *)from + first, len - first);
}

static void copy_out(const uint8_t *ring_at, uint64_t position, void *to, size_t len) {
  size_t at = position & (RING_BYTES - 1);
  size_t first = len < RING_BYTES - at ? len : RING_BYTES - at;
  memcpy(to, ring_at + at, first);
  if (len > first) memcpy((uint8_t *)to + first, ring_at, len - first);
}

/* The half-made or last message holds patient data: wipe it; give a big buffer back. */
static void forget_message(struct ring *ring) {
  enum { KEEP_BYTES = 64 << 10 };
  ring->in_more = false;
  if (ring->in.room > KEEP_BYTES) {
    buf_fini(&ring->in);
    buf_init(&ring->in, RING_MESSAGE_BYTES_MAX + 1);
    return;
  }
  bytes_wipe(ring->in.at, ring->in.len);
  buf_reset(&ring->in);
}

/* Turns. */

static void wipe_used(uint8_t *ring_at, uint64_t position) {
  bytes_wipe(ring_at, position < RING_BYTES ? (size_t)position : RING_BYTES);
}

void ring_rewind(struct ring *ring) {
  must(ring->core);
  wipe_used(ring->out_at, ring->head);
  wipe_used(ring->in_at, ring->tail);
  forget_message(ring);
  ring->head = ring->tail = 0;
  atomic_store_explicit(&ring->shared->down_head, 0, memory_order_relaxed);
  atomic_store_explicit(&ring->shared->down_tail, 0, memory_order_relaxed);
  atomic_store_explicit(&ring->shared->up_head, 0, memory_order_relaxed);
  atomic_store_explicit(&ring->shared->up_tail, 0, memory_order_relaxed);
}

void ring_turn_begin(struct ring *ring) {
  must(ring->core);
  atomic_store_explicit(&ring->shared->turn, ++ring->turn, memory_order_release);
}

bool ring_turn_next(struct ring *ring) {
  uint32_t turn = atomic_load_explicit(&ring->shared->turn, memory_order_acquire);
  if (turn == ring->turn) return false;
  ring->turn = turn;
  ring->head = ring->tail = 0;
  forget_message(ring);
  return true;
}

/* Out. */

/* Room for outgoing bytes, or SIZE_MAX when the other side's position cannot be. */
static size_t room_of(struct ring *ring) {
  uint64_t taken = atomic_load_explicit(out_tail(ring), memory_order_acquire);
  uint64_t waiting = ring->head - taken;
  return waiting > RING_BYTES ? SIZE_MAX : RING_BYTES - (size_t)waiting;
}

static void push_chunk(struct ring *ring, struct ring_out *out, size_t bytes) {
  struct chunk_head head = {.bytes = (uint32_t)bytes,
                            .kind = out->kind,
                            .flags = bytes < out->left ? RING_MORE : 0,
                            .ordinal = out->ordinal};
  copy_in(ring->out_at, ring->head, &head, sizeof head);
  uint64_t at = ring->head + sizeof head;
  for (size_t left = bytes; left > 0;) {
    struct bytes rest = bytes_from(out->parts[out->part], out->offset);
    size_t len = rest.len < left ? rest.len : left;
    if (len) copy_in(ring->out_at, at, rest.at, len);
    at += len;
    left -= len;
    out->offset += len;
    if (len == rest.len) out->part++, out->offset = 0;
  }
  out->left -= bytes;
  ring->head += sizeof head + padded(bytes);
  atomic_store_explicit(out_head(ring), ring->head, memory_order_release);
}

size_t ring_out_room(const struct ring_out *out) {
  size_t bytes = out->left < RING_CHUNK_BYTES_MAX ? out->left : RING_CHUNK_BYTES_MAX;
  return RING_HEAD_BYTES + padded(bytes);
}

enum ring_result ring_push(struct ring *ring, struct ring_out *out) {
  if (!out->begun) {
    must(out->count <= RING_PARTS_MAX);
    for (unsigned i = 0; i < out->count; i++) out->left += out->parts[i].len;
    must(out->left <= RING_MESSAGE_BYTES_MAX);
    out->begun = true;
  } else if (out->left == 0) {
    return RING_DONE_ALL;
  }
  do {
    size_t bytes = out->left < RING_CHUNK_BYTES_MAX ? out->left : RING_CHUNK_BYTES_MAX;
    size_t room = room_of(ring);
    if (room == SIZE_MAX) return RING_BROKEN;
    if (room < ring_out_room(out)) {
      /* Not begun for an empty message means: its one chunk is still to come. */
      if (out->left == 0) out->begun = false;
      return RING_WAIT;
    }
    push_chunk(ring, out, bytes);
  } while (out->left > 0);
  return RING_DONE_ALL;
}

/* In. */

static bool head_is_sound(const struct ring *ring, const struct chunk_head *head,
                          uint64_t waiting) {
  if (head->bytes > RING_CHUNK_BYTES_MAX || head->zero != 0) return false;
  if (RING_HEAD_BYTES + padded(head->bytes) > waiting) return false;
  if (head->kind == RING_NONE || head->kind >= RING_KIND_COUNT) return false;
  if (head->flags & ~RING_MORE) return false;
  /* Only the last chunk may be short: a message has a bounded number of chunks. */
  if ((head->flags & RING_MORE) && head->bytes != RING_CHUNK_BYTES_MAX) return false;
  return !ring->in_more || (head->kind == ring->in_kind && head->ordinal == ring->in_ordinal);
}

enum ring_result ring_pull(struct ring *ring, struct ring_message *ret_message) {
  uint64_t written = atomic_load_explicit(in_head(ring), memory_order_acquire);
  uint64_t waiting = written - ring->tail;
  if (waiting > RING_BYTES) return RING_BROKEN;
  if (!ring->in_more) forget_message(ring);
  while (waiting > 0) {
    struct chunk_head head;
    if (waiting < sizeof head) return RING_BROKEN;
    copy_out(ring->in_at, ring->tail, &head, sizeof head);
    if (!head_is_sound(ring, &head, waiting)) return RING_BROKEN;
    uint8_t *to = buf_room(&ring->in, head.bytes + 1u); /* never NULL for an empty chunk */
    if (!to) return RING_BROKEN;
    copy_out(ring->in_at, ring->tail + sizeof head, to, head.bytes);
    buf_grew(&ring->in, head.bytes);
    size_t taken = sizeof head + padded(head.bytes);
    waiting -= taken;
    ring->tail += taken;
    atomic_store_explicit(in_tail(ring), ring->tail, memory_order_release);
    ring->in_kind = head.kind;
    ring->in_ordinal = head.ordinal;
    ring->in_more = head.flags & RING_MORE;
    if (ring->in_more) continue;
    *ret_message = (struct ring_message){.kind = (enum ring_kind)head.kind,
                                         .ordinal = head.ordinal,
                                         .payload = buf_bytes(&ring->in)};
    return RING_DONE_ALL;
  }
  return RING_WAIT;
}

void ring_swap_in(struct ring *ring, struct buf *buf) {
  struct buf mine = ring->in;
  must(!ring->in_more);
  ring->in = *buf;
  *buf = mine;
  buf_reset(&ring->in);
}

bool ring_is_empty(const struct ring *ring) {
  return !ring->in_more && atomic_load_explicit(in_head(ring), memory_order_acquire) == ring->tail;
}

/* Sleeping: the sleeper sets its word, then looks again; the waker writes, then looks at the word.
 * The fences on both sides make it impossible that both miss each other.                         */

static _Atomic uint32_t *own_word(struct ring *ring) {
  return ring->core ? &ring->shared->core_sleeps : &ring->shared->worker_sleeps;
}

bool ring_peer_sleeps(struct ring *ring, uint32_t what) {
  _Atomic uint32_t *word = ring->core ? &ring->shared->worker_sleeps : &ring->shared->core_sleeps;
  atomic_thread_fence(memory_order_seq_cst);
  if (!(atomic_load_explicit(word, memory_order_relaxed) & what)) return false;
  return atomic_exchange_explicit(word, 0, memory_order_relaxed) != 0;
}

bool ring_arm(struct ring *ring, uint32_t want, size_t room_bytes) {
  atomic_store_explicit(own_word(ring), want, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  bool there = false;
  if (want & RING_WANT_MESSAGE)
    there = atomic_load_explicit(in_head(ring), memory_order_relaxed) != ring->tail ||
            (!ring->core &&
             atomic_load_explicit(&ring->shared->turn, memory_order_relaxed) != ring->turn);
  /* A position that cannot be counts as room: the push that follows finds it broken. */
  if (want & RING_WANT_ROOM) there = there || room_of(ring) >= room_bytes;
  if (there) ring_disarm(ring);
  return !there;
}

void ring_disarm(struct ring *ring) {
  atomic_store_explicit(own_word(ring), 0, memory_order_relaxed);
}

/* os/sim_stream.c: each end has the bytes on their way to it; readiness goes through loop posts.
 *
 * Level-triggered like the kernel: an end that stays ready is posted again after each call. With
 * randomness a read or write may move nothing yet: it is then offered again in the next round. */
#include "os/sim_stream.h"

#include "base/buf.h"
#include "base/must.h"

#include <stdlib.h>
#include <string.h>

enum { SIM_ROOM_BYTES = 64 << 10, SIM_AGAIN_ONE_IN = 8 };

struct sim_end {
  struct stream port; /* first member */
  struct loop_post post;
  struct sim_pair *pair;
  struct sim_end *other;
  struct buf inbox;
  unsigned interest;
  bool ended; /* the other side will send no more */
  bool open, posted;
};

struct sim_pair {
  struct sim_stream_options options;
  struct sim_end ends[2];
  bool broken;
};

static struct sim_end *end_of(struct stream *stream) {
  return (struct sim_end *)(void *)stream;
}

static void free_when_over(struct sim_pair *pair) {
  for (int i = 0; i < 2; i++)
    if (pair->ends[i].open || pair->ends[i].posted) return;
  for (int i = 0; i < 2; i++) buf_fini(&pair->ends[i].inbox);
  free(pair);
}

static unsigned readiness(const struct sim_end *end) {
  if (!end->open) return 0;
  if (end->pair->broken) return LOOP_HANGUP | (end->interest & (LOOP_READ | LOOP_WRITE));
  unsigned ready = 0;
  if (end->inbox.len || end->ended) ready |= LOOP_READ;
  if (!end->other->open || end->other->inbox.len < end->pair->options.room_bytes)
    ready |= LOOP_WRITE;
  if (end->ended) ready |= LOOP_HANGUP;
  return ready & end->interest;
}

static void offer(struct sim_end *end) {
  if (end->posted || !readiness(end)) return;
  end->posted = true;
  loop_post(end->pair->options.loop, &end->post);
}

static void run_post(struct loop_post *post) {
  struct sim_end *end = LIST_OF(post, struct sim_end, post);
  unsigned ready = readiness(end);
  /* Still marked as posted during the call, so that a close in it leaves the pair alive. */
  if (ready && end->port.ready) end->port.ready(&end->port, ready);
  end->posted = false;
  if (end->open && end->port.ready) offer(end);
  free_when_over(end->pair);
}

/* How many of `bytes` move now; 0: none yet. */
static size_t step_of(struct sim_pair *pair, size_t bytes) {
  const struct sim_stream_options *options = &pair->options;
  if (options->step_bytes_max && bytes > options->step_bytes_max) bytes = options->step_bytes_max;
  if (!options->random || bytes == 0) return bytes;
  uint64_t dice = random_u64(options->random);
  if (dice % SIM_AGAIN_ONE_IN == 0) return 0;
  return 1 + (dice >> 8) % bytes;
}

static enum stream_result sim_read(struct stream *stream, void *at, size_t room, size_t *ret_len) {
  struct sim_end *end = end_of(stream);
  if (end->pair->broken) return STREAM_BROKEN;
  if (end->inbox.len == 0) return end->ended ? STREAM_END : STREAM_AGAIN;
  size_t len = step_of(end->pair, end->inbox.len < room ? end->inbox.len : room);
  if (len == 0) return STREAM_AGAIN;
  memcpy(at, end->inbox.at, len);
  buf_consume(&end->inbox, len);
  *ret_len = len;
  offer(end->other);
  return STREAM_OK;
}

static enum stream_result sim_write(struct stream *stream, const struct bytes *parts, size_t count,
                                    size_t *ret_len) {
  struct sim_end *end = end_of(stream);
  struct sim_end *other = end->other;
  size_t total = 0, put = 0;
  if (end->pair->broken || !other->open || other->ended) return STREAM_BROKEN;
  for (size_t i = 0; i < count; i++) total += parts[i].len;
  size_t room = end->pair->options.room_bytes - other->inbox.len;
  size_t len = step_of(end->pair, total < room ? total : room);
  if (len == 0 && total > 0) return STREAM_AGAIN;
  for (size_t i = 0; i < count && put < len; i++) {
    struct bytes part = bytes_sub(parts[i], 0, len - put);
    buf_put(&other->inbox, part);
    put += part.len;
  }
  must(buf_ok(&other->inbox));
  *ret_len = len;
  offer(other);
  return STREAM_OK;
}

static void sim_want(struct stream *stream, unsigned interest) {
  end_of(stream)->interest = interest;
  offer(end_of(stream));
}

static void sim_finish(struct stream *stream) {
  struct sim_end *other = end_of(stream)->other;
  other->ended = true;
  offer(other);
}

static void sim_close(struct stream *stream, bool reset) {
  struct sim_end *end = end_of(stream);
  /* TCP: closing with bytes unread resets the connection. */
  if (reset || end->inbox.len) end->pair->broken = true;
  end->open = false;
  end->other->ended = true;
  offer(end->other);
  free_when_over(end->pair);
}

static const struct stream_ops sim_ops = {sim_read, sim_write, sim_want, sim_finish, sim_close};

void sim_stream_pair(const struct sim_stream_options *options, struct stream **ret_a,
                     struct stream **ret_b) {
  struct sim_pair *pair = must_alloc(sizeof *pair);
  pair->options = *options;
  if (!pair->options.room_bytes) pair->options.room_bytes = SIM_ROOM_BYTES;
  for (int i = 0; i < 2; i++) {
    struct sim_end *end = &pair->ends[i];
    end->port.ops = &sim_ops;
    end->post.run = run_post;
    end->pair = pair;
    end->other = &pair->ends[1 - i];
    end->open = true;
    buf_init(&end->inbox, pair->options.room_bytes);
  }
  *ret_a = &pair->ends[0].port;
  *ret_b = &pair->ends[1].port;
}

void sim_stream_break(struct stream *stream) {
  struct sim_end *end = end_of(stream);
  end->pair->broken = true;
  offer(end);
  offer(end->other);
}

/* os/sim_stream.h: two joined streams in memory that split, delay, fill and break as told.
 * Owns:    each end until stream_close; bytes in flight are wiped.
 * Units:   bytes.
 * Errors:  none.
 * Threads: the loop's; a simulated loop will do.
 * Limits:  room_bytes in flight each way.                                                   */
#ifndef MEDULLA_OS_SIM_STREAM_H
#define MEDULLA_OS_SIM_STREAM_H

#include "os/net.h"

struct sim_stream_options {
  struct loop *loop;                /* Required */
  size_t room_bytes;                /* Optional: in flight each way; 64 KiB */
  size_t step_bytes_max;            /* Optional: most that one read or write moves; no limit */
  const struct random_port *random; /* Optional: each step moves a random part, or nothing yet */
};

/* What one end writes the other reads, in order. Both may be used from the same thread. */
void sim_stream_pair(const struct sim_stream_options *options, struct stream **ret_a,
                     struct stream **ret_b);
/* As if a cable were cut and the kernel noticed: both ends are broken from now on. */
void sim_stream_break(struct stream *end);

#endif

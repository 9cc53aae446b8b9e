/* os/net.h: listening sockets and byte streams: a port, over a socket or in memory.
 * Owns:    struct stream until stream_close; descriptors as said at each function.
 * Units:   bytes.
 * Errors:  net_listen: INVALID, EXISTS (address in use), DENIED, BUSY, IO, UNREACHABLE.
 * Threads: a stream: its loop's. The rest: any.
 * Limits:  STREAM_PARTS_MAX parts in one write; NET_BACKLOG_MAX connections not yet accepted.
 *
 * A stream is never waited for: what cannot be done now is STREAM_AGAIN, and `ready` is called
 * when it can, as long as the interest stands (level-triggered).                              */
#ifndef MEDULLA_OS_NET_H
#define MEDULLA_OS_NET_H

#include "base/err.h"
#include "os/loop.h"
#include "os/random.h"

#define STREAM_PARTS_MAX 16
#define NET_BACKLOG_MAX 4096
#define NET_ADDRESS_BYTES 64 /* "[address]:port" with NUL */

/* "127.0.0.1:8080", "[::1]:8080", "0.0.0.0:80"; port 0 takes a free one. No names: nothing is
 * resolved here. */
bool net_listen(const char *address, int *ret_fd, struct err *err) MUST_CHECK;
/* The address a socket is bound to. */
void net_address(int fd, char ret_text[NET_ADDRESS_BYTES]);

enum net_accepted {
  NET_ACCEPTED,
  NET_NONE,   /* nobody waits, or who waited left */
  NET_FAILED, /* err says why: BUSY (no descriptor left), NO_MEMORY, IO */
};
/* Non-blocking, closed on exec, without Nagle's delay. ret_peer: "127.0.0.1:54321". */
enum net_accepted net_accept(int listen_fd, int *ret_fd, char ret_peer[NET_ADDRESS_BYTES],
                             struct err *err) MUST_CHECK;
/* Connects without waiting: the stream is writable when it stands, broken when it does not. */
bool net_connect(const char *address, int *ret_fd, struct err *err) MUST_CHECK;
/* Two joined Unix stream sockets, non-blocking, closed on exec. */
bool net_pair(int ret_fds[2], struct err *err) MUST_CHECK;

enum stream_result {
  STREAM_OK,     /* at least one byte went */
  STREAM_AGAIN,  /* not now */
  STREAM_END,    /* read: the other side will send no more */
  STREAM_BROKEN, /* reset, or the other side is gone */
};

struct stream;

struct stream_ops {
  enum stream_result (*read)(struct stream *stream, void *at, size_t room, size_t *ret_len);
  enum stream_result (*write)(struct stream *stream, const struct bytes *parts, size_t count,
                              size_t *ret_len);
  void (*want)(struct stream *stream, unsigned interest);
  void (*finish)(struct stream *stream);
  void (*close)(struct stream *stream, bool reset);
};

struct stream {
  const struct stream_ops *ops;
  /* Called from the loop with LOOP_READ, LOOP_WRITE, LOOP_HANGUP; may close the stream. */
  void (*ready)(struct stream *stream, unsigned events);
  void *owner; /* for whoever sets `ready` */
};

/* Over a connected non-blocking socket; takes fd when it succeeds. Interest starts as none. */
bool stream_open_socket(struct loop *loop, int fd, struct stream **ret_stream,
                        struct err *err) MUST_CHECK;
enum stream_result stream_read(struct stream *stream, void *at, size_t room, size_t *ret_len);
/* Any number of the bytes may go; *ret_len says how many, from the first part on. */
enum stream_result stream_write(struct stream *stream, const struct bytes *parts, size_t count,
                                size_t *ret_len);
/* The interest in `ready`. LOOP_HANGUP may be reported with no interest at all. */
void stream_want(struct stream *stream, unsigned interest);
/* Sends no more; reading goes on. */
void stream_finish(struct stream *stream);
void stream_close(struct stream **stream);
/* Closes so that the other side sees an error, not an end. */
void stream_reset(struct stream **stream);

#endif

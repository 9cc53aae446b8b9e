/* os/stream.c: the stream port over a socket. */
#define _GNU_SOURCE
#include "os/net.h"

#include "base/must.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct socket_stream {
  struct stream port; /* first member */
  struct loop_watch watch;
  struct loop *loop;
};

static struct socket_stream *socket_of(struct stream *stream) {
  return (struct socket_stream *)(void *)stream;
}

static enum stream_result result_of_errno(void) {
  return errno == EAGAIN || errno == EINTR ? STREAM_AGAIN : STREAM_BROKEN;
}

static enum stream_result socket_read(struct stream *stream, void *at, size_t room,
                                      size_t *ret_len) {
  ssize_t got = recv(socket_of(stream)->watch.fd, at, room, 0);
  if (got < 0) return result_of_errno();
  if (got == 0) return STREAM_END;
  *ret_len = (size_t)got;
  return STREAM_OK;
}

static enum stream_result socket_write(struct stream *stream, const struct bytes *parts,
                                       size_t count, size_t *ret_len) {
  struct iovec pieces[STREAM_PARTS_MAX];
  struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
  for (size_t i = 0; i < count; i++)
    pieces[i] = (struct iovec){(void *)(uintptr_t)parts[i].at, parts[i].len};
  ssize_t put = sendmsg(socket_of(stream)->watch.fd, &message, MSG_NOSIGNAL);
  if (put < 0) return result_of_errno();
  *ret_len = (size_t)put;
  return STREAM_OK;
}

static void socket_want(struct stream *stream, unsigned interest) {
  struct socket_stream *s = socket_of(stream);
  loop_change(s->loop, &s->watch, interest);
}

static void socket_finish(struct stream *stream) {
  (void)shutdown(socket_of(stream)->watch.fd, SHUT_WR);
}

static void socket_close(struct stream *stream, bool reset) {
  struct socket_stream *s = socket_of(stream);
  /* No linger: the kernel drops what is unsent and sends RST. */
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  if (reset) (void)setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  loop_drop(s->loop, &s->watch);
  close(s->watch.fd);
  free(s);
}

static const struct stream_ops socket_ops = {socket_read, socket_write, socket_want, socket_finish,
                                             socket_close};

static void socket_ready(struct loop_watch *watch, unsigned events) {
  struct socket_stream *s = LIST_OF(watch, struct socket_stream, watch);
  s->port.ready(&s->port, events);
}

bool stream_open_socket(struct loop *loop, int fd, struct stream **ret_stream, struct err *err) {
  struct socket_stream *s = must_alloc(sizeof *s);
  s->port.ops = &socket_ops;
  s->loop = loop;
  s->watch = (struct loop_watch){.fd = fd, .ready = socket_ready};
  if (!loop_add(loop, &s->watch, err)) {
    free(s);
    return false;
  }
  *ret_stream = &s->port;
  return true;
}

enum stream_result stream_read(struct stream *stream, void *at, size_t room, size_t *ret_len) {
  must(room > 0);
  return stream->ops->read(stream, at, room, ret_len);
}

enum stream_result stream_write(struct stream *stream, const struct bytes *parts, size_t count,
                                size_t *ret_len) {
  must(count > 0 && count <= STREAM_PARTS_MAX);
  return stream->ops->write(stream, parts, count, ret_len);
}

void stream_want(struct stream *stream, unsigned interest) {
  stream->ops->want(stream, interest);
}

void stream_finish(struct stream *stream) {
  stream->ops->finish(stream);
}

static void end(struct stream **at, bool reset) {
  struct stream *stream = *at;
  *at = NULL;
  if (stream) stream->ops->close(stream, reset);
}

void stream_close(struct stream **stream) {
  end(stream, false);
}

void stream_reset(struct stream **stream) {
  end(stream, true);
}

/* os/fdpass.c: SCM_RIGHTS with every count checked, so that no descriptor is lost or kept unseen.
 */
#define _GNU_SOURCE
#include "os/fdpass.h"

#include "base/must.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
  char room[CMSG_SPACE(sizeof(int) * FDPASS_FDS_MAX)];
  struct cmsghdr align;
};

static bool fail_errno(struct err *err, const char *place, const char *what) {
  if (errno == EAGAIN) FAIL(ERR_BUSY, "%s would wait", what);
  err_set_errno(err, errno, place, what);
  return false;
}

bool fdpass_pair(int ret_fds[2], bool nonblocking, struct err *err) {
  int fds[2];
  int type = SOCK_SEQPACKET | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
  if (socketpair(AF_UNIX, type, 0, fds) != 0) return fail_errno(err, ERR_PLACE, "socketpair");
  memcpy(ret_fds, fds, sizeof fds);
  return true;
}

bool fdpass_send(int socket, struct bytes message, const int *fds, size_t fd_count,
                 struct err *err) {
  union control control = {{0}};
  struct iovec piece = {(void *)(uintptr_t)message.at, message.len};
  struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};
  must(message.len > 0 && fd_count <= FDPASS_FDS_MAX);
  if (fd_count > 0) {
    size_t bytes = sizeof(int) * fd_count;
    header.msg_control = &control;
    header.msg_controllen = CMSG_SPACE(bytes);
    struct cmsghdr *part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(bytes);
    memcpy(CMSG_DATA(part), fds, bytes);
  }
  ssize_t put;
  do {
    put = sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (put < 0 && errno == EINTR);
  if (put < 0) return fail_errno(err, ERR_PLACE, "sendmsg");
  if ((size_t)put != message.len) FAIL(ERR_IO, "the socket took only a part of the message");
  return true;
}

/* Takes out what came, whatever it is: what is not taken out would stay open unseen. */
static size_t take_fds(struct msghdr *header, int fds[FDPASS_FDS_MAX]) {
  size_t count = 0;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t here = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    must(here <= FDPASS_FDS_MAX - count);
    memcpy(fds + count, CMSG_DATA(part), here * sizeof(int));
    count += here;
  }
  return count;
}

bool fdpass_receive(int socket, void *at, size_t room, size_t *ret_len, int *ret_fds, size_t fd_max,
                    size_t *ret_fd_count, struct err *err) {
  union control control = {{0}};
  int fds[FDPASS_FDS_MAX];
  struct iovec piece = {at, room};
  struct msghdr header = {.msg_iov = &piece,
                          .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof control};
  ssize_t got;
  do {
    got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return fail_errno(err, ERR_PLACE, "recvmsg");
  size_t count = take_fds(&header, fds);
  bool cut = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  if (got == 0 || cut || count > fd_max) {
    for (size_t i = 0; i < count; i++) close(fds[i]);
    if (got == 0) FAIL(ERR_CLOSED, "the other side has ended");
    FAIL(ERR_MALFORMED, cut ? "the message was cut" : "more descriptors than expected");
  }
  if (count > 0) memcpy(ret_fds, fds, sizeof(int) * count);
  *ret_len = (size_t)got;
  *ret_fd_count = count;
  return true;
}

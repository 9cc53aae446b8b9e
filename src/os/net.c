/* os/net.c: addresses, listening and accepting. */
#define _GNU_SOURCE
#include "os/net.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_storage room;
};

static bool parse_host(struct bytes host, uint16_t port, union address *ret_address,
                       socklen_t *ret_len) {
  char text[INET6_ADDRSTRLEN];
  bool bracketed = bytes_starts(host, BYTES("[")) && bytes_ends(host, BYTES("]"));
  if (bracketed) host = bytes_sub(host, 1, host.len - 2);
  if (host.len >= sizeof text) return false;
  bytes_text(host, text, sizeof text);
  memset(ret_address, 0, sizeof *ret_address);
  if (bracketed) {
    ret_address->v6.sin6_family = AF_INET6;
    ret_address->v6.sin6_port = htons(port);
    *ret_len = sizeof ret_address->v6;
    return inet_pton(AF_INET6, text, &ret_address->v6.sin6_addr) == 1;
  }
  ret_address->v4.sin_family = AF_INET;
  ret_address->v4.sin_port = htons(port);
  *ret_len = sizeof ret_address->v4;
  return inet_pton(AF_INET, text, &ret_address->v4.sin_addr) == 1;
}

static bool parse_address(const char *text, union address *ret_address, socklen_t *ret_len,
                          struct err *err) {
  struct bytes all = bytes_str(text);
  size_t colon = all.len;
  uint64_t port;
  while (colon > 0 && all.at[colon - 1] != ':') colon--;
  if (colon == 0) FAIL(ERR_INVALID, "an address is ADDRESS:PORT, such as 127.0.0.1:8080");
  if (!bytes_u64(bytes_from(all, colon), &port) || port > UINT16_MAX)
    FAIL(ERR_INVALID, "a port is a number up to 65535");
  if (!parse_host(bytes_sub(all, 0, colon - 1), (uint16_t)port, ret_address, ret_len))
    FAIL(ERR_INVALID, "an address is numeric: 127.0.0.1, 0.0.0.0, [::1] or [::]");
  return true;
}

static bool fail_errno(struct err *err, const char *place, const char *what) {
  err_set_errno(err, errno, place, what);
  return false;
}

static bool open_socket(const union address *address, int *ret_fd, struct err *err) {
  int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fail_errno(err, ERR_PLACE, "socket");
  *ret_fd = fd;
  return true;
}

bool net_listen(const char *address_text, int *ret_fd, struct err *err) {
  union address address;
  socklen_t len;
  cleanup_fd int fd = -1;
  int on = 1;
  TRY(parse_address(address_text, &address, &len, err));
  TRY(open_socket(&address, &fd, err));
  /* A restart must not wait for connections in TIME_WAIT; a live listener still excludes us. */
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    return fail_errno(err, ERR_PLACE, "setsockopt");
  /* [::] must not silently take IPv4 as well. */
  if (address.any.sa_family == AF_INET6 &&
      setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
    return fail_errno(err, ERR_PLACE, "setsockopt");
  if (bind(fd, &address.any, len) != 0 || listen(fd, NET_BACKLOG_MAX) != 0) {
    if (errno == EADDRINUSE) FAIL(ERR_EXISTS, "%s is in use by another process", address_text);
    if (errno == EADDRNOTAVAIL) FAIL(ERR_UNREACHABLE, "%s is not of this machine", address_text);
    return fail_errno(err, ERR_PLACE, "bind");
  }
  *ret_fd = steal_fd(&fd);
  return true;
}

static void print_address(const union address *address, char ret_text[NET_ADDRESS_BYTES]) {
  char host[INET6_ADDRSTRLEN] = "";
  switch (address->any.sa_family) {
  case AF_INET:
    inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof host);
    snprintf(ret_text, NET_ADDRESS_BYTES, "%s:%u", host, ntohs(address->v4.sin_port));
    break;
  case AF_INET6:
    inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof host);
    snprintf(ret_text, NET_ADDRESS_BYTES, "[%s]:%u", host, ntohs(address->v6.sin6_port));
    break;
  default: snprintf(ret_text, NET_ADDRESS_BYTES, "local"); break;
  }
}

void net_address(int fd, char ret_text[NET_ADDRESS_BYTES]) {
  union address address = {0};
  socklen_t len = sizeof address;
  if (getsockname(fd, &address.any, &len) != 0) address.any.sa_family = AF_UNSPEC;
  print_address(&address, ret_text);
}

/* accept(2): errors already pending on the new connection come out here and mean "next one". */
static bool is_passing(int number) {
  switch (number) {
  case EAGAIN:
  case EINTR:
  case ECONNABORTED:
  case ENETDOWN:
  case EPROTO:
  case ENOPROTOOPT:
  case EHOSTDOWN:
  case ENONET:
  case EHOSTUNREACH:
  case EOPNOTSUPP:
  case ENETUNREACH: return true;
  default: return false;
  }
}

static void send_at_once(int fd) {
  int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

enum net_accepted net_accept(int listen_fd, int *ret_fd, char ret_peer[NET_ADDRESS_BYTES],
                             struct err *err) {
  union address peer = {0};
  socklen_t len = sizeof peer;
  int fd = accept4(listen_fd, &peer.any, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    if (is_passing(errno)) return NET_NONE;
    err_set_errno(err, errno, ERR_PLACE, "accept");
    return NET_FAILED;
  }
  send_at_once(fd);
  print_address(&peer, ret_peer);
  *ret_fd = fd;
  return NET_ACCEPTED;
}

bool net_connect(const char *address_text, int *ret_fd, struct err *err) {
  union address address;
  socklen_t len;
  cleanup_fd int fd = -1;
  TRY(parse_address(address_text, &address, &len, err));
  TRY(open_socket(&address, &fd, err));
  send_at_once(fd);
  if (connect(fd, &address.any, len) != 0 && errno != EINPROGRESS)
    return fail_errno(err, ERR_PLACE, "connect");
  *ret_fd = steal_fd(&fd);
  return true;
}

bool net_pair(int ret_fds[2], struct err *err) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
    return fail_errno(err, ERR_PLACE, "socketpair");
  memcpy(ret_fds, fds, sizeof fds);
  return true;
}

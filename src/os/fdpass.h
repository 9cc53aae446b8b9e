/* os/fdpass.h: send open descriptors with a message over a Unix socket.
 * Owns:    sent descriptors stay the sender's; received ones are the receiver's, closed on exec.
 * Units:   bytes.
 * Errors:  CLOSED (the other side ended), BUSY (would block, or no descriptor left), MALFORMED
 *          (cut, or another number of descriptors than expected; none is kept), IO.
 * Threads: any; one at a time on each socket.
 * Limits:  FDPASS_FDS_MAX. The message is at least one byte; keep it under the socket's buffer.
 * Source:  unix(7), SCM_RIGHTS.                                                              */
#ifndef MEDULLA_OS_FDPASS_H
#define MEDULLA_OS_FDPASS_H

#include "base/bytes.h"
#include "base/err.h"

#define FDPASS_FDS_MAX 16

/* On a stream socket a receive may take bytes of the next message too: use a socket that keeps
 * message borders (SOCK_SEQPACKET), which fdpass_pair makes, or messages of a fixed size. */
bool fdpass_pair(int ret_fds[2], bool nonblocking, struct err *err) MUST_CHECK;
bool fdpass_send(int socket, struct bytes message, const int *fds, size_t fd_count,
                 struct err *err) MUST_CHECK;
/* Up to fd_max descriptors; refuses more. *ret_len bytes of the message were put at `at`. */
bool fdpass_receive(int socket, void *at, size_t room, size_t *ret_len, int *ret_fds, size_t fd_max,
                    size_t *ret_fd_count, struct err *err) MUST_CHECK;

#endif

/* egress/address.h: which addresses may be connected to.
 * Owns:    nothing.
 * Units:   none.
 * Errors:  none; an unknown family is ADDRESS_NEVER.
 * Threads: pure; any thread.
 * Source:  IANA IPv4 and IPv6 special-purpose address registries; RFC 6052
 *          (NAT64), RFC 4193 (ULA).                                                          */
#ifndef MEDULLA_EGRESS_ADDRESS_H
#define MEDULLA_EGRESS_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

enum address_class {
  ADDRESS_PUBLIC,
  ADDRESS_PRIVATE, /* loopback, private, shared (CGNAT), ULA: where a grant says so */
  ADDRESS_NEVER,   /* link-local (and so cloud metadata), multicast, unspecified, reserved */
};

enum address_class address_class(const struct sockaddr *address);
/* "127.0.0.1" or "::1"; anything else is ADDRESS_NEVER. */
enum address_class address_class_text(const char *text);
bool address_allowed(enum address_class class, bool allow_private);

#endif

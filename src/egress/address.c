/* egress/address.c: tables of address blocks. An IPv6 address that carries an IPv4 address is
 * judged by that one: it is where the packets go. */
#include "egress/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct block4 {
  uint32_t net;
  uint8_t bits;
  enum address_class class;
};
struct block6 {
  uint8_t net[6];
  uint8_t bits;
  enum address_class class;
};

#define IP4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (c) << 8 | (d))

/* What is in no block is public. */
static const struct block4 blocks4[] = {
    {IP4(0, 0, 0, 0), 8, ADDRESS_NEVER},        /* this host, unspecified */
    {IP4(10, 0, 0, 0), 8, ADDRESS_PRIVATE},     /* private */
    {IP4(100, 64, 0, 0), 10, ADDRESS_PRIVATE},  /* shared, carrier-grade NAT */
    {IP4(127, 0, 0, 0), 8, ADDRESS_PRIVATE},    /* loopback */
    {IP4(169, 254, 0, 0), 16, ADDRESS_NEVER},   /* link-local, metadata services */
    {IP4(172, 16, 0, 0), 12, ADDRESS_PRIVATE},  /* private */
    {IP4(192, 0, 0, 0), 24, ADDRESS_NEVER},     /* protocol assignments */
    {IP4(192, 0, 2, 0), 24, ADDRESS_NEVER},     /* documentation */
    {IP4(192, 88, 99, 0), 24, ADDRESS_NEVER},   /* 6to4 relays */
    {IP4(192, 168, 0, 0), 16, ADDRESS_PRIVATE}, /* private */
    {IP4(198, 18, 0, 0), 15, ADDRESS_PRIVATE},  /* benchmarks inside networks */
    {IP4(198, 51, 100, 0), 24, ADDRESS_NEVER},  /* documentation */
    {IP4(203, 0, 113, 0), 24, ADDRESS_NEVER},   /* documentation */
    {IP4(224, 0, 0, 0), 3, ADDRESS_NEVER},      /* multicast, reserved, broadcast */
};

/* The first that fits; what is in no block is not global unicast, and never connected to. */
static const struct block6 blocks6[] = {
    {{0xfc}, 7, ADDRESS_PRIVATE},                  /* ULA */
    {{0x20, 0x01, 0x00}, 23, ADDRESS_NEVER},       /* protocol assignments, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, ADDRESS_NEVER}, /* documentation */
    {{0x20, 0x02}, 16, ADDRESS_NEVER},             /* 6to4 */
    {{0x3f, 0xff, 0x00}, 20, ADDRESS_NEVER},       /* documentation */
    {{0x20}, 3, ADDRESS_PUBLIC},                   /* global unicast */
};

static enum address_class class4(uint32_t address) {
  for (size_t i = 0; i < sizeof blocks4 / sizeof *blocks4; i++) {
    const struct block4 *block = &blocks4[i];
    if ((address ^ block->net) >> (32 - block->bits) == 0) return block->class;
  }
  return ADDRESS_PUBLIC;
}

static bool in_block6(const uint8_t address[16], const struct block6 *block) {
  size_t whole = block->bits / 8, rest = block->bits % 8;
  if (memcmp(address, block->net, whole) != 0) return false;
  return rest == 0 || (address[whole] ^ block->net[whole]) >> (8 - rest) == 0;
}

static enum address_class class6(const uint8_t address[16]) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
  static const uint8_t loopback[16] = {[15] = 1};
  if (memcmp(address, loopback, sizeof loopback) == 0) return ADDRESS_PRIVATE;
  if (memcmp(address, mapped, sizeof mapped) == 0 || memcmp(address, nat64, sizeof nat64) == 0)
    return class4(IP4(address[12], address[13], address[14], address[15]));
  for (size_t i = 0; i < sizeof blocks6 / sizeof *blocks6; i++)
    if (in_block6(address, &blocks6[i])) return blocks6[i].class;
  return ADDRESS_NEVER;
}

enum address_class address_class(const struct sockaddr *address) {
  struct sockaddr_in in4;
  struct sockaddr_in6 in6;
  if (address->sa_family == AF_INET) {
    memcpy(&in4, address, sizeof in4);
    return class4(ntohl(in4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    memcpy(&in6, address, sizeof in6);
    return class6(in6.sin6_addr.s6_addr);
  }
  return ADDRESS_NEVER;
}

enum address_class address_class_text(const char *text) {
  struct in_addr in4;
  struct in6_addr in6;
  if (inet_pton(AF_INET, text, &in4) == 1) return class4(ntohl(in4.s_addr));
  if (inet_pton(AF_INET6, text, &in6) == 1) return class6(in6.s6_addr);
  return ADDRESS_NEVER;
}

bool address_allowed(enum address_class class, bool allow_private) {
  return class == ADDRESS_PUBLIC || (class == ADDRESS_PRIVATE && allow_private);
}

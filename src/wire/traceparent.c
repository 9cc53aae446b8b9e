/* wire/traceparent.c: 00-<32 hex: trace>-<16 hex: span>-<2 hex: flags>, lower case alone. */
#include "wire/traceparent.h"

#include <string.h>

enum { VERSION_AT = 0, TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53, TEXT_BYTES = 55 };

static int lower_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool field(struct bytes text, size_t at, size_t count, uint8_t *ret_field) {
  for (size_t i = 0; i < count; i++) {
    int high = lower_digit(text.at[at + 2 * i]), low = lower_digit(text.at[at + 2 * i + 1]);
    if (high < 0 || low < 0) return false;
    ret_field[i] = (uint8_t)(high << 4 | low);
  }
  return true;
}

static bool all_zero(const uint8_t *at, size_t len) {
  uint8_t any = 0;
  for (size_t i = 0; i < len; i++) any |= at[i];
  return any == 0;
}

bool traceparent_parse(struct bytes text, struct traceparent *ret_trace, struct err *err) {
  struct traceparent trace;
  uint8_t version;
  bool shaped =
      text.len >= TEXT_BYTES && text.at[TRACE_AT - 1] == '-' && text.at[SPAN_AT - 1] == '-' &&
      text.at[FLAGS_AT - 1] == '-' && field(text, VERSION_AT, 1, &version) &&
      field(text, TRACE_AT, sizeof trace.trace, trace.trace) &&
      field(text, SPAN_AT, sizeof trace.span, trace.span) && field(text, FLAGS_AT, 1, &trace.flags);
  if (!shaped) FAIL(ERR_MALFORMED, "traceparent is malformed");
  /* §4: a later version may append fields behind a dash; version ff is none. */
  bool longer = text.len > TEXT_BYTES;
  if (version == 0xff || (longer && (version == 0 || text.at[TEXT_BYTES] != '-')))
    FAIL(ERR_MALFORMED, "traceparent has a version or length that is not allowed");
  if (all_zero(trace.trace, sizeof trace.trace) || all_zero(trace.span, sizeof trace.span))
    FAIL(ERR_MALFORMED, "traceparent has an id of zeros");
  *ret_trace = trace;
  return true;
}

void traceparent_format(const struct traceparent *trace, char ret_text[TRACEPARENT_BYTES]) {
  static const char hex[] = "0123456789abcdef";
  uint8_t raw[26] = {0};
  size_t at = 0;
  memcpy(raw + 1, trace->trace, sizeof trace->trace);
  memcpy(raw + 17, trace->span, sizeof trace->span);
  raw[25] = trace->flags;
  for (size_t i = 0; i < sizeof raw; i++) {
    if (i == 1 || i == 17 || i == 25) ret_text[at++] = '-';
    ret_text[at++] = hex[raw[i] >> 4];
    ret_text[at++] = hex[raw[i] & 15];
  }
  ret_text[at] = 0;
}

struct traceparent traceparent_make(const struct traceparent *parent, const uint8_t random[24]) {
  struct traceparent trace = {.flags = parent ? parent->flags : TRACEPARENT_SAMPLED};
  memcpy(trace.trace, parent ? parent->trace : random, sizeof trace.trace);
  memcpy(trace.span, random + sizeof trace.trace, sizeof trace.span);
  if (all_zero(trace.trace, sizeof trace.trace)) trace.trace[0] = 1;
  if (all_zero(trace.span, sizeof trace.span)) trace.span[0] = 1;
  return trace;
}

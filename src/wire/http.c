/* wire/http.c: message heads. A head is first found (lines counted, CRLF enforced, limits kept) and
 * then read in one pass, so that split input and whole input take the same path.
 *
 * Every rule that lets two readers see two different messages is a refusal here: that is how
 * requests are smuggled past the component in front. */
#include "wire/http.h"

#include <string.h>

enum {
  VERSION_BYTES = 8,
  REQUEST_LINE_BYTES_MAX = HTTP_METHOD_BYTES_MAX + HTTP_TARGET_BYTES_MAX + VERSION_BYTES + 2,
  LEADING_CRLF_BYTES = 2,
};

/* Sets of ASCII bytes, one bit each. */
static const uint64_t token_set[2] = {0x03ff6cfa00000000u, 0x57ffffffc7fffffeu};
static const uint64_t host_set[2] = {0x2bff7ff200000000u, 0x47fffffe87fffffeu};
/* Visible ASCII but '#' (a fragment is never sent) and '\' (some readers take it for '/'). */
static const uint64_t target_set[2] = {0xfffffff600000000u, 0x7fffffffefffffffu};

static bool in_set(const uint64_t set[2], uint8_t c) {
  return c < 128 && (set[c >> 6] >> (c & 63) & 1);
}

static size_t span(const uint64_t set[2], struct bytes text) {
  size_t i = 0;
  while (i < text.len && in_set(set, text.at[i])) i++;
  return i;
}

static bool refuse(struct http_parser *parser, int status, const uint8_t *at, const char *detail,
                   struct err *err) {
  enum err_code code = status >= 500                    ? ERR_UNSUPPORTED
                       : status == 414 || status == 431 ? ERR_LIMIT
                                                        : ERR_MALFORMED;
  parser->status = status;
  err_set(err, code, ERR_PLACE, (uint64_t)(at - parser->input), "%s", detail);
  return false;
}

bool http_token_valid(struct bytes token) {
  return token.len > 0 && span(token_set, token) == token.len;
}

/* RFC 9110 §5.5: visible bytes, blanks and tabs; no loop exit, so that compilers vectorise it. */
bool http_value_valid(struct bytes value) {
  unsigned bad = 0;
  for (size_t i = 0; i < value.len; i++) {
    uint8_t c = value.at[i];
    bad |= (unsigned)((c < 0x20) & (c != '\t')) | (unsigned)(c == 0x7f);
  }
  return !bad;
}

/* One line ended at `lf`: false when it breaks a rule that needs no more than its length. */
static bool line_ended(struct http_parser *parser, const uint8_t *lf, bool *ret_empty,
                       struct err *err) {
  size_t at = (size_t)(lf - parser->input);
  if (at == parser->line || lf[-1] != '\r')
    return refuse(parser, 400, lf, "a line ends with a bare LF", err);
  size_t length = at - 1 - parser->line;
  if (parser->line == parser->start && length > REQUEST_LINE_BYTES_MAX)
    return refuse(parser, 414, lf, "the first line is longer than HTTP_TARGET_BYTES_MAX", err);
  *ret_empty = length == 0;
  return true;
}

/* Finds the empty line that ends the head, looking only at bytes not seen before. */
static enum http_step head_find(struct http_parser *parser, struct bytes input, size_t *ret_end,
                                struct err *err) {
  size_t limit = input.len < HTTP_HEAD_BYTES_MAX ? input.len : HTTP_HEAD_BYTES_MAX;
  bool empty;
  parser->input = input.at;
  while (parser->seen < limit) {
    const uint8_t *lf = memchr(input.at + parser->seen, '\n', limit - parser->seen);
    if (!lf) break;
    if (!line_ended(parser, lf, &empty, err)) return HTTP_BAD;
    parser->line = parser->seen = (size_t)(lf - input.at) + 1;
    if (!empty) continue;
    if (parser->line != parser->start + LEADING_CRLF_BYTES) {
      *ret_end = parser->line;
      return HTTP_DONE;
    }
    /* RFC 9112 §2.2: one empty line before a message is forgiven. */
    if (parser->start > 0) {
      refuse(parser, 400, lf, "empty lines where a message must start", err);
      return HTTP_BAD;
    }
    parser->start = LEADING_CRLF_BYTES;
  }
  parser->seen = limit;
  if (limit > parser->start && input.at[parser->start] != '\r' &&
      !in_set(token_set, input.at[parser->start])) {
    refuse(parser, 400, input.at + parser->start, "this is not HTTP", err);
    return HTTP_BAD;
  }
  if (parser->line == parser->start && limit - parser->start > REQUEST_LINE_BYTES_MAX + 1) {
    refuse(parser, 414, input.at, "the first line is longer than HTTP_TARGET_BYTES_MAX", err);
    return HTTP_BAD;
  }
  if (limit < HTTP_HEAD_BYTES_MAX) return HTTP_MORE;
  refuse(parser, 431, input.at + limit, "the head is longer than HTTP_HEAD_BYTES_MAX", err);
  return HTTP_BAD;
}

/* The next line without its CRLF; the head is known to be made of whole lines. */
static struct bytes next_line(struct bytes *rest) {
  size_t lf = bytes_find(*rest, '\n');
  struct bytes line = bytes_of(rest->at, lf - 1);
  *rest = bytes_from(*rest, lf + 1);
  return line;
}

static bool version_read(struct http_parser *parser, struct bytes text, uint8_t *ret_minor,
                         struct err *err) {
  bool shaped = text.len == VERSION_BYTES && memcmp(text.at, "HTTP/", 5) == 0 &&
                text.at[5] >= '0' && text.at[5] <= '9' && text.at[6] == '.' && text.at[7] >= '0' &&
                text.at[7] <= '9';
  if (!shaped) return refuse(parser, 400, text.at, "the HTTP version is malformed", err);
  if (text.at[5] != '1' || text.at[7] > '1')
    return refuse(parser, 505, text.at, "only HTTP/1.1 and HTTP/1.0 are spoken here", err);
  *ret_minor = (uint8_t)(text.at[7] - '0');
  return true;
}

static bool is_hex(uint8_t c) {
  return hex_digit(c) >= 0;
}

static bool percents_valid(struct bytes text) {
  for (size_t i = bytes_find(text, '%'); i < text.len;
       i += 1 + bytes_find(bytes_from(text, i + 1), '%'))
    if (text.len - i < 3 || !is_hex(text.at[i + 1]) || !is_hex(text.at[i + 2])) return false;
  return true;
}

/* RFC 3986 §3.2.2 and §3.2.3: a name, an IPv4 address or a bracketed literal, and a port. */
static bool host_valid(struct bytes host) {
  size_t name_bytes;
  if (host.len && host.at[0] == '[') {
    name_bytes = bytes_find(host, ']') + 1;
    if (name_bytes > host.len || name_bytes < 4) return false;
    for (size_t i = 1; i < name_bytes - 1; i++)
      if (!is_hex(host.at[i]) && host.at[i] != ':' && host.at[i] != '.') return false;
  } else {
    name_bytes = span(host_set, host);
    if (name_bytes == 0 || !percents_valid(bytes_sub(host, 0, name_bytes))) return false;
  }
  uint64_t number = 0;
  struct bytes port = bytes_from(host, name_bytes + 1);
  bool port_valid = port.len == 0 || (port.len <= 5 && bytes_u64(port, &number) && number <= 65535);
  return name_bytes == host.len || (host.at[name_bytes] == ':' && port_valid);
}

/* RFC 9112 §3.2.2: scheme://authority/path; the authority takes the place of Host. */
static bool absolute_read(struct http_parser *parser, struct http_request *request,
                          struct bytes *ret_rest, struct err *err) {
  struct bytes target = request->target;
  size_t scheme_bytes = bytes_find_bytes(target, BYTES("://"));
  struct bytes scheme = bytes_sub(target, 0, scheme_bytes);
  if (!bytes_eq_nocase(scheme, BYTES("http")) && !bytes_eq_nocase(scheme, BYTES("https")))
    return refuse(parser, 400, target.at, "the target is neither a path nor an http URI", err);
  struct bytes rest = bytes_from(target, scheme_bytes + 3);
  size_t end = 0;
  while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?') end++;
  request->host = bytes_sub(rest, 0, end);
  if (!host_valid(request->host))
    return refuse(parser, 400, rest.at, "the target's authority is malformed", err);
  *ret_rest = bytes_from(rest, end);
  return true;
}

static bool target_read(struct http_parser *parser, struct http_request *request, struct err *err) {
  struct bytes target = request->target;
  if (target.len > HTTP_TARGET_BYTES_MAX)
    return refuse(parser, 414, target.at, "the target is longer than HTTP_TARGET_BYTES_MAX", err);
  if (bytes_eq(request->method, BYTES("CONNECT")))
    return refuse(parser, 501, request->method.at, "CONNECT is not supported", err);
  size_t good = span(target_set, target);
  if (target.len == 0 || good < target.len)
    return refuse(parser, 400, target.at + good, "a byte in the target is not allowed", err);
  if (!percents_valid(target))
    return refuse(parser, 400, target.at, "a percent sign in the target lacks two digits", err);
  struct bytes rest = target;
  request->host = BYTES_NONE;
  if (target.at[0] == '*') {
    if (target.len > 1 || !bytes_eq(request->method, BYTES("OPTIONS")))
      return refuse(parser, 400, target.at, "the target * is for OPTIONS alone", err);
  } else if (target.at[0] != '/') {
    if (!absolute_read(parser, request, &rest, err)) return false;
  }
  size_t mark = bytes_find(rest, '?');
  request->path = mark ? bytes_sub(rest, 0, mark) : BYTES("/");
  request->query = mark < rest.len ? bytes_from(rest, mark + 1) : BYTES_NONE;
  return true;
}

/* RFC 9112 §3: method SP target SP version, with exactly one blank each. */
static bool request_line_read(struct http_parser *parser, struct bytes line,
                              struct http_request *request, struct err *err) {
  size_t method_bytes = span(token_set, line);
  request->method = bytes_sub(line, 0, method_bytes);
  if (method_bytes == 0 || method_bytes == line.len || line.at[method_bytes] != ' ')
    return refuse(parser, 400, line.at + method_bytes, "the request line is malformed", err);
  if (method_bytes > HTTP_METHOD_BYTES_MAX)
    return refuse(parser, 501, line.at, "the method is longer than HTTP_METHOD_BYTES_MAX", err);
  struct bytes rest = bytes_from(line, method_bytes + 1);
  size_t target_bytes = bytes_find(rest, ' ');
  request->target = bytes_sub(rest, 0, target_bytes);
  if (target_bytes == rest.len)
    return refuse(parser, 400, line.at, "the request line has no version", err);
  if (!version_read(parser, bytes_from(rest, target_bytes + 1), &request->head.version_minor, err))
    return false;
  return target_read(parser, request, err);
}

/* The headers that decide where a message ends and to whom it goes. */
struct framing {
  struct bytes host, length, transfer, expect;
  bool close, keep_alive;
};

static bool once(struct http_parser *parser, struct bytes *seat, struct bytes value,
                 const char *detail, struct err *err) {
  if (seat->at) return refuse(parser, 400, value.at, detail, err);
  *seat = value;
  return true;
}

static bool framing_note(struct http_parser *parser, const struct http_header *header,
                         struct framing *framing, struct err *err) {
  struct bytes name = header->name, value = header->value;
  if (name.len == 4 && bytes_eq_nocase(name, BYTES("host")))
    return once(parser, &framing->host, value, "Host is there twice", err);
  if (name.len == 6 && bytes_eq_nocase(name, BYTES("expect")))
    return once(parser, &framing->expect, value, "Expect is there twice", err);
  if (name.len == 10 && bytes_eq_nocase(name, BYTES("connection"))) {
    framing->close |= http_list_has(value, "close");
    framing->keep_alive |= http_list_has(value, "keep-alive");
  }
  if (name.len == 14 && bytes_eq_nocase(name, BYTES("content-length")))
    return once(parser, &framing->length, value, "Content-Length is there twice", err);
  if (name.len == 17 && bytes_eq_nocase(name, BYTES("transfer-encoding")))
    return once(parser, &framing->transfer, value, "Transfer-Encoding is there twice", err);
  return true;
}

static bool header_read(struct http_parser *parser, struct bytes line, struct http_header *header,
                        struct err *err) {
  if (line.at[0] == ' ' || line.at[0] == '\t')
    return refuse(parser, 400, line.at, "a header line is folded", err);
  size_t name_bytes = span(token_set, line);
  if (name_bytes == 0 || name_bytes == line.len || line.at[name_bytes] != ':')
    return refuse(parser, 400, line.at + name_bytes, "a byte in a header name is not allowed", err);
  header->name = bytes_of(line.at, name_bytes);
  header->value = bytes_trim(bytes_from(line, name_bytes + 1));
  if (!http_value_valid(header->value))
    return refuse(parser, 400, header->value.at, "a control byte in a header value", err);
  return true;
}

static bool headers_read(struct http_parser *parser, struct bytes lines, struct http_head *head,
                         struct framing *framing, struct err *err) {
  head->header_count = 0;
  while (lines.len) {
    struct bytes line = next_line(&lines);
    if (head->header_count == HTTP_HEADERS_MAX)
      return refuse(parser, 431, line.at, "more headers than HTTP_HEADERS_MAX", err);
    struct http_header *header = &head->headers[head->header_count++];
    if (!header_read(parser, line, header, err)) return false;
    if (!framing_note(parser, header, framing, err)) return false;
  }
  return true;
}

/* RFC 9112 §6.3, with every case that two readers could see differently refused. */
static bool body_decide(struct http_parser *parser, const struct framing *framing,
                        struct http_head *head, struct err *err) {
  head->body = HTTP_BODY_NONE;
  head->content_length = 0;
  if (framing->transfer.at) {
    if (framing->length.at)
      return refuse(parser, 400, framing->transfer.at,
                    "Content-Length and Transfer-Encoding together", err);
    if (head->version_minor == 0)
      return refuse(parser, 400, framing->transfer.at, "Transfer-Encoding in HTTP/1.0", err);
    if (!bytes_eq_nocase(framing->transfer, BYTES("chunked")))
      return refuse(parser, 501, framing->transfer.at,
                    "the only Transfer-Encoding supported is chunked", err);
    head->body = HTTP_BODY_CHUNKED;
  } else if (framing->length.at) {
    if (!bytes_u64(framing->length, &head->content_length) || head->content_length > INT64_MAX)
      return refuse(parser, 400, framing->length.at, "Content-Length is not a number", err);
    head->body = HTTP_BODY_LENGTH;
  }
  head->keep_alive = !framing->close && (head->version_minor == 1 || framing->keep_alive);
  return true;
}

static bool request_read(struct http_parser *parser, struct bytes lines,
                         struct http_request *request, struct err *err) {
  struct framing framing = {0};
  struct http_head *head = &request->head;
  TRY(request_line_read(parser, next_line(&lines), request, err));
  TRY(headers_read(parser, lines, head, &framing, err));
  TRY(body_decide(parser, &framing, head, err));
  /* RFC 9112 §3.2: exactly one Host in HTTP/1.1; an absolute target overrides it. */
  if (!framing.host.at && head->version_minor == 1)
    return refuse(parser, 400, parser->input, "Host is missing", err);
  if (framing.host.at && !host_valid(framing.host))
    return refuse(parser, 400, framing.host.at, "Host is malformed", err);
  if (!request->host.at) request->host = framing.host;
  /* RFC 9110 §10.1.1: 100-continue is the only expectation; HTTP/1.0 has none. */
  bool expects = framing.expect.at && head->version_minor == 1;
  if (expects && !bytes_eq_nocase(framing.expect, BYTES("100-continue")))
    return refuse(parser, 417, framing.expect.at, "an expectation that cannot be met", err);
  head->expect_continue = expects;
  return true;
}

enum http_step http_request_parse(struct http_parser *parser, struct bytes input,
                                  struct http_request *ret_request, size_t *ret_consumed,
                                  struct err *err) {
  size_t end;
  enum http_step step = head_find(parser, input, &end, err);
  if (step != HTTP_DONE) return step;
  struct bytes lines = bytes_sub(input, parser->start, end - LEADING_CRLF_BYTES - parser->start);
  if (!request_read(parser, lines, ret_request, err)) return HTTP_BAD;
  *ret_consumed = end;
  return HTTP_DONE;
}

/* RFC 9112 §4: version SP three digits SP reason. */
static bool status_line_read(struct http_parser *parser, struct bytes line,
                             struct http_response *response, struct err *err) {
  struct bytes rest;
  struct bytes version = bytes_cut(line, ' ', &rest);
  if (!version_read(parser, version, &response->head.version_minor, err)) return false;
  uint64_t status;
  bool shaped = rest.len >= 4 && rest.at[3] == ' ' && bytes_u64(bytes_sub(rest, 0, 3), &status) &&
                status >= 100 && status <= 599;
  if (!shaped) return refuse(parser, 400, line.at, "the status line is malformed", err);
  response->status = (int)status;
  response->reason = bytes_from(rest, 4);
  if (!http_value_valid(response->reason))
    return refuse(parser, 400, rest.at, "a control byte in the reason", err);
  return true;
}

static bool response_read(struct http_parser *parser, struct bytes lines, bool to_head,
                          struct http_response *response, struct err *err) {
  struct framing framing = {0};
  struct http_head *head = &response->head;
  TRY(status_line_read(parser, next_line(&lines), response, err));
  TRY(headers_read(parser, lines, head, &framing, err));
  TRY(body_decide(parser, &framing, head, err));
  bool bodiless =
      to_head || response->status < 200 || response->status == 204 || response->status == 304;
  if (bodiless)
    head->body = HTTP_BODY_NONE;
  else if (head->body == HTTP_BODY_NONE)
    head->body = HTTP_BODY_UNTIL_CLOSE;
  if (head->body == HTTP_BODY_UNTIL_CLOSE) head->keep_alive = false;
  head->expect_continue = false;
  return true;
}

enum http_step http_response_parse(struct http_parser *parser, struct bytes input, bool to_head,
                                   struct http_response *ret_response, size_t *ret_consumed,
                                   struct err *err) {
  size_t end;
  enum http_step step = head_find(parser, input, &end, err);
  if (step != HTTP_DONE) return step;
  struct bytes lines = bytes_sub(input, parser->start, end - LEADING_CRLF_BYTES - parser->start);
  if (!response_read(parser, lines, to_head, ret_response, err)) return HTTP_BAD;
  *ret_consumed = end;
  return HTTP_DONE;
}

struct bytes http_header_get(const struct http_head *head, const char *name) {
  struct bytes wanted = bytes_str(name);
  for (size_t i = 0; i < head->header_count; i++)
    if (bytes_eq_nocase(head->headers[i].name, wanted)) return head->headers[i].value;
  return BYTES_NONE;
}

size_t http_header_count(const struct http_head *head, const char *name) {
  struct bytes wanted = bytes_str(name);
  size_t count = 0;
  for (size_t i = 0; i < head->header_count; i++)
    count += bytes_eq_nocase(head->headers[i].name, wanted);
  return count;
}

bool http_list_has(struct bytes value, const char *token) {
  struct bytes wanted = bytes_str(token);
  while (value.len) {
    struct bytes member = bytes_trim(bytes_cut(value, ',', &value));
    if (bytes_eq_nocase(member, wanted)) return true;
  }
  return false;
}

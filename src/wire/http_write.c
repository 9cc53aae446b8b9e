/* wire/http_write.c: heads and chunks to bytes, query strings to pairs, dates. Nothing a guest or a
 * client hands in can end a line here. */
#include "wire/http.h"

static const struct phrase {
  int status;
  const char *text;
} phrases[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *http_status_phrase(int status) {
  static const char *const classes[] = {"Informational", "Success", "Redirection", "Client Error",
                                        "Server Error"};
  for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
    if (phrases[i].status == status) return phrases[i].text;
  return status >= 100 && status <= 599 ? classes[status / 100 - 1] : "Unknown";
}

struct bytes http_date(struct http_date *cache, int64_t wall_ms) {
  int64_t second = wall_ms / 1000;
  if (cache->text[0] == 0 || cache->second != second) {
    http_date_format(wall_ms, cache->text);
    cache->second = second;
  }
  return bytes_of(cache->text, HTTP_DATE_BYTES - 1);
}

static void line(struct buf *buf, const char *name, struct bytes value) {
  buf_str(buf, name);
  buf_put(buf, BYTES(": "));
  buf_put(buf, value);
  buf_put(buf, BYTES("\r\n"));
}

static void length_line(struct buf *buf, uint64_t length) {
  buf_put(buf, BYTES("Content-Length: "));
  buf_u64_decimal(buf, length);
  buf_put(buf, BYTES("\r\n"));
}

static bool is_framing(struct bytes name) {
  static const struct bytes names[] = {
      BYTES_INIT("connection"), BYTES_INIT("content-length"), BYTES_INIT("transfer-encoding"),
      BYTES_INIT("keep-alive"), BYTES_INIT("upgrade"),
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (bytes_eq_nocase(name, names[i])) return true;
  return false;
}

static bool headers_write(struct buf *buf, const struct http_header *headers, size_t count,
                          struct err *err) {
  for (size_t i = 0; i < count; i++) {
    const struct http_header *header = &headers[i];
    if (!http_token_valid(header->name) || !http_value_valid(header->value))
      FAIL(ERR_INVALID, "header %zu has a byte that is not allowed", i);
    if (is_framing(header->name)) continue;
    buf_put(buf, header->name);
    buf_put(buf, BYTES(": "));
    buf_put(buf, header->value);
    buf_put(buf, BYTES("\r\n"));
  }
  return true;
}

static bool reply_lines(struct buf *buf, const struct http_reply *reply, struct err *err) {
  if (reply->status < 100 || reply->status > 599)
    FAIL(ERR_INVALID, "status %d is not between 100 and 599", reply->status);
  if (!http_value_valid(reply->content_type))
    FAIL(ERR_INVALID, "the content type has a byte that is not allowed");
  buf_put(buf, BYTES("HTTP/1.1 "));
  buf_u64_decimal(buf, (uint64_t)reply->status);
  buf_char(buf, ' ');
  buf_str(buf, http_status_phrase(reply->status));
  buf_put(buf, BYTES("\r\n"));
  if (reply->date.len) line(buf, "Date", reply->date);
  if (reply->content_type.len) line(buf, "Content-Type", reply->content_type);
  TRY(headers_write(buf, reply->headers, reply->header_count, err));
  /* RFC 9110 §8.6, RFC 9112 §6.1: neither length nor coding in 1xx and 204; none needed in 304. */
  bool bodiless = reply->status < 200 || reply->status == 204 || reply->status == 304;
  if (!bodiless && reply->chunked)
    line(buf, "Transfer-Encoding", BYTES("chunked"));
  else if (!bodiless && !reply->until_close)
    length_line(buf, reply->content_length);
  if (reply->close || reply->until_close) line(buf, "Connection", BYTES("close"));
  buf_put(buf, BYTES("\r\n"));
  return true;
}

/* A head is written whole or not at all. */
static bool finish(struct buf *buf, size_t before, bool written, struct err *err) {
  if (!written) {
    buf->len = before;
    return false;
  }
  if (!buf_ok(buf)) FAIL(ERR_LIMIT, "the head does not fit its buffer");
  return true;
}

bool http_reply_write(struct buf *buf, const struct http_reply *reply, struct err *err) {
  size_t before = buf->len;
  return finish(buf, before, reply_lines(buf, reply, err), err);
}

static bool ask_lines(struct buf *buf, const struct http_ask *ask, struct err *err) {
  bool valid = http_token_valid(ask->method) && ask->target.len && http_value_valid(ask->target) &&
               bytes_find(ask->target, ' ') == ask->target.len && http_value_valid(ask->host);
  if (!valid) FAIL(ERR_INVALID, "the method, target or host has a byte that is not allowed");
  buf_put(buf, ask->method);
  buf_char(buf, ' ');
  buf_put(buf, ask->target);
  buf_put(buf, BYTES(" HTTP/1.1\r\n"));
  line(buf, "Host", ask->host);
  TRY(headers_write(buf, ask->headers, ask->header_count, err));
  if (ask->has_body && ask->chunked)
    line(buf, "Transfer-Encoding", BYTES("chunked"));
  else if (ask->has_body)
    length_line(buf, ask->content_length);
  if (ask->close) line(buf, "Connection", BYTES("close"));
  buf_put(buf, BYTES("\r\n"));
  return true;
}

bool http_ask_write(struct buf *buf, const struct http_ask *ask, struct err *err) {
  size_t before = buf->len;
  return finish(buf, before, ask_lines(buf, ask, err), err);
}

void http_chunk_write(struct buf *buf, struct bytes data) {
  if (data.len == 0) return;
  buf_printf(buf, "%zx\r\n", data.len);
  buf_put(buf, data);
  buf_put(buf, BYTES("\r\n"));
}

void http_chunk_end_write(struct buf *buf) {
  buf_put(buf, BYTES("0\r\n\r\n"));
}

/* application/x-www-form-urlencoded: '+' is a blank, then percent signs. */
static struct bytes form_decode(struct arena *arena, struct bytes text) {
  uint8_t *out = arena_alloc(arena, text.len + 1);
  size_t len = 0;
  if (!out) return BYTES_NONE;
  for (size_t i = 0; i < text.len; i++) {
    uint8_t c = text.at[i];
    bool coded = c == '%' && text.len - i >= 3 && hex_digit(text.at[i + 1]) >= 0 &&
                 hex_digit(text.at[i + 2]) >= 0;
    if (coded) {
      c = (uint8_t)(hex_digit(text.at[i + 1]) << 4 | hex_digit(text.at[i + 2]));
      i += 2;
    } else if (c == '+') {
      c = ' ';
    }
    out[len++] = c;
  }
  return bytes_of(out, len);
}

bool http_query_next(struct arena *arena, struct bytes *rest, struct bytes *ret_name,
                     struct bytes *ret_value) {
  while (rest->len) {
    struct bytes value, pair = bytes_cut(*rest, '&', rest);
    if (pair.len == 0) continue;
    struct bytes name = bytes_cut(pair, '=', &value);
    *ret_name = form_decode(arena, name);
    *ret_value = form_decode(arena, value);
    return true;
  }
  return false;
}

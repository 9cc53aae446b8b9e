/* source/object/get.c: GetObject and HeadObject: conditions, a range, then the file as fast as the
 * client takes it.
 * Source: Amazon S3 API Reference, GetObject; RFC 9110 §13 (conditions), §14 (ranges).        */
#include "base/cleanup.h"
#include "base/must.h"
#include "source/object/parts.h"
#include "wire/codec.h"

#include <stdio.h>

enum { GET_BLOCK_BYTES = 64 << 10, GET_HEADERS_MAX = 48, GET_AGAIN_MAX = 3 };

struct getting {
  struct objects *objects;
  struct api_call *call;
  struct buf row;
  struct object_facts facts;
  uint64_t version;
  bool ok;
  struct err err;
  unsigned again;
  struct file *file;
  uint64_t at, end; /* of what is sent */
  char etag[OBJECT_ETAG_BYTES + 2];
  struct http_header headers[GET_HEADERS_MAX];
  size_t header_count;
};

static void fini(struct getting *getting) {
  if (getting->file) file_close(&getting->file);
  buf_fini(&getting->row);
}

/* ---- The body ---- */

static void send_more(struct http_exchange *x) {
  struct getting *getting = ((struct api_call *)exchange_owner(x))->own;
  static uint8_t block[GET_BLOCK_BYTES];
  struct err err;
  while (getting->at < getting->end && !exchange_is_gone(x)) {
    uint64_t left = getting->end - getting->at;
    size_t len = left < sizeof block ? (size_t)left : sizeof block;
    if (!file_read(getting->file, getting->at, block, len, &len, &err) || len == 0) break;
    getting->at += len;
    if (!exchange_write(x, bytes_of(block, len)) && getting->at < getting->end) return;
  }
  bytes_wipe(block, sizeof block);
  fini(getting);
  exchange_reply_end(x); /* short of the length: the client is cut, and can tell */
}

/* ---- The head ---- */

static void header(struct getting *getting, const char *name, struct bytes value) {
  if (!value.len || getting->header_count == GET_HEADERS_MAX) return;
  getting->headers[getting->header_count++] = (struct http_header){bytes_str(name), value};
}

static void add_metadata(struct getting *getting) {
  struct arena *arena = api_arena(getting->call);
  const struct json *tree;
  struct err err;
  if (!getting->facts.metadata.len) return;
  if (!json_parse(arena, getting->facts.metadata, &tree, &err)) return;
  for (const struct json *item = tree->first; item; item = item->next) {
    const char *name =
        arena_str(arena, arena_printf(arena, "x-amz-meta-%.*s", BYTES_FMT(item->name)));
    if (name) header(getting, name, item->text);
  }
}

static void add_headers(struct getting *getting) {
  struct arena *arena = api_arena(getting->call);
  char date[HTTP_DATE_BYTES];
  http_date_format(getting->facts.modified_ms, date);
  header(getting, "etag", bytes_str(getting->etag));
  header(getting, "last-modified", arena_copy(arena, bytes_str(date)));
  header(getting, "accept-ranges", BYTES("bytes"));
  add_metadata(getting);
}

/* ---- Conditions, in RFC 9110's order (§13.2.2) ---- */

bool s3_etag_listed(struct bytes list, const char *quoted) {
  while (list.len) {
    struct bytes item = bytes_trim(bytes_cut(list, ',', &list));
    if (bytes_starts(item, BYTES("W/"))) item = bytes_from(item, 2);
    if (bytes_eq_str(item, "*") || bytes_eq_str(item, quoted)) return true;
    if (item.len + 2 == bytes_str(quoted).len && /* without quotes, as some clients send it */
        bytes_eq(item, bytes_sub(bytes_str(quoted), 1, item.len)))
      return true;
  }
  return false;
}

/* Whole seconds, as the header has them. */
static bool modified_after(const struct getting *getting, struct bytes date) {
  struct err err;
  int64_t ms;
  return http_date_parse(date, &ms, &err) && getting->facts.modified_ms / 1000 > ms / 1000;
}

/* 0: go on; else 304 or 412. */
static int condition(const struct getting *getting) {
  struct http_exchange *x = getting->call->x;
  struct bytes match = exchange_header(x, "if-match");
  struct bytes none_match = exchange_header(x, "if-none-match");
  struct bytes modified = exchange_header(x, "if-modified-since");
  struct bytes unmodified = exchange_header(x, "if-unmodified-since");
  if (match.len && !s3_etag_listed(match, getting->etag)) return 412;
  if (!match.len && unmodified.len && modified_after(getting, unmodified)) return 412;
  if (none_match.len) return s3_etag_listed(none_match, getting->etag) ? 304 : 0;
  struct err err;
  int64_t ms;
  if (modified.len && http_date_parse(modified, &ms, &err) && !modified_after(getting, modified))
    return 304;
  return 0;
}

/* ---- Range: one, of bytes; anything else is answered with all (RFC 9110 §14.2) ---- */

static bool range_of(struct getting *getting, bool *ret_ranged) {
  struct bytes range = exchange_header(getting->call->x, "range");
  uint64_t bytes = getting->facts.bytes, from, to;
  struct bytes last;
  *ret_ranged = false;
  getting->at = 0;
  getting->end = bytes;
  if (!bytes_starts(range, BYTES("bytes=")) || bytes_find(range, ',') < range.len) return true;
  struct bytes first = bytes_cut(bytes_from(range, 6), '-', &last);
  if (first.len == 0) {
    if (!bytes_u64(last, &to)) return true;
    if (to == 0 || bytes == 0) return false;
    getting->at = to < bytes ? bytes - to : 0;
  } else {
    if (!bytes_u64(first, &from) || (last.len && !bytes_u64(last, &to))) return true;
    if (last.len && to < from) return true;
    if (from >= bytes) return false;
    getting->at = from;
    if (last.len && to < bytes - 1) getting->end = to + 1;
  }
  *ret_ranged = true;
  return true;
}

static void reply_empty(struct getting *getting, int status) {
  struct http_answer answer = {
      .status = status, .headers = getting->headers, .header_count = getting->header_count};
  struct getting kept = *getting; /* the headers point into its row; the answer ends the rest */
  exchange_reply(getting->call->x, &answer, BYTES_NONE);
  fini(&kept);
}

static void reply_file(struct getting *getting) {
  struct api_call *call = getting->call;
  bool ranged;
  if (!range_of(getting, &ranged)) {
    header(getting, "content-range",
           arena_printf(api_arena(call), "bytes */%llu", (unsigned long long)getting->facts.bytes));
    reply_empty(getting, 416);
    return;
  }
  if (ranged)
    header(getting, "content-range",
           arena_printf(api_arena(call), "bytes %llu-%llu/%llu", (unsigned long long)getting->at,
                        (unsigned long long)getting->end - 1,
                        (unsigned long long)getting->facts.bytes));
  struct bytes type = getting->facts.content_type;
  struct http_answer answer = {.status = ranged ? 206 : 200,
                               .content_type = type.len ? type : BYTES("binary/octet-stream"),
                               .headers = getting->headers,
                               .header_count = getting->header_count};
  exchange_on_writable(call->x, send_more);
  exchange_on_gone(call->x, send_more);
  exchange_reply_start(call->x, &answer, getting->end - getting->at);
  if (bytes_eq_str(exchange_request(call->x)->method, "HEAD")) getting->at = getting->end;
  send_more(call->x);
}

static void query(void *arg, struct store_reader *reader) {
  struct getting *getting = arg;
  struct api_call *call = getting->call;
  getting->ok = object_stat(reader, call->captures[0], call->captures[1], &getting->row,
                            &getting->facts, &getting->version, &getting->err);
}

static void found(void *arg) {
  struct getting *getting = arg;
  struct api_call *call = getting->call;
  char etag[OBJECT_ETAG_BYTES];
  struct err err = getting->err;
  if (getting->ok && getting->version == 0) {
    fini(getting);
    s3_fail_as(call, 404, "NoSuchKey", "there is no such object");
    return;
  }
  if (getting->ok) {
    object_etag(&getting->facts, etag);
    snprintf(getting->etag, sizeof getting->etag, "\"%s\"", etag);
    add_headers(getting);
    int status = condition(getting);
    if (status) {
      reply_empty(getting, status);
      return;
    }
    if (object_open(&getting->objects->store, getting->facts.body, &getting->file, &err)) {
      reply_file(getting);
      return;
    }
    /* A newer put took its place meanwhile. */
    if (err.code == ERR_NOT_FOUND && ++getting->again < GET_AGAIN_MAX) {
      getting->header_count = 0;
      buf_reset(&getting->row);
      store_ask(getting->objects->store.store, query, found, getting);
      return;
    }
  }
  fini(getting);
  api_fail_err(call, &err, 1000);
}

void s3_get_object(struct api_call *call) {
  struct getting *getting = ARENA_NEW(api_arena(call), struct getting);
  struct err err;
  must(getting != NULL);
  if (s3_query_has(call, "uploadId")) {
    s3_list_parts(call);
    return;
  }
  if (s3_query_has(call, "acl") || s3_query_has(call, "tagging") ||
      s3_query_has(call, "attributes")) {
    s3_fail_as(call, 501, "NotImplemented", "objects have no such part here");
    return;
  }
  if (!object_name_check(call->captures[0], call->captures[1], &err)) {
    api_fail_err(call, &err, 0);
    return;
  }
  getting->objects = call->source;
  getting->call = call;
  call->own = getting;
  buf_init(&getting->row, OBJECT_ROW_BYTES_MAX);
  store_ask(getting->objects->store.store, query, found, getting);
}

/* model/run.c: stored form and JSON of a run's record, both from run.tbl.h. */
#include "model/run.h"

#include "wire/fields.h"
#include "wire/json.h"

enum { RUN_FORMAT = 2 };

#define PACK_ID fields_put_id
#define PACK_TEXT fields_put_bytes
#define PACK_U64 fields_put_u64
#define PACK_I64 fields_put_i64

void run_encode(struct buf *buf, const struct run_record *run) {
  fields_put_u64(buf, RUN_FORMAT);
#define RUN_FIELD(kind, name, json) PACK_##kind(buf, run->name);
#include "model/run.tbl.h"
#undef RUN_FIELD
}

#define UNPACK_ID fields_get_id
#define UNPACK_TEXT fields_get_bytes
#define UNPACK_U64 fields_get_u64
#define UNPACK_I64 fields_get_i64

bool run_decode(struct bytes input, struct run_record *ret_run, struct err *err) {
  struct cursor in = cursor_of(input);
  struct run_record run = {0};
  if (fields_get_u64(&in) != RUN_FORMAT) FAIL(ERR_CORRUPT, "a stored run has an unknown format");
#define RUN_FIELD(kind, name, json) run.name = UNPACK_##kind(&in);
#include "model/run.tbl.h"
#undef RUN_FIELD
  TRY(fields_end(&in, "run", err));
  *ret_run = run;
  return true;
}

static void write_ID(struct json_out *out, const char *name, struct id id) {
  char text[ID_TEXT_BYTES];
  if (id_is_none(id)) return;
  id_text(id, text);
  json_out_member_str(out, name, text);
}

static void write_TEXT(struct json_out *out, const char *name, struct bytes text) {
  if (text.len) json_out_member(out, name, text);
}

static void write_U64(struct json_out *out, const char *name, uint64_t value) {
  json_out_member_int(out, name, (int64_t)value);
}

static void write_I64(struct json_out *out, const char *name, int64_t value) {
  json_out_member_int(out, name, value);
}

static void write_steps(struct json_out *out, struct bytes steps) {
  json_out_name(out, "steps");
  json_out_open(out, '[');
  for (struct cursor in = cursor_of(steps); fields_more(&in);) {
    struct bytes what = fields_get_bytes(&in);
    struct bytes status = fields_get_bytes(&in);
    int64_t at_us = fields_get_i64(&in);
    int64_t took_us = fields_get_i64(&in);
    if (!cursor_ok(&in)) break;
    json_out_open(out, '{');
    json_out_member(out, "what", what);
    json_out_member(out, "status", status);
    json_out_member_int(out, "at_us", at_us);
    json_out_member_int(out, "took_us", took_us);
    json_out_close(out, '}');
  }
  json_out_close(out, ']');
}

void run_write_json(struct buf *buf, const struct run_record *run, bool whole) {
  struct json_out out;
  json_out_init(&out, buf);
  json_out_open(&out, '{');
#define RUN_FIELD(kind, name, json) \
  if ((json) != NULL) write_##kind(&out, (json) ? (json) : "", run->name);
#include "model/run.tbl.h"
#undef RUN_FIELD
  if (whole) {
    write_steps(&out, run->steps);
    json_out_member(&out, "log", run->log);
  }
  json_out_close(&out, '}');
}

void run_pack_step(struct buf *steps, struct bytes what, const char *status, int64_t at_us,
                   int64_t took_us) {
  fields_put_bytes(steps, what);
  fields_put_str(steps, status);
  fields_put_i64(steps, at_us);
  fields_put_i64(steps, took_us);
}

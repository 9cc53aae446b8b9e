/* effect/live_record.c: rows that make a retry repeat nothing. */
#include "effect/live_record.h"

#include "wire/fields.h"

#include <string.h>

static void digest_part(struct digest *digest, struct bytes part) {
  uint8_t len[8];
  for (size_t i = 0; i < sizeof len; i++) len[i] = (uint8_t)(part.len >> (56 - 8 * i));
  digest_add(digest, bytes_of(len, sizeof len));
  digest_add(digest, part);
}

bool live_record_init(struct effect_call *call, struct live_record *record,
                      const struct fetch_request *request) {
  struct digest digest;
  struct id key = effect_idempotency(call);
  buf_init(&record->value, LIVE_RECORD_BYTES_MAX);
  record->used = !id_is_none(call->run->delivery);
  if (!record->used) return false;
  memcpy(record->key, LIVE_RECORD_PREFIX, 4);
  memcpy(record->key + 4, key.at, ID_BYTES);
  digest_init(&digest, DIGEST_SHA256);
  digest_part(&digest, request->method);
  digest_part(&digest, request->url);
  digest_part(&digest, request->headers);
  digest_part(&digest, request->body);
  digest_final(&digest, record->key + 4 + ID_BYTES);
  return true;
}

void live_record_fini(struct live_record *record) {
  buf_fini(&record->value);
}

void live_record_read(struct live_record *record, struct store_reader *reader) {
  struct err err;
  if (!store_get(reader, TABLE_recording, bytes_of(record->key, sizeof record->key), &record->value,
                 &record->version, &err))
    record->version = 0;
}

static bool decode(struct bytes value, int64_t *ret_made_ms, struct bytes *ret_answer) {
  struct cursor in = cursor_of(value);
  struct err err;
  *ret_made_ms = fields_get_i64(&in);
  *ret_answer = fields_get_bytes(&in);
  return fields_end(&in, "live record", &err);
}

bool live_record_found(const struct live_record *record, struct bytes *ret_answer) {
  int64_t made_ms;
  return record->version && decode(buf_bytes(&record->value), &made_ms, ret_answer);
}

int64_t live_record_made_ms(struct bytes value) {
  int64_t made_ms;
  struct bytes answer;
  return decode(value, &made_ms, &answer) ? made_ms : 0;
}

void live_record_done(struct effect_call *call, const struct live_record *record) {
  stage_remove(&call->run->stage, TABLE_recording, bytes_of(record->key, sizeof record->key));
}

bool live_record_put(struct effect_call *call, struct live_record *record, struct bytes answer,
                     store_done *done) {
  if (!record->used) return false;
  struct store_commit *commit = commit_new();
  buf_reset(&record->value);
  fields_put_i64(&record->value, clock_wall_ms(call->gate->clock));
  fields_put_bytes(&record->value, answer);
  commit_put(commit, TABLE_recording, bytes_of(record->key, sizeof record->key),
             buf_bytes(&record->value));
  live_record_done(call, record);
  store_submit(call->gate->store, &commit, done, call);
  return true;
}

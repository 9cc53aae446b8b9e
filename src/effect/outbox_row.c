/* effect/outbox_row.c: the fields of a row, in this order, behind a format byte. */
#include "effect/outbox_row.h"

#include "wire/fields.h"

#include <stdio.h>
#include <string.h>

enum { ROW_FORMAT = 2, ROW_FORMAT_NO_LANE = 1 };

void outbox_key(struct id delivery, uint64_t ordinal, uint8_t ret_key[OUTBOX_KEY_BYTES]) {
  memcpy(ret_key, delivery.at, ID_BYTES);
  for (size_t i = 0; i < 8; i++) ret_key[ID_BYTES + i] = (uint8_t)(ordinal >> (56 - 8 * i));
}

void outbox_key_text(struct bytes key, char ret_text[OUTBOX_KEY_TEXT_BYTES]) {
  struct cursor in = cursor_of(bytes_from(key, ID_BYTES));
  struct id delivery = {{0}};
  memcpy(delivery.at, key.at, key.len < ID_BYTES ? key.len : ID_BYTES);
  id_text(delivery, ret_text);
  size_t len = strlen(ret_text);
  snprintf(ret_text + len, OUTBOX_KEY_TEXT_BYTES - len, ".%llu",
           (unsigned long long)cursor_u64_be(&in));
}

bool outbox_key_parse(struct bytes text, uint8_t ret_key[OUTBOX_KEY_BYTES], struct err *err) {
  struct bytes number;
  struct bytes name = bytes_cut(text, '.', &number);
  struct id delivery;
  uint64_t ordinal;
  TRY(id_parse(name, &delivery, err));
  if (!bytes_u64(number, &ordinal))
    FAIL(ERR_MALFORMED, "a message's id is its delivery's id, a dot and a number");
  outbox_key(delivery, ordinal, ret_key);
  return true;
}

void outbox_row_encode(struct buf *buf, const struct outbox_row *row) {
  buf_char(buf, ROW_FORMAT);
  buf_char(buf, (uint8_t)row->state);
  fields_put_bytes(buf, row->app);
  fields_put_bytes(buf, row->function);
  fields_put_bytes(buf, row->contact);
  fields_put_bytes(buf, row->spec);
  fields_put_bytes(buf, row->payload);
  fields_put_id(buf, row->key);
  fields_put_id(buf, row->run);
  fields_put_id(buf, row->event);
  fields_put_id(buf, row->delivery);
  fields_put_u64(buf, row->attempts);
  fields_put_i64(buf, row->created_ms);
  fields_put_i64(buf, row->next_ms);
  fields_put_bytes(buf, row->reason);
  fields_put_u64(buf, row->lane);
}

bool outbox_row_decode(struct bytes input, struct outbox_row *ret_row, struct err *err) {
  struct cursor in = cursor_of(input);
  struct outbox_row row = {0};
  uint8_t format = cursor_u8(&in);
  uint8_t state = cursor_u8(&in);
  row.app = fields_get_bytes(&in);
  row.function = fields_get_bytes(&in);
  row.contact = fields_get_bytes(&in);
  row.spec = fields_get_bytes(&in);
  row.payload = fields_get_bytes(&in);
  row.key = fields_get_id(&in);
  row.run = fields_get_id(&in);
  row.event = fields_get_id(&in);
  row.delivery = fields_get_id(&in);
  uint64_t attempts = fields_get_u64(&in);
  row.created_ms = fields_get_i64(&in);
  row.next_ms = fields_get_i64(&in);
  row.reason = fields_get_bytes(&in);
  if (format != ROW_FORMAT_NO_LANE) row.lane = fields_get_u64(&in);
  TRY(fields_end(&in, "outbox row", err));
  if (format < ROW_FORMAT_NO_LANE || format > ROW_FORMAT || state > OUTBOX_DEAD ||
      attempts > UINT32_MAX)
    FAIL(ERR_CORRUPT, "outbox row: unknown format");
  row.state = (enum outbox_state)state;
  row.attempts = (uint32_t)attempts;
  *ret_row = row;
  return true;
}

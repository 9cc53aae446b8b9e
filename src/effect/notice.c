/* effect/notice.c: one number in a row. */
#include "effect/notice.h"

#include "wire/fields.h"

void notice_stage(struct stage *stage, struct bytes key, int64_t until_ms) {
  struct buf value;
  buf_init(&value, 16);
  fields_put_i64(&value, until_ms);
  stage_put(stage, TABLE_notice, key, buf_bytes(&value));
  buf_fini(&value);
}

bool notice_staged(const struct stage *stage, struct bytes key) {
  for (const struct stage_op *op = stage->ops; op; op = op->next)
    if (op->table == TABLE_notice && bytes_eq(op->key, key)) return true;
  return false;
}

bool notice_decode(struct bytes value, int64_t *ret_until_ms) {
  struct cursor in = cursor_of(value);
  struct err err;
  int64_t until_ms = fields_get_i64(&in);
  if (!fields_end(&in, "notice", &err)) return false;
  *ret_until_ms = until_ms;
  return true;
}

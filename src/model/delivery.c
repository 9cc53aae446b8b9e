/* model/delivery.c: stored form of a delivery. */
#include "model/delivery.h"

#include "wire/fields.h"

enum { DELIVERY_FORMAT = 1 };

void delivery_encode(struct buf *buf, const struct delivery *delivery) {
  fields_put_u64(buf, DELIVERY_FORMAT);
  fields_put_id(buf, delivery->id);
  fields_put_id(buf, delivery->event);
  fields_put_bytes(buf, delivery->function);
  fields_put_bytes(buf, delivery->key);
  fields_put_u64(buf, delivery->state);
  fields_put_u64(buf, delivery->attempts);
  fields_put_i64(buf, delivery->created_ms);
  fields_put_i64(buf, delivery->next_ms);
  fields_put_u64(buf, delivery->redrives);
  fields_put_bytes(buf, delivery->reason);
}

bool delivery_decode(struct bytes input, struct delivery *ret_delivery, struct err *err) {
  struct cursor in = cursor_of(input);
  struct delivery d = {0};
  if (fields_get_u64(&in) != DELIVERY_FORMAT)
    FAIL(ERR_CORRUPT, "a stored delivery has an unknown format");
  d.id = fields_get_id(&in);
  d.event = fields_get_id(&in);
  d.function = fields_get_bytes(&in);
  d.key = fields_get_bytes(&in);
  d.state = fields_get_u64(&in) == DELIVERY_DEAD ? DELIVERY_DEAD : DELIVERY_OWED;
  d.attempts = (uint32_t)fields_get_u64(&in);
  d.created_ms = fields_get_i64(&in);
  d.next_ms = fields_get_i64(&in);
  d.redrives = (uint32_t)fields_get_u64(&in);
  d.reason = fields_get_bytes(&in);
  TRY(fields_end(&in, "delivery", err));
  *ret_delivery = d;
  return true;
}

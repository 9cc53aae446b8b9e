/* effect/outbox.c: what is owed, from the store into lines; what does not fit waits there. */
#include "base/must.h"
#include "effect/outbox_parts.h"
#include "effect/stage.h"

#include <stdlib.h>
#include <string.h>

int64_t outbox_now_ms(const struct outbox *outbox) {
  return clock_wall_ms(outbox->options.clock);
}

/* ---- In memory ---- */

static bool has_room(const struct outbox *outbox) {
  return outbox->sends.count < OUTBOX_ROWS_MAX && outbox->bytes < OUTBOX_BYTES_MAX;
}

static struct send *send_new(struct bytes key, struct bytes value) {
  struct send *send = must_alloc(sizeof *send);
  struct err err;
  list_init(&send->link);
  memcpy(send->key, key.at, OUTBOX_KEY_BYTES);
  send->value = (uint8_t *)bytes_dup(value);
  send->value_bytes = value.len;
  if (outbox_row_decode(bytes_of(send->value, value.len), &send->row, &err)) return send;
  send_free(send);
  return NULL;
}

void outbox_add(struct outbox *outbox, struct bytes key, struct bytes value) {
  if (key.len != OUTBOX_KEY_BYTES || map_get(&outbox->sends, key)) return;
  if (!has_room(outbox)) {
    outbox->spilled = true;
    return;
  }
  struct send *send = send_new(key, value);
  if (!send) return;
  if (send->row.state == OUTBOX_DEAD) {
    send_free(send);
    return;
  }
  map_put(&outbox->sends, key, send);
  outbox->bytes += value.len;
  outbox->load.owed++;
  struct line *line = line_of(outbox, &send->row);
  list_push(&line->sends, &send->link);
  line_pump(line);
}

/* ---- The port ---- */

static void on_request(void *self, const struct egress_request *request, egress_done *done,
                       void *arg) {
  struct outbox *outbox = self;
  struct egress_port *below = outbox->options.egress;
  if (outbox->stopped) {
    struct egress_answer answer = {0};
    err_set(&answer.err, ERR_CLOSED, ERR_PLACE, ERR_OFFSET_NONE, "the server is stopping");
    done(arg, &answer);
    return;
  }
  below->ops->request(below->self, request, done, arg);
}

static void on_rows(void *self, const struct stage *stage) {
  if (((struct outbox *)self)->stopped) return;
  for (const struct stage_op *op = stage->ops; op; op = op->next)
    if (op->table == TABLE_outbox && op->kind == STAGE_PUT) outbox_add(self, op->key, op->value);
  lines_start(self);
}

static const struct egress_ops outbox_ops = {on_request, on_rows};

struct egress_port *outbox_port(struct outbox *outbox) {
  return &outbox->port;
}

/* ---- Open, close ---- */

static bool load_row(void *arg, const struct store_row *row) {
  struct outbox *outbox = arg;
  struct outbox_row decoded;
  struct err err;
  if (!outbox_row_decode(row->value, &decoded, &err)) return true;
  if (decoded.state == OUTBOX_DEAD)
    outbox->load.dead++;
  else
    outbox_add(outbox, row->key, row->value);
  return true;
}

bool outbox_open(const struct outbox_options *options, struct outbox **ret_outbox,
                 struct err *err) {
  struct outbox *outbox = must_alloc(sizeof *outbox);
  outbox->options = *options;
  outbox->port = (struct egress_port){&outbox_ops, outbox};
  map_init(&outbox->sends, random_u64(options->random));
  map_init(&outbox->lines, random_u64(options->random));
  map_init(&outbox->contacts, random_u64(options->random));
  list_init(&outbox->ready);
  list_init(&outbox->gone);
  const struct store_range all = {.table = TABLE_outbox};
  if (!store_scan(store_reader(options->store), &all, load_row, outbox, err)) {
    outbox_close(&outbox);
    return false;
  }
  lines_start(outbox);
  *ret_outbox = outbox;
  return true;
}

static void outbox_free(struct outbox *outbox) {
  struct bytes key;
  void *value;
  for (size_t at = 0; map_next(&outbox->sends, &at, &key, &value);) send_free(value);
  for (size_t at = 0; map_next(&outbox->lines, &at, &key, &value);) line_free(value);
  while (!list_empty(&outbox->gone)) send_free(LIST_FIRST(&outbox->gone, struct send, link));
  map_fini(&outbox->sends);
  map_fini(&outbox->lines);
  map_fini(&outbox->contacts);
  free(outbox);
}

void outbox_stop(struct outbox *outbox) {
  struct bytes key;
  void *line;
  outbox->stopped = true;
  for (size_t at = 0; map_next(&outbox->lines, &at, &key, &line);)
    loop_timer_drop(outbox->options.loop, &((struct line *)line)->due);
}

void outbox_close(struct outbox **outbox) {
  struct outbox *closing = *outbox;
  *outbox = NULL;
  if (!closing) return;
  outbox_stop(closing);
  closing->closed = true;
  if (closing->calls == 0) outbox_free(closing);
}

bool outbox_called(struct outbox *outbox) {
  outbox->calls--;
  if (!outbox->stopped) return true;
  if (outbox->closed && outbox->calls == 0) outbox_free(outbox);
  return false;
}

struct outbox_load outbox_load(const struct outbox *outbox) {
  struct outbox_load load = outbox->load;
  load.more = outbox->spilled;
  return load;
}

void outbox_audit(struct outbox *outbox, struct store_commit *commit, const struct outbox_row *row,
                  const char *outcome, const char *detail) {
  struct audit_record record = {.at_ms = outbox_now_ms(outbox),
                                .actor = row->function,
                                .action = BYTES("notify"),
                                .resource = row->contact,
                                .outcome = bytes_str(outcome),
                                .detail = bytes_str(detail),
                                .run = row->run,
                                .event = row->event,
                                .delivery = row->delivery};
  audit_append(commit, outbox->options.random, &record);
}

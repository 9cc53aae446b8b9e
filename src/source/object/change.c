/* source/object/change.c: look at the row, then one commit: the row as it should be, the event and
 * what it is owed to. Somebody else in between: look again. */
#include "base/must.h"
#include "source/object/parts.h"

#include <stdio.h>

static void look(struct object_write *write);

static void end(struct object_write *write, const struct err *err) {
  buf_fini(&write->row);
  write->done(write, err);
}

static struct bytes row_key(struct object_write *write) {
  return object_row_key(api_arena(write->call), write->bucket, write->key);
}

static void add_row(void *arg, struct store_commit *commit) {
  struct object_write *write = arg;
  commit_check(commit, TABLE_object, row_key(write), write->version, ERR_CONFLICT);
  if (write->facts)
    object_commit_put(commit, write->bucket, write->key, write->facts);
  else
    object_commit_remove(commit, write->bucket, write->key);
  if (write->with) write->with(write->arg, commit);
}

static void admitted(struct flow_reply *reply, const struct flow_answer *answer) {
  struct object_write *write = LIST_OF(reply, struct object_write, reply);
  struct err err = answer->err;
  if (err.code == ERR_CONFLICT && ++write->conflicts < OBJECT_CONFLICTS_MAX) {
    look(write);
    return;
  }
  if (err.code == ERR_OK && write->version) object_drop(&write->objects->store, write->before.body);
  end(write, err.code == ERR_OK ? NULL : &err);
}

static bool match_holds(const struct object_write *write, struct err *err) {
  char etag[OBJECT_ETAG_BYTES], quoted[OBJECT_ETAG_BYTES + 2];
  if (!write->match.len) return true;
  if (write->version == 0) FAIL(ERR_NOT_FOUND, "there is no such object to match");
  object_etag(&write->before, etag);
  snprintf(quoted, sizeof quoted, "\"%s\"", etag);
  if (s3_etag_listed(write->match, quoted)) return true;
  FAIL(ERR_PRECONDITION, "the object is not the one If-Match names");
}

static bool submit(struct object_write *write, struct err *err) {
  struct object_change change = {
      .name = write->name, .bucket = write->bucket, .key = write->key, .facts = write->facts};
  struct flow_incoming incoming = {0};
  if (write->only_new && write->version) FAIL(ERR_PRECONDITION, "the object is there already");
  TRY(match_holds(write, err));
  TRY(object_event(&write->objects->store, api_arena(write->call), &change, &incoming.event, err));
  incoming.event.principal = write->call->principal->name;
  incoming.event.traceparent = api_trace(write->call);
  struct flow_admission admission = {
      .incoming = &incoming, .count = 1, .with = add_row, .with_arg = write};
  write->reply.answer = admitted;
  flow_admit(write->objects->flow, &admission, &write->reply);
  return true;
}

static void query(void *arg, struct store_reader *reader) {
  struct object_write *write = arg;
  write->ok = object_stat(reader, write->bucket, write->key, &write->row, &write->before,
                          &write->version, &write->err);
}

static void looked(void *arg) {
  struct object_write *write = arg;
  struct err err = write->err;
  if (write->ok && !write->facts && write->version == 0) { /* nothing to remove: no event */
    end(write, NULL);
    return;
  }
  if (!write->ok || !submit(write, &err)) end(write, &err);
}

static void look(struct object_write *write) {
  buf_reset(&write->row);
  store_ask(write->objects->store.store, query, looked, write);
}

void object_write(struct object_write *write) {
  buf_init(&write->row, OBJECT_ROW_BYTES_MAX);
  look(write);
}

/* store/reader.c: reading: one committed state per query, values opened on the reader's thread. */
#include "base/must.h"
#include "store/front.h"

#include <stdlib.h>

static const struct engine_ops *ops_of(const struct store_reader *reader) {
  return reader->store->engine->ops;
}

/* ---- One call ---- */

static bool enter(struct store_reader *reader, struct err *err) {
  TRY(engine_fault_pass(&reader->store->fault, err));
  if (reader->held == 0) TRY(ops_of(reader)->read_begin(reader->reader, err));
  reader->held++;
  return true;
}

static void leave(struct store_reader *reader) {
  if (--reader->held == 0) ops_of(reader)->read_end(reader->reader);
}

static bool open_value(struct store_reader *reader, enum store_table table, struct bytes key,
                       struct bytes sealed, struct bytes *ret_plain, struct err *err) {
  *ret_plain = sealed;
  if (!table_is_sealed(table)) return true;
  const struct seal_port *seal = reader->store->port.seal;
  struct seal_place place = {.tenant = seal->tenant, .table = table_name(table), .key = key};
  return seal->open(seal->self, &place, sealed, &reader->plain, ret_plain, err);
}

static bool give_value(struct store_reader *reader, enum store_table table, struct bytes key,
                       struct buf *ret_value, struct err *err) {
  struct bytes plain;
  TRY(open_value(reader, table, key, buf_bytes(&reader->sealed), &plain, err));
  buf_reset(ret_value);
  buf_put(ret_value, plain);
  if (!buf_ok(ret_value)) FAIL(ERR_LIMIT, "a value does not fit the reader's buffer");
  return true;
}

bool store_get(struct store_reader *reader, enum store_table table, struct bytes key,
               struct buf *ret_value, uint64_t *ret_version, struct err *err) {
  uint64_t version = 0;
  must(!table_is_log(table));
  TRY(enter(reader, err));
  bool good = ops_of(reader)->read_get(reader->reader, table, key, &reader->sealed, &version, err);
  leave(reader);
  if (!good) return false;
  if (version) TRY(give_value(reader, table, key, ret_value, err));
  *ret_version = version;
  return true;
}

bool store_find(struct store_reader *reader, enum store_table log, struct bytes key,
                struct buf *ret_value, uint64_t *ret_position, struct err *err) {
  uint64_t position = 0;
  must(table_is_log(log));
  TRY(enter(reader, err));
  bool good = ops_of(reader)->read_find(reader->reader, log, key, &reader->sealed, &position, err);
  leave(reader);
  if (!good) return false;
  if (position) TRY(give_value(reader, log, key, ret_value, err));
  *ret_position = position;
  return true;
}

/* ---- Rows, opened one by one ---- */

struct opening {
  struct store_reader *reader;
  enum store_table table;
  store_visit *visit;
  void *arg;
  struct err *err;
  struct buf plain; /* its own: a visit may read another row */
  bool failed;
};

static bool open_row(void *arg, const struct store_row *sealed) {
  struct opening *opening = arg;
  struct store_row row = *sealed;
  const struct seal_port *seal = opening->reader->store->port.seal;
  struct seal_place place = {
      .tenant = seal->tenant, .table = table_name(opening->table), .key = row.key};
  if (table_is_sealed(opening->table) &&
      !seal->open(seal->self, &place, sealed->value, &opening->plain, &row.value, opening->err)) {
    opening->failed = true;
    return false;
  }
  return opening->visit(opening->arg, &row);
}

static struct opening opening_of(struct store_reader *reader, enum store_table table,
                                 store_visit *visit, void *arg, struct err *err) {
  struct opening opening = {reader, table, visit, arg, err, {0}, false};
  buf_init(&opening.plain, STORE_VALUE_BYTES_MAX + SEAL_GROWTH_BYTES);
  return opening;
}

/* `from` outside of the prefix is before all of its keys or after all of them. False: no row. */
static bool clamp(struct store_range *range) {
  if (!range->from.len || bytes_starts(range->from, range->prefix)) return true;
  bool before = bytes_cmp(range->from, range->prefix) < 0;
  if (before == range->reverse) return false;
  range->from = BYTES_NONE;
  return true;
}

bool store_scan(struct store_reader *reader, const struct store_range *range, store_visit *visit,
                void *arg, struct err *err) {
  struct store_range clamped = *range;
  must(!table_is_log(range->table));
  if (!clamp(&clamped)) return true;
  TRY(enter(reader, err));
  struct opening opening = opening_of(reader, range->table, visit, arg, err);
  bool good = ops_of(reader)->read_scan(reader->reader, &clamped, open_row, &opening, err);
  leave(reader);
  buf_fini(&opening.plain);
  return good && !opening.failed;
}

bool store_tail(struct store_reader *reader, enum store_table log, uint64_t from_position,
                bool reverse, store_visit *visit, void *arg, struct err *err) {
  must(table_is_log(log));
  TRY(enter(reader, err));
  struct opening opening = opening_of(reader, log, visit, arg, err);
  bool good = ops_of(reader)->read_tail(reader->reader, log, from_position, reverse, open_row,
                                        &opening, err);
  leave(reader);
  buf_fini(&opening.plain);
  return good && !opening.failed;
}

uint64_t store_last_position(struct store_reader *reader) {
  uint64_t position = 0;
  struct err err;
  if (!enter(reader, &err)) return 0;
  if (!ops_of(reader)->read_position(reader->reader, &position, &err)) position = 0;
  leave(reader);
  return position;
}

/* ---- Readers ---- */

bool front_reader_open(struct store *store, struct store_reader *reader, struct err *err) {
  *reader = (struct store_reader){.store = store};
  TRY(store->engine->ops->reader_open(store->engine, &reader->reader, err));
  buf_init(&reader->sealed, STORE_VALUE_BYTES_MAX + SEAL_GROWTH_BYTES);
  buf_init(&reader->plain, STORE_VALUE_BYTES_MAX + SEAL_GROWTH_BYTES);
  return true;
}

void front_reader_close(struct store_reader *reader) {
  if (!reader->reader) return;
  ops_of(reader)->reader_close(&reader->reader);
  buf_fini(&reader->sealed);
  buf_fini(&reader->plain);
}

struct store_reader *store_reader(struct store *store) {
  return &store->here;
}

/* A reader that gets no committed state to hold lets each call tell its own error. */
static void run_query(struct front_ask *ask, struct store_reader *reader) {
  struct err err;
  bool entered = reader->held > 0 || ops_of(reader)->read_begin(reader->reader, &err);
  if (entered) reader->held++;
  ask->query(ask->arg, reader);
  if (entered) leave(reader);
}

/* ---- Questions (loop) ---- */

static void ask_done(struct loop_post *post) {
  struct front_ask *ask = LIST_OF(post, struct front_ask, post);
  if (ask->store) {
    list_drop(&ask->link);
    ask->done(ask->arg);
  }
  free(ask);
}

static void ask_inline(struct loop_post *post) {
  struct front_ask *ask = LIST_OF(post, struct front_ask, post);
  if (!ask->store) {
    free(ask);
    return;
  }
  run_query(ask, &ask->store->here);
  ask->query = NULL;
  ask->post.run = ask_done;
  loop_post(ask->store->options.loop, &ask->post);
}

void store_ask(struct store *store, store_query *query, void (*done)(void *arg), void *arg) {
  struct front_ask *ask = must_alloc(sizeof *ask);
  *ask = (struct front_ask){.store = store, .query = query, .done = done, .arg = arg};
  list_push(&store->asks, &ask->link);
  if (store->options.inline_execution) {
    ask->post.run = ask_inline;
    ask->on_loop = true;
    loop_post(store->options.loop, &ask->post);
    return;
  }
  pthread_mutex_lock(&store->lock);
  if (store->ask_last)
    store->ask_last->next = ask;
  else
    store->ask_first = ask;
  store->ask_last = ask;
  pthread_cond_signal(&store->ask_waits);
  pthread_mutex_unlock(&store->lock);
}

static struct front_ask *next_ask(struct store *store) {
  pthread_mutex_lock(&store->lock);
  while (!store->ask_first && !store->stopping) pthread_cond_wait(&store->ask_waits, &store->lock);
  struct front_ask *ask = store->ask_first;
  if (ask) store->ask_first = ask->next;
  if (!store->ask_first) store->ask_last = NULL;
  pthread_mutex_unlock(&store->lock);
  return ask;
}

static void *reader_thread(void *arg) {
  struct store_reader *reader = arg;
  for (struct front_ask *ask; (ask = next_ask(reader->store));) {
    run_query(ask, reader);
    ask->query = NULL;
    ask->on_loop = true;
    ask->post.run = ask_done;
    loop_post(reader->store->options.loop, &ask->post);
  }
  return NULL;
}

bool front_readers_start(struct store *store, struct err *err) {
  for (unsigned i = 0; i < FRONT_READERS; i++) {
    TRY(front_reader_open(store, &store->reader_states[i], err));
    int number = pthread_create(&store->readers[i], NULL, reader_thread, &store->reader_states[i]);
    if (number) {
      err_set_errno(err, number, ERR_PLACE, "a reader thread");
      return false;
    }
    store->readers_started++;
  }
  return true;
}

/* A question whose post is on the loop is freed by it, when it finds no store. */
void front_readers_stop(struct store *store) {
  for (unsigned i = 0; i < store->readers_started; i++) pthread_join(store->readers[i], NULL);
  for (unsigned i = 0; i < FRONT_READERS; i++) front_reader_close(&store->reader_states[i]);
  for (struct front_ask *ask; (ask = LIST_FIRST(&store->asks, struct front_ask, link));) {
    list_drop(&ask->link);
    if (ask->query) run_query(ask, &store->here);
    ask->done(ask->arg);
    ask->store = NULL;
    if (!ask->on_loop) free(ask);
  }
}

void front_asks_forget(struct store *store, bool loop_goes_on) {
  for (struct front_ask *ask; (ask = LIST_FIRST(&store->asks, struct front_ask, link));) {
    list_drop(&ask->link);
    ask->store = NULL;
    if (!loop_goes_on) free(ask);
  }
}

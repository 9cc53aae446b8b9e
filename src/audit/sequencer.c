/* audit/sequencer.c: the checkpoint is one row of `meta`, replaced by ever larger ones.
 *
 * Row "audit_checkpoint": position of the last record, size, root, then the peaks of the tree. */
#include "audit/sequencer.h"

#include "audit/record.h"
#include "base/cleanup.h"
#include "base/must.h"
#include "wire/fields.h"

#include <stdlib.h>
#include <string.h>

enum { CHECKPOINT_BYTES_MAX = 256 };

struct sequencer {
  struct loop *loop;
  struct store *store;
  const struct clock_port *clock;
  struct audit_tree tree;
  uint64_t position; /* of the last record in the tree */
  struct loop_timer timer;
  bool busy;
  void (*done)(void *arg);
  void *done_arg;
};

struct reading { /* one pass over new records, on a reader thread */
  struct sequencer *sequencer;
  struct audit_tree tree;
  uint64_t position, before;
  bool ok;
  struct err err;
};

static const char checkpoint_key[] = "audit_checkpoint";

static bool add_row(void *arg, const struct store_row *row) {
  struct reading *reading = arg;
  struct audit_stored stored;
  if (!audit_decode(row->value, &stored, &reading->err)) {
    reading->ok = false;
    return false;
  }
  audit_tree_add(&reading->tree, stored.leaf_hash);
  reading->position = row->version;
  return true;
}

static void read_new(void *arg, struct store_reader *reader) {
  struct reading *reading = arg;
  reading->ok = true;
  if (!store_tail(reader, TABLE_audit, reading->before, false, add_row, reading, &reading->err))
    reading->ok = false;
}

static void put_checkpoint(struct store_commit *commit, const struct audit_tree *tree,
                           uint64_t position) {
  uint8_t root[SHA256_BYTES];
  cleanup_buf struct buf row = {0};
  audit_tree_root(tree, root);
  buf_init(&row, CHECKPOINT_BYTES_MAX + sizeof tree->peak);
  fields_put_u64(&row, position);
  fields_put_u64(&row, tree->size);
  fields_put_bytes(&row, bytes_of(root, sizeof root));
  for (int level = 0; level < AUDIT_TREE_LEVELS; level++)
    if (tree->size >> level & 1) fields_put_bytes(&row, bytes_of(tree->peak[level], SHA256_BYTES));
  commit_put(commit, TABLE_meta, bytes_str(checkpoint_key), buf_bytes(&row));
}

static void checkpoint_end(struct sequencer *sequencer) {
  void (*done)(void *arg) = sequencer->done;
  sequencer->busy = false;
  sequencer->done = NULL;
  loop_timer_after(sequencer->loop, &sequencer->timer, AUDIT_CHECKPOINT_MS);
  if (done) done(sequencer->done_arg);
}

static void checkpoint_durable(void *arg, const struct store_result *result) {
  checkpoint_end(arg);
}

static void read_done(void *arg) {
  struct reading *reading = arg;
  struct sequencer *sequencer = reading->sequencer;
  bool grew = reading->ok && reading->tree.size > sequencer->tree.size;
  if (grew) {
    struct store_commit *commit = commit_new();
    sequencer->tree = reading->tree;
    sequencer->position = reading->position;
    put_checkpoint(commit, &sequencer->tree, sequencer->position);
    store_submit(sequencer->store, &commit, checkpoint_durable, sequencer);
  } else {
    checkpoint_end(sequencer);
  }
  free(reading);
}

void sequencer_checkpoint(struct sequencer *sequencer, void (*done)(void *arg), void *arg) {
  if (sequencer->busy) { /* the one under way may have read before us; the caller asks for now */
    if (done) done(arg);
    return;
  }
  struct reading *reading = must_alloc(sizeof *reading);
  loop_timer_drop(sequencer->loop, &sequencer->timer);
  sequencer->busy = true;
  sequencer->done = done;
  sequencer->done_arg = arg;
  reading->sequencer = sequencer;
  reading->tree = sequencer->tree;
  reading->before = reading->position = sequencer->position;
  store_ask(sequencer->store, read_new, read_done, reading);
}

static void timer_due(struct loop_timer *timer) {
  struct sequencer *sequencer =
      (struct sequencer *)(void *)((char *)timer - offsetof(struct sequencer, timer));
  sequencer_checkpoint(sequencer, NULL, NULL);
}

struct checkpoint {
  struct audit_tree tree;
  uint64_t position;
  uint8_t root[SHA256_BYTES];
};

/* False with OK in err: there is none yet. */
static bool load_checkpoint(struct store_reader *reader, struct checkpoint *ret, struct err *err) {
  cleanup_buf struct buf row = {0};
  uint64_t version;
  struct checkpoint c = {0};
  uint8_t root[SHA256_BYTES];
  err_clear(err);
  buf_init(&row, CHECKPOINT_BYTES_MAX + sizeof c.tree.peak);
  TRY(store_get(reader, TABLE_meta, bytes_str(checkpoint_key), &row, &version, err));
  if (version == 0) return false;
  struct cursor in = cursor_of(buf_bytes(&row));
  c.position = fields_get_u64(&in);
  c.tree.size = fields_get_u64(&in);
  struct bytes kept = fields_get_bytes(&in);
  for (int level = 0; level < AUDIT_TREE_LEVELS; level++) {
    if (!(c.tree.size >> level & 1)) continue;
    struct bytes peak = fields_get_bytes(&in);
    if (peak.len == SHA256_BYTES) memcpy(c.tree.peak[level], peak.at, SHA256_BYTES);
  }
  TRY(fields_end(&in, "audit checkpoint", err));
  audit_tree_root(&c.tree, root);
  if (!bytes_eq(kept, bytes_of(root, sizeof root)))
    FAIL(ERR_CORRUPT, "the audit checkpoint was changed");
  memcpy(c.root, root, sizeof root);
  *ret = c;
  return true;
}

bool sequencer_open(struct loop *loop, struct store *store, const struct clock_port *clock,
                    struct sequencer **ret_sequencer, struct err *err) {
  struct sequencer *sequencer = must_alloc(sizeof *sequencer);
  struct checkpoint checkpoint;
  struct err found;
  sequencer->loop = loop;
  sequencer->store = store;
  sequencer->clock = clock;
  sequencer->timer.fire = timer_due;
  audit_tree_init(&sequencer->tree);
  if (load_checkpoint(store_reader(store), &checkpoint, &found)) {
    sequencer->tree = checkpoint.tree;
    sequencer->position = checkpoint.position;
  } else if (found.code != ERR_OK) {
    *err = found;
    free(sequencer);
    return false;
  }
  loop_timer_after(loop, &sequencer->timer, AUDIT_CHECKPOINT_MS);
  *ret_sequencer = sequencer;
  return true;
}

void sequencer_close(struct sequencer **sequencer) {
  struct sequencer *s = *sequencer;
  *sequencer = NULL;
  if (!s) return;
  loop_timer_drop(s->loop, &s->timer);
  free(s);
}

uint64_t sequencer_size(const struct sequencer *sequencer) {
  return sequencer->tree.size;
}

/* ---- Verification: from the first record on, holding the log to the checkpoint ---- */

struct verifying {
  struct audit_verdict *verdict;
  struct audit_tree tree;
  struct checkpoint checkpoint;
  bool have_checkpoint, met;
};

static bool verify_row(void *arg, const struct store_row *row) {
  struct verifying *v = arg;
  struct audit_stored stored;
  if (!audit_decode(row->value, &stored, &v->verdict->err)) {
    v->verdict->bad_position = row->version;
    return false;
  }
  audit_tree_add(&v->tree, stored.leaf_hash);
  v->verdict->records++;
  if (!v->have_checkpoint || v->tree.size != v->checkpoint.tree.size) return true;
  uint8_t root[SHA256_BYTES];
  audit_tree_root(&v->tree, root);
  v->met =
      memcmp(root, v->checkpoint.root, sizeof root) == 0 && row->version == v->checkpoint.position;
  if (v->met) return true;
  v->verdict->bad_position = row->version;
  err_set(&v->verdict->err, ERR_CORRUPT, ERR_PLACE, ERR_OFFSET_NONE,
          "at record %llu the audit log differs from its checkpoint: a record was changed, removed "
          "or moved",
          (unsigned long long)v->tree.size);
  return false;
}

void audit_verify(struct store_reader *reader, struct audit_verdict *ret_verdict) {
  struct verifying v = {.verdict = ret_verdict};
  struct err err;
  *ret_verdict = (struct audit_verdict){0};
  audit_tree_init(&v.tree);
  v.have_checkpoint = load_checkpoint(reader, &v.checkpoint, &err);
  if (!v.have_checkpoint && err.code != ERR_OK) {
    ret_verdict->err = err;
    return;
  }
  ret_verdict->checkpoints = v.have_checkpoint;
  if (!store_tail(reader, TABLE_audit, 0, false, verify_row, &v, &err)) {
    ret_verdict->err = err;
    return;
  }
  if (ret_verdict->err.code != ERR_OK) return;
  if (v.have_checkpoint && !v.met) {
    err_set(&ret_verdict->err, ERR_CORRUPT, ERR_PLACE, ERR_OFFSET_NONE,
            "the audit log has %llu records, its checkpoint %llu: records are missing",
            (unsigned long long)v.tree.size, (unsigned long long)v.checkpoint.tree.size);
    return;
  }
  audit_tree_root(&v.tree, ret_verdict->root);
  ret_verdict->ok = true;
}

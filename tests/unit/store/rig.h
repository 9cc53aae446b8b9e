/* tests/unit/store/rig.h: a store on a loop of its own, and calls that wait for their answer. */
#ifndef MEDULLA_TESTS_UNIT_STORE_RIG_H
#define MEDULLA_TESTS_UNIT_STORE_RIG_H

#include "tests/unit/test.h"

#include "os/random.h"
#include "os/sim_clock.h"
#include "seal/keys.h"
#include "store/open.h"

struct rig {
  struct sim_clock clock;
  struct random_seeded random;
  struct loop *loop;
  struct disk *disk;
  struct store *store;
  struct disk *keys_disk; /* the ring's own */
  struct keyring *keys;
  struct store_options options;
  bool real; /* a real clock, loop and threads */
  bool (*open)(const struct store_options *options, struct store **ret_store, struct err *err);
};

/* What done said. */
struct answer {
  bool done;
  unsigned order; /* how many answers came before */
  struct store_result result;
  uint8_t note[64];
  size_t note_bytes;
};

void rig_init(struct rig *rig, bool real,
              bool (*open)(const struct store_options *, struct store **, struct err *));
/* The ring on this disk, made when it is missing: for folders that outlive a rig. */
void rig_keys_on(struct rig *rig, struct disk *disk);
void rig_fini(struct rig *rig);
void rig_open(struct rig *rig);
/* Runs the loop until *flag, or fails the test. */
void rig_until(struct rig *rig, const bool *flag);
void rig_answer(void *arg, const struct store_result *result);
/* Submits and waits. */
struct answer rig_commit(struct rig *rig, struct store_commit *commit);
/* One put, one append. */
struct answer rig_put(struct rig *rig, enum store_table table, const char *key, const char *value);
struct answer rig_append(struct rig *rig, enum store_table log, const char *key, const char *value);
/* The value as a text in static storage, or NULL. */
const char *rig_get(struct rig *rig, enum store_table table, const char *key,
                    uint64_t *ret_version);

#endif

/* tests/unit/runtime/pool_fixture.h: a real pool with fake guests, and runs that remember. */
#ifndef MEDULLA_TESTS_UNIT_RUNTIME_POOL_FIXTURE_H
#define MEDULLA_TESTS_UNIT_RUNTIME_POOL_FIXTURE_H

#include "tests/unit/test.h"

#include "runtime/pool.h"

#define MS INT64_C(1000000)

struct world {
  struct loop *loop;
  struct disk *disk;
  struct runtime *runtime;
  char folder[64];
};

struct test_run {
  struct run_handle handle;
  bool done, keep_effects;
  unsigned started, effects, logs;
  enum run_end end;
  char reason[24], body[256];
  size_t body_bytes;
  uint64_t order; /* in which it ended */
  int64_t ended_ns;
  struct run_meter meter;
  uint64_t last_ordinal;
  void (*then)(struct test_run *run);
};

extern const char *world_launcher; /* the fake one until a test says otherwise */
struct world *world_new(uint32_t workers_max, int64_t fork_wait_us, bool namespaces_off);
void world_free(struct world **world);
/* A version whose key is new. */
struct runtime_code *code_new(const char *source);
void code_free(struct world *world, struct runtime_code *code); /* retires it first */
void run_init(struct test_run *run, struct runtime_code *code, const char *event);
void run_start(struct world *world, struct test_run *run);
/* Steps the loop until the run is done; fails after ms. */
void run_wait(struct world *world, struct test_run *run, int ms);
/* init, start and wait. */
void run_once(struct world *world, struct runtime_code *code, const char *event,
              struct test_run *ret_run);
void step_ms(struct world *world, int ms);
/* Until the load has this many workers; fails after ms. */
void wait_workers(struct world *world, uint32_t workers, int ms);
int count_fds(void);
int64_t now_ns(void);
bool prepare_once(struct world *world, struct runtime_code *code, struct err *ret_err);

#endif

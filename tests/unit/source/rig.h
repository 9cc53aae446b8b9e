/* A whole server without a kernel: simulated loop and clock, memory store, functions in C, streams
 * in memory. Anonymous callers are admin. */
#ifndef MEDULLA_TESTS_UNIT_SOURCE_RIG_H
#define MEDULLA_TESTS_UNIT_SOURCE_RIG_H

#include "tests/unit/test.h"

#include "effect/outbox.h"
#include "flow/deploy.h"
#include "os/sim_clock.h"
#include "os/sim_stream.h"
#include "source/api/parts.h"
#include "store/open.h"
#include "tests/sim/sim_runtime.h"

struct rig {
  struct random_seeded random;
  struct sim_clock clock;
  struct loop *loop;
  struct store *store;
  struct disk *disk;
  struct sim_runtime runtime;
  struct outbox *outbox; /* sends nothing: what leaves stays under way */
  struct flow *flow;
  struct principals *principals;
  struct api *api;
  void (*on_catalog)(void);
  struct stream *client;
  struct buf got; /* the last answer, head and body */
  bool ended;
  struct flow_reply deploy_reply;
  int deployed; /* 1: well; -1: not */
};
extern struct rig rig;

void rig_open(int64_t wall_ms);
void rig_close(void);
/* As kill -9 would: what is durable stays. Timers, connections and runs are gone. */
void rig_crash(void);
/* functions: YAML below "functions:"; all code is a.js of the simulated runtime. */
void rig_deploy(const char *functions);
/* Until nothing happens without time passing. */
void rig_settle(void);
/* Time passes, in steps of at most a second, and everything due happens. */
void rig_wait(int64_t ms);
/* One request on a connection of its own; the status. headers: "Name: value\r\n" each, or NULL.
 * text: the body, or NULL. */
int rig_http(const char *method, const char *target, const char *headers, const char *text);
int rig_http_bytes(const char *method, const char *target, const char *headers, struct bytes body);
/* Sends and does not wait for the answer. */
void rig_http_begin(const char *method, const char *target, const char *headers, struct bytes body);
int rig_status(void);
struct bytes rig_body(void); /* of the last answer, chunks joined */
struct bytes rig_header(const char *name);
/* Events in the log whose type this is; their envelopes in order, one a line, into `into`. */
size_t rig_events(const char *type, struct buf *into);
/* Rows of a KV table. */
size_t rig_rows(enum store_table table);

#endif

/* tests/unit/effect/rig.h: a gate on a simulated loop, a memory store, an egress that follows a
 * script. */
#ifndef MEDULLA_TESTS_UNIT_EFFECT_RIG_H
#define MEDULLA_TESTS_UNIT_EFFECT_RIG_H

#include "tests/unit/test.h"

#include "effect/egress.h"
#include "effect/gate.h"
#include "effect/outbox.h"
#include "model/manifest.h"
#include "os/sim_clock.h"
#include "store/open.h"

enum { RIG_SENT_MAX = 64, RIG_TEXT_BYTES = 4096 };

/* A request the egress saw, and whom to answer. */
struct rig_sent {
  struct egress_request request; /* slices into text */
  char url[512], headers[2048], body[RIG_TEXT_BYTES], to[512];
  egress_done *done;
  void *arg;
};

struct rig {
  struct sim_clock clock;
  struct random_seeded random;
  struct loop *loop;
  struct store *store;
  struct store_options store_options;
  struct egress_port egress;
  struct rig_sent sent[RIG_SENT_MAX];
  int sent_count;
  struct outbox *outbox;
  struct gate gate;
  struct arena arena, manifest_arena;
  const struct manifest *manifest;
  struct gate_run run;
  struct id delivery;
  uint64_t ordinal;
  /* the answer of the last call */
  int answers;
  bool ok;
  char body[RIG_TEXT_BYTES];
};

void rig_open(struct rig *rig, const char *yaml);
void rig_close(struct rig *rig);
/* A crash: what is durable stays. */
void rig_crash(struct rig *rig);
/* A new run of the manifest's first function, for this delivery number. */
void rig_run(struct rig *rig, uint8_t delivery);
/* Calls an effect and turns the loop; the answer is in ok and body. */
void rig_call(struct rig *rig, const char *effect, const char *payload);
/* Settles the run as the flow would. */
void rig_settle(struct rig *rig);
void rig_turn(struct rig *rig);             /* everything that can happen now */
void rig_pass(struct rig *rig, int64_t ms); /* time passes */
/* The egress answers request `index`, with this body and redirect. */
void rig_answer_with(struct rig *rig, int index, int status, const char *body,
                     const char *redirect);
/* The egress answers request `index`. */
void rig_answer(struct rig *rig, int index, enum err_code code, int status);
void rig_put(struct rig *rig, enum store_table table, const char *key, size_t key_bytes,
             const char *value);
/* Rows with this prefix. */
int rig_rows(struct rig *rig, enum store_table table);
/* Audit records whose leaf holds this text. */
int rig_audits(struct rig *rig, const char *text);

#endif

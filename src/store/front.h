/* store/front.h: the store from the inside: the queue of commits, its thread, the readers.
 * Owns:    engine, index, threads; commits from submit to done, questions from ask to done.
 * Errors:  see store.h.
 * Threads: everything marked (loop) belongs to the loop's thread; the rest is under `lock`.
 * Limits:  STORE_PENDING_MAX, FRONT_PENDING_BYTES_MAX, FRONT_READERS.                          */
#ifndef MEDULLA_STORE_FRONT_H
#define MEDULLA_STORE_FRONT_H

#include "base/list.h"
#include "store/batch.h"
#include "store/gather.h"
#include "store/index.h"
#include "store/open.h"

#include <pthread.h>

#define FRONT_PENDING_BYTES_MAX (512u << 20) /* then BUSY */
#define FRONT_READERS 2

/* A post outlives its store when the loop runs it late; it then finds no store. */
struct front_post {
  struct loop_post post;
  struct store *store;
};

struct store_reader {
  struct store *store;
  struct engine_reader *reader;
  struct buf sealed, plain;
  unsigned held; /* calls and queries within the one committed state */
};

/* A question on its way: waiting, then answered, then done on the loop. */
struct front_ask {
  struct loop_post post;
  struct list link; /* (loop) in store->asks */
  struct front_ask *next;
  struct store *store; /* NULL: the store is closed, done was called */
  bool on_loop;        /* its post is, or was */
  store_query *query;
  void (*done)(void *arg);
  void *arg;
};

/* What an inline store does in its next post. */
enum front_step { FRONT_IDLE, FRONT_EXECUTE, FRONT_SETTLE, FRONT_DONE };

struct store {
  struct store_options options;
  struct batch_port port;
  struct unique unique;
  struct engine_fault fault;
  struct engine *engine;
  struct index *index;
  struct file *folder_lock; /* NULL: in memory */
  struct store_reader here; /* (loop) */

  pthread_mutex_t lock;
  pthread_cond_t commit_waits, ask_waits;
  struct batch waiting; /* submitted */
  struct gather gather; /* (store thread) */
  bool gathering;       /* the store thread waits for more of them */
  struct batch settled; /* done callbacks are due */
  struct batch refused; /* LIMIT, BUSY: done in the next post */
  struct batch inline_batch;
  enum front_step step;    /* inline only */
  struct front_post *post; /* for done callbacks and inline steps */
  bool posted;             /* `post` is on the loop */
  struct front_post *kick; /* (loop) wakes the store thread when the loop has done its round */
  bool kicked;             /* (loop) `kick` is on the loop */
  bool stopping;
  bool closing; /* (loop) nothing more is taken */
  uint64_t commits, transactions, last_position, disk_bytes;
  int64_t last_sync_us;
  enum err_code failing; /* why the last transaction failed; or OK */
  uint32_t pending;      /* (loop) submitted and not done */
  size_t pending_bytes;  /* (loop) */

  pthread_t writer, readers[FRONT_READERS];
  struct store_reader reader_states[FRONT_READERS];
  unsigned readers_started;
  bool writer_started;
  struct front_ask *ask_first, *ask_last; /* waiting for a reader */
  struct list asks;                       /* (loop) all of them */
};

/* Takes the engine, index and lock over, whether it succeeds or not. */
bool front_open(const struct store_options *options, struct engine *engine, struct index *index,
                struct file *folder_lock, struct store **ret_store, struct err *err) MUST_CHECK;
/* Writer: runs what waits. */
void *front_writer(void *store);
/* Wakes the loop for done callbacks (call under `lock`). */
void front_wake(struct store *store);
/* The post of an inline store. */
void front_inline_step(struct store *store);
/* Calls done for the commits of a batch and frees them (loop). */
void front_finish(struct store *store, struct batch *batch);

/* Readers. */
bool front_reader_open(struct store *store, struct store_reader *reader,
                       struct err *err) MUST_CHECK;
void front_reader_close(struct store_reader *reader);
bool front_readers_start(struct store *store, struct err *err) MUST_CHECK;
/* Joins the reader threads, answers what is left, calls what is due (loop). */
void front_readers_stop(struct store *store);
/* Forgets all questions without calling done: a crash. */
void front_asks_forget(struct store *store, bool loop_goes_on);

#endif

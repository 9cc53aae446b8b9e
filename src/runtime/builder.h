/* runtime/builder.h: from a WebAssembly module to what a worker loads, made by confined tools.
 * Owns:    struct builder owns its processes and work folders; results stay on the disk.
 * Units:   bytes, milliseconds.
 * Errors:  MALFORMED, UNSUPPORTED, LIMIT (of the module), TIMEOUT, GUEST (a tool refused it; the
 *          detail is what the tool said), NOT_FOUND, IO.
 * Threads: the loop's. Callbacks come from the loop, never from within a call.
 * Limits:  BUILDER_ below and those of wasm_admit.h.
 *
 * wasm-validate, wasm2c, wasm2c-mark and the C compiler run one after the other in medulla-builder
 * (builder_tool.c): own namespaces, no network, limits on CPU, memory and file size, and write
 * access to nothing but the work folder. Results are cached in module/ by what went into them. */
#ifndef MEDULLA_RUNTIME_BUILDER_H
#define MEDULLA_RUNTIME_BUILDER_H

#include "os/file.h"
#include "os/loop.h"

#define BUILDER_MS_MAX 180000
#define BUILDER_CPU_S_MAX 120
#define BUILDER_MEMORY_BYTES_MAX (2ull << 30)
#define BUILDER_FILE_BYTES_MAX (256ull << 20)

struct builder;

struct builder_options {
  struct loop *loop;        /* Required */
  struct disk *disk;        /* Required: a real one; "module/" */
  const char *builder_path; /* Required: the medulla-builder binary */
  const char *mark_path;    /* Required: the wasm2c-mark binary */
  const char *include_path; /* Required: the folder that holds runtime/module.h */
  const char *compiler;     /* Optional: absolute; default /usr/bin/cc */
  int64_t time_ms_max;      /* Optional: BUILDER_MS_MAX */
};

struct builder_job {
  struct bytes module;                                              /* until done */
  void (*progress)(struct builder_job *job, struct bytes sentence); /* Optional */
  /* path: absolute, of the module to load; valid during the call. */
  void (*done)(struct builder_job *job, const char *path, const struct err *err);
  /* The builder's part. */
  struct list link;
};

bool builder_open(const struct builder_options *options, struct builder **ret_builder,
                  struct err *err) MUST_CHECK;
void builder_start(struct builder *builder, struct builder_job *job);
void builder_cancel(struct builder *builder, struct builder_job *job);
void builder_close(struct builder **builder); /* jobs under way end without done */

#endif

/* runtime/builder.c: one job at a time: work folder, confined tools, result into the cache. */
#include "runtime/builder.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/must.h"
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { SAID_BYTES_MAX = 4096, KEY_BYTES = 2 * SHA256_BYTES + 1, PATH_BYTES = 1024 };

struct builder {
  struct builder_options options;
  uint8_t tools_digest[SHA256_BYTES]; /* a new translator makes new results */
  struct list waiting;
  struct builder_job *job; /* under way */
  struct process process;
  struct loop_watch said_watch;
  struct loop_timer timer;
  struct loop_post post;
  bool posted, timed_out;
  char said[SAID_BYTES_MAX];
  size_t said_bytes;
  struct err err; /* what the tools said */
  char key[KEY_BYTES];
};

static void next(struct builder *builder);

static void result_path(const struct builder *builder, char ret_path[96]) {
  snprintf(ret_path, 96, "module/%s.so", builder->key);
}

static const char work_folder[] = "module/making";

static bool clear_one(void *arg, const char *name) {
  char path[DISK_PATH_BYTES_MAX];
  struct err ignored;
  snprintf(path, sizeof path, "%s/%s", work_folder, name);
  if (!disk_remove(((struct builder *)arg)->options.disk, path, &ignored)) return true;
  return true;
}

/* The tools leave plain files and one folder of headers; both are written over the next time. */
static void clear_work(struct builder *builder) {
  struct err ignored;
  if (!disk_list(builder->options.disk, work_folder, clear_one, builder, &ignored)) return;
}

static void report(struct builder *builder, const struct err *err) {
  struct builder_job *job = builder->job;
  char relative[96], path[PATH_BYTES];
  result_path(builder, relative);
  snprintf(path, sizeof path, "%s/%s", disk_root(builder->options.disk), relative);
  builder->job = NULL;
  job->done(job, err ? NULL : path, err);
  next(builder);
}

/* What the tools say. */

static void hear_line(struct builder *builder, struct bytes line) {
  struct bytes rest, word = bytes_cut(line, ' ', &rest);
  if (bytes_eq_str(word, "progress") && builder->job && builder->job->progress)
    builder->job->progress(builder->job, rest);
  if (!bytes_eq_str(word, "error")) return;
  struct bytes detail, code = bytes_cut(rest, ' ', &detail);
  for (enum err_code i = 0; i < ERR_COUNT; i++)
    if (bytes_eq_str(code, err_facts(i)->word) && i != ERR_OK)
      err_set(&builder->err, i, ERR_PLACE, ERR_OFFSET_NONE, "%.*s", BYTES_FMT(detail));
}

/* Tools that parse foreign bytes wrote this: printable ASCII only, lines of bounded length. */
static void hear_all(struct builder *builder) {
  for (;;) {
    ssize_t got = read(builder->said_watch.fd, builder->said + builder->said_bytes,
                       sizeof builder->said - builder->said_bytes);
    if (got <= 0) return;
    for (size_t i = 0; i < (size_t)got; i++) {
      char *c = &builder->said[builder->said_bytes + i];
      if (*c != '\n' && (*c < ' ' || *c > '~')) *c = '?';
    }
    builder->said_bytes += (size_t)got;
    struct bytes left = bytes_of(builder->said, builder->said_bytes);
    while (bytes_find(left, '\n') < left.len) {
      struct bytes line = bytes_cut(left, '\n', &left);
      hear_line(builder, line);
    }
    if (left.len == sizeof builder->said) left.len = 0; /* a line without end */
    memmove(builder->said, left.at, left.len);
    builder->said_bytes = left.len;
  }
}

static void said_ready(struct loop_watch *watch, unsigned events) {
  struct builder *builder = LIST_OF(watch, struct builder, said_watch);
  hear_all(builder);
  /* At its end there is nothing more to hear; the process's end is watched by itself. */
  if (events & LOOP_HANGUP) loop_change(builder->options.loop, watch, 0);
}

static void close_said(struct builder *builder) {
  if (builder->said_watch.fd < 0) return;
  loop_drop(builder->options.loop, &builder->said_watch);
  close(builder->said_watch.fd);
  builder->said_watch.fd = -1;
}

static bool keep_result(struct builder *builder, struct err *err) {
  char path[96];
  struct buf result;
  /* Copied: what the tools made is theirs, and what may still run of them could change it. */
  result_path(builder, path);
  buf_init(&result, BUILDER_FILE_BYTES_MAX);
  bool ok = disk_load(builder->options.disk, "module/making/module.so", BUILDER_FILE_BYTES_MAX,
                      &result, err) &&
            disk_save(builder->options.disk, path, buf_bytes(&result), err);
  buf_fini(&result);
  return ok;
}

static void ended(struct process *process, struct process_end end) {
  struct builder *builder = LIST_OF(process, struct builder, process);
  struct err err;
  hear_all(builder);
  close_said(builder);
  loop_timer_drop(builder->options.loop, &builder->timer);
  bool ok = end.exit_code == 0 && keep_result(builder, &err);
  if (end.exit_code != 0) {
    err = builder->err;
    if (builder->timed_out)
      err_set(&err, ERR_TIMEOUT, ERR_PLACE, ERR_OFFSET_NONE,
              "translating the module took more than %lld ms",
              (long long)builder->options.time_ms_max);
    else if (err.code == ERR_OK)
      err_set(&err, ERR_GUEST, ERR_PLACE, ERR_OFFSET_NONE, "the builder ended (signal %d)",
              end.signal);
  }
  clear_work(builder);
  report(builder, ok ? NULL : &err);
}

static void too_long(struct loop_timer *timer) {
  struct builder *builder = LIST_OF(timer, struct builder, timer);
  builder->timed_out = true;
  process_kill(&builder->process, SIGKILL);
}

/* Starting. */

static void make_key(struct builder *builder, struct bytes module) {
  struct digest digest;
  uint8_t key[SHA256_BYTES];
  digest_init(&digest, DIGEST_SHA256);
  digest_add(&digest, bytes_of(builder->tools_digest, SHA256_BYTES));
  digest_add(&digest, module);
  digest_final(&digest, key);
  for (size_t i = 0; i < SHA256_BYTES; i++)
    snprintf(builder->key + 2 * i, 3, "%02x", (unsigned)key[i]);
}

static bool spawn(struct builder *builder, struct err *err) {
  char work[PATH_BYTES];
  const struct builder_options *options = &builder->options;
  int ends[2];
  snprintf(work, sizeof work, "%s/%s", disk_root(options->disk), work_folder);
  if (pipe(ends)) {
    err_set_errno(err, errno, ERR_PLACE, "pipe");
    return false;
  }
  cleanup_fd int theirs = ends[1];
  for (int i = 0; i < 2; i++) (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
  (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const char *const argv[] = {options->builder_path, work,
                              options->mark_path,    options->include_path,
                              options->compiler,     NULL};
  const struct process_fd fds[] = {{theirs, STDOUT_FILENO}};
  const struct process_options start = {
      .path = options->builder_path, .argv = argv, .fds = fds, .fd_count = 1};
  builder->said_watch =
      (struct loop_watch){.fd = ends[0], .interest = LOOP_READ, .ready = said_ready};
  if (!loop_add(options->loop, &builder->said_watch, err)) {
    close(ends[0]);
    builder->said_watch.fd = -1;
    return false;
  }
  builder->process.ended = ended;
  if (!process_start(options->loop, &start, &builder->process, err)) {
    close_said(builder);
    return false;
  }
  loop_timer_after(options->loop, &builder->timer, options->time_ms_max);
  return true;
}

static bool begin(struct builder *builder, struct err *err) {
  struct disk *disk = builder->options.disk;
  TRY(disk_mkdir(disk, work_folder, err));
  clear_work(builder);
  TRY(disk_save(disk, "module/making/module.wasm", builder->job->module, err));
  err_clear(&builder->err);
  builder->said_bytes = 0;
  builder->timed_out = false;
  return spawn(builder, err);
}

static void run_next(struct loop_post *post) {
  struct builder *builder = LIST_OF(post, struct builder, post);
  char path[96];
  struct err err;
  builder->posted = false;
  if (builder->job || list_empty(&builder->waiting)) return;
  builder->job = LIST_FIRST(&builder->waiting, struct builder_job, link);
  list_drop(&builder->job->link);
  make_key(builder, builder->job->module);
  result_path(builder, path);
  if (disk_exists(builder->options.disk, path))
    report(builder, NULL);
  else if (!begin(builder, &err))
    report(builder, &err);
}

static void next(struct builder *builder) {
  if (builder->posted || builder->job || list_empty(&builder->waiting)) return;
  builder->posted = true;
  loop_post(builder->options.loop, &builder->post);
}

void builder_start(struct builder *builder, struct builder_job *job) {
  list_push(&builder->waiting, &job->link);
  next(builder);
}

void builder_cancel(struct builder *builder, struct builder_job *job) {
  if (builder->job != job) {
    list_drop(&job->link);
    return;
  }
  process_forget(&builder->process);
  close_said(builder);
  loop_timer_drop(builder->options.loop, &builder->timer);
  builder->job = NULL;
  clear_work(builder);
  next(builder);
}

/* Opening: what the result depends on beside the module. */

static bool add_file(struct digest *digest, const char *folder, const char *name, struct err *err) {
  char path[PATH_BYTES], bytes[4096];
  snprintf(path, sizeof path, "%s%s%s", folder, name[0] ? "/" : "", name);
  FILE *file = fopen(path, "re");
  if (!file) FAIL(ERR_NOT_FOUND, "%s is not there", path);
  for (size_t got; (got = fread(bytes, 1, sizeof bytes, file)) > 0;)
    digest_add(digest, bytes_of(bytes, got));
  fclose(file);
  return true;
}

static bool digest_tools(struct builder *builder, struct err *err) {
  struct digest digest;
  digest_init(&digest, DIGEST_SHA256);
  bool ok = add_file(&digest, builder->options.mark_path, "", err) &&
            add_file(&digest, builder->options.builder_path, "", err) &&
            add_file(&digest, builder->options.include_path, "runtime/module.h", err) &&
            add_file(&digest, builder->options.include_path, "runtime/module_marks.h", err);
  digest_add(&digest, bytes_str(builder->options.compiler));
  if (ok)
    digest_final(&digest, builder->tools_digest);
  else
    digest_fini(&digest);
  return ok;
}

bool builder_open(const struct builder_options *options, struct builder **ret_builder,
                  struct err *err) {
  must(options->loop && options->disk && disk_root(options->disk));
  struct builder *builder = must_alloc(sizeof *builder);
  *builder = (struct builder){.options = *options, .said_watch.fd = -1};
  if (!builder->options.compiler) builder->options.compiler = "/usr/bin/cc";
  if (!builder->options.time_ms_max) builder->options.time_ms_max = BUILDER_MS_MAX;
  builder->timer.fire = too_long;
  builder->post.run = run_next;
  list_init(&builder->waiting);
  if (!digest_tools(builder, err)) {
    free(builder);
    return false;
  }
  *ret_builder = builder;
  return true;
}

void builder_close(struct builder **at) {
  struct builder *builder = *at;
  *at = NULL;
  if (!builder) return;
  list_init(&builder->waiting);
  if (builder->job) builder_cancel(builder, builder->job);
  must(!builder->posted); /* close it when the loop has run its posts */
  free(builder);
}

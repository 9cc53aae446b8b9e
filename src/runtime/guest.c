/* runtime/guest.c: prepare, open, run, restore: the same path for JavaScript and WebAssembly. */
#include "runtime/guest_impl.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/must.h"
#include "engine_js_hash.h"
#include "engine_wasm_hash.h"
#include "runtime/js_digest.h"
#include "runtime/trap.h"
#include "runtime/wasm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

const char *guest_engine_hash(enum guest_kind kind) {
  return kind == GUEST_JS ? GUEST_JS_HASH : GUEST_WASM_HASH;
}

/* ---- one turn ---- */

int64_t guest_elapsed_ms(const struct guest *guest) {
  const struct guest_turn *turn = &guest->turn;
  if (turn->preparing || !turn->host) return 0;
  return (turn->host->mono_ns(turn->host->self) - turn->start_mono_ns) / 1000000;
}

int64_t guest_clock_ms(const struct guest *guest) {
  if (guest->turn.preparing || !guest->turn.input) return GUEST_PREPARE_CLOCK_MS;
  return guest->turn.input->clock_ms + guest_elapsed_ms(guest);
}

void guest_end(struct guest *guest, enum guest_result result, const char *reason,
               struct bytes body) {
  struct buf *to = guest->turn.output->body;
  if (guest->turn.ended) return;
  bool fits = body.len <= GUEST_OUTPUT_BYTES_MAX;
  if (fits && body.at != to->at) {
    buf_reset(to);
    buf_put(to, body);
  }
  if (!fits || !buf_ok(to)) {
    guest_end_error(guest, GUEST_THREW, "output", "Medulla.OutputTooLarge",
                    "the result is larger than its limit of 6 MiB");
    return;
  }
  guest->turn.ended = true;
  guest->turn.output->result = result;
  guest->turn.output->reason = reason;
}

void guest_end_error(struct guest *guest, enum guest_result result, const char *reason,
                     const char *type, const char *message) {
  char text[512];
  int len =
      snprintf(text, sizeof text,
               "{\"errorMessage\":\"%s\",\"errorType\":\"%s\",\"stackTrace\":[]}", message, type);
  must(len > 0 && (size_t)len < sizeof text);
  guest_end(guest, result, reason, bytes_str(text));
}

uint64_t guest_request(struct guest *guest, struct bytes effect, struct bytes payload) {
  struct guest_turn *turn = &guest->turn;
  must(!turn->preparing && turn->host);
  if (turn->ordinal >= GUEST_REQUESTS_MAX) return 0;
  turn->host->request(turn->host->self, ++turn->ordinal, effect, payload);
  return turn->ordinal;
}

void guest_log(struct guest *guest, unsigned level, struct bytes line) {
  const struct guest_turn *turn = &guest->turn;
  if (turn->preparing || !turn->host || !turn->host->log) return;
  if (level > GUEST_LOG_ERROR) level = GUEST_LOG_INFO;
  turn->host->log(turn->host->self, (enum guest_level)level,
                  bytes_sub(line, 0, GUEST_LOG_LINE_BYTES_MAX));
}

static void run_body(void *arg) {
  struct guest *guest = arg;
  if (guest->kind == GUEST_JS)
    js_run(guest);
  else
    wasm_run(guest);
}

static void end_trapped(struct guest *guest, int code) {
  char text[256];
  const char *reason = code == WASM_RT_TRAP_EXHAUSTION ? "stack"
                       : code == TRAP_MEMORY           ? "memory"
                                                       : "trapped";
  snprintf(text, sizeof text, "the function was stopped: %s", trap_text(code));
  guest_end(guest, GUEST_TRAPPED, reason, bytes_str(text));
  instance_forget_stray_marks(&guest->in);
}

static void run(struct guest *guest, const struct guest_input *input, const struct guest_host *host,
                struct guest_output *output) {
  struct guest_turn *turn = &guest->turn;
  turn->preparing = turn->ended = false;
  turn->input = input;
  turn->host = host;
  turn->output = output;
  turn->ordinal = 0;
  turn->start_mono_ns = host->mono_ns(host->self);
  guest_random_init(&turn->random, input->seed);
  output->dirty_pages = 0;
  instance_enter(&guest->in);
  int code = trap_try(guest->in.data, run_body, guest);
  if (code != TRAP_NONE) end_trapped(guest, code);
  must(turn->ended);
  output->requests = (uint32_t)turn->ordinal;
  output->memory_bytes = guest->in.memory->size;
  bytes_wipe(&turn->random, sizeof turn->random);
  turn->input = NULL;
  turn->host = NULL;
}

void guest_run(struct guest *guest, const struct guest_input *input, const struct guest_host *host,
               struct guest_output *output) {
  run(guest, input, host, output);
  int64_t from_ns = host->mono_ns(host->self);
  output->dirty_pages = instance_restore(&guest->in);
  output->restore_ns = host->mono_ns(host->self) - from_ns;
}

void guest_run_reused(struct guest *guest, const struct guest_input *input,
                      const struct guest_host *host, struct guest_output *output) {
  run(guest, input, host, output);
}

bool guest_is_pristine(const struct guest *guest, struct err *err) {
  return instance_is_pristine(&guest->in, err);
}

/* ---- prepare and open ---- */

static bool open_module(const struct guest_code *code, struct guest *guest, struct err *err) {
  guest->kind = code->kind;
  guest->turn.preparing = true;
  guest->hash = guest_engine_hash(code->kind);
  if (code->kind == GUEST_JS) return js_open(guest, code->memory_bytes_max, err);
  return wasm_open(guest, code, err);
}

/* The base image is part of this program: whoever forks workers checks it once for all of them. */
static bool base_is_read;
static struct snapshot base_read;

static bool read_base(struct snapshot *ret_base, struct err *err) {
  size_t len = (size_t)(guest_base_image_end - guest_base_image);
  if (!base_is_read)
    TRY(snapshot_read(bytes_of(guest_base_image, len), GUEST_JS, guest_engine_hash(GUEST_JS),
                      &base_read, err));
  base_is_read = true;
  *ret_base = base_read;
  return true;
}

void guest_warm(void) {
  struct snapshot base;
  struct err ignored; /* a worker that needs the base says so itself */
  js_digest_init();
  if (!read_base(&base, &ignored)) base_is_read = false;
}

static bool prepare_js(struct guest *guest, const struct guest_code *code, int fd,
                       struct err *err) {
  struct snapshot base;
  TRY(read_base(&base, err));
  TRY(snapshot_apply(&base, NULL, &guest->in, err));
  memcpy(guest->words, base.words, sizeof guest->words);
  TRY(js_prepare(guest, code, err));
  return snapshot_write(&guest->in, GUEST_JS, guest->hash, guest->words, &base, fd, err);
}

static bool prepare_wasm(struct guest *guest, const struct guest_code *code, int fd,
                         struct err *err) {
  TRY(wasm_prepare(guest, code, err));
  return snapshot_write(&guest->in, GUEST_WASM, guest->hash, guest->words, NULL, fd, err);
}

bool guest_prepare(const struct guest_code *code, int snapshot_fd, struct err *err) {
  struct guest *guest = must_alloc(sizeof *guest);
  bool ok = open_module(code, guest, err);
  if (ok)
    ok = code->kind == GUEST_JS ? prepare_js(guest, code, snapshot_fd, err)
                                : prepare_wasm(guest, code, snapshot_fd, err);
  guest_close(&guest);
  return ok;
}

static bool map_image(struct guest *guest, int fd, struct err *err) {
  off_t bytes = lseek(fd, 0, SEEK_END); /* fstat would let a worker ask about other files, too */
  if (bytes < 0) {
    err_set_errno(err, errno, ERR_PLACE, "opening the snapshot");
    return false;
  }
  if (bytes == 0) FAIL(ERR_CORRUPT, "the snapshot is empty");
  guest->image_bytes = (size_t)bytes;
  guest->image = mmap(NULL, guest->image_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (guest->image != MAP_FAILED) return true;
  guest->image = NULL;
  err_set_errno(err, errno, ERR_PLACE, "mapping the snapshot");
  return false;
}

static bool open_snapshot(struct guest *guest, int fd, struct err *err) {
  struct snapshot snapshot, base;
  TRY(map_image(guest, fd, err));
  TRY(snapshot_read(bytes_of(guest->image, guest->image_bytes), guest->kind, guest->hash, &snapshot,
                    err));
  if (guest->kind == GUEST_JS) TRY(read_base(&base, err));
  TRY(snapshot_apply(&snapshot, guest->kind == GUEST_JS ? &base : NULL, &guest->in, err));
  memcpy(guest->words, snapshot.words, sizeof guest->words);
  return true;
}

bool guest_open(const struct guest_code *code, int snapshot_fd, struct guest **ret_guest,
                struct err *err) {
  struct guest *guest = must_alloc(sizeof *guest);
  bool ok = open_module(code, guest, err) && open_snapshot(guest, snapshot_fd, err);
  if (!ok) {
    guest_close(&guest);
    return false;
  }
  *ret_guest = guest;
  return true;
}

void guest_close(struct guest **guest) {
  if (!*guest) return;
  instance_close(&(*guest)->in);
  if ((*guest)->image) munmap((*guest)->image, (*guest)->image_bytes);
  wasm_close(*guest);
  free(*guest);
  *guest = NULL;
}

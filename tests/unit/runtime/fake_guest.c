/* tests/unit/runtime/fake_guest.c: guest.h in a few lines, so that tests of the pool need no
 * engine.
 *
 * The event is a verb and an argument: "echo TEXT", "sleep MS", "loop", "crash", "exit N",
 * "effect N BYTES", "flood N" (log lines), "big BYTES", "throw", "eat MIB", "attack NAME". The
 * source "hang", "fail" or "hang open" makes preparing or opening go wrong. After an attack that
 * was not stopped the answer is "escaped" or the errno's name.                                   */
#define _GNU_SOURCE /* the attacks try what a worker must not be able to do */
#include "base/must.h"
#include "runtime/guest.h"
#include "tests/unit/runtime/attacks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct guest {
  char seen[16]; /* what was in the snapshot */
};

void guest_warm(void) {
}

bool guest_prepare(const struct guest_code *code, int snapshot_fd, struct err *err) {
  if (bytes_eq_str(code->source, "hang")) {
    for (volatile int on = 1; on;) {}
  }
  if (bytes_eq_str(code->source, "fail")) FAIL(ERR_GUEST, "TypeError: nothing here");
  if (pwrite(snapshot_fd, "snapshot", 8, 0) != 8) FAIL(ERR_IO, "write");
  return true;
}

bool guest_open(const struct guest_code *code, int snapshot_fd, struct guest **ret_guest,
                struct err *err) {
  struct guest *guest = must_alloc(sizeof *guest);
  if (pread(snapshot_fd, guest->seen, sizeof guest->seen - 1, 0) < 0) FAIL(ERR_IO, "read");
  if (bytes_eq_str(code->source, "fail open")) FAIL(ERR_GUEST, "it does not open");
  if (bytes_eq_str(code->source, "crash open")) abort();
  if (strcmp(guest->seen, "snapshot") != 0) FAIL(ERR_CORRUPT, "the snapshot is damaged");
  *ret_guest = guest;
  return true;
}

static void answer_of(const struct guest_host *host, struct buf *body, uint64_t count,
                      size_t bytes) {
  char *payload = must_alloc(bytes + 1);
  memset(payload, 'p', bytes);
  size_t got = 0;
  for (uint64_t i = 1; i <= count; i++)
    host->request(host->self, i, BYTES("state.get"), bytes_of(payload, bytes));
  for (uint64_t i = 1; i <= count; i++) {
    struct guest_answer answer;
    must(host->wait(host->self, INT64_MAX, &answer));
    got += answer.body.len;
  }
  free(payload);
  buf_printf(body, "%llu answers, %zu bytes", (unsigned long long)count, got);
}

static void eat(size_t mib, struct buf *body) {
  for (size_t i = 0; i < mib; i++) {
    uint8_t *at = malloc(1 << 20);
    if (!at) {
      buf_printf(body, "refused after %zu MiB", i);
      return;
    }
    memset(at, 1, 1 << 20);
  }
  buf_printf(body, "ate %zu MiB", mib);
}

static void verb(const struct guest_input *input, const struct guest_host *host,
                 struct guest_output *output) {
  char text[256];
  struct bytes argument, word = bytes_cut(input->event, ' ', &argument);
  bytes_text(argument, text, sizeof text);
  long number = strtol(text, NULL, 10);
  struct guest_answer answer;
  if (bytes_eq_str(word, "echo")) buf_put(output->body, argument);
  if (bytes_eq_str(word, "sleep")) {
    host->wait(host->self, host->mono_ns(host->self) + number * 1000000, &answer);
    buf_str(output->body, "slept");
  }
  if (bytes_eq_str(word, "loop"))
    for (volatile int on = 1; on;) {}
  if (bytes_eq_str(word, "crash")) __builtin_trap();
  if (bytes_eq_str(word, "exit")) _exit((int)number);
  if (bytes_eq_str(word, "effect")) {
    const char *bytes = strchr(text, ' ');
    answer_of(host, output->body, (uint64_t)number, bytes ? strtoul(bytes, NULL, 10) : 2);
  }
  for (long i = 0; bytes_eq_str(word, "flood") && i < number; i++)
    host->log(host->self, GUEST_LOG_INFO,
              BYTES("a line of a flood that has about sixty-four bytes"));
  if (bytes_eq_str(word, "big")) {
    uint8_t *at = buf_room(output->body, (size_t)number);
    if (at) memset(at, 'b', (size_t)number), buf_grew(output->body, (size_t)number);
  }
  if (bytes_eq_str(word, "throw")) {
    output->result = GUEST_THREW;
    output->reason = "threw";
    buf_str(output->body, "{\"errorMessage\":\"no\"}");
  }
  if (bytes_eq_str(word, "trap")) {
    output->result = GUEST_TRAPPED;
    output->reason = "stack";
    buf_str(output->body, "stack overflow");
  }
  if (bytes_eq_str(word, "eat")) eat((size_t)number, output->body);
  if (bytes_eq_str(word, "env")) {
    extern char **environ;
    for (char **at = environ; at && *at; at++) buf_str(output->body, *at);
  }
  if (bytes_eq_str(word, "attack")) buf_str(output->body, attack(text));
}

void guest_run(struct guest *guest, const struct guest_input *input, const struct guest_host *host,
               struct guest_output *output) {
  output->result = GUEST_RETURNED;
  output->reason = "returned";
  output->memory_bytes = 65536;
  output->dirty_pages = 3;
  verb(input, host, output);
  output->restore_ns = 1000;
}

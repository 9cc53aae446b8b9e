/* runtime/pool_end.c: how a run ends, in Lambda's words.
 *
 * The body of a failed run is {"errorMessage", "errorType"}, as Lambda's clients expect it. What a
 * function itself threw goes through unchanged.                                                  */
#include "runtime/pool_parts.h"

#include "wire/json.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct pool_ending pool_end_take(struct pool_worker *worker) {
  struct run_handle *run = worker->run;
  worker->run = NULL;
  if (run) {
    run->worker = NULL;
    run->stage = STAGE_NONE;
  }
  return (struct pool_ending){.pool = worker->pool, .run = run, .meter = worker->meter};
}

/* The run's memory may end within this call. */
static void finish(struct pool_ending *ending, struct run_done *done) {
  done->meter = ending->meter;
  done->meter.out_bytes += done->body.len;
  ending->run->callbacks->done(ending->run, done);
}

static struct bytes error_json(struct buf *buf, const char *type, const char *message) {
  struct json_out out;
  json_out_init(&out, buf);
  json_out_open(&out, '{');
  json_out_member_str(&out, "errorMessage", message);
  json_out_member_str(&out, "errorType", type);
  json_out_close(&out, '}');
  return buf_bytes(buf);
}

static void fail(struct pool_ending *ending, enum run_end end, const char *reason, const char *type,
                 const char *message) {
  struct buf buf;
  buf_init(&buf, 4096);
  struct run_done done = {.end = end, .reason = reason, .body = error_json(&buf, type, message)};
  finish(ending, &done);
  buf_fini(&buf);
}

static void take_meter(struct pool_ending *ending, const struct ring_done *done) {
  struct run_meter *meter = &ending->meter;
  meter->restore_us = done->restore_us;
  meter->run_us = done->run_us;
  meter->effect_us = done->effect_us;
  meter->cpu_us = done->cpu_us;
  meter->memory_bytes = done->memory_bytes;
  meter->dirty_pages = done->dirty_pages;
}

/* What the guest could not go on from, by its reason. */
static void fail_trapped(struct pool_ending *ending, const char *reason, struct bytes sentence) {
  static const struct {
    const char *reason, *type;
  } types[] = {{"memory", "Runtime.OutOfMemory"},
               {"stack", "Runtime.StackOverflow"},
               {"output", "Function.ResponseSizeTooLarge"},
               {"unsettled", "Runtime.Unsettled"}};
  char text[512];
  const char *type = "Runtime.Trapped";
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(reason, types[i].reason) == 0) type = types[i].type;
  if (sentence.len)
    bytes_text(sentence, text, sizeof text);
  else
    snprintf(text, sizeof text, "the result is larger than the limit of %u bytes",
             GUEST_OUTPUT_BYTES_MAX);
  fail(ending, RUN_FAILED, reason, type, text);
}

/* `body` stays valid: it lives in pool->result. */
void pool_end_run(struct pool_ending *ending, const struct ring_done *done, struct bytes body) {
  struct run_done report = {.end = RUN_SUCCEEDED, .reason = "", .body = body};
  take_meter(ending, done);
  if (done->result == GUEST_TRAPPED) {
    fail_trapped(ending, ring_reason_word(done->reason), body);
    return;
  }
  if (done->result == GUEST_THREW) {
    report.end = RUN_FAILED;
    report.reason = ring_reason_word(done->reason); /* threw, or the limit that made it throw */
  }
  finish(ending, &report);
}

void pool_end_timeout(struct pool_ending *ending) {
  char text[96];
  int64_t ms = ending->run->time_ms_max;
  snprintf(text, sizeof text, "Task timed out after %lld.%02lld seconds", (long long)(ms / 1000),
           (long long)(ms % 1000 / 10));
  int64_t late_ns = pool_now(ending->pool) - ending->run->input.deadline_mono_ns;
  ending->meter.run_us = ms * 1000 + (late_ns > 0 ? late_ns / 1000 : 0);
  fail(ending, RUN_TIMED_OUT, "time", "Sandbox.Timedout", text);
}

void pool_end_broken(struct pool_ending *ending) {
  fail(ending, RUN_FAILED, "killed", "Runtime.ExitError",
       "the worker was killed: it broke the format of its ring");
}

void pool_end_death(struct pool_ending *ending, const struct launch_report *report) {
  char text[160];
  ending->meter.memory_bytes = report->memory_bytes;
  if (report->signal == SIGKILL && ending->pool->launcher_up) {
    fail(ending, RUN_FAILED, "memory", "Runtime.OutOfMemory",
         "the worker was killed by the kernel, most likely for want of memory");
    return;
  }
  if (!ending->pool->launcher_up)
    snprintf(text, sizeof text, "the worker was killed: its launcher ended");
  else if (report->signal == SIGSYS)
    snprintf(text, sizeof text, "the worker was killed: it tried a forbidden system call");
  else if (report->signal)
    snprintf(text, sizeof text, "the worker was killed by signal %d", (int)report->signal);
  else
    snprintf(text, sizeof text, "the worker exited with status %d", (int)report->status);
  fail(ending, RUN_FAILED, "killed", "Runtime.ExitError", text);
}

static void end_waiting(struct run_handle *run, struct run_done *done, const char *type,
                        const char *message, int64_t now_ns) {
  struct buf buf;
  buf_init(&buf, 4096);
  done->body = error_json(&buf, type, message);
  done->meter.wait_us = (now_ns - run->asked_ns) / 1000;
  run->stage = STAGE_NONE;
  run->callbacks->done(run, done);
  buf_fini(&buf);
}

void pool_end_unstarted(struct pool *pool, struct run_handle *run, const struct err *err) {
  char text[320];
  struct run_done done = {.end = RUN_FAILED, .reason = "start"};
  snprintf(text, sizeof text, "no worker could be started: %s", err->detail);
  end_waiting(run, &done, "Runtime.StartError", text, pool_now(pool));
}

/* Worked out again instead of kept: which of the reasons holds is visible from the run. */
void pool_end_refused(struct pool *pool, struct run_handle *run) {
  char text[320];
  struct run_done done = {.end = RUN_REFUSED, .reason = "limit"};
  const struct guest_input *input = &run->input;
  size_t bytes = input->event.len + input->context.len + input->env.len + input->handler.len;
  if (pool->level < run->code->isolation_floor || pool->level == SANDBOX_NONE) {
    done.reason = "isolation";
    snprintf(text, sizeof text, "this host's isolation level is %s, the function demands %s%s%s",
             sandbox_level_name(pool->level),
             sandbox_level_name((enum sandbox_level)run->code->isolation_floor),
             pool->why_not[0] ? ": " : "", pool->why_not);
  } else if (bytes > RUNTIME_INPUT_BYTES_MAX) {
    snprintf(text, sizeof text, "the input has %zu bytes, more than the limit of %u", bytes,
             RUNTIME_INPUT_BYTES_MAX);
  } else if (run->wait_ms_max > 0 &&
             pool_now(pool) - run->asked_ns >= run->wait_ms_max * POOL_NS_PER_MS) {
    done.reason = "wait";
    snprintf(text, sizeof text, "no worker became free within %lld ms",
             (long long)run->wait_ms_max);
  } else {
    snprintf(text, sizeof text, "more than %d runs wait for a worker", RUNTIME_WAITING_MAX);
  }
  end_waiting(run, &done, "Runtime.Refused", text, pool_now(pool));
}

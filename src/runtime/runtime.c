/* runtime/runtime.c: calls through the port. */
#include "runtime/runtime.h"

void runtime_start(struct runtime *runtime, struct run_handle *run) {
  runtime->ops->start(runtime->self, run);
}

void runtime_answer(struct runtime *runtime, struct run_handle *run, uint64_t ordinal, bool ok,
                    struct bytes body) {
  runtime->ops->answer(runtime->self, run, ordinal, ok, body);
}

void runtime_cancel(struct runtime *runtime, struct run_handle *run) {
  runtime->ops->cancel(runtime->self, run);
}

void runtime_prepare(struct runtime *runtime, struct runtime_code *code,
                     void (*done)(void *arg, const struct err *err), void *arg) {
  runtime->ops->prepare(runtime->self, code, done, arg);
}

void runtime_retire(struct runtime *runtime, struct runtime_code *code) {
  runtime->ops->retire(runtime->self, code);
}

const char *runtime_engine(struct runtime *runtime, enum guest_kind kind) {
  return runtime->ops->engine ? runtime->ops->engine(runtime->self, kind) : "none";
}

/* runtime/wasm_abi.c: the imports of the module "medulla"; sdk/c/medulla.h declares them.
 *
 * Offsets and lengths that do not fit the module's memory trap it, as its own wrong access would.
 * Sizes and reads come in pairs so that a module brings its own room for what it reads. */
#include "runtime/trap.h"
#include "runtime/wasm_impl.h"

#include <string.h>

enum { STATUS_OK, STATUS_FAILED, STATUS_REFUSED };

static struct bytes bytes_or_trap(struct instance *env, uint32_t at, uint32_t len) {
  struct bytes b;
  if (!guest_bytes_at(env, at, len, &b)) trap_throw(WASM_RT_TRAP_OOB);
  return b;
}

/* Copies from[at..] to guest memory: how much there was room and content for. */
static uint32_t read_from(struct instance *env, struct bytes from, uint32_t to, uint32_t at,
                          uint32_t len) {
  struct bytes part = bytes_sub(from, at, len);
  uint8_t *room = guest_room_at(env, to, (uint32_t)part.len);
  if (!room) trap_throw(WASM_RT_TRAP_OOB);
  if (part.len > 0) memcpy(room, part.at, part.len);
  return (uint32_t)part.len;
}

/* Running, not preparing; remembers what was asked for. */
static bool may(struct instance *env, const char *what) {
  if (!wasm_guest(env)->turn.preparing) return true;
  wasm_language(env)->refused = what;
  return false;
}

static struct bytes event_of(struct instance *env) {
  const struct guest_input *input = wasm_guest(env)->turn.input;
  return input ? input->event : BYTES_NONE;
}
static struct bytes context_of(struct instance *env) {
  const struct guest_input *input = wasm_guest(env)->turn.input;
  return input ? input->context : BYTES_NONE;
}

static uint32_t abi_event_size(struct instance *env) {
  return may(env, "an event") ? (uint32_t)event_of(env).len : 0;
}
static uint32_t abi_event_read(struct instance *env, uint32_t to, uint32_t at, uint32_t len) {
  return may(env, "an event") ? read_from(env, event_of(env), to, at, len) : 0;
}
static uint32_t abi_context_size(struct instance *env) {
  return may(env, "a run's context") ? (uint32_t)context_of(env).len : 0;
}
static uint32_t abi_context_read(struct instance *env, uint32_t to, uint32_t at, uint32_t len) {
  return may(env, "a run's context") ? read_from(env, context_of(env), to, at, len) : 0;
}

static uint32_t abi_result_write(struct instance *env, uint32_t at, uint32_t len) {
  struct bytes part = bytes_or_trap(env, at, len);
  if (!may(env, "a result")) return STATUS_REFUSED;
  if (wasm_result(wasm_guest(env), part)) return STATUS_OK;
  guest_end_error(wasm_guest(env), GUEST_THREW, "output", "Medulla.OutputTooLarge",
                  "the result is larger than its limit of 6 MiB");
  trap_throw(TRAP_EXIT);
}

/* fail(json): the run ends as failed with this Lambda error object as its answer. */
static void abi_fail(struct instance *env, uint32_t at, uint32_t len) {
  struct bytes json = bytes_or_trap(env, at, len);
  if (!may(env, "a result")) trap_throw(TRAP_EXIT);
  guest_end(wasm_guest(env), GUEST_THREW, "threw", json);
  trap_throw(TRAP_EXIT);
}

static void abi_log(struct instance *env, uint32_t level, uint32_t at, uint32_t len) {
  guest_log(wasm_guest(env), level, bytes_or_trap(env, at, len));
}

/* ---- effects ---- */

static uint64_t abi_send(struct instance *env, uint32_t effect, uint32_t effect_len,
                         uint32_t payload, uint32_t payload_len) {
  struct bytes name = bytes_or_trap(env, effect, effect_len);
  struct bytes body = bytes_or_trap(env, payload, payload_len);
  return may(env, "an effect") ? guest_request(wasm_guest(env), name, body) : 0;
}

static struct wasm_answer *take_answer(struct wasm_language *language, uint64_t ordinal) {
  for (struct wasm_answer **at = &language->answers; *at; at = &(*at)->next) {
    struct wasm_answer *answer = *at;
    if (answer->ordinal != ordinal) continue;
    *at = answer->next;
    return answer;
  }
  return NULL;
}

/* One more answer into the list. */
static void next_answer(struct guest *guest) {
  struct wasm_language *language = guest->language;
  const struct guest_host *host = guest->turn.host;
  struct guest_answer came;
  if (!host->wait(host->self, INT64_MAX, &came)) {
    guest_end_error(guest, GUEST_THREW, "unsettled", "Medulla.Unsettled",
                    "the module waits for an answer that cannot come");
    trap_throw(TRAP_EXIT);
  }
  struct wasm_answer *answer = ARENA_NEW(&language->arena, struct wasm_answer);
  struct bytes body = arena_copy(&language->arena, came.body);
  if (!arena_ok(&language->arena)) {
    guest_end_error(guest, GUEST_THREW, "memory", "Medulla.Limit",
                    "the answers of one run are larger than their limit of 64 MiB");
    trap_throw(TRAP_EXIT);
  }
  *answer = (struct wasm_answer){language->answers, came.ordinal, came.ok, body};
  language->answers = answer;
}

static uint32_t abi_wait(struct instance *env, uint64_t ordinal) {
  struct guest *guest = wasm_guest(env);
  struct wasm_language *language = guest->language;
  if (!may(env, "an effect") || ordinal == 0 || ordinal > guest->turn.ordinal)
    return STATUS_REFUSED;
  struct wasm_answer *answer;
  while ((answer = take_answer(language, ordinal)) == NULL) next_answer(guest);
  language->last = *answer;
  return answer->ok ? STATUS_OK : STATUS_FAILED;
}

static uint32_t abi_call(struct instance *env, uint32_t effect, uint32_t effect_len,
                         uint32_t payload, uint32_t payload_len) {
  uint64_t ordinal = abi_send(env, effect, effect_len, payload, payload_len);
  return ordinal ? abi_wait(env, ordinal) : STATUS_REFUSED;
}

static uint32_t abi_answer_size(struct instance *env) {
  return (uint32_t)wasm_language(env)->last.body.len;
}
static uint32_t abi_answer_read(struct instance *env, uint32_t to, uint32_t at, uint32_t len) {
  return read_from(env, wasm_language(env)->last.body, to, at, len);
}

/* ---- time and chance ---- */

static uint64_t abi_clock_ms(struct instance *env) {
  return (uint64_t)guest_clock_ms(wasm_guest(env));
}
static uint64_t abi_remaining_ms(struct instance *env) {
  const struct guest_turn *turn = &wasm_guest(env)->turn;
  if (turn->preparing) return 0;
  int64_t left = turn->input->deadline_mono_ns - turn->host->mono_ns(turn->host->self);
  return left < 0 ? 0 : (uint64_t)left / 1000000;
}
static void abi_random(struct instance *env, uint32_t at, uint32_t len) {
  uint8_t *room = guest_room_at(env, at, len);
  if (!room) trap_throw(WASM_RT_TRAP_OOB);
  if (!may(env, "randomness")) trap_throw(TRAP_EXIT);
  guest_random_fill(&wasm_guest(env)->turn.random, room, len);
}

#define ABI(name, signature) \
  { "medulla", #name, signature, (module_fn)abi_##name }
const struct host_function wasm_abi_functions[] = {
    ABI(event_size, ":i"),      ABI(event_read, "iii:i"),  ABI(context_size, ":i"),
    ABI(context_read, "iii:i"), ABI(result_write, "ii:i"), ABI(fail, "ii:v"),
    ABI(log, "iii:v"),          ABI(send, "iiii:I"),       ABI(wait, "I:i"),
    ABI(call, "iiii:i"),        ABI(answer_size, ":i"),    ABI(answer_read, "iii:i"),
    ABI(clock_ms, ":I"),        ABI(remaining_ms, ":I"),   ABI(random, "ii:v"),
};
const size_t wasm_abi_function_count = sizeof wasm_abi_functions / sizeof *wasm_abi_functions;

/* runtime/ring_message.c: fixed heads and the slices behind them. */
#include "runtime/ring_message.h"

#include "runtime/sandbox.h"

#include <string.h>

static const char *const reasons[] = {"trapped", "returned", "threw",    "memory",
                                      "stack",   "output",   "unsettled"};
enum { REASON_COUNT = sizeof reasons / sizeof *reasons };

uint32_t ring_reason_number(const char *word) {
  for (uint32_t i = 0; word && i < REASON_COUNT; i++)
    if (strcmp(word, reasons[i]) == 0) return i;
  return 0;
}

const char *ring_reason_word(uint32_t number) {
  return reasons[number < REASON_COUNT ? number : 0];
}

static struct bytes head_part(const void *head, size_t len) {
  return bytes_of(head, len);
}

/* Copies the fixed head out of the payload; the rest stays behind it. */
static bool take(struct bytes *payload, void *ret_head, size_t len) {
  if (payload->len < len) return false;
  memcpy(ret_head, payload->at, len);
  *payload = bytes_from(*payload, len);
  return true;
}

static bool take_slice(struct bytes *payload, size_t len, struct bytes *ret_slice) {
  if (payload->len < len) return false;
  *ret_slice = bytes_sub(*payload, 0, len);
  *payload = bytes_from(*payload, len);
  return true;
}

void ring_run_out(struct ring_out *ret_out, struct ring_run *head,
                  const struct guest_input *input) {
  *head = (struct ring_run){.clock_ms = input->clock_ms,
                            .deadline_mono_ns = input->deadline_mono_ns,
                            .event_bytes = (uint32_t)input->event.len,
                            .context_bytes = (uint32_t)input->context.len,
                            .env_bytes = (uint32_t)input->env.len,
                            .handler_bytes = (uint32_t)input->handler.len};
  memcpy(head->seed, input->seed, sizeof head->seed);
  *ret_out = (struct ring_out){.kind = RING_RUN,
                               .parts = {head_part(head, sizeof *head), input->event,
                                         input->context, input->env, input->handler},
                               .count = 5};
}

bool ring_run_read(struct bytes payload, struct guest_input *ret_input) {
  struct ring_run head;
  struct guest_input input = {0};
  if (!take(&payload, &head, sizeof head)) return false;
  if (!take_slice(&payload, head.event_bytes, &input.event) ||
      !take_slice(&payload, head.context_bytes, &input.context) ||
      !take_slice(&payload, head.env_bytes, &input.env) ||
      !take_slice(&payload, head.handler_bytes, &input.handler) || payload.len != 0)
    return false;
  input.clock_ms = head.clock_ms;
  input.deadline_mono_ns = head.deadline_mono_ns;
  memcpy(input.seed, head.seed, sizeof input.seed);
  *ret_input = input;
  return true;
}

void ring_answer_out(struct ring_out *ret_out, uint64_t ordinal, bool ok, struct bytes body) {
  static const uint8_t words[2] = {0, 1};
  *ret_out = (struct ring_out){.kind = RING_ANSWER,
                               .ordinal = ordinal,
                               .parts = {bytes_of(&words[ok], 1), body},
                               .count = 2};
}

bool ring_answer_read(const struct ring_message *message, struct guest_answer *ret_answer) {
  struct bytes payload = message->payload;
  uint8_t ok;
  if (!take(&payload, &ok, 1) || ok > 1) return false;
  *ret_answer = (struct guest_answer){.ordinal = message->ordinal, .ok = ok, .body = payload};
  return true;
}

void ring_ready_out(struct ring_out *ret_out, const struct ring_ready *head,
                    struct bytes sentence) {
  *ret_out = (struct ring_out){
      .kind = RING_READY, .parts = {head_part(head, sizeof *head), sentence}, .count = 2};
}

bool ring_ready_read(struct bytes payload, struct ring_ready *ret_head,
                     struct bytes *ret_sentence) {
  struct ring_ready head;
  if (!take(&payload, &head, sizeof head) || head.ok > 1 || head.level > SANDBOX_ISOLATED ||
      head.code >= ERR_COUNT)
    return false;
  *ret_head = head;
  *ret_sentence = payload;
  return true;
}

void ring_request_out(struct ring_out *ret_out, uint64_t ordinal, uint32_t *effect_bytes,
                      struct bytes effect, struct bytes payload) {
  *effect_bytes = (uint32_t)effect.len;
  *ret_out =
      (struct ring_out){.kind = RING_REQUEST,
                        .ordinal = ordinal,
                        .parts = {head_part(effect_bytes, sizeof *effect_bytes), effect, payload},
                        .count = 3};
}

bool ring_request_read(struct bytes payload, struct bytes *ret_effect, struct bytes *ret_payload) {
  uint32_t effect_bytes;
  struct bytes effect;
  if (!take(&payload, &effect_bytes, sizeof effect_bytes)) return false;
  if (effect_bytes == 0 || effect_bytes > RING_EFFECT_BYTES_MAX) return false;
  if (!take_slice(&payload, effect_bytes, &effect)) return false;
  *ret_effect = effect;
  *ret_payload = payload;
  return true;
}

void ring_log_out(struct ring_out *ret_out, uint32_t *number, enum guest_level level,
                  struct bytes line) {
  *number = level;
  *ret_out = (struct ring_out){
      .kind = RING_LOG, .parts = {head_part(number, sizeof *number), line}, .count = 2};
}

bool ring_log_read(struct bytes payload, enum guest_level *ret_level, struct bytes *ret_line) {
  uint32_t level;
  if (!take(&payload, &level, sizeof level) || level > GUEST_LOG_ERROR) return false;
  if (payload.len > GUEST_LOG_LINE_BYTES_MAX) return false;
  *ret_level = (enum guest_level)level;
  *ret_line = payload;
  return true;
}

void ring_done_out(struct ring_out *ret_out, const struct ring_done *head, struct bytes body) {
  *ret_out = (struct ring_out){
      .kind = RING_DONE, .parts = {head_part(head, sizeof *head), body}, .count = 2};
}

bool ring_done_read(struct bytes payload, struct ring_done *ret_head, struct bytes *ret_body) {
  struct ring_done head;
  if (!take(&payload, &head, sizeof head)) return false;
  if (head.result > GUEST_TRAPPED || head.reason >= REASON_COUNT) return false;
  if (head.restore_us < 0 || head.run_us < 0 || head.effect_us < 0 || head.cpu_us < 0) return false;
  if (payload.len > GUEST_OUTPUT_BYTES_MAX) return false;
  *ret_head = head;
  *ret_body = payload;
  return true;
}

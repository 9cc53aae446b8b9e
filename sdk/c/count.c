/* sdk/c/count.c: an example: counts events in the app's state and says how large this one was. */
#include "medulla.h"

static char text[256];

static uint32_t length(const char *s) {
  uint32_t n = 0;
  while (s[n]) n++;
  return n;
}

static uint32_t put(uint32_t at, const char *s) {
  for (; *s; s++) text[at++] = *s;
  return at;
}

static uint32_t put_number(uint32_t at, uint32_t value) {
  char digits[10];
  int count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  while (count > 0) text[at++] = digits[--count];
  return at;
}

__attribute__((export_name("handler"))) int32_t handler(void) {
  static const char effect[] = "state.increment", payload[] = "{\"key\":\"events\",\"by\":1}";
  if (medulla_call(effect, length(effect), payload, length(payload)) != MEDULLA_OK) {
    uint32_t bytes = medulla_answer_read(text, 0, sizeof text);
    medulla_log(MEDULLA_ERROR, text, bytes);
    return 1;
  }
  uint32_t at = put(0, "{\"bytes\":");
  at = put_number(at, medulla_event_size());
  at = put(at, "}");
  medulla_result_write(text, at);
  return 0;
}

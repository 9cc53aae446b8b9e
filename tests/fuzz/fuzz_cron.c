/* cron_parse and cron_next: any text; the instants found must rise. */
#include "base/must.h"
#include "model/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cron cron;
  struct err err;
  if (!cron_parse(bytes_of(data, size), &cron, &err)) return 0;
  int64_t at_ms = 1700000000000;
  for (int i = 0; i < 4; i++) {
    int64_t before_ms = at_ms;
    if (!cron_next(&cron, zone_utc(), at_ms, &at_ms)) break;
    must(at_ms > before_ms);
  }
  return 0;
}

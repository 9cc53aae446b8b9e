/* zone_parse, zone_offset, zone_next_change, zone_instant: any bytes as a time zone file. */
#include "base/must.h"
#include "model/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct zone *zone;
  struct err err;
  if (!zone_parse(bytes_of(data, size), &zone, &err)) return 0;
  int64_t at = -4000000000;
  for (int i = 0; i < 300 && at < 8000000000; i++) {
    int64_t back;
    if (zone_instant(zone, at + zone_offset(zone, at), &back) != ZONE_GAP)
      must(back + zone_offset(zone, back) == at + zone_offset(zone, at));
    int64_t next = zone_next_change(zone, at);
    must(next > at);
    at = next;
  }
  zone_free(&zone);
  return 0;
}

/* telemetry_batch_feed, telemetry_batch_end: wherever the input is cut, the outcome is the same. */
#include "base/must.h"
#include "source/telemetry/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_batch(struct bytes input, size_t piece, struct telemetry_batch *batch) {
  struct err err;
  for (; input.len; input = bytes_from(input, piece))
    if (!telemetry_batch_feed(batch, bytes_sub(input, 0, piece), &err)) return false;
  return telemetry_batch_end(batch, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct telemetry_batch *whole = telemetry_batch_new(BYTES_NONE);
  struct telemetry_batch *cut = telemetry_batch_new(BYTES_NONE);
  struct bytes input = bytes_of(data, size);
  bool ok = read_batch(input, size + 1, whole);
  must(read_batch(input, 1 + size / 3, cut) == ok);
  must(!ok || telemetry_batch_samples(whole) == telemetry_batch_samples(cut));
  for (size_t i = 0; ok && i < telemetry_batch_parts(whole); i++)
    must(bytes_eq(telemetry_batch_part(whole, i).data, telemetry_batch_part(cut, i).data));
  telemetry_batch_free(&whole);
  telemetry_batch_free(&cut);
  return 0;
}

/* bench/bench_telemetry.c: device samples checked and regrouped, without store and functions.
 *
 *   bench-telemetry [SAMPLES]     prints samples per second of one thread                     */
#include "base/must.h"
#include "os/clock.h"
#include "source/telemetry/batch.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEVICES = 500, PIECE_BYTES = 64 << 10, LINE_BYTES = 160 };

static void write_lines(struct buf *text, int samples) {
  static const char *metrics[] = {"spo2", "hr", "rr", "temp", "sbp"};
  for (int i = 0; i < samples; i++)
    buf_printf(text, "{\"dev\":\"monitor-%04d\",\"t\":%lld,\"m\":\"%s\",\"v\":%d.%d,\"seq\":%d}\n",
               i % DEVICES, 1767225600000ll + i, metrics[i % 5], 36 + i % 60, i % 10, i);
  must(buf_ok(text));
}

int main(int argc, char **argv) {
  int samples = argc > 1 ? atoi(argv[1]) : 500000;
  struct telemetry_batch *batch = telemetry_batch_new(BYTES_NONE);
  struct buf text;
  struct err err;
  buf_init(&text, (size_t)samples * LINE_BYTES);
  write_lines(&text, samples);
  int64_t begin = clock_mono_ns(clock_real());
  for (struct bytes left = buf_bytes(&text); left.len; left = bytes_from(left, PIECE_BYTES))
    must(telemetry_batch_feed(batch, bytes_sub(left, 0, PIECE_BYTES), &err));
  must(telemetry_batch_end(batch, &err));
  double s = (double)(clock_mono_ns(clock_real()) - begin) / 1e9;
  printf("telemetry: %d samples, %.0f bytes each, %zu parts: %.0f samples/s\n", samples,
         (double)text.len / samples, telemetry_batch_parts(batch), samples / s);
  telemetry_batch_free(&batch);
  buf_fini(&text);
  return 0;
}

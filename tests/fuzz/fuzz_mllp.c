/* mllp_next: the first byte says in which steps the rest comes; steps change nothing. */
#include "base/must.h"
#include "wire/mllp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t frames(struct bytes all, size_t step, uint64_t *ret_bytes) {
  struct mllp mllp;
  struct buf in;
  uint64_t count = 0;
  buf_init(&in, 1 << 20);
  mllp_init(&mllp, 1 << 20);
  while (all.len) {
    buf_put(&in, bytes_sub(all, 0, step));
    all = bytes_from(all, step);
    for (bool has = true; has;) {
      struct bytes frame;
      size_t consumed;
      must(mllp_next(&mllp, buf_bytes(&in), &consumed, &frame, &has, NULL));
      if (has) *ret_bytes += frame.len;
      count += has;
      buf_consume(&in, consumed);
    }
  }
  buf_fini(&in);
  return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint64_t whole = 0, split = 0;
  if (!size || size > 1 << 16) return 0;
  struct bytes all = bytes_of(data + 1, size - 1);
  must(frames(all, size, &whole) == frames(all, (size_t)data[0] + 1, &split) && whole == split);
  return 0;
}

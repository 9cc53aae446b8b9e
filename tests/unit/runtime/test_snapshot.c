/* tests/unit/runtime/test_snapshot.c: damaged snapshots are refused with what is wrong. */
#define _GNU_SOURCE /* memfd_create */
#include "tests/unit/test.h"

#include "base/digest.h"
#include "runtime/guest.h"
#include "runtime/snapshot.h"

#include <sys/mman.h>
#include <unistd.h>

static uint8_t image[1 << 20];
static size_t image_bytes;
static const struct guest_code code = {.kind = GUEST_JS,
                                       .source = BYTES_INIT("export const handler = (e) => e;"),
                                       .file_name = "a.js",
                                       .module = true,
                                       .memory_bytes_max = 64u << 20};

static int make_image(void **state) {
  struct err err;
  int fd = memfd_create("snapshot", 0);
  assert_ok(guest_prepare(&code, fd, &err), err);
  image_bytes = (size_t)pread(fd, image, sizeof image, 0);
  close(fd);
  return image_bytes > 4096 ? 0 : -1;
}

static bool read_it(const uint8_t *at, size_t bytes, const char *hash, struct err *err) {
  struct snapshot snapshot;
  return snapshot_read(bytes_of(at, bytes), GUEST_JS, hash, &snapshot, err);
}

/* A copy with one byte changed; with a checksum that fits when `sealed`. */
static uint8_t *changed(size_t at, uint8_t value, bool sealed) {
  static uint8_t copy[sizeof image];
  memcpy(copy, image, image_bytes);
  copy[at] = value;
  size_t body = image_bytes - SHA256_BYTES;
  if (sealed) sha256(bytes_of(copy, body), copy + body);
  return copy;
}

static void cut_anywhere_is_corrupt(void **state) {
  const char *hash = guest_engine_hash(GUEST_JS);
  struct err err;
  assert_ok(read_it(image, image_bytes, hash, &err), err);
  for (size_t len = 0; len < image_bytes; len += len < 300 ? 1 : 997)
    assert_fails(read_it(image, len, hash, &err), err, ERR_CORRUPT);
}

static void one_bit_anywhere_is_noticed(void **state) {
  struct err err;
  for (size_t at = 0; at < image_bytes; at += at < 300 ? 1 : 997)
    assert_false(
        read_it(changed(at, image[at] ^ 4, false), image_bytes, guest_engine_hash(GUEST_JS), &err));
}

static void other_formats_and_engines(void **state) {
  const char *hash = guest_engine_hash(GUEST_JS);
  struct err err;
  assert_fails(read_it(changed(8, 99, true), image_bytes, hash, &err), err, ERR_NEWER);
  assert_fails(read_it(changed(12, 1, true), image_bytes, hash, &err), err, ERR_CORRUPT);
  assert_fails(read_it(image, image_bytes, guest_engine_hash(GUEST_WASM), &err), err,
               ERR_UNSUPPORTED);
}

/* With a checksum that fits, every number is still checked before it is used. */
static void sealed_lies_do_no_harm(void **state) {
  struct err err;
  for (size_t at = 88; at < 400; at++) {
    for (int value = 0; value < 256; value += 51) {
      int fd = memfd_create("snapshot", 0);
      struct guest *guest = NULL;
      const uint8_t *copy = changed(at, (uint8_t)value, true);
      assert_int_equal(write(fd, copy, image_bytes), image_bytes);
      if (at < 112 || at >= 176) {
        bool opened = guest_open(&code, fd, &guest, &err);
        if (opened) guest_close(&guest);
      }
      close(fd);
    }
  }
}

static void limits_are_kept(void **state) {
  struct guest_code small = code;
  struct guest *guest;
  struct err err;
  int fd = memfd_create("snapshot", 0);
  small.memory_bytes_max = 4u << 20;
  assert_fails(guest_prepare(&small, fd, &err), err, ERR_LIMIT);
  assert_fails(guest_open(&code, fd, &guest, &err), err, ERR_CORRUPT); /* empty */
  assert_fails(guest_open(&code, -1, &guest, &err), err, ERR_IO);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cut_anywhere_is_corrupt),   cmocka_unit_test(one_bit_anywhere_is_noticed),
      cmocka_unit_test(other_formats_and_engines), cmocka_unit_test(sealed_lies_do_no_harm),
      cmocka_unit_test(limits_are_kept),
  };
  return cmocka_run_group_tests(tests, make_image, NULL);
}

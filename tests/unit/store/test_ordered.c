/* The skip list against a sorted array, and the small packings beside it. */
#include "tests/unit/test.h"

#include "store/ordered.h"
#include "store/pack.h"

enum { KEYS = 64, STEPS = 20000 };

static struct bytes key_of(unsigned number, char text[8]) {
  snprintf(text, 8, "%03u", number);
  return bytes_str(text);
}

static void compare(const struct ordered *ordered, const uint64_t versions[KEYS]) {
  char text[8];
  size_t count = 0;
  const struct ordered_node *node = ordered_first(ordered), *before = NULL;
  for (unsigned i = 0; i < KEYS; i++) {
    if (!versions[i]) continue;
    assert_non_null(node);
    assert_bytes(node->key, (key_of(i, text), text));
    assert_int_equal(node->version, versions[i]);
    assert_ptr_equal(ordered_prev(ordered, node), before);
    before = node;
    node = ordered_next(node);
    count++;
  }
  assert_null(node);
  assert_ptr_equal(ordered_last(ordered), before);
  assert_int_equal(ordered->count, count);
}

static void behaves_like_a_sorted_array(void **state) {
  struct ordered ordered;
  uint64_t versions[KEYS] = {0}, dice = 7;
  char text[8];
  ordered_init(&ordered);
  for (uint64_t step = 1; step < STEPS; step++) {
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    unsigned number = (unsigned)(dice >> 33) % KEYS;
    struct bytes key = key_of(number, text);
    if (dice >> 62) {
      ordered_put(&ordered, key, key, step);
      versions[number] = step;
    } else {
      ordered_drop(&ordered, key);
      versions[number] = 0;
    }
    if (step % 100 == 0) compare(&ordered, versions);
  }
  ordered_clear(&ordered);
  assert_null(ordered_first(&ordered));
  assert_null(ordered_last(&ordered));
  ordered_fini(&ordered);
}

static void seeks_both_ways(void **state) {
  struct ordered ordered;
  ordered_init(&ordered);
  assert_null(ordered_seek(&ordered, BYTES("")));
  assert_null(ordered_seek_back(&ordered, BYTES("z")));
  ordered_put(&ordered, BYTES("b"), BYTES("1"), 1);
  ordered_put(&ordered, BYTES("d"), BYTES("2"), 2);
  assert_bytes(ordered_seek(&ordered, BYTES(""))->key, "b");
  assert_bytes(ordered_seek(&ordered, BYTES("b"))->key, "b");
  assert_bytes(ordered_seek(&ordered, BYTES("c"))->key, "d");
  assert_null(ordered_seek(&ordered, BYTES("e")));
  assert_bytes(ordered_seek_back(&ordered, BYTES("e"))->key, "d");
  assert_bytes(ordered_seek_back(&ordered, BYTES("d"))->key, "d");
  assert_bytes(ordered_seek_back(&ordered, BYTES("c"))->key, "b");
  assert_null(ordered_seek_back(&ordered, BYTES("a")));
  ordered_put(&ordered, BYTES("b"), BYTES("longer than before"), 3);
  assert_bytes(ordered_get(&ordered, BYTES("b"))->value, "longer than before");
  ordered_fini(&ordered);
}

static void numbers_keep_their_order(void **state) {
  static const uint64_t numbers[] = {0, 1, 255, 256, UINT32_MAX, 1ull << 32, UINT64_MAX};
  uint8_t a[8], b[8];
  for (size_t i = 1; i < sizeof numbers / sizeof *numbers; i++) {
    pack_u64(a, numbers[i - 1]);
    pack_u64(b, numbers[i]);
    assert_true(memcmp(a, b, 8) < 0);
    assert_true(unpack_u64(b) == numbers[i]);
    pack_u32(a, (uint32_t)numbers[i]);
    assert_int_equal(unpack_u32(a), (uint32_t)numbers[i]);
  }
}

static void prefixes_have_an_end(void **state) {
  struct buf end;
  buf_init(&end, 3);
  assert_true(pack_prefix_end(BYTES("ab"), &end));
  assert_bytes(buf_bytes(&end), "ac");
  assert_true(pack_prefix_end(BYTES("a\xff\xff"), &end));
  assert_bytes(buf_bytes(&end), "b");
  assert_false(pack_prefix_end(BYTES("\xff\xff"), &end));
  assert_false(pack_prefix_end(BYTES(""), &end));
  assert_false(pack_prefix_end(BYTES("four"), &end));
  buf_fini(&end);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(behaves_like_a_sorted_array),
      cmocka_unit_test(seeks_both_ways),
      cmocka_unit_test(numbers_keep_their_order),
      cmocka_unit_test(prefixes_have_an_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A page is found to be what was written, where it was written, by whom; a value likewise. */
#include "tests/unit/test.h"

#include "store/page.h"
#include "store/seal.h"

static const struct page_key key = {.store_id = {1, 2, 3}, .epoch = 5};
static uint8_t plain[PAGE_BYTES], coded[PAGE_BYTES], back[PAGE_BYTES];

static void encode(uint32_t number) {
  for (size_t i = 0; i < PAGE_BYTES - PAGE_RESERVE_BYTES; i++) plain[i] = (uint8_t)(i * 7 >> 2);
  page_encode(&key, &(struct page_place){.number = number}, plain, coded);
  memcpy(back, coded, PAGE_BYTES);
}

static void comes_back(void **state) {
  encode(9);
  assert_memory_equal(coded, plain, PAGE_BYTES - PAGE_RESERVE_BYTES);
  assert_true(page_decode(&key, &(struct page_place){.number = 9}, back));
  assert_memory_equal(back, plain, PAGE_BYTES);
  /* A later opening reads what an earlier one wrote. */
  struct page_key later = key;
  later.epoch = 6;
  memcpy(back, coded, PAGE_BYTES);
  assert_true(page_decode(&later, &(struct page_place){.number = 9}, back));
}

static void every_flipped_bit_is_found(void **state) {
  encode(9);
  for (size_t bit = 0; bit < PAGE_BYTES * 8; bit++) {
    back[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (page_decode(&key, &(struct page_place){.number = 9}, back)) fail_msg("bit %zu", bit);
    back[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  assert_true(page_decode(&key, &(struct page_place){.number = 9}, back));
}

static void the_wrong_place_is_found(void **state) {
  struct page_key other = key;
  other.store_id[15] = 1;
  encode(9);
  assert_false(page_decode(&key, &(struct page_place){.number = 10}, back));
  assert_false(page_decode(&other, &(struct page_place){.number = 9}, back));
  assert_true(page_decode(&key, &(struct page_place){.number = 9}, back));
}

static void the_identity_seals_with_its_format(void **state) {
  const struct seal_port *seal = seal_identity();
  struct seal_place place = {.table = "event"};
  struct buf sealed, scratch;
  struct bytes opened;
  struct err err;
  buf_init(&sealed, 6);
  buf_init(&scratch, 10);
  assert_ok(seal->seal(seal->self, &place, BYTES("value"), &sealed, &err), err);
  assert_int_equal(sealed.len, 6);
  assert_ok(seal->open(seal->self, &place, buf_bytes(&sealed), &scratch, &opened, &err), err);
  assert_bytes(opened, "value");
  sealed.at[0] = 1;
  assert_fails(seal->open(seal->self, &place, buf_bytes(&sealed), &scratch, &opened, &err), err,
               ERR_CORRUPT);
  assert_fails(seal->open(seal->self, &place, BYTES_NONE, &scratch, &opened, &err), err,
               ERR_CORRUPT);
  assert_fails(seal->seal(seal->self, &place, BYTES("x"), &sealed, &err), err, ERR_LIMIT);
  buf_fini(&sealed);
  buf_fini(&scratch);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(comes_back),
      cmocka_unit_test(every_flipped_bit_is_found),
      cmocka_unit_test(the_wrong_place_is_found),
      cmocka_unit_test(the_identity_seals_with_its_format),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

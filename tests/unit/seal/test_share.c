/* Any k shares give the key back; fewer, wrong ones and slips of the pen do not. */
#include "tests/unit/test.h"

#include "seal/share.h"

static struct share shares[SHARES_MAX];
static struct root *root;

static int set_up(void **state) {
  root = root_random(random_real());
  return 0;
}

static int tear_down(void **state) {
  root_free(&root);
  return 0;
}

static void any_k_give_it_back(void **state) {
  struct err err;
  for (unsigned count = 2; count <= 6; count++)
    for (unsigned needed = 2; needed <= count; needed++) {
      assert_ok(share_split(root, random_real(), needed, count, shares, &err), err);
      for (unsigned set = 0; set < 1u << count; set++) {
        struct share some[6];
        unsigned have = 0;
        struct root *back = NULL;
        for (unsigned i = 0; i < count; i++)
          if (set >> i & 1) some[have++] = shares[i];
        bool good = share_join(some, have, &back, &err);
        assert_int_equal(good, have >= needed);
        if (!good) continue;
        assert_memory_equal(back->key, root->key, ROOT_KEY_BYTES);
        root_free(&back);
      }
    }
}

static void the_most_there_may_be(void **state) {
  struct err err;
  struct root *back;
  assert_ok(share_split(root, random_real(), SHARES_MAX, SHARES_MAX, shares, &err), err);
  assert_ok(share_join(shares, SHARES_MAX, &back, &err), err);
  assert_string_equal(back->id, root->id);
  root_free(&back);
  assert_fails(share_split(root, random_real(), 1, 3, shares, &err), err, ERR_LIMIT);
  assert_fails(share_split(root, random_real(), 4, 3, shares, &err), err, ERR_LIMIT);
  assert_fails(share_split(root, random_real(), 2, SHARES_MAX + 1, shares, &err), err, ERR_LIMIT);
}

/* With one share fewer every key is as likely as another: a byte of it takes all values. */
static void one_share_tells_nothing(void **state) {
  struct err err;
  bool seen[256] = {false};
  unsigned kinds = 0;
  for (int i = 0; i < 4000; i++) {
    assert_ok(share_split(root, random_real(), 2, 2, shares, &err), err);
    kinds += !seen[shares[0].bytes[0]];
    seen[shares[0].bytes[0]] = true;
  }
  assert_true(kinds == 256);
}

static void what_does_not_belong_together_is_told(void **state) {
  struct err err;
  struct root *back = NULL, *other = root_random(random_real());
  struct share more[3];
  assert_ok(share_split(root, random_real(), 2, 3, shares, &err), err);
  assert_ok(share_split(other, random_real(), 2, 3, more, &err), err);
  struct share mixed[] = {shares[0], more[1]};
  assert_fails(share_join(mixed, 2, &back, &err), err, ERR_INVALID);
  struct share twice[] = {shares[0], shares[0]};
  assert_fails(share_join(twice, 2, &back, &err), err, ERR_INVALID);
  /* Of the same key, but of two cuts. */
  assert_ok(share_split(root, random_real(), 2, 3, more, &err), err);
  struct share cuts[] = {shares[0], more[1]};
  assert_fails(share_join(cuts, 2, &back, &err), err, ERR_INVALID);
  assert_fails(share_join(shares, 0, &back, &err), err, ERR_INVALID);
  root_free(&other);
}

static void a_slip_of_the_pen_is_told(void **state) {
  struct err err;
  struct share back;
  char text[SHARE_TEXT_BYTES];
  assert_ok(share_split(root, random_real(), 2, 3, shares, &err), err);
  share_write(&shares[2], text);
  assert_ok(share_read(bytes_str(text), &back, &err), err);
  assert_memory_equal(&back, &shares[2], sizeof back);
  size_t len = strlen(text);
  for (size_t i = 0; i < len; i++) {
    for (unsigned bit = 0; bit < 8; bit++) {
      text[i] ^= (char)(1u << bit);
      if (share_read(bytes_of(text, len), &back, &err)) fail_msg("byte %zu bit %u", i, bit);
      text[i] ^= (char)(1u << bit);
    }
    assert_fails(share_read(bytes_of(text, i), &back, &err), err, ERR_MALFORMED);
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  static const struct CMUnitTest tests[] = {
      TEST(any_k_give_it_back),        TEST(the_most_there_may_be),
      TEST(one_share_tells_nothing),   TEST(what_does_not_belong_together_is_told),
      TEST(a_slip_of_the_pen_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

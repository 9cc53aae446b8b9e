/* The ring of keys: it opens with its root key alone, rotates, retires, is wrapped anew, and every
 * changed byte of its file is found. */
#include "tests/unit/test.h"

#include "os/disk_sim.h"
#include "seal/ring.h"

static struct disk *disk;
static struct root *root;

static int set_up(void **state) {
  disk = disk_new_simulated(3);
  root = root_random(random_real());
  return 0;
}

static int tear_down(void **state) {
  root_free(&root);
  disk_close(&disk);
  return 0;
}

static struct keyring *create(void) {
  struct keyring *keys;
  struct err err;
  assert_ok(keyring_create(disk, root, clock_real(), &keys, &err), err);
  return keys;
}

static void it_opens_with_its_root_alone(void **state) {
  struct keyring *keys = create(), *again = NULL;
  struct err err;
  struct aead_key page = *keyring_key(keys, 1, KEY_PAGE);
  assert_int_equal(keyring_epoch(keys), 1);
  assert_null(keyring_key(keys, 0, KEY_PAGE));
  assert_null(keyring_key(keys, 2, KEY_PAGE));
  assert_null(keyring_key(keys, UINT32_MAX, KEY_PAGE));
  assert_memory_not_equal(keyring_key(keys, 1, KEY_FILE)->key, page.key, AEAD_KEY_BYTES);
  keyring_close(&keys);
  assert_ok(keyring_open(disk, root, &keys, &err), err);
  assert_memory_equal(keyring_key(keys, 1, KEY_PAGE), &page, sizeof page);
  struct root *other = root_random(random_real());
  assert_fails(keyring_open(disk, other, &again, &err), err, ERR_INVALID);
  assert_non_null(strstr(err.detail, root->id));
  assert_non_null(strstr(err.detail, other->id));
  assert_fails(keyring_create(disk, root, clock_real(), &again, &err), err, ERR_EXISTS);
  root_free(&other);
  keyring_close(&keys);
}

static void it_rotates_and_retires(void **state) {
  struct keyring *keys = create();
  struct err err;
  struct aead_key first = *keyring_key(keys, 1, KEY_FILE);
  for (int i = 0; i < 3; i++) assert_ok(keyring_rotate(keys, &err), err);
  assert_int_equal(keyring_epoch(keys), 4);
  assert_memory_equal(keyring_key(keys, 1, KEY_FILE), &first, sizeof first);
  assert_memory_not_equal(keyring_key(keys, 4, KEY_FILE), &first, sizeof first);
  assert_ok(keyring_retire(keys, 3, &err), err);
  assert_null(keyring_key(keys, 1, KEY_FILE));
  assert_null(keyring_key(keys, UINT32_MAX, KEY_FILE));
  assert_non_null(keyring_key(keys, 3, KEY_FILE));
  keyring_close(&keys);
  assert_ok(keyring_open(disk, root, &keys, &err), err);
  assert_int_equal(keyring_facts(keys)->count, 2);
  assert_null(keyring_key(keys, 2, KEY_FILE));
  assert_int_equal(keyring_epoch(keys), 4);
  /* The newest stays, whatever is asked; slots of the retired are used again. */
  for (int i = 0; i < 40; i++) {
    assert_ok(keyring_rotate(keys, &err), err);
    assert_ok(keyring_retire(keys, UINT32_MAX, &err), err);
  }
  assert_int_equal(keyring_facts(keys)->count, 1);
  for (int i = 1; i < KEYRING_EPOCHS_MAX; i++) assert_ok(keyring_rotate(keys, &err), err);
  assert_fails(keyring_rotate(keys, &err), err, ERR_LIMIT);
  keyring_close(&keys);
}

static void a_full_disk_leaves_it_as_it_was(void **state) {
  struct keyring *keys = create();
  struct err err;
  struct aead_key first = *keyring_key(keys, 1, KEY_FILE);
  for (uint64_t nth = 1; nth < 6; nth++) {
    disk_sim_fail(disk, nth, ERR_FULL);
    if (keyring_rotate(keys, &err)) break;
    assert_int_equal(keyring_epoch(keys), 1);
    assert_memory_equal(keyring_key(keys, 1, KEY_FILE), &first, sizeof first);
  }
  disk_sim_fail(disk, 0, ERR_OK);
  keyring_close(&keys);
  assert_ok(keyring_open(disk, root, &keys, &err), err);
  assert_non_null(keyring_key(keys, 1, KEY_FILE));
  keyring_close(&keys);
}

static void another_root_takes_over(void **state) {
  struct keyring *keys = create();
  struct err err;
  struct aead_key page = *keyring_key(keys, 1, KEY_PAGE);
  struct root *next;
  assert_ok(root_from_passphrase(BYTES("correct horse battery"), NULL, 4, &next, &err), err);
  assert_ok(keyring_rewrap(keys, next, &err), err);
  keyring_close(&keys);
  assert_fails(keyring_open(disk, root, &keys, &err), err, ERR_INVALID);
  struct keyring_facts facts;
  assert_ok(keyring_peek(disk, &facts, &err), err);
  assert_int_equal(facts.root_kind, ROOT_PASSPHRASE);
  struct root *again;
  assert_ok(root_from_passphrase(BYTES("correct horse battery"), facts.salt, facts.cost_log, &again,
                                 &err),
            err);
  assert_ok(keyring_open(disk, again, &keys, &err), err);
  assert_memory_equal(keyring_key(keys, 1, KEY_PAGE), &page, sizeof page);
  root_free(&next);
  root_free(&again);
  keyring_close(&keys);
}

static void every_flipped_bit_is_found(void **state) {
  struct keyring *keys = create();
  struct err err;
  struct buf text;
  assert_ok(keyring_rotate(keys, &err), err);
  keyring_close(&keys);
  buf_init(&text, RING_FILE_BYTES_MAX);
  assert_ok(disk_load(disk, KEYRING_PATH, RING_FILE_BYTES_MAX, &text, &err), err);
  for (size_t bit = 0; bit < text.len * 8; bit++) {
    assert_true(disk_sim_flip(disk, KEYRING_PATH, bit / 8, bit % 8));
    if (keyring_open(disk, root, &keys, &err)) fail_msg("bit %zu", bit);
    assert_true(err.code == ERR_CORRUPT || err.code == ERR_NEWER || err.code == ERR_INVALID);
    assert_true(disk_sim_flip(disk, KEYRING_PATH, bit / 8, bit % 8));
  }
  for (size_t len = 0; len < text.len; len += 7) {
    struct ring ring;
    assert_false(ring_parse(bytes_of(text.at, len), &ring, &err));
  }
  assert_ok(keyring_open(disk, root, &keys, &err), err);
  keyring_close(&keys);
  buf_fini(&text);
}

static void facts_are_bound_to_their_name(void **state) {
  struct keyring *keys = create();
  struct err err;
  uint8_t sealed[3 + KEYRING_FACT_EXTRA_BYTES], plain[3];
  struct bytes all = bytes_of(sealed, sizeof sealed);
  keyring_seal_fact(keys, BYTES("name"), BYTES("abc"), sealed);
  assert_ok(keyring_rotate(keys, &err), err);
  assert_true(keyring_open_fact(keys, BYTES("name"), all, plain));
  assert_memory_equal(plain, "abc", 3);
  assert_false(keyring_open_fact(keys, BYTES("nome"), all, plain));
  for (size_t len = 0; len < sizeof sealed; len++)
    assert_false(keyring_open_fact(keys, BYTES("name"), bytes_of(sealed, len), plain));
  keyring_close(&keys);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  static const struct CMUnitTest tests[] = {
      TEST(it_opens_with_its_root_alone),    TEST(it_rotates_and_retires),
      TEST(a_full_disk_leaves_it_as_it_was), TEST(another_root_takes_over),
      TEST(every_flipped_bit_is_found),      TEST(facts_are_bound_to_their_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Slices, buffers, arenas, map, heap, ids: the ground floor. */
#include "tests/unit/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/heap.h"
#include "base/id.h"
#include "base/list.h"
#include "base/map.h"

static void slices_clamp(void **state) {
  struct bytes a = BYTES("hello");
  assert_bytes(bytes_sub(a, 1, 3), "ell");
  assert_bytes(bytes_sub(a, 9, 3), "");
  assert_bytes(bytes_from(a, 4), "o");
  struct bytes rest;
  assert_bytes(bytes_cut(BYTES("k=v=w"), '=', &rest), "k");
  assert_bytes(rest, "v=w");
  assert_int_equal(bytes_find_bytes(BYTES("aab"), BYTES("ab")), 1);
  assert_int_equal(bytes_find_bytes(BYTES("aab"), BYTES("ba")), 3);
}

static void numbers_refuse_overflow(void **state) {
  uint64_t value = 7;
  assert_true(bytes_u64(BYTES("18446744073709551615"), &value));
  assert_true(value == UINT64_MAX);
  assert_false(bytes_u64(BYTES("18446744073709551616"), &value));
  assert_false(bytes_u64(BYTES(""), &value));
  assert_false(bytes_u64(BYTES("+1"), &value));
}

static void arena_overflow_sticks(void **state) {
  struct arena arena;
  arena_init(&arena, 100);
  assert_non_null(arena_alloc(&arena, 60));
  assert_null(arena_alloc(&arena, 60));
  assert_null(arena_alloc(&arena, 1));
  assert_false(arena_ok(&arena));
  arena_reset(&arena);
  assert_non_null(arena_alloc(&arena, 60));
  arena_fini(&arena);
}

static void buf_stops_at_its_limit(void **state) {
  struct buf buf;
  buf_init(&buf, 8);
  buf_str(&buf, "12345678");
  assert_true(buf_ok(&buf));
  buf_char(&buf, '9');
  assert_false(buf_ok(&buf));
  assert_bytes(buf_bytes(&buf), "12345678");
  buf_fini(&buf);
}

static void map_survives_churn(void **state) {
  struct map map;
  static int values[1000];
  char key[16];
  map_init(&map, 42);
  for (int i = 0; i < 1000; i++) {
    snprintf(key, sizeof key, "k%d", i);
    assert_null(map_put(&map, bytes_str(key), &values[i]));
  }
  for (int i = 0; i < 1000; i += 2) {
    snprintf(key, sizeof key, "k%d", i);
    assert_ptr_equal(map_drop(&map, bytes_str(key)), &values[i]);
  }
  for (int i = 0; i < 1000; i++) {
    snprintf(key, sizeof key, "k%d", i);
    assert_ptr_equal(map_get(&map, bytes_str(key)), i % 2 ? &values[i] : NULL);
  }
  assert_int_equal(map.count, 500);
  map_fini(&map);
}

static void heap_gives_the_smallest(void **state) {
  struct heap heap = {0};
  struct heap_node nodes[200] = {0};
  for (int i = 0; i < 200; i++) heap_set(&heap, &nodes[i], i * 7919 % 200);
  heap_set(&heap, &nodes[0], 150);
  heap_drop(&heap, &nodes[1]);
  int64_t before = -1;
  for (struct heap_node *node; (node = heap_first(&heap)); heap_drop(&heap, node)) {
    assert_true(node->key >= before);
    before = node->key;
  }
  heap_fini(&heap);
}

static void ids_keep_time_order_and_form(void **state) {
  uint8_t random[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  struct id early = id_make(1000, random);
  struct id late = id_make(2000, random);
  char text[ID_TEXT_BYTES];
  struct id again;
  struct err err;
  assert_true(memcmp(&early, &late, sizeof early) < 0);
  id_text(early, text);
  assert_int_equal(text[14], '7');
  assert_ok(id_parse(bytes_str(text), &again, &err), err);
  assert_true(id_eq(early, again));
  assert_fails(id_parse(BYTES("not-an-id"), &again, &err), err, ERR_MALFORMED);
  text[8] = 'x';
  assert_fails(id_parse(bytes_str(text), &again, &err), err, ERR_MALFORMED);
  assert_int_equal(err.offset, 8);
  assert_true(id_eq(id_derive(BYTES("a"), 1), id_derive(BYTES("a"), 1)));
  assert_false(id_eq(id_derive(BYTES("a"), 1), id_derive(BYTES("a"), 2)));
}

static void sha256_of_abc(void **state) {
  uint8_t digest[SHA256_BYTES];
  sha256(BYTES("abc"), digest);
  assert_int_equal(digest[0], 0xba);
  assert_int_equal(digest[31], 0xad);
}

struct item {
  int value;
  struct list link;
};

static void list_drops_while_walking(void **state) {
  struct list head;
  struct item items[4];
  list_init(&head);
  for (int i = 0; i < 4; i++) {
    items[i].value = i;
    list_push(&head, &items[i].link);
  }
  int sum = 0;
  LIST_EACH (item, &head, struct item, link) {
    sum += item->value;
    list_drop(&item->link);
  }
  assert_int_equal(sum, 6);
  assert_true(list_empty(&head));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slices_clamp),
      cmocka_unit_test(numbers_refuse_overflow),
      cmocka_unit_test(arena_overflow_sticks),
      cmocka_unit_test(buf_stops_at_its_limit),
      cmocka_unit_test(map_survives_churn),
      cmocka_unit_test(heap_gives_the_smallest),
      cmocka_unit_test(ids_keep_time_order_and_form),
      cmocka_unit_test(sha256_of_abc),
      cmocka_unit_test(list_drops_while_walking),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Places in a value that grows, and its JSON. */
#include "tests/unit/hl7/hl7_test.h"

#include "hl7/tree.h"

static void put(struct tree *root, const char *place, const char *text) {
  assert_true(tree_put(&arena, root, place, tree_text(&arena, TREE_STRING, bytes_str(text))));
}

static void refer(struct buf *buf, const void *target) {
  buf_str(buf, target);
}

static void assert_json(const struct tree *root, const char *expected) {
  struct buf buf;
  buf_init(&buf, 4096);
  tree_write(&buf, root, refer);
  assert_bytes(buf_bytes(&buf), expected);
  buf_fini(&buf);
}

static void places_grow(void **state) {
  struct tree *root = tree_new(&arena, TREE_OBJECT);
  put(root, "a", "1");
  put(root, "name+.given+", "x");
  put(root, "name*.given+", "y");
  put(root, "name+.given+", "z");
  put(root, "b.c", "q\"\\\n\x01");
  put(root, "a", "2");
  assert_json(root, "{\"a\":\"2\",\"name\":[{\"given\":[\"x\",\"y\"]},{\"given\":[\"z\"]}],"
                    "\"b\":{\"c\":\"q\\\"\\\\\\n\\u0001\"}}");
}

static void a_taken_place_stays(void **state) {
  struct tree *root = tree_new(&arena, TREE_OBJECT);
  put(root, "a", "1");
  assert_false(tree_put(&arena, root, "a.b", tree_text(&arena, TREE_STRING, BYTES("x"))));
  assert_false(tree_put(&arena, root, "a+", tree_text(&arena, TREE_STRING, BYTES("x"))));
  assert_false(tree_put(&arena, root, "b", NULL));
  assert_json(root, "{\"a\":\"1\"}");
}

static void members_are_taken_over(void **state) {
  struct tree *root = tree_new(&arena, TREE_OBJECT), *other = tree_new(&arena, TREE_OBJECT);
  struct tree *reference = tree_new(&arena, TREE_REFERENCE);
  put(root, "a", "1");
  put(other, "a", "2");
  put(other, "b", "3");
  reference->target = "urn:x";
  assert_true(tree_put(&arena, other, "c", reference));
  assert_true(tree_put(&arena, root, "", other));
  assert_json(root, "{\"a\":\"2\",\"b\":\"3\",\"c\":{\"reference\":\"urn:x\"}}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(places_grow),
      cmocka_unit_test(a_taken_place_stays),
      cmocka_unit_test(members_are_taken_over),
  };
  return cmocka_run_group_tests_name("hl7/tree", tests, hl7_test_setup, hl7_test_teardown);
}

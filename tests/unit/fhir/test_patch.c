/* tests/unit/fhir/test_patch.c: JSON Patch: each operation, each refusal, the published suite. */
#include "../test.h"

#include "base/cleanup.h"
#include "fhir/patch.h"

#define ARENA_BYTES ((size_t)64 << 20)
enum { RESULT_BYTES_MAX = 1 << 20 };

/* The result as text, or the code of the error. */
static enum err_code patch(struct arena *arena, const struct json *document,
                           const struct json *operations, struct buf *ret_text) {
  struct err err = {.code = ERR_OK};
  bool good = fhir_patch_json(arena, document, operations, ret_text, &err);
  assert_int_equal(good, err.code == ERR_OK);
  return err.code;
}

struct sample {
  const char *document, *operations, *result;
  enum err_code code;
};

static void check(const struct sample *sample) {
  cleanup_arena struct arena arena;
  cleanup_buf struct buf text;
  const struct json *document, *operations;
  struct err err;
  arena_init(&arena, ARENA_BYTES);
  buf_init(&text, RESULT_BYTES_MAX);
  assert_ok(json_parse(&arena, bytes_str(sample->document), &document, &err), err);
  assert_ok(json_parse(&arena, bytes_str(sample->operations), &operations, &err), err);
  enum err_code code = patch(&arena, document, operations, &text);
  if (code != sample->code) fail_msg("%s: %s", sample->operations, err_facts(code)->word);
  if (code == ERR_OK) assert_bytes(buf_bytes(&text), sample->result);
}

#define ADD(path, value) "[{\"op\":\"add\",\"path\":\"" path "\",\"value\":" value "}]"

static void operations_do_what_they_say(void **state) {
  (void)state;
  static const struct sample cases[] = {
      {"{\"a\":1.50}", "[]", "{\"a\":1.50}", ERR_OK},
      {"{\"a\":1.50}", ADD("/b", "[2.0]"), "{\"a\":1.50,\"b\":[2.0]}", ERR_OK},
      {"{\"a\":1,\"b\":2}", ADD("/a", "3"), "{\"a\":3,\"b\":2}", ERR_OK},
      {"[1,3]", ADD("/1", "2"), "[1,2,3]", ERR_OK},
      {"[1]", ADD("/-", "2"), "[1,2]", ERR_OK},
      {"{\"a/b\":{\"~\":1}}", ADD("/a~1b/~0", "2"), "{\"a/b\":{\"~\":2}}", ERR_OK},
      {"{}", ADD("", "[]"), "[]", ERR_OK},
      {"[1,2]", "[{\"op\":\"remove\",\"path\":\"/0\"}]", "[2]", ERR_OK},
      {"{\"a\":1,\"b\":2}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":{}}]",
       "{\"a\":{},\"b\":2}", ERR_OK},
      {"[1,2,3]", "[{\"op\":\"move\",\"from\":\"/0\",\"path\":\"/2\"}]", "[2,3,1]", ERR_OK},
      {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c\"}]",
       "{\"a\":{},\"c\":1}", ERR_OK},
      {"{\"a\":[1]}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}]", "{\"a\":[1,[1]]}",
       ERR_OK},
      {"{\"a\":1.0}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]", "{\"a\":1.0}", ERR_OK},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i]);
}

static void what_cannot_be_done_is_refused(void **state) {
  (void)state;
  static const struct sample cases[] = {
      {"{}", "{}", "", ERR_INVALID},
      {"{}", "[1]", "", ERR_INVALID},
      {"{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", "", ERR_INVALID},
      {"{}", "[{\"op\":\"spam\",\"path\":\"/a\",\"value\":1}]", "", ERR_INVALID},
      {"{}", ADD("a", "1"), "", ERR_INVALID},
      {"{}", ADD("/a/b", "1"), "", ERR_INVALID},
      {"{}", ADD("/a~2", "1"), "", ERR_INVALID},
      {"[]", ADD("/1", "1"), "", ERR_INVALID},
      {"[1]", ADD("/00", "1"), "", ERR_INVALID},
      {"[1]", ADD("/a", "1"), "", ERR_INVALID},
      {"{\"a\":1}", ADD("/a/b", "1"), "", ERR_INVALID},
      {"{}", "[{\"op\":\"remove\",\"path\":\"\"}]", "", ERR_INVALID},
      {"[1]", "[{\"op\":\"remove\",\"path\":\"/-\"}]", "", ERR_INVALID},
      {"{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1}]", "", ERR_INVALID},
      {"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", "", ERR_INVALID},
      {"{}", "[{\"op\":\"move\",\"from\":\"\",\"path\":\"/a\"}]", "", ERR_INVALID},
      {"{}", "[{\"op\":\"move\",\"from\":\"\",\"path\":\"a\"}]", "", ERR_INVALID},
      {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", "", ERR_PRECONDITION},
      {"{}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", "", ERR_INVALID},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(&cases[i]);
}

/* Each copy doubles the document and makes it deeper. */
static void growth_has_a_limit(void **state) {
  (void)state;
  cleanup_arena struct arena arena;
  cleanup_buf struct buf operations, text;
  const struct json *document, *list;
  struct err err;
  arena_init(&arena, ARENA_BYTES);
  buf_init(&operations, RESULT_BYTES_MAX);
  buf_init(&text, RESULT_BYTES_MAX);
  buf_str(&operations, "[");
  for (int i = 0; i < 200; i++)
    buf_printf(&operations, "%s{\"op\":\"copy\",\"from\":\"\",\"path\":\"/-\"}", i ? "," : "");
  buf_str(&operations, "]");
  assert_ok(json_parse(&arena, BYTES("[]"), &document, &err), err);
  assert_ok(json_parse(&arena, buf_bytes(&operations), &list, &err), err);
  assert_int_equal(patch(&arena, document, list, &text), ERR_LIMIT);
}

/* The next object of a list, cut out unread: two cases have one name twice, on purpose. */
static struct bytes next_case(struct bytes *text) {
  size_t depth = 0, from = bytes_find(*text, '{');
  bool string = false;
  for (size_t i = from; i < text->len; i++) {
    uint8_t c = text->at[i];
    if (c == '\\') i++;
    if (c == '"') string = !string;
    if (string) continue;
    if (c == '{') depth++;
    if (c == '}' && --depth == 0) {
      struct bytes found = bytes_sub(*text, from, i + 1 - from);
      *text = bytes_from(*text, i + 1);
      return found;
    }
  }
  *text = BYTES_NONE;
  return BYTES_NONE;
}

static void check_case(struct arena *arena, struct bytes text) {
  cleanup_buf struct buf out;
  const struct json *sample, *result;
  struct err err;
  buf_init(&out, RESULT_BYTES_MAX);
  if (!json_parse(arena, text, &sample, &err)) {
    if (bytes_find_bytes(text, BYTES("\"error\"")) == text.len)
      fail_msg("%.*s: %s", BYTES_FMT(text), err.detail);
    return;
  }
  const struct json *expected = json_get(sample, "expected");
  if (!json_get(sample, "doc")) return;
  enum err_code code = patch(arena, json_get(sample, "doc"), json_get(sample, "patch"), &out);
  if ((code != ERR_OK) != (json_get(sample, "error") != NULL)) fail_msg("%.*s", BYTES_FMT(text));
  if (code != ERR_OK || !expected) return;
  assert_ok(json_parse(arena, buf_bytes(&out), &result, &err), err);
  if (!json_eq(result, expected)) fail_msg("%.*s", BYTES_FMT(text));
}

static size_t run_suite(const char *name, struct arena *arena) {
  const char *shared = getenv("MEDULLA_SHARED");
  cleanup_buf struct buf suite;
  char path[1024];
  size_t held = 0;
  buf_init(&suite, RESULT_BYTES_MAX);
  (void)snprintf(path, sizeof path, "%s/data/json-patch-tests/%s", shared ? shared : "", name);
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  uint8_t *room = buf_room(&suite, RESULT_BYTES_MAX / 2);
  buf_grew(&suite, fread(room, 1, RESULT_BYTES_MAX / 2, file));
  fclose(file);
  struct bytes rest = buf_bytes(&suite);
  for (struct bytes each = next_case(&rest); each.len; each = next_case(&rest), held++)
    check_case(arena, each);
  return held;
}

static void the_published_suite_holds(void **state) {
  (void)state;
  cleanup_arena struct arena arena;
  arena_init(&arena, ARENA_BYTES);
  size_t held = run_suite("tests.json", &arena) + run_suite("spec_tests.json", &arena);
  if (held)
    print_message("# %zu cases hold\n", held);
  else
    print_message("# skipped: the JSON Patch suite is not here (112 cases)\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(operations_do_what_they_say),
      cmocka_unit_test(what_cannot_be_done_is_refused),
      cmocka_unit_test(growth_has_a_limit),
      cmocka_unit_test(the_published_suite_holds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

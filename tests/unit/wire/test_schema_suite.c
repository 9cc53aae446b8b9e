/* tests/unit/wire/test_schema_suite.c: the JSON Schema test suite, draft 2020-12, from the shared
 * data. Exceptions stand in tests/conformance/json-schema.tbl; one that holds after all is a
 * failure, too. Formats are asserted for the files that test them.                             */
#include "tests/unit/test.h"

#include "base/cleanup.h"
#include "wire/schema.h"

#include <dirent.h>
#include <sys/stat.h>

enum { PATH_BYTES = 1024, FILE_BYTES_MAX = 4 << 20, ARENA_BYTES = 256 << 20, TALE_MAX = 40 };

struct suite {
  char root[PATH_BYTES / 2];
  struct bytes exceptions;
  struct arena arena;
  struct schema_set set;
  int files, passed, failed, excepted;
};

static struct bytes read_file(struct arena *arena, const char *path) {
  static uint8_t data[FILE_BYTES_MAX];
  FILE *file = fopen(path, "rb");
  if (!file) return BYTES_NONE;
  size_t len = fread(data, 1, sizeof data, file);
  fclose(file);
  return arena_copy(arena, bytes_of(data, len));
}

static const struct json *read_json(struct arena *arena, const char *path) {
  const struct json *value = NULL;
  struct err err;
  struct bytes text = read_file(arena, path);
  if (!json_parse(arena, text, &value, &err)) printf("# %s: %s\n", path, err.detail);
  return value;
}

typedef void visitor(struct suite *suite, const char *path, const char *name);

/* Every *.json below root/folder; `name` is its path below root/folder. */
static void visit(struct suite *suite, const char *folder, const char *below, visitor *each) {
  char path[PATH_BYTES];
  struct dirent **entries;
  snprintf(path, sizeof path, "%s/%s/%s", suite->root, folder, below);
  int count = scandir(path, &entries, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    struct stat info;
    char name[PATH_BYTES / 4];
    snprintf(name, sizeof name, "%s%s%.100s", below, *below ? "/" : "", entries[i]->d_name);
    snprintf(path, sizeof path, "%s/%s/%s", suite->root, folder, name);
    bool hidden = entries[i]->d_name[0] == '.';
    free(entries[i]);
    if (hidden || stat(path, &info) != 0) continue;
    if (S_ISDIR(info.st_mode))
      visit(suite, folder, name, each);
    else if (bytes_ends(bytes_str(path), BYTES(".json")))
      each(suite, path, name);
  }
  if (count >= 0) free(entries);
}

static void add_remote(struct suite *suite, const char *path, const char *name) {
  const struct json *root = read_json(&suite->arena, path);
  struct bytes uri = arena_printf(&suite->arena, "http://localhost:1234/%s", name);
  struct err err;
  if (root && !schema_add(&suite->set, uri, root, &err)) printf("# %s: %s\n", name, err.detail);
}

enum exception { HOLDS, MAY_FAIL, MUST_FAIL };

/* A line "file | group | case | reason"; with * cases that hold are welcome. */
static enum exception exception_of(const struct suite *suite, const char *file, struct bytes group,
                                   struct bytes name) {
  struct bytes rest = suite->exceptions;
  while (rest.len) {
    struct bytes fields[3];
    struct bytes line = bytes_cut(rest, '\n', &rest);
    for (size_t i = 0; i < 3; i++) fields[i] = bytes_trim(bytes_cut(line, '|', &line));
    bool any_group = bytes_eq_str(fields[1], "*");
    bool any_case = bytes_eq_str(fields[2], "*");
    if (bytes_eq_str(fields[0], file) && (any_group || bytes_eq(fields[1], bytes_trim(group))) &&
        (any_case || bytes_eq(fields[2], bytes_trim(name))))
      return any_case ? MAY_FAIL : MUST_FAIL;
  }
  return HOLDS;
}

static void judge(struct suite *suite, const char *file, struct bytes group,
                  const struct json *test, const struct schema *schema, const char *tale) {
  struct schema_problem problem = {0};
  struct bytes name = json_get_text(test, "description");
  bool expected = json_is_true(json_get(test, "valid"));
  bool valid = schema && schema_check(schema, json_get(test, "data"), &problem);
  bool ok = schema && valid == expected && problem.code != ERR_LIMIT;
  enum exception exception = exception_of(suite, file, group, name);
  if (ok && exception != MUST_FAIL) {
    suite->passed++;
  } else if (!ok && exception != HOLDS) {
    suite->excepted++;
  } else {
    suite->failed++;
    if (suite->failed <= TALE_MAX)
      printf("# %s | %.*s | %.*s | %s: %s %s\n", file, BYTES_FMT(group), BYTES_FMT(name),
             ok ? "holds after all" : "fails", tale, problem.sentence);
  }
}

static void run_file(struct suite *suite, const char *path, const char *name) {
  const struct json *groups = read_json(&suite->arena, path);
  int failed_before = suite->failed;
  int passed_before = suite->passed;
  bool formats = strstr(name, "optional/format/") || strstr(name, "ecmascript-regex");
  const struct schema_options options = {.documents = &suite->set, .assert_formats = formats};
  for (const struct json *group = groups ? groups->first : NULL; group; group = group->next) {
    const struct schema *schema = NULL;
    struct err err = {0};
    if (!schema_compile(&suite->arena, json_get(group, "schema"), &options, &schema, &err))
      schema = NULL;
    for (const struct json *test = json_get(group, "tests")->first; test; test = test->next)
      judge(suite, name, json_get_text(group, "description"), test, schema,
            schema ? "" : err.detail);
  }
  bool ok = groups && suite->failed == failed_before;
  printf("%s %d - %s: %d cases\n", ok ? "ok" : "not ok", ++suite->files, name,
         suite->passed - passed_before);
}

int main(void) {
  static struct suite suite;
  char path[PATH_BYTES];
  const char *shared = getenv("MEDULLA_SHARED");
  const char *source = getenv("MEDULLA_SOURCE");
  struct stat info;
  snprintf(suite.root, sizeof suite.root, "%.200s/data/json-schema-test-suite",
           shared ? shared : ".");
  snprintf(path, sizeof path, "%s/tests/draft2020-12", suite.root);
  if (stat(path, &info) != 0) {
    printf("1..0 # SKIP the JSON Schema test suite is not here (2,225 cases)\n");
    return 0;
  }
  arena_init(&suite.arena, ARENA_BYTES);
  schema_set_init(&suite.set, &suite.arena);
  snprintf(path, sizeof path, "%.900s/tests/conformance/json-schema.tbl", source ? source : ".");
  suite.exceptions = read_file(&suite.arena, path);
  visit(&suite, "remotes", "", add_remote);
  visit(&suite, "tests/draft2020-12", "", run_file);
  printf("# %d cases hold, %d fail, %d are listed exceptions\n1..%d\n", suite.passed, suite.failed,
         suite.excepted, suite.files);
  arena_fini(&suite.arena);
  return suite.failed > 0;
}

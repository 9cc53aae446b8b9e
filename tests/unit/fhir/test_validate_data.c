/* tests/unit/fhir/test_validate_data.c: validation of published resources: HL7's own cases and
 * their verdicts, the specification's examples, Synthea's bundles. Skipped where they are not. */
#include "../test.h"

#include "base/cleanup.h"
#include "fhir/validate.h"

#include <dirent.h>

#define ARENA_BYTES ((size_t)512 << 20)
enum { PATH_BYTES = 1024, FILE_BYTES_MAX = 64 << 20 };

static struct fhir_validator *validator;

static bool data_path(const char *name, char ret_path[PATH_BYTES]) {
  const char *shared = getenv("MEDULLA_SHARED");
  (void)snprintf(ret_path, PATH_BYTES, "%s/data/%s", shared ? shared : "../shared", name);
  DIR *folder = opendir(ret_path);
  if (folder) closedir(folder);
  return folder != NULL;
}

static bool read_file(const char *folder, const char *name, struct buf *ret_text) {
  char path[PATH_BYTES + 256];
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "re");
  if (!file) return false;
  buf_init(ret_text, FILE_BYTES_MAX);
  for (;;) {
    uint8_t *room = buf_room(ret_text, 65536);
    size_t got = room ? fread(room, 1, 65536, file) : 0;
    if (got == 0) break;
    buf_grew(ret_text, got);
  }
  fclose(file);
  return true;
}

/* Errors of a resource, and of evaluations that did not come to an end. */
static size_t errors_in(struct arena *arena, struct bytes text, size_t *ret_unchecked) {
  const struct json *resource;
  struct fhir_issues issues;
  struct err err;
  fhir_issues_init(&issues, arena);
  *ret_unchecked = 0;
  if (!json_parse(arena, text, &resource, &err)) return 1;
  fhir_validate(validator, resource, NULL, &issues);
  for (const struct fhir_issue *each = issues.first; each; each = each->next)
    *ret_unchecked += each->type == FHIR_ISSUE_PROCESSING;
  return issues.errors;
}

static int start(void **state) {
  (void)state;
  validator = fhir_validator_new();
  return 0;
}

static int stop(void **state) {
  (void)state;
  fhir_validator_free(&validator);
  return 0;
}

struct exception {
  const char *name, *reason;
};

static const struct exception *find(const struct exception *list, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(list[i].name, name) == 0) return &list[i];
  return NULL;
}

/* Where our verdict (errors or none) is not HL7's, and why. Cases in XML are not ours to read. */
static const struct exception differing[] = {
    {"bundle-document-versioned-references-bad.json",
     "references inside of a document are not resolved by version"},
    {"bundle-id-collection.json", "the display of a CVX code, which is not in the definitions"},
    {"maiden-name.json", "where an extension may stand is said by its definition, not R4's base"},
};

static void verdicts_are_those_of_hl7(void **state) {
  (void)state;
  char folder[PATH_BYTES];
  if (!data_path("fhir-validator-r4", folder)) {
    print_message("# skipped: no published cases here (23 cases)\n");
    return;
  }
  cleanup_arena struct arena arena;
  cleanup_buf struct buf manifest;
  const struct json *cases;
  struct err err;
  size_t agreed = 0, compared = 0;
  arena_init(&arena, ARENA_BYTES);
  assert_true(read_file(folder, "manifest.json", &manifest));
  assert_ok(json_parse(&arena, buf_bytes(&manifest), &cases, &err), err);
  for (const struct json *each = cases->first; each; each = each->next) {
    cleanup_buf struct buf text = {0};
    char name[256];
    int64_t wanted;
    size_t unchecked;
    bytes_text(json_get_text(each, "file"), name, sizeof name);
    if (!strstr(name, ".json") || !read_file(folder, name, &text)) continue;
    assert_true(json_int(json_get(each, "errors"), &wanted));
    size_t errors = errors_in(&arena, buf_bytes(&text), &unchecked);
    bool same = (errors > 0) == (wanted > 0);
    bool excused = find(differing, sizeof differing / sizeof *differing, name) != NULL;
    compared++;
    agreed += same;
    if (same == excused)
      fail_msg("%s: HL7 has %lld errors, we %zu", name, (long long)wanted, errors);
  }
  print_message("# %zu of %zu verdicts agree with HL7's validator\n", agreed, compared);
  assert_true(compared > 20);
}

/* Examples of the specification that break its own rules. */
static const struct exception flawed[] = {
    {"bundle-questionnaire.json", "items without linkId"},
    {"codesystem-example.json", "csd-1: chol-mass is there twice"},
    {"devicemetric-example.json", "parent refers to a DeviceDefinition"},
    {"deviceusestatement-example.json", "reasonReference refers to a Procedure"},
    {"medicationrequest0301.json", "performer refers to a Practitioner"},
};

static void check_folder(const char *data, const struct exception *list, size_t count) {
  char folder[PATH_BYTES];
  if (!data_path(data, folder)) {
    print_message("# skipped: no %s here (1 case)\n", data);
    return;
  }
  DIR *open = opendir(folder);
  size_t files = 0;
  for (struct dirent *each = readdir(open); each; each = readdir(open)) {
    cleanup_arena struct arena arena;
    cleanup_buf struct buf text = {0};
    size_t unchecked;
    if (!strstr(each->d_name, ".json") || !read_file(folder, each->d_name, &text)) continue;
    arena_init(&arena, ARENA_BYTES);
    size_t errors = errors_in(&arena, buf_bytes(&text), &unchecked);
    bool excused = find(list, count, each->d_name) != NULL;
    if ((errors > 0) != excused || unchecked)
      fail_msg("%s: %zu errors, %zu not checked", each->d_name, errors, unchecked);
    files++;
  }
  closedir(open);
  print_message("# %zu files\n", files);
  assert_true(files > 10);
}

static void examples_of_the_specification_are_valid(void **state) {
  (void)state;
  check_folder("fhir-r4-examples", flawed, sizeof flawed / sizeof *flawed);
}

static void bundles_of_synthea_are_valid(void **state) {
  (void)state;
  check_folder("synthea-r4", NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(verdicts_are_those_of_hl7),
      cmocka_unit_test(examples_of_the_specification_are_valid),
      cmocka_unit_test(bundles_of_synthea_are_valid),
  };
  return cmocka_run_group_tests(tests, start, stop);
}

/* tests/unit/app/test_fhir.c: `medulla fhir validate`: exit codes, one resource, many, none. */
#include "../test.h"

#include "app/cli/cli.h"

static char *said;
static size_t said_bytes;

static int command(const char *input, const char *const *words) {
  char *argv[8] = {(char *)(uintptr_t) "medulla", (char *)(uintptr_t) "fhir",
                   (char *)(uintptr_t) "validate"};
  int argc = 3;
  for (; words[argc - 3]; argc++) argv[argc] = (char *)(uintptr_t)words[argc - 3];
  free(said);
  FILE *in = fmemopen((char *)(uintptr_t)input, strlen(input), "r");
  FILE *out = open_memstream(&said, &said_bytes);
  FILE *errors = fopen("/dev/null", "we");
  int code = cli_main(NULL, argc, argv, out, errors, in);
  fclose(in);
  fclose(out);
  fclose(errors);
  return code;
}

#define VALIDATE(input, ...) command(input, (const char *const[]){__VA_ARGS__, NULL})

static size_t lines(void) {
  size_t count = 0;
  for (size_t i = 0; i < said_bytes; i++) count += said[i] == '\n';
  return count;
}

static void one_resource_gives_one_outcome(void **state) {
  (void)state;
  assert_int_equal(VALIDATE("{\"resourceType\":\"Patient\"}", "--errors"), CLI_OK);
  assert_non_null(strstr(said, "no problem was found"));
  assert_int_equal(VALIDATE("{\"resourceType\":\"Patient\"}", "-"), CLI_OK); /* a warning */
  assert_non_null(strstr(said, "dom-6"));
  assert_int_equal(VALIDATE("{\n\"resourceType\":\"Patient\",\n\"gender\":\"x\"}", "-"),
                   CLI_FAILED);
  assert_non_null(strstr(said, "Patient.gender"));
  assert_int_equal(lines(), 1);
  assert_int_equal(VALIDATE("{\"resourceType\":", "-"), CLI_FAILED);
  assert_non_null(strstr(said, "fatal"));
}

static void of_many_those_with_problems_are_told(void **state) {
  (void)state;
  const char *many = "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Patient\",\"a\":1}\r\n\n"
                     "{\"resourceType\":\"Group\",\"type\":\"person\",\"actual\":true}\n";
  assert_int_equal(VALIDATE(many, "--errors"), CLI_FAILED);
  assert_int_equal(lines(), 1);
  assert_non_null(strstr(said, "\"valueInteger\":2"));
  assert_int_equal(VALIDATE(many, "--errors", "--resource-type", "Group"), CLI_FAILED);
  assert_int_equal(lines(), 2);
}

static void wrong_usage_is_told(void **state) {
  (void)state;
  assert_int_equal(VALIDATE("{}", "--resource-type", "Pacient"), CLI_USAGE);
  assert_int_equal(VALIDATE("{}", "/nonexistent/file.json"), CLI_FAILED);
  assert_int_equal(VALIDATE("{}", "/nonexistent/file.ndjson"), CLI_FAILED);
  free(said);
  said = NULL;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_resource_gives_one_outcome),
      cmocka_unit_test(of_many_those_with_problems_are_told),
      cmocka_unit_test(wrong_usage_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The FHIRPath engine: expressions and what they give, as tables. */
#include "../test.h"

#include "base/cleanup.h"
#include "fhir/model.h"
#include "fhir/path.h"

enum { ARENA_BYTES = 8 << 20, OUTPUT_BYTES = 1 << 20 };

static const char PATIENT[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p1\",\"active\":true,"
    "\"extension\":[{\"url\":\"http://e/x\",\"valueDecimal\":1.50}],"
    "\"name\":[{\"use\":\"official\",\"family\":\"Muster\",\"given\":[\"Anna\",\"Bea\"]},"
    "{\"use\":\"usual\",\"given\":[null,\"Annie\"],\"_given\":[{\"extension\":[{\"url\":"
    "\"http://e/none\",\"valueCode\":\"unknown\"}]},null]}],"
    "\"gender\":\"female\",\"birthDate\":\"1974-12-25\","
    "\"_birthDate\":{\"extension\":[{\"url\":\"http://e/time\",\"valueDateTime\":"
    "\"1974-12-25T14:35:45-05:00\"}]},"
    "\"contact\":[{\"name\":{\"family\":\"Z\"}}],"
    "\"multipleBirthInteger\":2,"
    "\"managingOrganization\":{\"reference\":\"#o\"},"
    "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"Org\"}]}";

struct fixture {
  struct arena arena;
  struct fhir_path_machine *machine;
  struct fhir_path_value context;
  struct fhir_path_env env;
  struct buf out;
};

static int setup(void **state) {
  static struct fixture f;
  struct err err;
  const struct json *document;
  f = (struct fixture){0};
  arena_init(&f.arena, ARENA_BYTES);
  buf_init(&f.out, OUTPUT_BYTES);
  f.machine = fhir_path_machine_new(NULL);
  assert_ok(json_parse(&f.arena, bytes_str(PATIENT), &document, &err), err);
  f.context = fhir_path_resource(document);
  f.env.now_ms = 1700000000000; /* 2023-11-14T22:13:20Z */
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  fhir_path_machine_free(&f->machine);
  buf_fini(&f->out);
  arena_fini(&f->arena);
  return 0;
}

static bool run(struct fixture *f, const char *text, struct err *err) {
  const struct fhir_path *path;
  struct fhir_path_result result;
  struct json_out out;
  static const struct fhir_path_options plain = {.type = FHIR_NONE};
  TRY(fhir_path_compile(&f->arena, bytes_str(text), &plain, &path, err));
  TRY(fhir_path_eval(f->machine, path, &f->context, &f->env, &result, err));
  buf_reset(&f->out);
  json_out_init(&out, &f->out);
  json_out_open(&out, '[');
  for (size_t i = 0; i < result.count; i++) fhir_path_write_value(&out, &result.at[i]);
  json_out_close(&out, ']');
  return true;
}

struct expected {
  const char *text;
  const char *result; /* values as a JSON array */
};

static void check_all(struct fixture *f, const struct expected *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct err err = {0};
    if (!run(f, rows[i].text, &err)) fail_msg("%s: %s", rows[i].text, err.detail);
    if (!bytes_eq_str(buf_bytes(&f->out), rows[i].result))
      fail_msg("%s: got %.*s, expected %s", rows[i].text, BYTES_FMT(buf_bytes(&f->out)),
               rows[i].result);
  }
}

#define CHECK_ALL(f, rows) check_all(f, rows, sizeof(rows) / sizeof *(rows))

static void test_steps(void **state) {
  static const struct expected rows[] = {
      {"Patient.name.given", "[\"Anna\",\"Bea\",null,\"Annie\"]"},
      {"name[0].given[1]", "[\"Bea\"]"},
      {"name.family", "[\"Muster\"]"},
      {"Observation.name", "[]"},
      {"Resource.id", "[\"p1\"]"},
      {"DomainResource.id", "[\"p1\"]"},
      {"multipleBirth", "[2]"},
      {"multipleBirthInteger", "[]"},
      {"contact.name.family", "[\"Z\"]"},
      {"extension('http://e/x').value", "[1.50]"},
      {"birthDate.extension('http://e/time').value", "[\"1974-12-25T14:35:45-05:00\"]"},
      {"name.given.where(hasValue().not()).extension.value", "[\"unknown\"]"},
      {"name.given.select(hasValue())", "[true,true,false,true]"},
      {"contained.name", "[\"Org\"]"},
      {"managingOrganization.resolve().name", "[\"Org\"]"},
      {"contained.where($this is Organization).id", "[\"o\"]"},
      {"`name`.`given`.first()", "[\"Anna\"]"},
      {"nonsense.more", "[]"},
  };
  CHECK_ALL(*state, rows);
}

static void test_three_values(void **state) {
  static const struct expected rows[] = {
      {"true and {}", "[]"},
      {"false and {}", "[false]"},
      {"{} and false", "[false]"},
      {"true or {}", "[true]"},
      {"{} or true", "[true]"},
      {"false or {}", "[]"},
      {"true xor {}", "[]"},
      {"true xor false", "[true]"},
      {"{} implies {}", "[]"},
      {"false implies {}", "[true]"},
      {"{} implies true", "[true]"},
      {"true implies {}", "[]"},
      {"{}.not()", "[]"},
      {"{} = 1", "[]"},
      {"{} != {}", "[]"},
      {"{} ~ {}", "[true]"},
      {"1 ~ {}", "[false]"},
      {"1 in {}", "[false]"},
      {"{} in (1|2)", "[]"},
      {"(1|2) contains {}", "[]"},
      {"{}.all($this)", "[true]"},
      {"{}.exists()", "[false]"},
      {"iif({}, 1, 2)", "[2]"},
      {"'x' and true", "[true]"},
  };
  CHECK_ALL(*state, rows);
}

static void test_dates(void **state) {
  static const struct expected rows[] = {
      {"@2020-01-31 + 1 month", "[\"2020-02-29\"]"},
      {"@2021-01-31 + 1 month", "[\"2021-02-28\"]"},
      {"@2020-03-31 - 1 month", "[\"2020-02-29\"]"},
      {"@2020-02-29 + 1 year", "[\"2021-02-28\"]"},
      {"@2020-02-29 + 4 years", "[\"2024-02-29\"]"},
      {"@2020-12-31 + 1 day", "[\"2021-01-01\"]"},
      {"@2016 + 24 months", "[\"2018\"]"},
      {"@2016 + 23 months", "[\"2017\"]"},
      {"@2016-01 + 31 days", "[\"2016-02\"]"},
      {"@9999-12-31 + 1 day", "[]"},
      {"@0001-01-01 - 1 day", "[]"},
      {"@T23:30 + 45 minutes", "[\"00:15\"]"},
      {"@T00:15 - 45 minutes", "[\"23:30\"]"},
      {"@2020-01-01T23:59:59.5Z + 0.5 's'", "[\"2020-01-02T00:00:00.0Z\"]"},
      {"@2020-01-01T00:00Z - 1 minute", "[\"2019-12-31T23:59Z\"]"},
      {"@2018-03 < @2018-03-01", "[]"},
      {"@2018-03 < @2018-04-01", "[true]"},
      {"@2018-03-01 = @2018-03", "[]"},
      {"@2018-03-01 ~ @2018-03", "[false]"},
      {"@2012-04-15T15:00:00+02:00 = @2012-04-15T13:00:00Z", "[true]"},
      {"@2012-04-15T15:00:00Z < @2012-04-17T10:00:00", "[true]"},
      {"@2012-04-15T15:00:00Z < @2012-04-15T16:00:00", "[]"},
      {"@T12:00:00 = @T12:00:00.000", "[true]"},
      {"now()", "[\"2023-11-14T22:13:20.000Z\"]"},
      {"today()", "[\"2023-11-14\"]"},
      {"now() = now()", "[true]"},
      {"'2012-13-01'.convertsToDate()", "[false]"},
      {"'2021-02-29'.toDate()", "[]"},
      {"@2014.lowBoundary()", "[\"2014-01-01\"]"},
      {"@2016-02.highBoundary()", "[\"2016-02-29\"]"},
      {"@2014-01-01T08.lowBoundary(17)", "[\"2014-01-01T08:00:00.000+14:00\"]"},
      {"@T10:30.highBoundary(9)", "[\"10:30:59.999\"]"},
      {"@2014-01-05T10:30:05.250+01:30.timezoneOffsetOf()", "[1.5]"},
      {"@2014-01-05T10:30:05.250.millisecondOf()", "[250]"},
  };
  CHECK_ALL(*state, rows);
}

static void test_numbers(void **state) {
  static const struct expected rows[] = {
      {"0.1 + 0.2 = 0.3", "[true]"},
      {"1.10 + 2.2", "[3.30]"},
      {"1 / 4", "[0.25]"},
      {"1 / 0", "[]"},
      {"7 div 2", "[3]"},
      {"-7 div 2", "[-3]"},
      {"7 mod 0", "[]"},
      {"2147483647 + 1", "[]"},
      {"2.power(10)", "[1024]"},
      {"2.power(-1)", "[0.5]"},
      {"(-1).sqrt()", "[]"},
      {"0.ln()", "[]"},
      {"3.14159.round(3)", "[3.142]"},
      {"(-0.5).round()", "[-1]"},
      {"(-1.1).floor()", "[-2]"},
      {"99999999999999999999999999999999.5 + 0.5", "[100000000000000000000000000000000.0]"},
      {"1.0 = 1.00", "[true]"},
      {"1 = 1.0", "[true]"},
      {"1.587.lowBoundary(2)", "[1.58]"},
      {"(1|2|3).sum()", "[6]"},
      {"(1|2|3|4).avg()", "[2.5]"},
      {"(3|1|2).min()", "[1]"},
      {"(3|1|2).max()", "[3]"},
      {"1.50.precision()", "[2]"},
  };
  CHECK_ALL(*state, rows);
}

static void test_quantities(void **state) {
  static const struct expected rows[] = {
      {"4 'g' = 4000 'mg'", "[true]"},
      {"1 'cm' = 1 's'", "[]"},
      {"1 'cm' < 1 '[in_i]'", "[true]"},
      {"1 year = 1 'a'", "[]"},
      {"1 year = 12 months", "[true]"},
      {"1 day = 1 'd'", "[true]"},
      {"37 'Cel' = 98.6 '[degF]'", "[true]"},
      {"1 'g' + 500 'mg'", "[\"1.500 'g'\"]"},
      {"1 'g' + 1 'm'", "[]"},
      {"6 'g' / 2 'g'", "[\"3 '1'\"]"},
      {"3 'm' * 2 'm' = 6 'm2'", "[true]"},
      {"5 'mmol/L' = 5 'mol/m3'", "[true]"},
      {"1 '[iU]' = 1000 'm[iU]'", "[true]"},
      {"1 '[iU]' = 1 'U'", "[]"},
      {"120 'mm[Hg]' > 15 'kPa'", "[true]"},
      {"1 'nonsense' = 1 'g'", "[]"},
      {"-(5 'mg')", "[\"-5 'mg'\"]"},
      {"'4.5 \\'mg\\''.toQuantity()", "[\"4.5 'mg'\"]"},
      {"'4 days'.toQuantity()", "[\"4 days\"]"},
      {"1 '1' = 1", "[true]"},
      {"1 'kg'.toQuantity('g')", "[\"1000 'g'\"]"},
  };
  CHECK_ALL(*state, rows);
}

static void test_texts(void **state) {
  static const struct expected rows[] = {
      {"'äöü'.length()", "[3]"},
      {"'äöü'.substring(1, 1)", "[\"ö\"]"},
      {"'äöü'.indexOf('ü')", "[2]"},
      {"'abcabc'.lastIndexOf('b')", "[4]"},
      {"'äß'.upper()", "[\"Äß\"]"},
      {"'abc'.substring(3)", "[]"},
      {"'abc'.substring(-1)", "[]"},
      {"'abc'.substring(1, -1)", "[\"\"]"},
      {"'A\\nB'.matches('A.B')", "[true]"},
      {"'xAx'.matches('A')", "[true]"},
      {"'xAx'.matchesFull('A')", "[false]"},
      {"'xax'.matches('A', 'i')", "[true]"},
      {"'11/30/1972'.replaceMatches('(\\\\d+)/(?<day>\\\\d+)/(\\\\d+)', '${day}-$1-$3')",
       "[\"30-11-1972\"]"},
      {"'abc'.replace('', 'x')", "[\"xaxbxcx\"]"},
      {"'a' & {}", "[\"a\"]"},
      {"'a' + {}", "[]"},
      {"'a,b,,c'.split(',')", "[\"a\",\"b\",\"\",\"c\"]"},
      {"('a'|'b').join('-')", "[\"a-b\"]"},
      {"'\\u00e4\\uD83D\\uDE00'", "[\"ä😀\"]"},
      {"'  x '.trim()", "[\"x\"]"},
      {"'<a&b>'.escape('html')", "[\"&lt;a&amp;b&gt;\"]"},
      {"'zz'.decode('hex')", "[]"},
      {"'ABC' ~ 'abc'", "[true]"},
      {"'ABC' = 'abc'", "[false]"},
  };
  CHECK_ALL(*state, rows);
}

static void test_collections(void **state) {
  static const struct expected rows[] = {
      {"(1|2|3).where($index > 0)", "[2,3]"},
      {"(1|2|3).aggregate($total + $this, 10)", "[16]"},
      {"(1|1|2).count()", "[2]"},
      {"1.combine(1).isDistinct()", "[false]"},
      {"(3|1|2).sort()", "[1,2,3]"},
      {"(3|1|2).sort(-$this)", "[3,2,1]"},
      {"name.sort(use).use", "[\"official\",\"usual\"]"},
      {"(1|2).subsetOf(1|2|3)", "[true]"},
      {"(1|2|3).supersetOf(2|4)", "[false]"},
      {"(1|2|3).exclude(2)", "[1,3]"},
      {"(1|2|3).intersect(3|2)", "[2,3]"},
      {"coalesce({}, name.use.first(), 'x')", "[\"official\"]"},
      {"defineVariable('n', name.given.first()).select(%n)", "[\"Anna\"]"},
      {"name.select(defineVariable('u', use).select(%u))", "[\"official\",\"usual\"]"},
      {"1.combine(defineVariable('v', 2).select(%v)).combine(defineVariable('v', 3).select(%v))",
       "[1,2,3]"},
      {"Patient.name.repeat(given).count()", "[4]"},
      {"(1|2|3).take(-1)", "[]"},
      {"(1|2|3).skip(5)", "[]"},
      {"name.exists(use = 'usual')", "[true]"},
      {"name.all(use.exists())", "[true]"},
  };
  CHECK_ALL(*state, rows);
}

static void test_types(void **state) {
  static const struct expected rows[] = {
      {"Patient.active is boolean", "[true]"},
      {"Patient.active is System.Boolean", "[false]"},
      {"true is Boolean", "[true]"},
      {"Patient.gender is string", "[true]"},
      {"Patient is DomainResource", "[true]"},
      {"Patient.active.type().name", "[\"boolean\"]"},
      {"1.type().namespace", "[\"System\"]"},
      {"contact.type().name", "[\"BackboneElement\"]"},
      {"name.ofType(HumanName).use", "[\"official\",\"usual\"]"},
      {"multipleBirth.ofType(boolean)", "[]"},
      {"conformsTo('http://hl7.org/fhir/StructureDefinition/DomainResource')", "[true]"},
  };
  CHECK_ALL(*state, rows);
}

static void test_refused(void **state) {
  static const struct {
    const char *text;
    enum err_code code;
    uint64_t offset;
  } rows[] = {
      {"2 + ", ERR_MALFORMED, 4},
      {"", ERR_MALFORMED, 0},
      {"a.b(", ERR_MALFORMED, 2},
      {"'open", ERR_MALFORMED, 0},
      {"'\\q'", ERR_MALFORMED, 1},
      {"/* open", ERR_MALFORMED, 0},
      {"@2020-13", ERR_MALFORMED, 0},
      {"@T25", ERR_MALFORMED, 0},
      {"name.given.frist()", ERR_MALFORMED, 11},
      {"first(1)", ERR_MALFORMED, 6},
      {"$that", ERR_MALFORMED, 0},
      {"x is Nonsense", ERR_INVALID, 5},
      {"99999999999", ERR_LIMIT, 0},
      {"'a'.matches('(')", ERR_MALFORMED, 12},
      {"%nobody", ERR_INVALID, 0},
      {"name.single()", ERR_INVALID, 5},
      {"1 + 'a'", ERR_INVALID, 2},
      {"1 < 'a'", ERR_INVALID, 2},
      {"$total", ERR_INVALID, 0},
      {"(1|2) + 1", ERR_INVALID, 6},
      {"name as HumanName", ERR_INVALID, 5},
      {"@2020-01-01 + 1 'a'", ERR_INVALID, 12},
      {"iif('x', 1, 2)", ERR_INVALID, 4},
      {"conformsTo('http://trash')", ERR_UNSUPPORTED, 0},
  };
  struct fixture *f = *state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct err err = {0};
    if (run(f, rows[i].text, &err)) fail_msg("%s succeeded", rows[i].text);
    if (err.code != rows[i].code || err.offset != rows[i].offset)
      fail_msg("%s: %s at %llu: %s", rows[i].text, err_facts(err.code)->word,
               (unsigned long long)err.offset, err.detail);
  }
}

static void test_strict(void **state) {
  static const struct {
    const char *text, *detail;
  } rows[] = {
      {"name.given1", "HumanName has no element given1; did you mean given?"},
      {"Observation.name", "Patient has no element Observation"},
      {"multipleBirthInteger", "Patient has no element multipleBirthInteger; did you mean "
                               "multipleBirth?"},
      {"name.where(uze = 'x')", "HumanName has no element uze; did you mean use?"},
      {"(multipleBirth as integer).given", "integer has no element given"},
      {"children().first()", "first() needs an order, and what it is given has none"},
  };
  struct fixture *f = *state;
  struct fhir_path_options options = {.type = FHIR_TYPE_PATIENT, .strict = true};
  const struct fhir_path *path;
  struct err err;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_fails(fhir_path_compile(&f->arena, bytes_str(rows[i].text), &options, &path, &err), err,
                 ERR_INVALID);
    if (strncmp(err.detail, rows[i].detail, strlen(rows[i].detail)) != 0)
      fail_msg("%s: %s", rows[i].text, err.detail);
  }
  assert_ok(fhir_path_compile(&f->arena,
                              BYTES("Patient.contact.name.given | contained.anything | "
                                    "link.other.resolve().x | extension.value.code"),
                              &options, &path, &err),
            err);
}

static void test_limits(void **state) {
  struct fixture *f = *state;
  struct fhir_path_limits limits = {.values_max = 64, .steps_max = 1000, .bytes_max = 4096};
  struct fhir_path_machine *machine = fhir_path_machine_new(&limits);
  static const char *const texts[] = {
      "'x'.repeatAll($this)", "(1|2|3|4|5|6|7|8).select(1|2|3|4|5|6|7|8|9|10|11|12).count()",
      "'0123456789'.repeat($this & '0123456789')",
      "(1|2|3|4|5|6).select((1|2|3|4|5|6).select((1|2|3|4|5|6).where($this > 7)))"};
  const struct fhir_path *path;
  struct fhir_path_result result;
  struct err err;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    assert_ok(fhir_path_compile(&f->arena, bytes_str(texts[i]), NULL, &path, &err), err);
    assert_fails(fhir_path_eval(machine, path, &f->context, NULL, &result, &err), err, ERR_LIMIT);
  }
  fhir_path_machine_free(&machine);
  cleanup_buf struct buf deep;
  buf_init(&deep, 1 << 16);
  for (int i = 0; i < 2000; i++) buf_char(&deep, '(');
  assert_fails(fhir_path_compile(&f->arena, buf_bytes(&deep), NULL, &path, &err), err, ERR_LIMIT);
  buf_reset(&deep);
  for (int i = 0; i < 2000; i++) buf_str(&deep, "1+");
  buf_str(&deep, "1");
  assert_fails(fhir_path_compile(&f->arena, buf_bytes(&deep), NULL, &path, &err), err, ERR_LIMIT);
  buf_reset(&deep);
  buf_str(&deep, "a");
  for (int i = 0; i < 20000; i++) buf_str(&deep, ".a");
  assert_ok(fhir_path_compile(&f->arena, buf_bytes(&deep), NULL, &path, &err), err);
  assert_ok(fhir_path_eval(f->machine, path, &f->context, NULL, &result, &err), err);
  assert_int_equal(result.count, 0);
}

/* ---- what the caller provides ---- */

static bool resolve_org(void *user, struct bytes reference, struct fhir_path_value *ret_value,
                        bool *ret_found, struct err *err) {
  if (bytes_eq_str(reference, "Broken/1")) FAIL(ERR_UNAVAILABLE, "not now");
  *ret_found = bytes_eq_str(reference, "Patient/p1");
  if (*ret_found) *ret_value = *(struct fhir_path_value *)user;
  return true;
}

static bool member_of_one(void *user, const struct fhir_path_value *value, struct bytes value_set,
                          bool *ret_member, bool *ret_known, struct err *err) {
  *ret_known = bytes_eq_str(value_set, "http://vs/gender");
  *ret_member = value->element.node && bytes_eq_str(value->element.node->text, "female");
  return true;
}

static int traced;

static void count_trace(void *user, struct bytes name, struct fhir_path_result values) {
  if (bytes_eq_str(name, "t")) traced += (int)values.count;
}

static void test_callbacks(void **state) {
  static const struct expected rows[] = {
      {"'Patient/p1'.resolve().id", "[\"p1\"]"},
      {"'Patient/p2'.resolve()", "[]"},
      {"gender.memberOf('http://vs/gender')", "[true]"},
      {"gender.memberOf('http://vs/other')", "[]"},
      {"%day & 'x'", "[\"Mondayx\"]"},
      {"%`vs-gender`", "[\"http://hl7.org/fhir/ValueSet/gender\"]"},
      {"%vs-administrative-gender.length()", "[50]"},
      {"%resource.id", "[\"p1\"]"},
      {"name.given.trace('t').count()", "[4]"},
  };
  struct fixture *f = *state;
  struct fhir_path_value day = fhir_path_string(BYTES("Monday"));
  struct fhir_path_variable variable = {BYTES("day"), &day, 1};
  struct err err;
  f->env.user = &f->context;
  f->env.resolve = resolve_org;
  f->env.member_of = member_of_one;
  f->env.trace = count_trace;
  f->env.variables = &variable;
  f->env.variable_count = 1;
  traced = 0;
  CHECK_ALL(f, rows);
  assert_int_equal(traced, 4);
  assert_fails(run(f, "'Broken/1'.resolve()", &err), err, ERR_UNAVAILABLE);
}

static void test_holds(void **state) {
  struct fixture *f = *state;
  const struct fhir_path *path;
  struct err err;
  bool holds;
  static const struct {
    const char *text;
    bool holds;
  } rows[] = {{"name.exists()", true}, {"{}", false}, {"active.not()", false}, {"id", true}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_ok(fhir_path_compile(&f->arena, bytes_str(rows[i].text), NULL, &path, &err), err);
    assert_ok(fhir_path_holds(f->machine, path, &f->context, NULL, &holds, &err), err);
    assert_int_equal(holds, rows[i].holds);
  }
  assert_ok(fhir_path_compile(&f->arena, BYTES("name"), NULL, &path, &err), err);
  assert_fails(fhir_path_holds(f->machine, path, &f->context, NULL, &holds, &err), err,
               ERR_INVALID);
}

static void test_lenient_as(void **state) {
  struct fixture *f = *state;
  struct fhir_path_options options = {.type = FHIR_NONE, .lenient_as = true};
  const struct fhir_path *path;
  struct fhir_path_result result;
  struct err err;
  assert_ok(fhir_path_compile(&f->arena, BYTES("name as HumanName"), &options, &path, &err), err);
  assert_ok(fhir_path_eval(f->machine, path, &f->context, NULL, &result, &err), err);
  assert_int_equal(result.count, 2);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(test_steps),  T(test_three_values), T(test_dates), T(test_numbers),    T(test_quantities),
      T(test_texts),  T(test_collections),  T(test_types), T(test_refused),    T(test_strict),
      T(test_limits), T(test_callbacks),    T(test_holds), T(test_lenient_as),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

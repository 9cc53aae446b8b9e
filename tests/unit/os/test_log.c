/* One line per event, whole or not at all, without a byte of anybody's message. */
#include "tests/unit/test.h"

#include "os/log.h"
#include "os/sim_clock.h"

#include <fcntl.h>
#include <unistd.h>

static struct sim_clock sim;
static char lines[200000];
static int line_count;

static void keep(void *arg, struct bytes line) {
  strncat(lines, (const char *)line.at, line.len);
  line_count++;
}

static int start(void **state) {
  sim_clock_init(&sim, INT64_C(1700000000123));
  lines[0] = 0;
  line_count = 0;
  log_open(&(struct log_options){.clock = &sim.port, .sink = keep});
  return 0;
}

static void a_line_is_json(void **state) {
  LOG(LISTENING, NULL, log_word("address", "[::1]"), log_int("port", 8080), log_bool("tls", false));
  assert_string_equal(lines, "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"tag\":"
                             "\"listening\",\"address\":\"[::1]\",\"port\":8080,\"tls\":false}\n");
}

static void a_line_needs_no_fields(void **state) {
  LOG(STOPPED, NULL);
  assert_int_equal(line_count, 1);
}

static void the_trail_goes_first_outermost_first(void **state) {
  struct log_trail tenant = {NULL, log_word("tenant", "north")};
  struct log_trail function = {&tenant, log_word("function", "ward/news2")};
  struct log_trail run = {&function, log_id("run", id_derive(BYTES("x"), 1))};
  LOG(FAILED, &run, log_int("attempt", 2));
  const char *at = strstr(lines, "\"tenant\":\"north\",\"function\":\"ward/news2\",\"run\":\"");
  assert_non_null(at);
  assert_non_null(strstr(at, ",\"attempt\":2}"));
}

static void a_trail_has_a_depth(void **state) {
  struct log_trail links[20] = {{NULL, log_int("n", 0)}};
  for (int i = 1; i < 20; i++) links[i] = (struct log_trail){&links[i - 1], log_int("n", i)};
  LOG(FAILED, &links[19]);
  assert_non_null(strstr(lines, "\"n\":19}"));
  assert_null(strstr(lines, "\"n\":11,"));
}

static void foreign_bytes_do_not_break_out(void **state) {
  LOG(FAILED, NULL, log_word("function", "a\"},{\n\033[31m\xff ü"));
  assert_non_null(strstr(lines, "\"function\":\"a?????"));
  assert_null(strchr(lines, '\033'));
  assert_ptr_equal(strchr(lines, '\n'), lines + strlen(lines) - 1);
}

static void an_error_prints_its_code_place_and_detail(void **state) {
  struct err err;
  err_set(&err, ERR_FULL, "x.c:1", ERR_OFFSET_NONE, "the \"ring\"\nof %d bytes", 7);
  LOG(FAILED, NULL, log_err(&err));
  assert_non_null(strstr(lines, "\"error\":\"full\",\"place\":\"x.c:1\","
                                "\"detail\":\"the 'ring'?of 7 bytes\"}"));
}

static void a_long_line_loses_fields_not_its_end(void **state) {
  char word[LOG_WORD_BYTES_MAX + 50];
  struct log_field fields[40];
  memset(word, 'w', sizeof word - 1);
  word[sizeof word - 1] = 0;
  for (int i = 0; i < 39; i++) fields[i] = log_word("name", word);
  fields[39] = (struct log_field){0};
  log_line(LOG_FAILED_TAG, NULL, fields);
  size_t len = strlen(lines);
  assert_true(len <= LOG_LINE_BYTES_MAX);
  assert_string_equal(lines + len - 3, "\"}\n");
  assert_null(strstr(lines, word)); /* each was cut at its limit */
}

static void a_tag_has_a_rate_and_says_what_it_held_back(void **state) {
  for (int i = 0; i < 15; i++) LOG(FAILED, NULL);
  assert_int_equal(line_count, 10);
  sim_clock_advance_ms(&sim, 1000);
  LOG(FAILED, NULL);
  assert_int_equal(line_count, 11);
  assert_non_null(strstr(lines, "\"held_back\":5}"));
}

static void levels_leave_out_what_is_below(void **state) {
  log_open(&(struct log_options){.clock = &sim.port, .sink = keep, .level = LOG_WARN});
  LOG(LISTENING, NULL);
  assert_int_equal(line_count, 0);
  assert_false(log_wanted(LOG_LISTENING_TAG));
  LOG(FAILED, NULL);
  assert_int_equal(line_count, 1);
}

static void text_is_for_people(void **state) {
  struct err err;
  err_set(&err, ERR_IO, "x.c:1", ERR_OFFSET_NONE, "disk");
  log_open(&(struct log_options){.clock = &sim.port, .sink = keep, .form = LOG_FORM_TEXT});
  LOG(LISTENING, NULL, log_word("address", "127.0.0.1"));
  LOG(FAILED, NULL, log_err(&err));
  assert_string_equal(lines, "22:13:20.123 info  listening: connections are accepted here"
                             " address=127.0.0.1\n"
                             "\033[31m22:13:20.123 error failed: a part could not do its work"
                             " error=io place=x.c:1 detail=\"disk\"\033[0m\n");
}

static void a_full_pipe_drops_and_counts(void **state) {
  int ends[2];
  char sink[70000];
  assert_int_equal(pipe(ends), 0);
  log_open(&(struct log_options){.clock = &sim.port, .fd = ends[1]});
  uint64_t before = log_dropped();
  for (int i = 0; i < 2000; i++) {
    LOG(STOPPED, NULL);
    sim_clock_advance_ms(&sim, 1000);
  }
  assert_true(log_dropped() > before);
  assert_true(read(ends[0], sink, sizeof sink) > 0);
  LOG(STOPPED, NULL);
  ssize_t got = read(ends[0], sink, sizeof sink - 1);
  sink[got > 0 ? got : 0] = 0;
  assert_non_null(strstr(sink, "\"dropped\":"));
  close(ends[0]);
  close(ends[1]);
}

#define CASE(f) cmocka_unit_test_setup(f, start)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(a_line_is_json),
      CASE(a_line_needs_no_fields),
      CASE(the_trail_goes_first_outermost_first),
      CASE(a_trail_has_a_depth),
      CASE(foreign_bytes_do_not_break_out),
      CASE(an_error_prints_its_code_place_and_detail),
      CASE(a_long_line_loses_fields_not_its_end),
      CASE(a_tag_has_a_rate_and_says_what_it_held_back),
      CASE(levels_leave_out_what_is_below),
      CASE(text_is_for_people),
      CASE(a_full_pipe_drops_and_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Ticks on a simulated clock: at their instants, once, through jumps, restarts and deploys. */
#include "tests/unit/source/rig.h"

#include "model/zone.h"
#include "source/schedule.h"

#define JAN_1 1767225600000ll /* 2026-01-01T00:00:00Z, a Thursday */
#define MINUTE 60000ll
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static struct schedule *schedule;
static struct disk *tzdata;

static void changed(void) {
  if (schedule) schedule_catalog_changed(schedule);
}

static void open_schedule(void) {
  struct schedule_options options = {.loop = rig.loop,
                                     .flow = rig.flow,
                                     .store = rig.store,
                                     .clock = &rig.clock.port,
                                     .tzdata = tzdata};
  struct err err;
  assert_ok(schedule_open(&options, &schedule, &err), err);
}

static void begin(int64_t wall_ms, const char *functions) {
  struct err err;
  rig_open(wall_ms);
  if (!disk_open_real(ZONE_FOLDER, &tzdata, &err)) tzdata = NULL;
  rig.on_catalog = changed;
  open_schedule();
  if (functions) rig_deploy(functions);
}

static void end(void) {
  schedule_close(&schedule);
  rig_close();
  if (tzdata) disk_close(&tzdata);
}

/* The server is down for so long. */
static void down(int64_t ms) {
  schedule_close(&schedule);
  rig_crash();
  sim_clock_advance_ms(&rig.clock, ms);
  open_schedule();
  rig_wait(1);
}

static size_t ticks(void) {
  return rig_events(EVENT_TYPE_SCHEDULE, NULL);
}

static void has_tick(const char *time) {
  struct buf events;
  buf_init(&events, 16 << 20);
  rig_events(EVENT_TYPE_SCHEDULE, &events);
  size_t at = bytes_find_bytes(buf_bytes(&events), bytes_str(time));
  if (at == events.len) fail_msg("no tick at %s in %.*s", time, BYTES_FMT(buf_bytes(&events)));
  buf_fini(&events);
}

static void a_tick_is_an_event_in_its_shape(void **state) {
  struct buf events;
  begin(JAN_1, "  f: {code: a.js, on: [{schedule: {cron: \"*/5 * * * *\"}}]}\n");
  rig_wait(12 * MINUTE);
  assert_int_equal(ticks(), 2);
  has_tick("\"id\":\"t/f#0@2026-01-01T00:05:00.000Z\"");
  has_tick("\"time\":\"2026-01-01T00:10:00Z\"");
  has_tick("\"detail-type\":\"Scheduled Event\",\"source\":\"aws.events\"");
  buf_init(&events, 1 << 20);
  rig_events(EVENT_TYPE_SCHEDULE, &events);
  struct bytes line = bytes_sub(buf_bytes(&events), 0, bytes_find(buf_bytes(&events), '\n'));
  struct arena arena;
  const struct json *tree;
  struct err err;
  arena_init(&arena, 1 << 20);
  assert_ok(json_parse(&arena, line, &tree, &err), err);
  assert_bytes(json_text(json_path(tree, BYTES("data.resources[0]"))), "t/f#0");
  arena_fini(&arena);
  buf_fini(&events);
  assert_int_equal(flow_load(rig.flow).succeeded, 2);
  end();
}

static void only_its_function_runs(void **state) {
  begin(JAN_1, "  f: {code: a.js, on: [{schedule: {cron: \"rate(1 minute)\"}}]}\n"
               "  g: {code: a.js, on: [{event: {type: \"medulla.*\"}}]}\n");
  rig_wait(3 * MINUTE + 500);
  assert_int_equal(ticks(), 3);
  assert_int_equal(flow_load(rig.flow).runs, 3);
  end();
}

static void a_gap_fires_at_the_jump_and_a_fold_once(void **state) {
  begin(1774742400000ll /* 2026-03-29T00:00Z */,
        "  f: {code: a.js, on: [{schedule: {cron: \"30 2 * * *\", zone: Europe/Zurich}}]}\n");
  if (!tzdata) {
    end();
    skip();
  }
  rig_wait(3 * HOUR); /* 02:00 local became 03:00 at 01:00Z */
  assert_int_equal(ticks(), 1);
  has_tick("2026-03-29T01:00:00Z");
  end();
  begin(1792886400000ll /* 2026-10-25T00:00Z */,
        "  f: {code: a.js, on: [{schedule: {cron: \"30 2 * * *\", zone: Europe/Zurich}}]}\n");
  rig_wait(12 * HOUR); /* 02:30 local at 00:30Z and again at 01:30Z */
  assert_int_equal(ticks(), 1);
  has_tick("2026-10-25T00:30:00Z");
  end();
}

static void missed_ticks_follow_the_policy(void **state) {
  begin(JAN_1, "  skip: {code: a.js, on: [{schedule: {cron: \"0 * * * *\", missed: skip}}]}\n"
               "  once: {code: a.js, on: [{schedule: {cron: \"0 * * * *\", missed: once}}]}\n"
               "  all:  {code: a.js, on: [{schedule: {cron: \"0 * * * *\", missed: all}}]}\n");
  rig_wait(90 * MINUTE);
  assert_int_equal(ticks(), 3);
  down(4 * HOUR); /* 01:30 to 05:30: 2, 3, 4, 5 o'clock */
  rig_wait(5000);
  assert_int_equal(ticks(), 3 + 0 + 1 + 4);
  has_tick("t/once#0@2026-01-01T05:00:00.000Z");
  has_tick("t/all#0@2026-01-01T02:00:00.000Z");
  rig_wait(HOUR);
  assert_int_equal(ticks(), 8 + 3);
  down(1000); /* nothing was missed */
  rig_wait(5000);
  assert_int_equal(ticks(), 11);
  end();
}

static void what_is_made_up_for_is_bounded(void **state) {
  begin(JAN_1, "  all: {code: a.js, on: [{schedule: {cron: \"* * * * *\", missed: all}}]}\n");
  rig_wait(1000);
  down(30 * DAY);
  rig_wait(30000);
  assert_int_equal(ticks(), SCHEDULE_MISSED_MAX);
  has_tick("t/all#0@2026-01-31T00:00:00.000Z");
  end();
}

static void a_rare_tick_is_missed_once_however_long_ago(void **state) {
  begin(JAN_1 + HOUR,
        "  once: {code: a.js, on: [{schedule: {cron: \"0 0 2 * *\", missed: once}}]}\n");
  rig_wait(1000);
  down(25 * DAY);
  rig_wait(1000);
  assert_int_equal(ticks(), 1);
  has_tick("t/once#0@2026-01-02T00:00:00.000Z");
  end();
}

static void a_crash_before_the_row_repeats_no_tick(void **state) {
  begin(JAN_1, "  all: {code: a.js, on: [{schedule: {cron: \"* * * * *\", missed: all}}]}\n");
  for (int i = 0; i < 20; i++) {
    rig_wait(59000 + i * 100);
    schedule_close(&schedule);
    rig_crash();
    open_schedule();
  }
  rig_wait(10 * MINUTE);
  int64_t minutes = (clock_wall_ms(&rig.clock.port) - JAN_1) / MINUTE;
  assert_int_equal(ticks(), minutes);
  end();
}

static void the_clock_may_jump(void **state) {
  begin(JAN_1, "  skip: {code: a.js, on: [{schedule: {cron: \"0 * * * *\", missed: skip}}]}\n");
  rig_wait(61 * MINUTE);
  assert_int_equal(ticks(), 1);
  sim_clock_jump_ms(&rig.clock, 10 * HOUR); /* 11:01: ten were skipped */
  rig_wait(60 * MINUTE);
  assert_int_equal(ticks(), 2);
  has_tick("2026-01-01T12:00:00Z");
  sim_clock_jump_ms(&rig.clock, -2 * HOUR); /* 10:01; 11:00 was never, 12:00 was */
  rig_wait(3 * HOUR);
  assert_int_equal(ticks(), 4);
  has_tick("2026-01-01T11:00:00Z");
  has_tick("2026-01-01T13:00:00Z");
  end();
}

static void a_deploy_arms_anew(void **state) {
  begin(JAN_1, "  f: {code: a.js, on: [{schedule: {cron: \"0 0 1 1 *\"}}]}\n");
  rig_wait(10 * MINUTE);
  assert_int_equal(ticks(), 0);
  rig_deploy("  f: {code: a.js, on: [{schedule: {cron: \"* * * * *\"}}]}\n");
  rig_wait(2 * MINUTE);
  assert_int_equal(ticks(), 2);
  assert_int_equal(rig_rows(TABLE_schedule), 1);
  rig_deploy("  g: {code: a.js, on: [{event: {type: x}}]}\n");
  rig_wait(5 * MINUTE);
  assert_int_equal(ticks(), 2);
  assert_int_equal(rig_rows(TABLE_schedule), 0);
  end();
}

static void an_unknown_zone_rests(void **state) {
  begin(JAN_1, "  f: {code: a.js, on: [{schedule: {cron: \"* * * * *\", zone: Mars/Base}}]}\n"
               "  g: {code: a.js, on: [{schedule: {cron: \"* * * * *\"}}]}\n");
  rig_wait(2 * MINUTE + 1000);
  assert_int_equal(ticks(), 2);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_tick_is_an_event_in_its_shape),
      cmocka_unit_test(only_its_function_runs),
      cmocka_unit_test(a_gap_fires_at_the_jump_and_a_fold_once),
      cmocka_unit_test(missed_ticks_follow_the_policy),
      cmocka_unit_test(what_is_made_up_for_is_bounded),
      cmocka_unit_test(a_rare_tick_is_missed_once_however_long_ago),
      cmocka_unit_test(a_crash_before_the_row_repeats_no_tick),
      cmocka_unit_test(the_clock_may_jump),
      cmocka_unit_test(a_deploy_arms_anew),
      cmocka_unit_test(an_unknown_zone_rests),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One allocation fails, the nth, and once. */
#include "tests/unit/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/must.h"
#include "base/starve.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void the_nth_of_an_arena_fails(void **state) {
  struct arena arena;
  arena_init(&arena, 1000);
  starve_arm(STARVE_ROOM, 2);
  assert_non_null(arena_alloc(&arena, 8));
  assert_true(starve_is_armed(STARVE_ROOM));
  assert_null(arena_alloc(&arena, 8));
  assert_false(starve_is_armed(STARVE_ROOM));
  assert_false(arena_ok(&arena));
  arena_reset(&arena);
  assert_non_null(arena_alloc(&arena, 8));
  arena_fini(&arena);
}

static void a_buffer_overflows_and_keeps_what_it_has(void **state) {
  struct buf buf;
  buf_init(&buf, 10000);
  buf_str(&buf, "here");
  starve_arm(STARVE_ROOM, 1);
  buf_room(&buf, 5000);
  assert_false(buf_ok(&buf));
  assert_bytes(buf_bytes(&buf), "here");
  buf_fini(&buf);
}

static void a_process_without_memory_ends(void **state) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    starve_arm(STARVE_MUST, 2);
    free(must_alloc(1));
    close(STDERR_FILENO);
    free(must_alloc(1));
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void the_environment_says_which(void **state) {
  static const char *const wrong[] = {"", "7", "must:", "must:0", "room:1x", "other:1"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    setenv("MEDULLA_STARVE", wrong[i], 1);
    assert_false(starve_from_environment());
  }
  setenv("MEDULLA_STARVE", "room:3", 1);
  assert_true(starve_from_environment());
  assert_true(starve_is_armed(STARVE_ROOM) && !starve_is_armed(STARVE_MUST));
  starve_arm(STARVE_ROOM, 0);
  unsetenv("MEDULLA_STARVE");
  assert_true(starve_from_environment());
  assert_false(starve_is_armed(STARVE_ROOM));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_nth_of_an_arena_fails),
      cmocka_unit_test(a_buffer_overflows_and_keeps_what_it_has),
      cmocka_unit_test(a_process_without_memory_ends),
      cmocka_unit_test(the_environment_says_which),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

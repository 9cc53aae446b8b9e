/* SQLite's locks within one process: who gets in, who waits. */
#include "tests/unit/test.h"

#include "store/vfs_lock.h"

struct locks {
  struct vfs_nodes nodes;
  struct vfs_hold a, b;
};

static int setup(void **state) {
  struct locks *locks = calloc(1, sizeof *locks);
  vfs_nodes_init(&locks->nodes);
  vfs_hold_init(&locks->nodes, &locks->a, "db");
  vfs_hold_init(&locks->nodes, &locks->b, "db");
  *state = locks;
  return 0;
}

static int teardown(void **state) {
  struct locks *locks = *state;
  vfs_hold_fini(&locks->nodes, &locks->a);
  vfs_hold_fini(&locks->nodes, &locks->b);
  vfs_nodes_fini(&locks->nodes);
  free(locks);
  return 0;
}

static void one_writer_many_readers(void **state) {
  struct locks *l = *state;
  assert_int_equal(vfs_hold_lock(&l->nodes, &l->a, SQLITE_LOCK_SHARED), SQLITE_OK);
  assert_int_equal(vfs_hold_lock(&l->nodes, &l->b, SQLITE_LOCK_SHARED), SQLITE_OK);
  assert_int_equal(vfs_hold_lock(&l->nodes, &l->a, SQLITE_LOCK_RESERVED), SQLITE_OK);
  assert_int_equal(vfs_hold_lock(&l->nodes, &l->b, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
  assert_true(vfs_hold_reserved(&l->nodes, &l->b));
  assert_int_equal(vfs_hold_lock(&l->nodes, &l->a, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
  vfs_hold_unlock(&l->nodes, &l->b, SQLITE_LOCK_NONE);
  /* The waiting writer keeps new readers out. */
  assert_int_equal(vfs_hold_lock(&l->nodes, &l->b, SQLITE_LOCK_SHARED), SQLITE_BUSY);
  assert_int_equal(vfs_hold_lock(&l->nodes, &l->a, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
  vfs_hold_unlock(&l->nodes, &l->a, SQLITE_LOCK_SHARED);
  assert_int_equal(vfs_hold_lock(&l->nodes, &l->b, SQLITE_LOCK_SHARED), SQLITE_OK);
  assert_false(vfs_hold_reserved(&l->nodes, &l->b));
}

static void the_log_index_has_eight_locks(void **state) {
  struct locks *l = *state;
  const int shared = SQLITE_SHM_LOCK | SQLITE_SHM_SHARED;
  const int exclusive = SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE;
  assert_int_equal(vfs_shm_lock(&l->nodes, &l->a, 3, 1, shared), SQLITE_OK);
  assert_int_equal(vfs_shm_lock(&l->nodes, &l->b, 3, 1, shared), SQLITE_OK);
  assert_int_equal(vfs_shm_lock(&l->nodes, &l->b, 0, 8, exclusive), SQLITE_BUSY);
  assert_int_equal(vfs_shm_lock(&l->nodes, &l->b, 0, 3, exclusive), SQLITE_OK);
  assert_int_equal(vfs_shm_lock(&l->nodes, &l->a, 2, 1, shared), SQLITE_BUSY);
  vfs_shm_lock(&l->nodes, &l->b, 0, 3, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
  assert_int_equal(vfs_shm_lock(&l->nodes, &l->a, 2, 1, shared), SQLITE_OK);
  vfs_shm_unmap(&l->nodes, &l->a);
  vfs_shm_unmap(&l->nodes, &l->b);
  assert_int_equal(vfs_shm_lock(&l->nodes, &l->b, 0, 8, exclusive), SQLITE_OK);
}

static void regions_are_shared(void **state) {
  struct locks *l = *state;
  void volatile *first, *second;
  assert_int_equal(vfs_shm_map(&l->nodes, &l->a, 0, 100, false, &first), SQLITE_OK);
  assert_null((void *)first);
  assert_int_equal(vfs_shm_map(&l->nodes, &l->a, 1, 100, true, &first), SQLITE_OK);
  assert_int_equal(vfs_shm_map(&l->nodes, &l->b, 1, 100, false, &second), SQLITE_OK);
  assert_ptr_equal((void *)first, (void *)second);
  assert_int_equal(vfs_shm_map(&l->nodes, &l->a, 1 << 20, 100, true, &first), SQLITE_IOERR_SHMSIZE);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(one_writer_many_readers, setup, teardown),
      cmocka_unit_test_setup_teardown(the_log_index_has_eight_locks, setup, teardown),
      cmocka_unit_test_setup_teardown(regions_are_shared, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

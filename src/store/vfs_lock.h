/* store/vfs_lock.h: SQLite's file locks and the log's index, within one process.
 * Owns:    a node per database while a connection has it open.
 * Errors:  SQLite's codes.
 * Threads: any; one lock.
 * Limits:  VFS_SHM_REGIONS_MAX.
 * Source:  sqlite.org/c3ref/io_methods.html, sqlite.org/walformat.html (2.3.1, locks).         */
#ifndef MEDULLA_STORE_VFS_LOCK_H
#define MEDULLA_STORE_VFS_LOCK_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

struct vfs_node {
  struct vfs_node *next;
  char *path;
  unsigned refs;
  /* The rollback-mode locks: many shared, one reserved, one exclusive. */
  unsigned shared;
  bool reserved, pending, exclusive;
  /* The log's index: regions, and eight locks (-1: exclusive, else how many share it). */
  void **regions;
  int regions_count;
  int shm_locks[SQLITE_SHM_NLOCK];
  unsigned shm_users;
};

/* What one connection holds. */
struct vfs_hold {
  struct vfs_node *node;
  int level;                          /* SQLITE_LOCK_... */
  unsigned shm_shared, shm_exclusive; /* bit masks */
  bool shm_used;
};

struct vfs_nodes {
  pthread_mutex_t lock;
  struct vfs_node *first;
};

void vfs_nodes_init(struct vfs_nodes *nodes);
void vfs_nodes_fini(struct vfs_nodes *nodes);
void vfs_hold_init(struct vfs_nodes *nodes, struct vfs_hold *hold, const char *path);
void vfs_hold_fini(struct vfs_nodes *nodes, struct vfs_hold *hold);
int vfs_hold_lock(struct vfs_nodes *nodes, struct vfs_hold *hold, int level);
void vfs_hold_unlock(struct vfs_nodes *nodes, struct vfs_hold *hold, int level);
bool vfs_hold_reserved(struct vfs_nodes *nodes, struct vfs_hold *hold);
int vfs_shm_map(struct vfs_nodes *nodes, struct vfs_hold *hold, int region, int bytes, bool extend,
                void volatile **ret_at);
int vfs_shm_lock(struct vfs_nodes *nodes, struct vfs_hold *hold, int offset, int count, int flags);
void vfs_shm_unmap(struct vfs_nodes *nodes, struct vfs_hold *hold);

#endif

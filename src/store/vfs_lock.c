/* store/vfs_lock.c: counts under one mutex. */
#include "store/vfs_lock.h"

#include "base/must.h"
#include "store/vfs.h"

#include <stdlib.h>
#include <string.h>

void vfs_nodes_init(struct vfs_nodes *nodes) {
  *nodes = (struct vfs_nodes){0};
  must(pthread_mutex_init(&nodes->lock, NULL) == 0);
}

void vfs_nodes_fini(struct vfs_nodes *nodes) {
  must(nodes->first == NULL);
  pthread_mutex_destroy(&nodes->lock);
}

void vfs_hold_init(struct vfs_nodes *nodes, struct vfs_hold *hold, const char *path) {
  *hold = (struct vfs_hold){0};
  pthread_mutex_lock(&nodes->lock);
  struct vfs_node *node = nodes->first;
  while (node && strcmp(node->path, path) != 0) node = node->next;
  if (!node) {
    node = must_alloc(sizeof *node);
    node->path = bytes_dup(bytes_str(path));
    node->next = nodes->first;
    nodes->first = node;
  }
  node->refs++;
  hold->node = node;
  pthread_mutex_unlock(&nodes->lock);
}

static void regions_free(struct vfs_node *node) {
  for (int i = 0; i < node->regions_count; i++) free(node->regions[i]);
  free(node->regions);
  node->regions = NULL;
  node->regions_count = 0;
}

void vfs_hold_fini(struct vfs_nodes *nodes, struct vfs_hold *hold) {
  if (!hold->node) return;
  vfs_hold_unlock(nodes, hold, SQLITE_LOCK_NONE);
  vfs_shm_unmap(nodes, hold);
  pthread_mutex_lock(&nodes->lock);
  struct vfs_node *node = hold->node, **at = &nodes->first;
  if (--node->refs == 0) {
    while (*at != node) at = &(*at)->next;
    *at = node->next;
    regions_free(node);
    free(node->path);
    free(node);
  }
  hold->node = NULL;
  pthread_mutex_unlock(&nodes->lock);
}

/* ---- none < shared < reserved < exclusive; a waiting writer (pending) keeps new readers out ----
 */

static int take_level(struct vfs_node *node, struct vfs_hold *hold, int level) {
  if (level == SQLITE_LOCK_SHARED) {
    if (node->exclusive || node->pending) return SQLITE_BUSY;
    node->shared++;
  } else if (level == SQLITE_LOCK_RESERVED) {
    if (node->reserved) return SQLITE_BUSY;
    node->reserved = true;
  } else {
    if (hold->level < SQLITE_LOCK_RESERVED && node->reserved) return SQLITE_BUSY;
    node->reserved = node->pending = true;
    hold->level = SQLITE_LOCK_PENDING;
    if (node->shared > 1) return SQLITE_BUSY;
    node->exclusive = true;
  }
  hold->level = level;
  return SQLITE_OK;
}

int vfs_hold_lock(struct vfs_nodes *nodes, struct vfs_hold *hold, int level) {
  int code = SQLITE_OK;
  pthread_mutex_lock(&nodes->lock);
  if (hold->level < level) code = take_level(hold->node, hold, level);
  pthread_mutex_unlock(&nodes->lock);
  return code;
}

void vfs_hold_unlock(struct vfs_nodes *nodes, struct vfs_hold *hold, int level) {
  pthread_mutex_lock(&nodes->lock);
  struct vfs_node *node = hold->node;
  if (hold->level > SQLITE_LOCK_SHARED && level <= SQLITE_LOCK_SHARED)
    node->reserved = node->pending = node->exclusive = false;
  if (hold->level >= SQLITE_LOCK_SHARED && level == SQLITE_LOCK_NONE) node->shared--;
  if (hold->level > level) hold->level = level;
  pthread_mutex_unlock(&nodes->lock);
}

bool vfs_hold_reserved(struct vfs_nodes *nodes, struct vfs_hold *hold) {
  pthread_mutex_lock(&nodes->lock);
  bool reserved = hold->node->reserved;
  pthread_mutex_unlock(&nodes->lock);
  return reserved;
}

/* ---- The log's index ---- */

int vfs_shm_map(struct vfs_nodes *nodes, struct vfs_hold *hold, int region, int bytes, bool extend,
                void volatile **ret_at) {
  if (region < 0 || region >= VFS_SHM_REGIONS_MAX) return SQLITE_IOERR_SHMSIZE;
  pthread_mutex_lock(&nodes->lock);
  struct vfs_node *node = hold->node;
  if (!hold->shm_used) node->shm_users++;
  hold->shm_used = true;
  while (extend && node->regions_count <= region) {
    node->regions =
        must_realloc(node->regions, (size_t)(node->regions_count + 1) * sizeof *node->regions);
    node->regions[node->regions_count++] = must_alloc((size_t)bytes);
  }
  *ret_at = region < node->regions_count ? node->regions[region] : NULL;
  pthread_mutex_unlock(&nodes->lock);
  return SQLITE_OK;
}

static int shm_take(struct vfs_node *node, struct vfs_hold *hold, int offset, int count,
                    int flags) {
  unsigned mask = ((1u << count) - 1) << offset;
  if (flags & SQLITE_SHM_UNLOCK) {
    for (int i = offset; i < offset + count; i++) {
      if (hold->shm_exclusive & 1u << i) node->shm_locks[i] = 0;
      if (hold->shm_shared & 1u << i) node->shm_locks[i]--;
    }
    hold->shm_exclusive &= ~mask;
    hold->shm_shared &= ~mask;
  } else if (flags & SQLITE_SHM_SHARED) {
    if (hold->shm_shared & mask) return SQLITE_OK;
    if (node->shm_locks[offset] < 0) return SQLITE_BUSY;
    node->shm_locks[offset]++;
    hold->shm_shared |= mask;
  } else {
    for (int i = offset; i < offset + count; i++) {
      if (!(hold->shm_exclusive & 1u << i) && node->shm_locks[i]) return SQLITE_BUSY;
    }
    for (int i = offset; i < offset + count; i++) node->shm_locks[i] = -1;
    hold->shm_exclusive |= mask;
  }
  return SQLITE_OK;
}

int vfs_shm_lock(struct vfs_nodes *nodes, struct vfs_hold *hold, int offset, int count, int flags) {
  pthread_mutex_lock(&nodes->lock);
  int code = shm_take(hold->node, hold, offset, count, flags);
  pthread_mutex_unlock(&nodes->lock);
  return code;
}

void vfs_shm_unmap(struct vfs_nodes *nodes, struct vfs_hold *hold) {
  pthread_mutex_lock(&nodes->lock);
  struct vfs_node *node = hold->node;
  shm_take(node, hold, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK);
  if (hold->shm_used && --node->shm_users == 0) regions_free(node);
  hold->shm_used = false;
  pthread_mutex_unlock(&nodes->lock);
}

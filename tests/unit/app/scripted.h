/* tests/unit/app/scripted.h: a server that gives the answers it was told, and remembers the asks.
 */
#ifndef MEDULLA_TESTS_UNIT_APP_SCRIPTED_H
#define MEDULLA_TESTS_UNIT_APP_SCRIPTED_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { SCRIPTED_ASKS_MAX = 16, SCRIPTED_ASK_BYTES = 1 << 18 };

struct scripted {
  const char *const *answers; /* raw, one per request, NULL-terminated; "#" is its length */
  int listen_fd;
  char url[80];
  pthread_t thread;
  int asked;
  char *asks[SCRIPTED_ASKS_MAX]; /* whole requests, NUL-terminated */
};

/* For servers of other kinds: one whole request (false: the other side is done), one answer. */
bool scripted_read(int fd, char *ask);
void scripted_send(int fd, const char *answer);

void scripted_start(struct scripted *server, const char *const *answers);
void scripted_stop(struct scripted *server);

#endif

#include "tests/unit/app/scripted.h"

#include "base/must.h"
#include "os/net.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A whole request with a Content-Length, or false at the end of the connection. */
bool scripted_read(int fd, char *ask) {
  size_t len = 0, wanted = 0;
  while (wanted == 0 || len < wanted) {
    ssize_t got = recv(fd, ask + len, SCRIPTED_ASK_BYTES - 1 - len, 0);
    if (got <= 0) return false;
    len += (size_t)got;
    ask[len] = '\0';
    char *end = strstr(ask, "\r\n\r\n");
    if (!end) continue;
    char *length = strstr(ask, "\r\nContent-Length:");
    bool in_head = length && length < end;
    wanted = (size_t)(end + 4 - ask) + (in_head ? strtoul(length + 17, NULL, 10) : 0);
  }
  return true;
}

/* "Content-Length: #" becomes the true one. */
void scripted_send(int fd, const char *answer) {
  const char *mark = strchr(answer, '#'), *body = strstr(answer, "\r\n\r\n");
  if (!mark || !body || mark > body) {
    must(send(fd, answer, strlen(answer), MSG_NOSIGNAL) > 0);
    return;
  }
  char head[1024];
  int len = snprintf(head, sizeof head, "%.*s%zu%.*s", (int)(mark - answer), answer,
                     strlen(body + 4), (int)(body + 4 - mark - 1), mark + 1);
  must(send(fd, head, (size_t)len, MSG_NOSIGNAL) == len);
  if (body[4]) must(send(fd, body + 4, strlen(body + 4), MSG_NOSIGNAL) > 0);
}

static void serve(struct scripted *server, int fd) {
  while (server->answers[server->asked] && server->asked < SCRIPTED_ASKS_MAX) {
    char *ask = must_alloc(SCRIPTED_ASK_BYTES);
    if (!scripted_read(fd, ask)) {
      free(ask);
      return;
    }
    const char *answer = server->answers[server->asked];
    server->asks[server->asked++] = ask;
    scripted_send(fd, answer);
    if (!strstr(answer, "Content-Length:") && !strstr(answer, "chunked")) return;
    if (strstr(answer, "Connection: close")) return;
  }
}

static void *run(void *arg) {
  struct scripted *server = arg;
  for (int fd; (fd = accept(server->listen_fd, NULL, NULL)) >= 0; close(fd)) serve(server, fd);
  return NULL;
}

void scripted_start(struct scripted *server, const char *const *answers) {
  struct err err;
  char address[NET_ADDRESS_BYTES];
  *server = (struct scripted){.answers = answers};
  must(net_listen("127.0.0.1:0", &server->listen_fd, &err));
  /* The listener comes non-blocking; this thread may wait. */
  must(fcntl(server->listen_fd, F_SETFL, 0) == 0);
  net_address(server->listen_fd, address);
  snprintf(server->url, sizeof server->url, "http://%s", address);
  must(pthread_create(&server->thread, NULL, run, server) == 0);
}

void scripted_stop(struct scripted *server) {
  shutdown(server->listen_fd, SHUT_RDWR);
  pthread_join(server->thread, NULL);
  close(server->listen_fd);
  for (int i = 0; i < SCRIPTED_ASKS_MAX; i++) free(server->asks[i]);
}

/* app/cli/client.h: a small blocking HTTP client for the command line.
 * Owns:    struct client its connection; struct client_answer its bytes.
 * Units:   milliseconds; bytes.
 * Errors:  UNREACHABLE, TIMEOUT, CLOSED, MALFORMED, LIMIT; client_ok: what the server said.
 * Threads: one at a time.
 * Limits:  CLIENT_ANSWER_BYTES_MAX, CLIENT_WAIT_MS_MAX without a byte.                     */
#ifndef MEDULLA_APP_CLI_CLIENT_H
#define MEDULLA_APP_CLI_CLIENT_H

#include "app/cli/cli.h"
#include "os/tls.h"
#include "wire/http.h"

#define CLIENT_ANSWER_BYTES_MAX (256u << 20)
#define CLIENT_LINE_BYTES_MAX (4u << 20)
#define CLIENT_WAIT_MS_MAX (16 * 60 * 1000) /* the longest run takes 15 minutes */
#define CLIENT_HEADERS_MAX 8

struct client {
  char host[280]; /* as in the URL, for Host: */
  char name[256]; /* to resolve */
  char port[8];
  char base[256]; /* path before every target, without its last slash */
  char token[512];
  char ca[1024];              /* whose certificates are believed; empty: the system's authorities */
  char cert[1024], key[1024]; /* shown to a server that asks; empty: none */
  bool secure;                /* https */
  bool ready;                 /* the stream is ready for what was waited for */
  struct loop *loop;
  struct tls_client *tls;
  struct stream *stream;
  struct buf in; /* read and not yet used */
};

struct client_ask {
  const char *method;
  const char *target;
  const char *type; /* of the body; NULL: no body */
  struct bytes body;
  struct http_header headers[CLIENT_HEADERS_MAX]; /* more, ending with an empty name */
  /* Optional: each line of a good answer, as it comes; false ends it. The body stays empty. */
  bool (*line)(void *arg, struct bytes line);
  void *arg;
};

struct client_answer {
  int status;
  struct http_response response; /* its slices point into head */
  struct buf head, body;
};

/* URL and token from flags, the environment and the data folder. */
bool client_init(struct cli *cli, struct client *ret_client, struct err *err) MUST_CHECK;
void client_fini(struct client *client);
bool client_reachable(struct client *client, struct err *err) MUST_CHECK;
/* Any status is an answer. client_answer_fini also after false. */
bool client_ask(struct client *client, const struct client_ask *ask, struct client_answer *answer,
                struct err *err) MUST_CHECK;
void client_answer_fini(struct client_answer *answer);
/* Turns a status from 400 on into the error the server gave. */
bool client_ok(const struct client_answer *answer, struct err *err) MUST_CHECK;

/* The usual: one request, the answer's JSON in the command's arena (NULL for an empty one). */
bool cli_call(struct cli *cli, const char *method, const char *target, struct bytes json_body,
              const struct json **ret_answer, struct err *err) MUST_CHECK;
/* The same for a stream of JSON lines. */
bool cli_stream(struct cli *cli, const char *target, bool (*line)(void *arg, struct bytes line),
                void *arg, struct err *err) MUST_CHECK;
/* "/admin/x?name=" and a value that needs escaping. */
void cli_target_add(struct buf *target, const char *before, const char *value);

#endif

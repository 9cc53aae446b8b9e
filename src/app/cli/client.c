/* app/cli/client.c: connect, send, and read one answer at a time; the connection is kept. */
#include "app/cli/client.h"

#include "base/cleanup.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

enum { READ_BYTES = 64 << 10, CONNECT_MS_MAX = 10000 };

static void on_ready(struct stream *stream, unsigned events) {
  struct client *client = stream->owner;
  client->ready = true;
  stream_want(stream, 0);
}

static int64_t now_ms(void) {
  return clock_mono_ns(clock_real()) / 1000000;
}

static bool wait_for(struct client *client, unsigned interest, int wait_ms, struct err *err) {
  int64_t until_ms = now_ms() + wait_ms;
  client->ready = false;
  stream_want(client->stream, interest);
  while (!client->ready) {
    int64_t left_ms = until_ms - now_ms();
    if (left_ms <= 0) FAIL(ERR_TIMEOUT, "the server did not answer within %d s", wait_ms / 1000);
    (void)loop_step(client->loop, (int)left_ms);
  }
  return true;
}

static void adopt(struct client *client) {
  client->stream->owner = client;
  client->stream->ready = on_ready;
}

/* The certificate is checked before the token goes anywhere. */
static bool secure(struct client *client, struct err *err) {
  const struct tls_files mine = {client->cert[0] ? client->cert : NULL, client->key, NULL};
  if (!client->tls)
    TRY(tls_client_open(client->ca[0] ? client->ca : NULL, &mine, &client->tls, err));
  client->stream = tls_stream_connect(client->loop, client->tls, client->name, &client->stream);
  adopt(client);
  TRY(wait_for(client, LOOP_WRITE, CONNECT_MS_MAX + TLS_REFUSAL_MS_MAX, err));
  const char *failure = tls_stream_failure(client->stream);
  if (failure)
    FAIL(ERR_UNREACHABLE,
         "no secure connection to %s: %s; MEDULLA_CA or --ca names the "
         "authority of its certificate",
         client->host, failure);
  return true;
}

/* One address; the name has been resolved. */
static bool connect_to(struct client *client, const char *address, struct err *err) {
  cleanup_fd int given = -1;
  int failure = 0;
  socklen_t size = sizeof failure;
  TRY(net_connect(address, &given, err));
  TRY(stream_open_socket(client->loop, given, &client->stream, err));
  int fd = steal_fd(&given);
  adopt(client);
  TRY(wait_for(client, LOOP_WRITE, CONNECT_MS_MAX, err));
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
  if (failure)
    FAIL(ERR_UNREACHABLE, "cannot connect to %s: %s", address,
         failure == ECONNREFUSED ? "nobody listens there" : "no way there");
  return !client->secure || secure(client, err);
}

static void disconnect(struct client *client) {
  stream_close(&client->stream);
  buf_reset(&client->in);
}

bool client_reachable(struct client *client, struct err *err) {
  if (client->stream) return true;
  if (!client->loop) TRY(loop_new(clock_real(), &client->loop, err));
  struct addrinfo *found = NULL;
  struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
  if (getaddrinfo(client->name, client->port, &wanted, &found) != 0)
    FAIL(ERR_UNREACHABLE, "there is no host called %s", client->name);
  bool connected = false;
  for (struct addrinfo *at = found; at && !connected; at = at->ai_next) {
    char host[64], address[NET_ADDRESS_BYTES + 16];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0)
      continue;
    snprintf(address, sizeof address, at->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
             client->port);
    connected = connect_to(client, address, err);
    if (!connected) disconnect(client);
  }
  freeaddrinfo(found);
  if (!connected && !found) FAIL(ERR_UNREACHABLE, "there is no host called %s", client->name);
  return connected;
}

void client_fini(struct client *client) {
  disconnect(client);
  tls_client_close(&client->tls);
  if (client->loop) loop_free(&client->loop);
  buf_fini(&client->in);
  bytes_wipe(client->token, sizeof client->token);
}

/* A kept connection has nothing to read, unless the server has closed it meanwhile. */
static void drop_stale(struct client *client) {
  uint8_t byte;
  size_t len;
  if (client->stream && stream_read(client->stream, &byte, 1, &len) != STREAM_AGAIN)
    disconnect(client);
}

static bool send_all(struct client *client, struct bytes data, struct err *err) {
  while (data.len) {
    size_t sent = 0;
    switch (stream_write(client->stream, &data, 1, &sent)) {
    case STREAM_OK: data = bytes_from(data, sent); break;
    case STREAM_AGAIN: TRY(wait_for(client, LOOP_WRITE, CLIENT_WAIT_MS_MAX, err)); break;
    case STREAM_END:
    case STREAM_BROKEN:
      /* The server may have answered before it closed: an answer is more useful than this. */
      return true;
    }
  }
  return true;
}

/* More bytes behind those in client->in; *ret_end at the end of the stream. */
static bool receive(struct client *client, bool *ret_end, struct err *err) {
  uint8_t *at = buf_room(&client->in, READ_BYTES);
  if (!at) FAIL(ERR_LIMIT, "the answer is too large");
  for (;;) {
    size_t got = 0;
    switch (stream_read(client->stream, at, READ_BYTES, &got)) {
    case STREAM_OK: buf_grew(&client->in, got); return true;
    case STREAM_END: *ret_end = true; return true;
    case STREAM_BROKEN: FAIL(ERR_CLOSED, "the connection broke before the answer was whole");
    case STREAM_AGAIN: TRY(wait_for(client, LOOP_READ, CLIENT_WAIT_MS_MAX, err)); break;
    }
  }
}

static bool write_head(const struct client *client, const struct client_ask *ask, struct buf *buf,
                       struct err *err) {
  struct http_header headers[CLIENT_HEADERS_MAX + 3];
  size_t count = 0;
  char bearer[sizeof client->token + 8];
  char target[HTTP_TARGET_BYTES_MAX];
  int target_bytes = snprintf(target, sizeof target, "%s%s", client->base, ask->target);
  if (target_bytes < 0 || (size_t)target_bytes >= sizeof target)
    FAIL(ERR_LIMIT, "the request's address is too long");
  snprintf(bearer, sizeof bearer, "Bearer %s", client->token);
  if (client->token[0])
    headers[count++] = (struct http_header){BYTES("Authorization"), bytes_str(bearer)};
  if (ask->type)
    headers[count++] = (struct http_header){BYTES("Content-Type"), bytes_str(ask->type)};
  for (size_t i = 0; i < CLIENT_HEADERS_MAX && ask->headers[i].name.len; i++)
    headers[count++] = ask->headers[i];
  const struct http_ask http = {
      .method = bytes_str(ask->method),
      .target = bytes_str(target),
      .host = bytes_str(client->host),
      .headers = headers,
      .header_count = count,
      .has_body = ask->type != NULL,
      .content_length = ask->body.len,
  };
  return http_ask_write(buf, &http, err);
}

static bool read_head(struct client *client, const struct client_ask *ask,
                      struct client_answer *answer, struct err *err) {
  struct http_parser parser = {0};
  for (bool end = false;;) {
    size_t head_bytes = 0;
    enum http_step step =
        http_response_parse(&parser, buf_bytes(&client->in), strcmp(ask->method, "HEAD") == 0,
                            &answer->response, &head_bytes, err);
    if (step == HTTP_BAD) return false;
    if (step == HTTP_MORE) {
      if (end) FAIL(ERR_CLOSED, "the server closed the connection without an answer");
      TRY(receive(client, &end, err));
      continue;
    }
    if (answer->response.status / 100 == 1) {
      buf_consume(&client->in, head_bytes);
      parser = (struct http_parser){0};
      continue;
    }
    /* Keep the head: the input moves on. */
    buf_put(&answer->head, bytes_sub(buf_bytes(&client->in), 0, head_bytes));
    buf_consume(&client->in, head_bytes);
    parser = (struct http_parser){0};
    answer->status = answer->response.status;
    return http_response_parse(&parser, buf_bytes(&answer->head), false, &answer->response,
                               &head_bytes, err) == HTTP_DONE;
  }
}

/* Whole lines to ask->line; what is left waits in the body. */
static bool give_lines(const struct client_ask *ask, struct buf *body, bool at_end) {
  for (;;) {
    struct bytes all = buf_bytes(body);
    size_t len = bytes_find(all, '\n');
    if (len == all.len && !(at_end && len)) return true;
    bool go_on = len == 0 || ask->line(ask->arg, bytes_sub(all, 0, len));
    buf_consume(body, len < all.len ? len + 1 : len);
    if (!go_on) return false;
  }
}

struct body_reading {
  const struct http_head *head;
  struct http_chunked chunked;
  uint64_t left;
  bool done;
};

/* Takes what has come of the body. */
static bool take_body(struct client *client, struct body_reading *reading, struct buf *body,
                      struct err *err) {
  while (client->in.len && !reading->done) {
    struct bytes data = buf_bytes(&client->in);
    size_t used = data.len;
    if (reading->head->body == HTTP_BODY_CHUNKED) {
      enum http_step step =
          http_chunked_next(&reading->chunked, buf_bytes(&client->in), &used, &data, err);
      if (step == HTTP_BAD) return false;
      reading->done = step == HTTP_DONE;
    } else if (reading->head->body == HTTP_BODY_LENGTH) {
      used = used < reading->left ? used : (size_t)reading->left;
      data = bytes_sub(data, 0, used);
      reading->left -= used;
      reading->done = reading->left == 0;
    }
    buf_put(body, data);
    buf_consume(&client->in, used);
    if (!buf_ok(body)) FAIL(ERR_LIMIT, "the answer is too large");
  }
  return true;
}

static bool read_body(struct client *client, const struct client_ask *ask,
                      struct client_answer *answer, struct err *err) {
  struct body_reading reading = {.head = &answer->response.head};
  bool lines = ask->line && answer->status < 300;
  reading.left = reading.head->content_length;
  reading.done = reading.head->body == HTTP_BODY_NONE ||
                 (reading.head->body == HTTP_BODY_LENGTH && reading.left == 0);
  for (bool end = false; !reading.done;) {
    TRY(take_body(client, &reading, &answer->body, err));
    if (lines && !give_lines(ask, &answer->body, false)) {
      disconnect(client); /* the reader has had enough; the rest will not be read */
      return true;
    }
    if (reading.done) break;
    if (end && reading.head->body == HTTP_BODY_UNTIL_CLOSE) break;
    if (end) FAIL(ERR_CLOSED, "the server closed the connection amid its answer");
    TRY(receive(client, &end, err));
  }
  if (lines) give_lines(ask, &answer->body, true);
  return true;
}

bool client_ask(struct client *client, const struct client_ask *ask, struct client_answer *answer,
                struct err *err) {
  *answer = (struct client_answer){0};
  buf_init(&answer->head, HTTP_HEAD_BYTES_MAX);
  buf_init(&answer->body, ask->line ? CLIENT_LINE_BYTES_MAX : CLIENT_ANSWER_BYTES_MAX);
  cleanup_buf struct buf head;
  buf_init(&head, HTTP_HEAD_BYTES_MAX);
  drop_stale(client);
  TRY(client_reachable(client, err));
  TRY(write_head(client, ask, &head, err));
  bool answered = send_all(client, buf_bytes(&head), err) &&
                  (!ask->type || send_all(client, ask->body, err)) &&
                  read_head(client, ask, answer, err) && read_body(client, ask, answer, err);
  if (!answered || !answer->response.head.keep_alive) disconnect(client);
  return answered;
}

void client_answer_fini(struct client_answer *answer) {
  buf_fini(&answer->head);
  buf_fini(&answer->body);
}

static enum err_code code_of(struct bytes word, int status) {
  for (int code = 0; code < ERR_COUNT; code++)
    if (word.len && bytes_eq_str(word, err_facts((enum err_code)code)->word))
      return (enum err_code)code;
  for (int code = ERR_OK + 1; code < ERR_COUNT; code++)
    if (err_facts((enum err_code)code)->http_status == status) return (enum err_code)code;
  return ERR_INTERNAL;
}

bool client_ok(const struct client_answer *answer, struct err *err) {
  if (answer->status < 400) return true;
  cleanup_arena struct arena arena;
  arena_init(&arena, CLIENT_LINE_BYTES_MAX);
  const struct json *body = NULL;
  struct err why;
  if (!json_parse(&arena, buf_bytes(&answer->body), &body, &why)) body = NULL;
  const struct json *error = json_get(body, "error");
  struct bytes message = json_get_text(error, "message");
  if (!message.len) message = json_get_text(body, "message"); /* AWS shapes */
  if (!message.len) message = json_get_text(body, "Message");
  if (!message.len) message = bytes_str(http_status_phrase(answer->status));
  FAIL(code_of(json_get_text(error, "code"), answer->status), "%.*s", BYTES_FMT(message));
}

/* effect/egress_client.c: requests out, answers in; the process started again when it ends. */
#include "effect/egress_client.h"

#include "base/list.h"
#include "base/must.h"
#include "effect/egress_wire.h"
#include "os/log.h"
#include "os/net.h"
#include "os/process.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
  READ_BYTES = 64 << 10,
  RESTART_MS_MIN = 100,
  RESTART_MS_MAX = 10000,
  GRACE_MS = 5000, /* beyond a request's own limit: then the process itself hangs */
};

struct pending {
  struct list link;
  uint64_t number;
  enum err_code end; /* what the timer answers with */
  struct loop_timer timer;
  struct client *client;
  egress_done *done;
  void *arg;
};

struct client {
  struct egress_port port; /* first member */
  struct loop *loop;
  char *path;
  struct process process;
  struct stream *stream; /* NULL: not up */
  struct buf in, out;
  size_t out_at;
  struct list pending;
  struct loop_timer restart;
  int64_t restart_ms;
  struct egress_load load;
  bool closing;
};

static void end_pending(struct pending *pending, const struct egress_answer *answer) {
  egress_done *done = pending->done;
  void *arg = pending->arg;
  list_drop(&pending->link);
  loop_timer_drop(pending->client->loop, &pending->timer);
  pending->client->load.pending--;
  free(pending);
  done(arg, answer);
}

static void fail_pending(struct pending *pending, enum err_code code) {
  static const char *const sentences[] = {
      [ERR_CLOSED] = "the egress process ended with the request under way",
      [ERR_UNAVAILABLE] = "the egress process is not up",
      [ERR_BUSY] = "EGRESS_PENDING_MAX or EGRESS_UNSENT_BYTES_MAX: too many requests wait",
      [ERR_LIMIT] = "the request is larger than EGRESS_FRAME_BYTES_MAX",
      [ERR_TIMEOUT] = "no answer came in time"};
  struct egress_answer answer = {0};
  err_set(&answer.err, code, ERR_PLACE, ERR_OFFSET_NONE, "%s", sentences[code]);
  end_pending(pending, &answer);
}

static void on_timer(struct loop_timer *timer) {
  struct pending *pending = LIST_OF(timer, struct pending, timer);
  fail_pending(pending, pending->end);
}

static void drop_stream(struct client *client) {
  if (client->stream) stream_close(&client->stream);
  buf_reset(&client->in);
  buf_reset(&client->out);
  client->out_at = 0;
}

/* A rude frame or a broken socket: its end is reported by the process watch. */
static void give_up(struct client *client) {
  drop_stream(client);
  process_kill(&client->process, SIGKILL);
}

static void send_out(struct client *client) {
  while (client->out_at < client->out.len) {
    struct bytes rest = bytes_from(buf_bytes(&client->out), client->out_at);
    size_t len = 0;
    enum stream_result result = stream_write(client->stream, &rest, 1, &len);
    if (result == STREAM_AGAIN) {
      stream_want(client->stream, LOOP_READ | LOOP_WRITE);
      return;
    }
    if (result != STREAM_OK) {
      give_up(client);
      return;
    }
    client->out_at += len;
  }
  buf_reset(&client->out);
  client->out_at = 0;
  stream_want(client->stream, LOOP_READ);
}

/* ---- Answers ---- */

static void hear(struct client *client, uint64_t number, const struct egress_answer *answer) {
  client->restart_ms = 0; /* it works */
  LIST_EACH (pending, &client->pending, struct pending, link) {
    if (pending->number != number) continue;
    end_pending(pending, answer);
    return;
  }
}

static bool take_answers(struct client *client) {
  struct bytes frame;
  size_t taken = 0, consumed;
  bool sound = true;
  while (sound) {
    struct egress_answer answer;
    uint64_t number;
    struct err err;
    enum egress_frame step =
        egress_frame_next(bytes_from(buf_bytes(&client->in), taken), &frame, &consumed);
    if (step == EGRESS_MORE) break;
    sound = step == EGRESS_FRAME && egress_get_answer(frame, &number, &answer, &err);
    if (sound) hear(client, number, &answer);
    taken += sound ? consumed : 0;
  }
  buf_consume(&client->in, taken);
  return sound;
}

static void on_stream(struct stream *stream, unsigned events) {
  struct client *client = stream->owner;
  if (events & LOOP_WRITE) send_out(client);
  if (!client->stream || !(events & (LOOP_READ | LOOP_HANGUP))) return;
  for (;;) {
    uint8_t *room = buf_room(&client->in, READ_BYTES);
    size_t len = 0;
    enum stream_result result = room ? stream_read(stream, room, READ_BYTES, &len) : STREAM_BROKEN;
    if (result == STREAM_AGAIN) return;
    if (result == STREAM_OK) buf_grew(&client->in, len);
    if (result != STREAM_OK || !take_answers(client)) {
      give_up(client);
      return;
    }
  }
}

/* ---- The process ---- */

static void restart_later(struct client *client) {
  int64_t wait_ms = client->restart_ms;
  client->restart_ms = wait_ms ? wait_ms * 2 : RESTART_MS_MIN;
  if (client->restart_ms > RESTART_MS_MAX) client->restart_ms = RESTART_MS_MAX;
  client->load.restarts++;
  loop_timer_after(client->loop, &client->restart, wait_ms);
}

/* The requests of now, not those their answers lead to. */
static void fail_all(struct client *client, enum err_code code) {
  struct list failed;
  list_init(&failed);
  LIST_EACH (pending, &client->pending, struct pending, link) {
    list_drop(&pending->link);
    list_push(&failed, &pending->link);
  }
  while (!list_empty(&failed)) fail_pending(LIST_FIRST(&failed, struct pending, link), code);
}

static void on_ended(struct process *process, struct process_end end) {
  struct client *client = LIST_OF(process, struct client, process);
  LOG(EGRESS_ENDED, NULL, log_int("exit", end.exit_code), log_int("signal", end.signal));
  drop_stream(client);
  client->load.pid = 0;
  restart_later(client);
  fail_all(client, ERR_CLOSED);
}

static bool start(struct client *client, struct err *err) {
  int pair[2];
  const char *const argv[] = {"medulla-egress", NULL};
  TRY(net_pair(pair, err));
  const struct process_fd fds[] = {{pair[1], EGRESS_SOCKET_FD}, {STDERR_FILENO, STDERR_FILENO}};
  const struct process_options options = {
      .path = client->path, .argv = argv, .fds = fds, .fd_count = sizeof fds / sizeof *fds};
  client->process = (struct process){.ended = on_ended};
  bool ok = process_start(client->loop, &options, &client->process, err);
  close(pair[1]);
  if (ok && !stream_open_socket(client->loop, pair[0], &client->stream, err)) {
    process_forget(&client->process);
    ok = false;
  }
  if (!ok) {
    close(pair[0]);
    return false;
  }
  client->stream->ready = on_stream;
  client->stream->owner = client;
  stream_want(client->stream, LOOP_READ);
  client->load.pid = client->process.pid;
  return true;
}

static void on_restart(struct loop_timer *timer) {
  struct client *client = LIST_OF(timer, struct client, restart);
  struct err err;
  if (start(client, &err)) return;
  LOG(FAILED, NULL, log_err(&err));
  restart_later(client);
}

/* ---- The port ---- */

static void client_request(void *self, const struct egress_request *request, egress_done *done,
                           void *arg) {
  struct client *client = self;
  struct pending *pending = must_alloc(sizeof *pending);
  pending->client = client;
  pending->number = ++client->load.requests;
  pending->done = done;
  pending->arg = arg;
  pending->timer.fire = on_timer;
  pending->end = ERR_TIMEOUT;
  int64_t wait_ms = 0; /* an answer never comes from within the request */
  struct egress_request capped = *request;
  if (capped.timeout_ms > EGRESS_TIMEOUT_MS_MAX) capped.timeout_ms = EGRESS_TIMEOUT_MS_MAX;
  if (capped.timeout_ms < 1) capped.timeout_ms = 1;
  size_t size = request->url.len + request->headers.len + request->body.len +
                request->mail_from.len + request->mail_to.len;
  list_push(&client->pending, &pending->link);
  client->load.pending++;
  if (!client->stream || client->closing) {
    pending->end = ERR_UNAVAILABLE;
  } else if (size > EGRESS_BODY_BYTES_MAX + EGRESS_HEADER_BYTES_MAX) {
    pending->end = ERR_LIMIT;
  } else if (client->load.pending > EGRESS_PENDING_MAX ||
             client->out.len + size > EGRESS_UNSENT_BYTES_MAX) {
    pending->end = ERR_BUSY;
  } else {
    egress_put_request(&client->out, pending->number, &capped);
    send_out(client);
    wait_ms = capped.timeout_ms + GRACE_MS;
  }
  loop_timer_after(client->loop, &pending->timer, wait_ms);
}

/* Nobody keeps an outbox here: effect/outbox.h stands in front. */
static void client_outbox(void *self, const struct stage *stage) {
  (void)self, (void)stage;
}

static const struct egress_ops client_ops = {client_request, client_outbox};

bool egress_open(struct loop *loop, const char *path, struct egress_port **ret_port,
                 struct err *err) {
  struct client *client = must_alloc(sizeof *client);
  client->port = (struct egress_port){&client_ops, client};
  client->loop = loop;
  client->path = bytes_dup(bytes_str(path));
  client->restart.fire = on_restart;
  list_init(&client->pending);
  buf_init(&client->in, EGRESS_FRAME_BYTES_MAX + 2 * READ_BYTES);
  buf_init(&client->out, EGRESS_UNSENT_BYTES_MAX + EGRESS_FRAME_BYTES_MAX);
  struct egress_port *port = &client->port;
  if (!start(client, err)) {
    egress_close(&port);
    return false;
  }
  *ret_port = port;
  return true;
}

void egress_close(struct egress_port **port) {
  struct client *client = *port ? (*port)->self : NULL;
  *port = NULL;
  if (!client) return;
  client->closing = true;
  loop_timer_drop(client->loop, &client->restart);
  if (client->load.pid) process_forget(&client->process);
  drop_stream(client);
  while (!list_empty(&client->pending)) fail_all(client, ERR_CLOSED);
  buf_fini(&client->in);
  buf_fini(&client->out);
  free(client->path);
  free(client);
}

struct egress_load egress_load(const struct egress_port *port) {
  return ((const struct client *)port->self)->load;
}

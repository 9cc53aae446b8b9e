/* egress/main.c: the only process that connects outward. Requests come over one socket, answers go
 * back over it; its end is our end. */
#include "base/must.h"
#include "egress/confine.h"
#include "egress/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
  READ_BYTES = 256 << 10,
  WAIT_MS = 1000,
  KEPT_CONNECTIONS = 32,
  OUT_BYTES_HIGH = 64 << 20, /* no new requests are read while so much waits to be written */
  EXIT_CONFINE = 70,
};

struct egress {
  CURLM *multi;
  struct list transfers;
  unsigned busy;
  struct buf in, out;
  size_t out_at; /* written so far */
  bool ended;
};

static void answer(struct egress *egress, uint64_t number, const struct egress_answer *answer) {
  egress_put_answer(&egress->out, number, answer);
  must(buf_ok(&egress->out));
}

static void refuse(struct egress *egress, uint64_t number, const struct err *err) {
  answer(egress, number, &(struct egress_answer){.err = *err});
}

static void take_frame(struct egress *egress, struct bytes frame) {
  struct transfer *transfer;
  uint64_t number = 0;
  struct err err;
  if (!transfer_new(frame, &number, &transfer, &err)) {
    refuse(egress, number, &err);
    return;
  }
  list_push(&egress->transfers, &transfer->link);
  egress->busy++;
  must(curl_multi_add_handle(egress->multi, transfer->easy) == CURLM_OK);
}

static bool may_read(const struct egress *egress) {
  return egress->busy < EGRESS_BUSY_MAX && egress->out.len < OUT_BYTES_HIGH;
}

static void take_frames(struct egress *egress) {
  struct bytes frame;
  size_t taken = 0, consumed;
  while (may_read(egress)) {
    enum egress_frame step =
        egress_frame_next(bytes_from(buf_bytes(&egress->in), taken), &frame, &consumed);
    if (step == EGRESS_BAD) egress->ended = true;
    if (step != EGRESS_FRAME) break;
    take_frame(egress, frame);
    taken += consumed;
  }
  buf_consume(&egress->in, taken);
}

static void read_socket(struct egress *egress) {
  uint8_t *room = buf_room(&egress->in, READ_BYTES);
  must(room != NULL); /* whole frames are taken out before more is read */
  ssize_t got = recv(EGRESS_SOCKET_FD, room, READ_BYTES, MSG_DONTWAIT);
  if (got > 0)
    buf_grew(&egress->in, (size_t)got);
  else if (got == 0 || (errno != EAGAIN && errno != EINTR))
    egress->ended = true;
}

static void write_socket(struct egress *egress) {
  struct bytes rest = bytes_from(buf_bytes(&egress->out), egress->out_at);
  if (rest.len == 0) return;
  ssize_t put = send(EGRESS_SOCKET_FD, rest.at, rest.len, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0 && errno != EAGAIN && errno != EINTR) egress->ended = true;
  if (put > 0) egress->out_at += (size_t)put;
  if (egress->out_at < egress->out.len) return;
  buf_reset(&egress->out);
  egress->out_at = 0;
}

static void finish(struct egress *egress, struct transfer *transfer, CURLcode code) {
  struct egress_answer done;
  transfer_answer(transfer, code, &done);
  answer(egress, transfer->number, &done);
  curl_multi_remove_handle(egress->multi, transfer->easy);
  transfer_free(&transfer);
  egress->busy--;
}

static void collect(struct egress *egress) {
  int left;
  for (CURLMsg *message; (message = curl_multi_info_read(egress->multi, &left));) {
    struct transfer *transfer = NULL;
    CURLcode code = message->data.result;
    if (message->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    must(transfer != NULL);
    finish(egress, transfer, code);
  }
}

static void step(struct egress *egress) {
  struct curl_waitfd socket = {.fd = EGRESS_SOCKET_FD};
  int running;
  if (may_read(egress)) socket.events |= CURL_WAIT_POLLIN;
  if (egress->out.len) socket.events |= CURL_WAIT_POLLOUT;
  curl_multi_poll(egress->multi, &socket, 1, WAIT_MS, NULL);
  if (may_read(egress) && (socket.revents & CURL_WAIT_POLLIN)) read_socket(egress);
  curl_multi_perform(egress->multi, &running);
  collect(egress);
  take_frames(egress); /* after it: what has ended made room */
  write_socket(egress);
}

int main(int argc, char **argv) {
  struct egress egress = {0};
  struct err err;
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    puts(curl_version());
    return EXIT_SUCCESS;
  }
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) return EXIT_FAILURE;
  if (!confine(&err)) {
    fprintf(stderr, "medulla-egress: %s\n", err.detail);
    return EXIT_CONFINE;
  }
  egress.multi = curl_multi_init();
  must(egress.multi != NULL);
  curl_multi_setopt(egress.multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
  list_init(&egress.transfers);
  buf_init(&egress.in, EGRESS_FRAME_BYTES_MAX + 2 * READ_BYTES);
  buf_init(&egress.out, OUT_BYTES_HIGH + EGRESS_BUSY_MAX * (size_t)EGRESS_FRAME_BYTES_MAX);
  while (!egress.ended) step(&egress);
  return EXIT_SUCCESS; /* the kernel takes back what is left */
}

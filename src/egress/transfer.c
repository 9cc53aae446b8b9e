/* egress/transfer.c: an easy handle with every door closed that is not needed. */
#include "egress/transfer.h"

#include "base/must.h"
#include "egress/address.h"
#include "wire/http.h"
#include "wire/uri.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONNECT_MS_MAX = 10000, TRANSFER_ARENA_BYTES_MAX = 1 << 20 };

/* ---- What libcurl calls ---- */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  struct transfer *transfer = arg;
  (void)purpose;
  if (!address_allowed(address_class(&address->addr), transfer->allow_private)) {
    transfer->denied = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype, address->protocol);
}

/* Just before the request goes out, also on a connection that another transfer opened. */
static int before_request(void *arg, char *remote, char *local, int remote_port, int local_port) {
  struct transfer *transfer = arg;
  (void)local, (void)remote_port, (void)local_port;
  if (address_allowed(address_class_text(remote), transfer->allow_private))
    return CURL_PREREQFUNC_OK;
  transfer->denied = true;
  return CURL_PREREQFUNC_ABORT;
}

/* One line each, with its end. A status line begins a new head (after 100 Continue). */
static size_t on_header(char *at, size_t size, size_t count, void *arg) {
  struct transfer *transfer = arg;
  struct bytes line = bytes_of(at, size * count);
  if (bytes_starts(line, BYTES("HTTP/")))
    buf_reset(&transfer->head);
  else if (line.len > 2)
    buf_put(&transfer->head, line);
  if (buf_ok(&transfer->head)) return line.len;
  transfer->too_large = true;
  return 0;
}

static size_t on_body(char *at, size_t size, size_t count, void *arg) {
  struct transfer *transfer = arg;
  buf_put(&transfer->body, bytes_of(at, size * count));
  if (buf_ok(&transfer->body)) return size * count;
  transfer->too_large = true;
  return 0;
}

static size_t on_upload(char *at, size_t size, size_t count, void *arg) {
  struct transfer *transfer = arg;
  struct bytes part = bytes_sub(transfer->upload, 0, size * count);
  if (part.len) memcpy(at, part.at, part.len);
  transfer->upload = bytes_from(transfer->upload, part.len);
  return part.len;
}

/* ---- Setting up ---- */

static void set_common(struct transfer *transfer, const struct egress_request *request) {
  CURL *easy = transfer->easy;
  int64_t connect_ms = request->timeout_ms < CONNECT_MS_MAX ? request->timeout_ms : CONNECT_MS_MAX;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a slow resolver is not waited for */
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

static bool append_header(struct transfer *transfer, const char *line, struct err *err) {
  struct curl_slist *list = line ? curl_slist_append(transfer->headers, line) : NULL;
  if (!list) FAIL(ERR_LIMIT, "the request headers are too large");
  transfer->headers = list;
  return true;
}

/* libcurl takes "Name;" for a header without value, and "Name:" as the wish to leave it out. */
static bool add_header(struct transfer *transfer, struct bytes line, struct err *err) {
  struct bytes value;
  struct bytes name = bytes_cut(line, ':', &value);
  value = bytes_trim(value);
  if (!http_token_valid(name) || !http_value_valid(value))
    FAIL(ERR_INVALID, "a request header is malformed");
  struct bytes text =
      value.len ? arena_printf(&transfer->arena, "%.*s: %.*s", BYTES_FMT(name), BYTES_FMT(value))
                : arena_printf(&transfer->arena, "%.*s;", BYTES_FMT(name));
  if (bytes_eq_nocase(name, BYTES("Content-Type"))) transfer->typed = true;
  return append_header(transfer, arena_str(&transfer->arena, text), err);
}

static bool set_http(struct transfer *transfer, const struct egress_request *request,
                     struct err *err) {
  CURL *easy = transfer->easy;
  bool head = bytes_eq_str(request->method, "HEAD");
  if (!http_token_valid(request->method) || request->method.len > HTTP_METHOD_BYTES_MAX)
    FAIL(ERR_INVALID, "the method is malformed");
  for (struct bytes rest = request->headers; rest.len;) {
    struct bytes line = bytes_cut(rest, '\n', &rest);
    if (bytes_ends(line, BYTES("\r"))) line.len--;
    if (line.len) TRY(add_header(transfer, line, err));
  }
  /* No waiting for 100 Continue, and no type that nobody named. */
  TRY(append_header(transfer, "Expect:", err));
  if (!transfer->typed) TRY(append_header(transfer, "Content-Type:", err));
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "Medulla");
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  if (head) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (request->body.len || bytes_eq_str(request->method, "POST") ||
      bytes_eq_str(request->method, "PUT") || bytes_eq_str(request->method, "PATCH")) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                     request->body.len ? (const char *)request->body.at : "");
  }
  if (!head)
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, arena_str(&transfer->arena, request->method));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  return true;
}

static bool set_smtp(struct transfer *transfer, const struct egress_request *request,
                     struct err *err) {
  CURL *easy = transfer->easy;
  for (struct bytes rest = request->mail_to; rest.len;) {
    struct bytes one = bytes_trim(bytes_cut(rest, ',', &rest));
    char *text = arena_str(&transfer->arena, one);
    struct curl_slist *list = text ? curl_slist_append(transfer->recipients, text) : NULL;
    if (!list) FAIL(ERR_LIMIT, "too many recipients");
    transfer->recipients = list;
  }
  if (!transfer->recipients) FAIL(ERR_INVALID, "a mail without recipient");
  transfer->upload = request->body;
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, arena_str(&transfer->arena, request->mail_from));
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, transfer->recipients);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
  curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
  /* A password is never sent in the clear; a mail is, when the server offers no TLS. */
  curl_easy_setopt(easy, CURLOPT_USE_SSL,
                   request->user.len ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
  if (request->user.len) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, arena_str(&transfer->arena, request->user));
    curl_easy_setopt(easy, CURLOPT_PASSWORD, arena_str(&transfer->arena, request->password));
  }
  return true;
}

/* libcurl gets the address as our parser understood it, so that both mean the same one. The path of
 * an smtp URL is the name the server is greeted with. */
static bool set_url(struct transfer *transfer, const struct egress_request *request,
                    struct err *err) {
  struct uri uri;
  TRY(uri_parse(&transfer->arena, request->url, &uri, err));
  bool web = bytes_eq_str(uri.scheme, "http") || bytes_eq_str(uri.scheme, "https");
  bool mail = bytes_eq_str(uri.scheme, "smtp") || bytes_eq_str(uri.scheme, "smtps");
  if (request->kind == EGRESS_HTTP ? !web : !mail)
    FAIL(ERR_INVALID, "the URL's scheme does not fit the request");
  struct bytes domain = bytes_from(request->mail_from, bytes_find(request->mail_from, '@') + 1);
  struct bytes url =
      mail ? arena_printf(&transfer->arena, "%.*s://%.*s/%.*s", BYTES_FMT(uri.scheme),
                          BYTES_FMT(uri.authority), BYTES_FMT(domain))
           : arena_printf(&transfer->arena, "%.*s://%.*s%.*s%s%.*s", BYTES_FMT(uri.scheme),
                          BYTES_FMT(uri.authority), BYTES_FMT(uri.path), uri.query.at ? "?" : "",
                          BYTES_FMT(uri.query));
  char *text = arena_str(&transfer->arena, url);
  if (!text) FAIL(ERR_LIMIT, "the URL is too long");
  curl_easy_setopt(transfer->easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(transfer->easy, CURLOPT_URL, text);
  return true;
}

static bool set_up(struct transfer *transfer, const struct egress_request *request,
                   struct err *err) {
  set_common(transfer, request);
  TRY(set_url(transfer, request, err));
  TRY(request->kind == EGRESS_HTTP ? set_http(transfer, request, err)
                                   : set_smtp(transfer, request, err));
  if (!arena_ok(&transfer->arena)) FAIL(ERR_LIMIT, "the request's URL and headers are too large");
  return true;
}

bool transfer_new(struct bytes frame, uint64_t *ret_number, struct transfer **ret_transfer,
                  struct err *err) {
  struct egress_request request;
  struct transfer *transfer = must_alloc(sizeof *transfer);
  buf_init(&transfer->frame, EGRESS_FRAME_BYTES_MAX);
  buf_init(&transfer->head, EGRESS_HEADER_BYTES_MAX);
  buf_init(&transfer->body, EGRESS_BODY_BYTES_MAX);
  arena_init(&transfer->arena, TRANSFER_ARENA_BYTES_MAX);
  list_init(&transfer->link);
  transfer->easy = curl_easy_init();
  must(transfer->easy != NULL);
  buf_put(&transfer->frame, frame);
  bool ok = egress_get_request(buf_bytes(&transfer->frame), &transfer->number, &request, err);
  *ret_number = transfer->number;
  if (ok) {
    transfer->allow_private = request.allow_private;
    ok = set_up(transfer, &request, err);
  }
  if (ok)
    *ret_transfer = transfer;
  else
    transfer_free(&transfer);
  return ok;
}

void transfer_free(struct transfer **transfer) {
  struct transfer *t = *transfer;
  *transfer = NULL;
  list_drop(&t->link);
  curl_easy_cleanup(t->easy);
  curl_slist_free_all(t->headers);
  curl_slist_free_all(t->recipients);
  buf_fini(&t->frame);
  buf_fini(&t->head);
  buf_fini(&t->body);
  arena_fini(&t->arena);
  free(t);
}

/* ---- The answer ---- */

static enum err_code code_of(const struct transfer *transfer, CURLcode code) {
  if (transfer->denied) return ERR_DENIED;
  if (transfer->too_large) return ERR_LIMIT;
  if (code == CURLE_OPERATION_TIMEDOUT) return ERR_TIMEOUT;
  if (code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
      code == CURLE_PARTIAL_FILE)
    return ERR_CLOSED;
  return ERR_UNREACHABLE;
}

void transfer_answer(struct transfer *transfer, CURLcode code, struct egress_answer *ret_answer) {
  struct egress_answer answer = {0};
  long status = 0;
  char *redirect = NULL;
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  answer.status = (int)status;
  err_clear(&answer.err);
  if (code == CURLE_OK) {
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &redirect);
    answer.headers = buf_bytes(&transfer->head);
    answer.body = buf_bytes(&transfer->body);
    answer.redirect = bytes_str(redirect);
  } else if (transfer->denied) {
    err_set(&answer.err, ERR_DENIED, ERR_PLACE, ERR_OFFSET_NONE,
            "the name stands for an address that is private or reserved");
  } else if (transfer->too_large) {
    err_set(&answer.err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE,
            "the answer is larger than EGRESS_BODY_BYTES_MAX (8 MiB) or its head than 64 KiB");
  } else {
    /* libcurl's fixed sentence: it holds nothing of the request. */
    err_set(&answer.err, code_of(transfer, code), ERR_PLACE, ERR_OFFSET_NONE, "%s",
            curl_easy_strerror(code));
  }
  *ret_answer = answer;
}

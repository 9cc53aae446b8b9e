/* effect/outbox_message.c: mail, webhook or text message gateway. */
#include "effect/outbox_message.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "effect/mail.h"
#include "wire/codec.h"
#include "wire/json.h"
#include "wire/uri.h"

#include <string.h>

enum { MESSAGE_BYTES_MAX = 4 << 20, SEND_MS_MAX = 30000, SIGNED_TEXT_BYTES = 128 };

/* What every kind needs. */
struct message {
  struct arena *arena;
  const struct outbox_row *row;
  const struct json *spec, *payload;
  struct bytes secret;
  int64_t now_ms;
  char id[ID_TEXT_BYTES];
};

static bool message_read(struct message *message, struct err *err) {
  TRY(json_parse(message->arena, message->row->spec, &message->spec, err));
  TRY(json_parse(message->arena, message->row->payload, &message->payload, err));
  id_text(message->row->key, message->id);
  return true;
}

/* One text, or a list of them, with commas. */
static struct bytes joined(struct arena *arena, const struct json *value) {
  struct bytes all = json_text(value);
  if (!value || value->kind != JSON_ARRAY) return all;
  for (const struct json *item = value->first; item; item = item->next)
    all = arena_printf(arena, "%.*s%s%.*s", BYTES_FMT(all), all.len ? "," : "",
                       BYTES_FMT(item->text));
  return all;
}

/* The administrator writes contacts: a private address is allowed by saying so, or by being
 * written as the loopback address it is. */
static bool is_private(struct arena *arena, const struct json *spec, struct bytes url) {
  struct uri uri;
  struct err err;
  if (json_is_true(json_get(spec, "private"))) return true;
  return uri_parse(arena, url, &uri, &err) &&
         ((uri.is_ipv4 && bytes_starts(uri.host, BYTES("127."))) || bytes_eq_str(uri.host, "::1") ||
          bytes_eq_str(uri.host, "localhost"));
}

static bool by_mail(struct message *message, struct egress_request *request, struct err *err) {
  cleanup_buf struct buf text;
  cleanup_buf struct buf to;
  struct bytes subject = json_get_text(message->payload, "subject");
  buf_init(&text, MESSAGE_BYTES_MAX);
  buf_init(&to, MESSAGE_BYTES_MAX);
  if (!subject.len) subject = json_get_text(message->spec, "subject");
  struct mail mail = {.from = json_get_text(message->spec, "from"),
                      .to = joined(message->arena, json_get(message->spec, "to")),
                      .subject = subject.len ? subject : message->row->contact,
                      .text = json_get_text(message->payload, "text"),
                      .id = bytes_str(message->id),
                      .date_ms = message->row->created_ms};
  TRY(mail_write(&text, &mail, err));
  TRY(mail_addresses(mail.to, &to, err));
  TRY(mail_address(mail.from, &request->mail_from, err));
  request->kind = EGRESS_SMTP;
  request->mail_to = arena_copy(message->arena, buf_bytes(&to));
  request->body = arena_copy(message->arena, buf_bytes(&text));
  request->user = json_get_text(message->spec, "user");
  if (request->user.len) request->password = message->secret;
  return true;
}

/* "whsec_" and base64, as webhook services hand them out, or any text. */
static bool signing_key(struct bytes secret, struct buf *key, struct err *err) {
  struct bytes prefix = BYTES("whsec_");
  if (bytes_starts(secret, prefix))
    return base64_decode(key, bytes_from(secret, prefix.len), 0, err);
  buf_put(key, secret);
  return true;
}

static bool sign(struct message *message, struct bytes body, struct buf *headers, struct err *err) {
  cleanup_buf struct buf key;
  cleanup_buf struct buf text;
  uint8_t mac[SHA256_BYTES];
  long long seconds = message->now_ms / 1000;
  buf_init(&key, 4096);
  buf_init(&text, body.len + SIGNED_TEXT_BYTES);
  TRY(signing_key(message->secret, &key, err));
  buf_printf(&text, "%s.%lld.", message->id, seconds);
  buf_put(&text, body);
  hmac_sha256(buf_bytes(&key), buf_bytes(&text), mac);
  buf_printf(headers, "webhook-timestamp: %lld\r\nwebhook-signature: v1,", seconds);
  base64_encode(headers, bytes_of(mac, sizeof mac), 0);
  buf_str(headers, "\r\n");
  return true;
}

static void put_member(struct json_out *out, const struct json *payload, const char *name) {
  const struct json *value = json_get(payload, name);
  if (!value) return;
  json_out_name(out, name);
  json_out_value(out, value);
}

static bool by_webhook(struct message *message, struct egress_request *request, struct err *err) {
  cleanup_buf struct buf body;
  cleanup_buf struct buf headers;
  struct json_out out;
  char time[RFC3339_BYTES];
  buf_init(&body, MESSAGE_BYTES_MAX);
  buf_init(&headers, 4096);
  rfc3339_format(message->row->created_ms, time);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member_str(&out, "id", message->id);
  json_out_member(&out, "app", message->row->app);
  json_out_member(&out, "function", message->row->function);
  json_out_member(&out, "contact", message->row->contact);
  put_member(&out, message->payload, "subject");
  put_member(&out, message->payload, "text");
  put_member(&out, message->payload, "data");
  json_out_member_str(&out, "time", time);
  json_out_close(&out, '}');
  buf_printf(&headers,
             "Content-Type: application/json\r\nIdempotency-Key: %s\r\nwebhook-id: %s\r\n",
             message->id, message->id);
  if (message->secret.len) TRY(sign(message, buf_bytes(&body), &headers, err));
  request->method = BYTES("POST");
  request->headers = arena_copy(message->arena, buf_bytes(&headers));
  request->body = arena_copy(message->arena, buf_bytes(&body));
  if (!buf_ok(&body)) FAIL(ERR_LIMIT, "the message is larger than 4 MiB");
  return true;
}

/* One value in the body's own syntax: inside a JSON text, or percent-encoded in a form. */
static void put_escaped(struct buf *buf, struct bytes value, bool form) {
  size_t start = buf->len;
  struct json_out out;
  if (form) {
    percent_encode(buf, value, "");
    return;
  }
  json_out_init(&out, buf);
  json_out_string(&out, value);
  if (!buf_ok(buf)) return;
  memmove(buf->at + start, buf->at + start + 1, buf->len - start - 2); /* without its quotes */
  buf->len -= 2;
}

/* The template with {to} and {text} filled in. */
static bool by_sms(struct message *message, struct egress_request *request, struct err *err) {
  cleanup_buf struct buf body;
  struct bytes type = json_get_text(message->spec, "content_type");
  if (!type.len) type = BYTES("application/json");
  bool form = bytes_starts(type, BYTES("application/x-www-form-urlencoded"));
  struct bytes to = joined(message->arena, json_get(message->spec, "to"));
  struct bytes text = json_get_text(message->payload, "text");
  struct bytes template = json_get_text(message->spec, "template");
  buf_init(&body, MESSAGE_BYTES_MAX);
  while (template.len) {
    if (bytes_starts(template, BYTES("{to}"))) {
      put_escaped(&body, to, form);
      template = bytes_from(template, 4);
    } else if (bytes_starts(template, BYTES("{text}"))) {
      put_escaped(&body, text, form);
      template = bytes_from(template, 6);
    } else {
      buf_char(&body, template.at[0]);
      template = bytes_from(template, 1);
    }
  }
  if (!buf_ok(&body)) FAIL(ERR_LIMIT, "the message is larger than 4 MiB");
  request->method = BYTES("POST");
  request->body = arena_copy(message->arena, buf_bytes(&body));
  request->headers = arena_printf(
      message->arena, "Content-Type: %.*s\r\nIdempotency-Key: %s\r\n%s%.*s%s", BYTES_FMT(type),
      message->id, message->secret.len ? "Authorization: Bearer " : "", BYTES_FMT(message->secret),
      message->secret.len ? "\r\n" : "");
  return true;
}

bool outbox_secret_name(struct arena *arena, const struct outbox_row *row, struct bytes *ret_name,
                        struct err *err) {
  const struct json *spec;
  TRY(json_parse(arena, row->spec, &spec, err));
  *ret_name = json_get_text(spec, "secret");
  return true;
}

bool outbox_message(struct arena *arena, const struct outbox_row *row, struct bytes secret,
                    int64_t now_ms, struct egress_request *ret_request, struct err *err) {
  static const struct {
    const char *name;
    bool (*build)(struct message *message, struct egress_request *request, struct err *err);
  } kinds[] = {{"smtp", by_mail}, {"webhook", by_webhook}, {"sms", by_sms}};
  struct message message = {.arena = arena, .row = row, .secret = secret, .now_ms = now_ms};
  struct egress_request request = {.kind = EGRESS_HTTP, .timeout_ms = SEND_MS_MAX};
  TRY(message_read(&message, err));
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    request.url = json_get_text(message.spec, kinds[i].name);
    if (!request.url.len) continue;
    TRY(kinds[i].build(&message, &request, err));
    request.allow_private = is_private(arena, message.spec, request.url);
    if (!arena_ok(arena)) FAIL(ERR_LIMIT, "the message is too large");
    *ret_request = request;
    return true;
  }
  FAIL(ERR_INVALID, "the contact has neither smtp, webhook nor sms");
}

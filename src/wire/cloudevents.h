/* wire/cloudevents.h: CloudEvents 1.0 in every form HTTP carries them, to one value and back.
 * Owns:    nothing; events live in the caller's arena and point into its input.
 * Units:   bytes; UTC milliseconds.
 * Errors:  MALFORMED, INVALID, LIMIT, UNSUPPORTED; the detail names the attribute and, where there
 *          are several events, the event's index from 0. Values are never in it.
 * Threads: pure; any thread.
 * Limits:  EVENT_BYTES_MAX (or the caller's), EVENT_BATCH_MAX, CLOUDEVENT_*_MAX.
 * Source:  CloudEvents 1.0.2: core §3, JSON format §2 to §4, HTTP binding §3.            */
#ifndef MEDULLA_WIRE_CLOUDEVENTS_H
#define MEDULLA_WIRE_CLOUDEVENTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/http.h"

#define EVENT_BYTES_MAX (1u << 20)
#define EVENT_BATCH_MAX 1000
#define CLOUDEVENT_ATTRIBUTE_BYTES_MAX 2048
#define CLOUDEVENT_NAME_BYTES_MAX 64
#define CLOUDEVENT_EXTENSIONS_MAX 32

enum cloudevent_data { CLOUDEVENT_NO_DATA, CLOUDEVENT_JSON, CLOUDEVENT_BASE64 };

struct cloudevent_extension {
  struct bytes name;
  struct bytes value; /* text; of a number or boolean as written */
  bool is_string;     /* else `value` is written without quotes */
};

struct json;

struct cloudevent {
  struct bytes id, source, type;                           /* never empty */
  struct bytes subject, time, datacontenttype, dataschema; /* empty: not there */
  int64_t time_ms;                                         /* with time */
  enum cloudevent_data kind;
  struct bytes data;       /* JSON: as it was written, byte for byte; base64: its text */
  const struct json *tree; /* what cloudevents_write makes of it, parsed; NULL: not at hand */
  size_t extension_count;
  struct cloudevent_extension *extensions; /* sorted by name in cloudevent_check */
};

struct cloudevents {
  struct cloudevent *events;
  size_t count;
  bool batch; /* they came in a batch, be it of one */
};

/* One HTTP message: binary, structured or batch, as its headers say. event_bytes_max 0:
 * EVENT_BYTES_MAX. */
bool cloudevents_read_http(struct arena *arena, const struct http_head *head, struct bytes body,
                           size_t event_bytes_max, struct cloudevents *ret_events,
                           struct err *err) MUST_CHECK;
/* Structured JSON: one event, or an array of them. */
bool cloudevents_read_json(struct arena *arena, struct bytes text, bool batch,
                           size_t event_bytes_max, struct cloudevents *ret_events,
                           struct err *err) MUST_CHECK;
/* A file: one event, an array, or one event a line (NDJSON; blank lines are skipped). */
bool cloudevents_read_file(struct arena *arena, struct bytes text, size_t event_bytes_max,
                           struct cloudevents *ret_events, struct err *err) MUST_CHECK;
/* Required attributes, names, forms; for events made by our own sources, too. */
bool cloudevent_check(struct cloudevent *event, struct err *err) MUST_CHECK;

/* The canonical structured envelope: attributes in a fixed order, extensions by name, data last. */
void cloudevents_write(struct buf *buf, const struct cloudevent *event);
/* A header value of the binary form: percent signs for all that RFC 3986 §2.4 asks (§3.1.3.2). */
void cloudevents_value_encode(struct buf *buf, struct bytes text);
bool cloudevents_value_decode(struct arena *arena, struct bytes value, struct bytes *ret_text,
                              struct err *err) MUST_CHECK;

#endif

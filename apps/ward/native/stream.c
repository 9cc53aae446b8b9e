/* apps/ward/native/stream.c: the rule engine of src/stream.js as a WebAssembly module.
 *
 * The same rules, the same state, the same answers; only faster, for wards that stream tens of
 * thousands of samples a second. src/stream.js is the reference: it says what happens and why, and
 * rules_header.js writes rules.h from it. Nothing here allocates but from the end of memory, and
 * nothing is ever freed: the platform puts memory back after each run.                        */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("medulla"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

IMPORT("event_size") uint32_t event_size(void);
IMPORT("event_read") uint32_t event_read(void *to, uint32_t at, uint32_t len);
IMPORT("result_write") uint32_t result_write(const void *at, uint32_t len);
IMPORT("fail") void fail(const void *json, uint32_t len);
IMPORT("send")
uint64_t send(const char *effect, uint32_t effect_len, const void *payload, uint32_t payload_len);
IMPORT("wait") uint32_t wait(uint64_t ordinal);
IMPORT("answer_size") uint32_t answer_size(void);
IMPORT("answer_read") uint32_t answer_read(void *to, uint32_t at, uint32_t len);

struct bound {
  double sign, limit;
  bool equal;
  int64_t for_ms;
};
struct rule {
  const char *id, *severity;
  uint32_t index;
  struct bound raise, clear;
};
struct metric {
  const char *name;
  uint32_t len;
  double low, high;
  int64_t gap_ms;
  uint32_t resolution;
  bool scored;
  uint32_t rule, rule_count;
};
#define SCORED_COUNT 5
struct traits {
  const char *name;
  uint32_t len, base;
  bool red;
  uint8_t tables[SCORED_COUNT];
};
#include "rules.h"

#define NONE INT64_MIN
#define STALE_MS 900000
#define EPOCH_AGE_MS_MAX (INT64_C(1) << 30)
#define SLOTS 16384 /* of the table of devices; a power of two */
#define DEVICES_MAX (SLOTS / 2)
#define SENDS_MAX 8192
#define NUMBER_BYTES 24
static const char *const bands[] = {"low", "low-medium", "medium", "high"};

struct text {
  const char *at;
  uint32_t len;
};

/* Times count from the epoch, in ms; the epoch is in seconds. */
struct device {
  struct text name; /* raw, between its quotes */
  const struct traits *traits;
  int64_t epoch, band;
  int64_t newest[METRIC_COUNT], points[METRIC_COUNT], firing[RULE_COUNT + 1], since[RULE_COUNT + 1];
};

struct sample {
  struct text dev, m, t_raw, v_raw, seq_raw;
  double t, v;
  bool has_t, has_v;
};

static struct device *slots[SLOTS];
static struct device *devices[DEVICES_MAX];
static uint32_t device_count;
static uint64_t sends[SENDS_MAX];
static uint32_t send_count;
static uint32_t accepted, late, implausible, happened;

/* ---- memory and text ---- */

extern char __heap_base;
static char *heap = &__heap_base;

static void *room(uint32_t bytes) {
  char *at = heap;
  heap += (bytes + 15) & ~15u;
  uint32_t have = (uint32_t)__builtin_wasm_memory_size(0) << 16;
  if ((uintptr_t)heap > have &&
      __builtin_wasm_memory_grow(0, (((uintptr_t)heap - have) >> 16) + 1) == (size_t)-1)
    __builtin_trap();
  return at;
}

void *memcpy(void *to, const void *from, size_t len) {
  return __builtin_memcpy(to, from, len);
}

static bool same(struct text a, const char *b, uint32_t len) {
  if (a.len != len) return false;
  for (uint32_t i = 0; i < len; i++)
    if (a.at[i] != b[i]) return false;
  return true;
}

struct out {
  char *start, *at;
};

static void put(struct out *out, const char *text, uint32_t len) {
  __builtin_memcpy(out->at, text, len);
  out->at += len;
}
static void put_text(struct out *out, struct text text) {
  put(out, text.at, text.len);
}
static void put_str(struct out *out, const char *text) {
  while (*text) *out->at++ = *text++;
}
static void put_int(struct out *out, int64_t n) {
  char digits[NUMBER_BYTES];
  uint32_t len = 0;
  uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
  if (n < 0) *out->at++ = '-';
  do digits[len++] = (char)('0' + rest % 10);
  while (rest /= 10);
  while (len) *out->at++ = digits[--len];
}

/* ---- JSON that the platform has written, so it is well formed ---- */

struct cursor {
  const char *at, *end;
};

static char peek(struct cursor *in) {
  while (in->at < in->end &&
         (*in->at == ' ' || *in->at == '\n' || *in->at == '\t' || *in->at == '\r'))
    in->at++;
  return in->at < in->end ? *in->at : 0;
}

static bool take(struct cursor *in, char c) {
  if (peek(in) != c) return false;
  in->at++;
  return true;
}

static struct text read_string(struct cursor *in) {
  if (!take(in, '"')) __builtin_trap();
  struct text text = {in->at, 0};
  while (in->at < in->end && *in->at != '"') in->at += *in->at == '\\' ? 2 : 1;
  if (in->at >= in->end) __builtin_trap();
  text.len = (uint32_t)(in->at++ - text.at);
  return text;
}

static void skip_value(struct cursor *in) {
  uint32_t depth = 0;
  do {
    char c = peek(in);
    if (c == '"') {
      read_string(in);
    } else if (c == '{' || c == '[') {
      depth++;
      in->at++;
    } else if (c == '}' || c == ']') {
      depth--;
      in->at++;
    } else if (c == ',' || c == ':') {
      in->at++;
    } else if (c) {
      while (in->at < in->end && *in->at != ',' && *in->at != '}' && *in->at != ']') in->at++;
    } else {
      return;
    }
  } while (depth);
}

/* Reads any value; true: it was a number. A mantissa below 2^53 over a power of ten up
 * to 10^22 is rounded once, so it is exact. */
static bool read_number(struct cursor *in, struct text *ret_raw, double *ret_value) {
  static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11};
  char first = peek(in);
  if (first != '-' && (first < '0' || first > '9')) {
    skip_value(in);
    return false;
  }
  const char *start = in->at;
  uint64_t mantissa = 0;
  uint32_t places = 0;
  bool point = false, odd = false;
  for (in->at += first == '-'; in->at < in->end; in->at++) {
    char c = *in->at;
    if (c >= '0' && c <= '9') {
      odd = odd || mantissa > (UINT64_C(1) << 53) / 10 - 1 || places > 10;
      mantissa = mantissa * 10 + (uint64_t)(c - '0');
      places += point;
    } else if (c == '.') {
      point = true;
    } else if (c == 'e' || c == 'E' || c == '+' || c == '-') {
      odd = true;
    } else {
      break;
    }
  }
  *ret_raw = (struct text){start, (uint32_t)(in->at - start)};
  *ret_value = (double)mantissa / powers[places > 11 ? 11 : places];
  if (first == '-') *ret_value = -*ret_value;
  return !odd; /* a number no sensor writes */
}

/* In an object: the next member's name, its colon read. */
static bool next_member(struct cursor *in, struct text *ret_name) {
  take(in, ',');
  if (take(in, '}') || !peek(in)) return false;
  *ret_name = read_string(in);
  return take(in, ':');
}

/* ---- devices ---- */

static const struct traits *traits_of(struct text name) {
  for (uint32_t i = 1; i < TRAITS_COUNT; i++)
    if (same(name, traits[i].name, traits[i].len)) return &traits[i];
  return &traits[0];
}

static struct device *new_device(struct text name) {
  if (device_count == DEVICES_MAX) __builtin_trap();
  struct device *device = room(sizeof *device);
  device->name = name;
  device->traits = traits_of(name);
  device->epoch = device->band = NONE;
  for (uint32_t i = 0; i < METRIC_COUNT; i++) device->newest[i] = device->points[i] = NONE;
  for (uint32_t i = 0; i < RULE_COUNT; i++) {
    device->firing[i] = 0;
    device->since[i] = NONE;
  }
  return devices[device_count++] = device;
}

static struct device *device_of(struct text name) {
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < name.len; i++) hash = (hash ^ (uint8_t)name.at[i]) * 16777619u;
  uint32_t slot = hash & (SLOTS - 1);
  while (slots[slot] && !same(name, slots[slot]->name.at, slots[slot]->name.len))
    slot = (slot + 1) & (SLOTS - 1);
  if (!slots[slot]) slots[slot] = new_device(name);
  return slots[slot];
}

static int64_t read_slot(struct cursor *in) {
  struct text raw;
  double value;
  take(in, ',');
  return read_number(in, &raw, &value) ? (int64_t)value : NONE;
}

static void load_device(struct cursor *in) {
  struct device *device = device_of(read_string(in));
  device->epoch = read_slot(in);
  device->band = read_slot(in);
  for (uint32_t i = 0; i < METRIC_COUNT; i++) device->newest[i] = read_slot(in);
  for (uint32_t i = 0; i < METRIC_COUNT; i++) device->points[i] = read_slot(in);
  for (uint32_t i = 0; i < RULE_COUNT; i++) device->firing[i] = read_slot(in);
  for (uint32_t i = 0; i < RULE_COUNT; i++) device->since[i] = read_slot(in);
  take(in, ']');
}

/* {"rules":SIGNATURE,"devices":[[...],...]} or null. */
static void load_devices(struct cursor in) {
  struct text name;
  if (!take(&in, '{') || !next_member(&in, &name) || read_slot(&in) != SIGNATURE) return;
  if (!next_member(&in, &name) || !take(&in, '[')) return;
  while (take(&in, '[')) {
    load_device(&in);
    take(&in, ',');
  }
}

static void put_slots(struct out *out, const int64_t *values, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    *out->at++ = ',';
    if (values[i] == NONE)
      put_str(out, "null");
    else
      put_int(out, values[i]);
  }
}

static void put_devices(struct out *out) {
  put_str(out, "{\"rules\":");
  put_int(out, SIGNATURE);
  put_str(out, ",\"devices\":[");
  for (uint32_t i = 0; i < device_count; i++) {
    const struct device *device = devices[i];
    put_str(out, i ? ",[\"" : "[\"");
    put_text(out, device->name);
    *out->at++ = '"';
    put_slots(out, &device->epoch, 1);
    put_slots(out, &device->band, 1);
    put_slots(out, device->newest, METRIC_COUNT);
    put_slots(out, device->points, METRIC_COUNT);
    put_slots(out, device->firing, RULE_COUNT);
    put_slots(out, device->since, RULE_COUNT);
    *out->at++ = ']';
  }
  put_str(out, "]}");
}

static uint32_t devices_bytes_max(void) {
  uint32_t bytes = 64;
  for (uint32_t i = 0; i < device_count; i++)
    bytes += devices[i]->name.len + NUMBER_BYTES * (4 + 2 * METRIC_COUNT + 2 * RULE_COUNT);
  return bytes;
}

/* ---- effects ---- */

static void send_effect(const char *effect, struct out *payload) {
  if (send_count == SENDS_MAX) __builtin_trap();
  uint32_t len = 0;
  while (effect[len]) len++;
  sends[send_count++] = send(effect, len, payload->start, (uint32_t)(payload->at - payload->start));
}

static struct out open_out(uint32_t bytes) {
  char *at = room(bytes);
  return (struct out){at, at};
}

static struct text take_answer(void) {
  uint32_t len = answer_size();
  char *at = room(len);
  answer_read(at, 0, len);
  return (struct text){at, len};
}

static void wait_all(void) {
  for (uint32_t i = 0; i < send_count; i++) {
    if (wait(sends[i]) == 0) continue;
    struct text why = take_answer();
    struct out json = open_out(why.len + 64);
    put_str(&json, "{\"errorType\":\"Medulla.Effect\",\"errorMessage\":\"an effect failed\","
                   "\"cause\":");
    put_text(&json, why);
    put_str(&json, "}");
    fail(json.start, (uint32_t)(json.at - json.start));
  }
}

/* An event of the log: the same message as src/telemetry.js sends. */
static void record(const struct sample *sample, const char *rule, const char *ev, struct text v,
                   const char *severity) {
  struct out out = open_out(1024 + 4 * sample->dev.len);
  happened++;
  put_str(&out, "{\"contact\":\"charge\",\"subject\":\"Device ");
  put_text(&out, sample->dev);
  put_str(&out, ": "), put_str(&out, rule), put_str(&out, " "), put_str(&out, ev);
  put_str(&out, "\",\"text\":\"Device ");
  put_text(&out, sample->dev);
  put_str(&out, ": "), put_str(&out, rule), put_str(&out, " "), put_str(&out, ev);
  put_str(&out, " at "), put_text(&out, v), put_str(&out, ", "), put_str(&out, severity);
  put_str(&out, ".\",\"data\":{");
  if (sample->seq_raw.len) put_str(&out, "\"seq\":"), put_text(&out, sample->seq_raw);
  put_str(&out, sample->seq_raw.len ? ",\"t\":" : "\"t\":"), put_text(&out, sample->t_raw);
  put_str(&out, ",\"dev\":\""), put_text(&out, sample->dev);
  put_str(&out, "\",\"rule\":\""), put_str(&out, rule);
  put_str(&out, "\",\"ev\":\""), put_str(&out, ev);
  put_str(&out, "\",\"v\":"), put_text(&out, v);
  put_str(&out, ",\"severity\":\""), put_str(&out, severity);
  put_str(&out, "\"},\"key\":\""), put_text(&out, sample->dev);
  put_str(&out, "/"), put_str(&out, rule), put_str(&out, "/"), put_str(&out, ev);
  put_str(&out, "/"), put_text(&out, sample->t_raw), put_str(&out, "\"}");
  send_effect("notify", &out);
}

/* ---- the rules ---- */

static void move_epoch(struct device *device, int64_t t) {
  int64_t epoch = t / 1000;
  int64_t by = device->epoch == NONE ? 0 : (epoch - device->epoch) * 1000;
  for (uint32_t i = 0; i < METRIC_COUNT; i++)
    if (device->newest[i] != NONE) device->newest[i] -= by;
  for (uint32_t i = 0; i < RULE_COUNT; i++)
    if (device->since[i] != NONE) device->since[i] -= by;
  device->epoch = epoch;
}

static void apply_rule(struct device *device, const struct rule *rule, const struct sample *sample,
                       int64_t t, bool gap) {
  int64_t *since = &device->since[rule->index];
  bool firing = device->firing[rule->index] == 1;
  const struct bound *bound = firing ? &rule->clear : &rule->raise;
  double x = bound->sign * sample->v;
  if (x < bound->limit || (x == bound->limit && !bound->equal)) {
    *since = NONE;
    return;
  }
  if (*since == NONE || gap) *since = t;
  if (t - *since < bound->for_ms) return;
  *since = NONE;
  device->firing[rule->index] = !firing;
  record(sample, rule->id, firing ? "resolve" : "fire", sample->v_raw, rule->severity);
}

static void apply_score(struct device *device, const struct sample *sample, int64_t t) {
  int64_t total = device->traits->base;
  bool red = device->traits->red;
  for (uint32_t i = 0; i < SCORED_COUNT; i++) {
    if (device->newest[i] == NONE || device->newest[i] < t - STALE_MS) return;
    total += device->points[i];
    red = red || device->points[i] == 3;
  }
  int64_t band = total >= 7 ? 3 : total >= 5 ? 2 : red ? 1 : 0;
  if (band == device->band) return;
  device->band = band;
  char digits[NUMBER_BYTES];
  struct out out = {digits, digits};
  put_int(&out, total);
  record(sample, "news2", "band", (struct text){digits, (uint32_t)(out.at - digits)}, bands[band]);
}

static const struct metric *metric_of(struct text name) {
  for (uint32_t i = 0; i < METRIC_COUNT; i++)
    if (same(name, metrics[i].name, metrics[i].len)) return &metrics[i];
  return NULL;
}

static void apply_sample(const struct sample *sample) {
  struct device *device = device_of(sample->dev);
  const struct metric *metric = metric_of(sample->m);
  if (!metric || !sample->has_v || sample->v < metric->low || sample->v > metric->high ||
      !sample->has_t || sample->t < 0 || sample->t != (double)(int64_t)sample->t) {
    implausible++;
    return;
  }
  int64_t at = (int64_t)sample->t;
  if (device->epoch == NONE || at - device->epoch * 1000 > EPOCH_AGE_MS_MAX) move_epoch(device, at);
  int64_t t = at - device->epoch * 1000;
  uint32_t index = (uint32_t)(metric - metrics);
  int64_t previous = device->newest[index];
  if (previous != NONE && t <= previous) {
    late++;
    return;
  }
  accepted++;
  device->newest[index] = t;
  bool gap = previous != NONE && t - previous > metric->gap_ms;
  for (uint32_t i = 0; i < metric->rule_count; i++)
    apply_rule(device, &rules[metric->rule + i], sample, t, gap);
  if (!SCORES || !metric->scored) return;
  const uint8_t *table = points[device->traits->tables[index]];
  device->points[index] = table[(uint32_t)(sample->v * metric->resolution + 0.5)];
  apply_score(device, sample, t);
}

/* ---- a batch ---- */

static void read_sample(struct cursor *in) {
  struct sample sample = {0};
  struct text name;
  double number;
  if (!take(in, '{')) __builtin_trap();
  while (next_member(in, &name)) {
    bool string = peek(in) == '"';
    if (string && same(name, "dev", 3))
      sample.dev = read_string(in);
    else if (string && same(name, "m", 1))
      sample.m = read_string(in);
    else if (same(name, "t", 1))
      sample.has_t = read_number(in, &sample.t_raw, &sample.t);
    else if (same(name, "v", 1))
      sample.has_v = read_number(in, &sample.v_raw, &sample.v);
    else if (same(name, "seq", 3))
      read_number(in, &sample.seq_raw, &number);
    else
      skip_value(in);
  }
  if (sample.dev.at) apply_sample(&sample);
}

/* The samples of an envelope; its subject names the shard. */
static struct cursor find_samples(struct cursor in, struct text *ret_shard) {
  struct cursor samples = {0};
  struct text name;
  *ret_shard = (struct text){"all", 3};
  take(&in, '{');
  while (next_member(&in, &name)) {
    if (same(name, "subject", 7) && peek(&in) == '"') {
      *ret_shard = read_string(&in);
    } else if (same(name, "data", 4) && take(&in, '{')) {
      while (next_member(&in, &name)) {
        if (same(name, "samples", 7)) samples = in;
        skip_value(&in);
      }
    } else {
      skip_value(&in);
    }
  }
  return samples;
}

static void send_get(struct text shard) {
  struct out out = open_out(shard.len + 64);
  put_str(&out, "{\"key\":\"devices/"), put_text(&out, shard), put_str(&out, "\"}");
  send_effect("state.get", &out);
  if (wait(sends[0]) != 0) wait_all();
  struct text kept = take_answer();
  load_devices((struct cursor){kept.at, kept.at + kept.len});
  send_count = 0;
}

static void send_put(struct text shard) {
  struct out out = open_out(devices_bytes_max() + shard.len + 64);
  put_str(&out, "{\"key\":\"devices/"), put_text(&out, shard), put_str(&out, "\",\"value\":");
  put_devices(&out);
  put_str(&out, "}");
  send_effect("state.put", &out);
}

static void send_count_of(const char *name, uint32_t count) {
  struct out out = open_out(128);
  put_str(&out, "{\"key\":\"samples/"), put_str(&out, name), put_str(&out, "\",\"by\":");
  put_int(&out, count), put_str(&out, "}");
  send_effect("state.increment", &out);
}

EXPORT("handler") void handler(void) {
  struct text shard;
  uint32_t size = event_size();
  char *event = room(size);
  event_read(event, 0, size);
  struct cursor samples = find_samples((struct cursor){event, event + size}, &shard);
  send_get(shard);
  if (samples.at && take(&samples, '['))
    while (peek(&samples) == '{') {
      read_sample(&samples);
      take(&samples, ',');
    }
  send_put(shard);
  send_count_of("accepted", accepted);
  send_count_of("late_or_duplicate", late);
  send_count_of("implausible", implausible);
  wait_all();
  struct out out = open_out(256);
  put_str(&out, "{\"accepted\":"), put_int(&out, accepted);
  put_str(&out, ",\"late_or_duplicate\":"), put_int(&out, late);
  put_str(&out, ",\"implausible\":"), put_int(&out, implausible);
  put_str(&out, ",\"events\":"), put_int(&out, happened);
  put_str(&out, "}");
  result_write(out.start, (uint32_t)(out.at - out.start));
}

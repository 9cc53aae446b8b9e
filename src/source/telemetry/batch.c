/* source/telemetry/batch.c: one pass: cut into lines, check, copy behind the others of the
 * shard. */
#include "source/telemetry/batch.h"

#include "base/must.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>

enum {
  LINE_ARENA_BYTES_MAX = 2 << 20, /* the most that TELEMETRY_LINE_BYTES_MAX can parse into */
  PART_BYTES_ROOM = TELEMETRY_PART_BYTES_MAX + TELEMETRY_LINE_BYTES_MAX + 64,
};

struct part {
  uint32_t shard, number, samples;
  struct buf data;
};

struct telemetry_batch {
  struct part **parts;
  size_t part_count, part_room;
  struct part *filling[TELEMETRY_SHARDS];
  uint32_t next_number[TELEMETRY_SHARDS];
  uint64_t samples, lines;
  struct buf rest; /* a line that is not whole yet */
  struct arena arena;
  char *device;
  size_t device_bytes;
};

struct telemetry_batch *telemetry_batch_new(struct bytes device) {
  struct telemetry_batch *batch = must_alloc(sizeof *batch);
  buf_init(&batch->rest, TELEMETRY_LINE_BYTES_MAX + 2);
  arena_init(&batch->arena, LINE_ARENA_BYTES_MAX);
  batch->device = bytes_dup(device);
  batch->device_bytes = device.len;
  return batch;
}

void telemetry_batch_free(struct telemetry_batch **batch) {
  struct telemetry_batch *b = *batch;
  *batch = NULL;
  if (!b) return;
  for (size_t i = 0; i < b->part_count; i++) {
    buf_fini(&b->parts[i]->data);
    free(b->parts[i]);
  }
  free(b->parts);
  free(b->device);
  buf_fini(&b->rest);
  arena_fini(&b->arena);
  free(b);
}

static struct part *part_new(struct telemetry_batch *batch, uint32_t shard) {
  struct part *part = must_alloc(sizeof *part);
  if (batch->part_count == batch->part_room) {
    batch->part_room = batch->part_room ? 2 * batch->part_room : TELEMETRY_SHARDS;
    batch->parts = must_realloc(batch->parts, batch->part_room * sizeof *batch->parts);
  }
  batch->parts[batch->part_count++] = part;
  batch->filling[shard] = part;
  part->shard = shard;
  part->number = batch->next_number[shard]++;
  buf_init(&part->data, PART_BYTES_ROOM);
  buf_printf(&part->data, "{\"shard\":%u,\"samples\":[", shard);
  return part;
}

static void add(struct telemetry_batch *batch, uint32_t shard, struct bytes line) {
  struct part *part = batch->filling[shard];
  if (!part || part->samples == TELEMETRY_PART_SAMPLES_MAX ||
      part->data.len + line.len > TELEMETRY_PART_BYTES_MAX)
    part = part_new(batch, shard);
  if (part->samples++) buf_char(&part->data, ',');
  buf_put(&part->data, line);
  batch->samples++;
}

#define FAIL_LINE(code, what) FAIL(code, "line %llu: %s", (unsigned long long)batch->lines, what)

static bool has(const struct telemetry_batch *batch, const struct json *sample, const char *name,
                struct err *err) {
  if (json_get(sample, name)) return true;
  FAIL(ERR_INVALID, "line %llu: \"%s\" is missing; a sample has dev, t, m and v",
       (unsigned long long)batch->lines, name);
}

static bool read_text(const struct telemetry_batch *batch, const struct json *sample,
                      const char *name, struct bytes *ret_text, struct err *err) {
  const struct json *value = json_get(sample, name);
  TRY(has(batch, sample, name, err));
  if (value->kind != JSON_STRING || value->text.len == 0)
    FAIL(ERR_INVALID, "line %llu: %s must be a text", (unsigned long long)batch->lines, name);
  if (value->text.len > TELEMETRY_TEXT_BYTES_MAX)
    FAIL(ERR_LIMIT, "line %llu: TELEMETRY_TEXT_BYTES_MAX: %s is longer than %d bytes",
         (unsigned long long)batch->lines, name, TELEMETRY_TEXT_BYTES_MAX);
  *ret_text = value->text;
  return true;
}

static bool add_line(struct telemetry_batch *batch, struct bytes line, struct err *err) {
  const struct json *sample;
  struct bytes device, metric;
  struct err why;
  int64_t t;
  double v;
  batch->lines++;
  if (line.len && line.at[line.len - 1] == '\r') line.len--;
  line = bytes_trim(line);
  if (line.len == 0) return true;
  if (line.len > TELEMETRY_LINE_BYTES_MAX)
    FAIL_LINE(ERR_LIMIT, "TELEMETRY_LINE_BYTES_MAX: a sample is at most 16 KiB");
  arena_reset(&batch->arena);
  if (!json_parse(&batch->arena, line, &sample, &why))
    FAIL(why.code, "line %llu: %s", (unsigned long long)batch->lines, why.detail);
  if (sample->kind != JSON_OBJECT) FAIL_LINE(ERR_INVALID, "a sample is a JSON object");
  TRY(read_text(batch, sample, "dev", &device, err));
  TRY(read_text(batch, sample, "m", &metric, err));
  TRY(has(batch, sample, "t", err) && has(batch, sample, "v", err));
  if (!json_int(json_get(sample, "t"), &t))
    FAIL_LINE(ERR_INVALID, "t must be an integer: milliseconds since 1970");
  if (!json_double(json_get(sample, "v"), &v)) FAIL_LINE(ERR_INVALID, "v must be a number");
  if (batch->device_bytes && !bytes_eq(device, bytes_of(batch->device, batch->device_bytes)))
    FAIL_LINE(ERR_DENIED, "a device token sends its own device's samples only");
  add(batch, (uint32_t)(bytes_hash(device, 0) % TELEMETRY_SHARDS), line);
  return true;
}

/* What is left of a line waits for its end; a line beyond the limit need not be waited for. */
static bool keep_rest(struct telemetry_batch *batch, struct bytes input, struct err *err) {
  buf_put(&batch->rest, input);
  if (buf_ok(&batch->rest)) return true;
  batch->lines++;
  FAIL_LINE(ERR_LIMIT, "TELEMETRY_LINE_BYTES_MAX: a sample is at most 16 KiB");
}

bool telemetry_batch_feed(struct telemetry_batch *batch, struct bytes input, struct err *err) {
  while (input.len) {
    size_t end = bytes_find(input, '\n');
    if (end == input.len) return keep_rest(batch, input, err);
    struct bytes line = bytes_sub(input, 0, end);
    input = bytes_from(input, end + 1);
    if (batch->rest.len) {
      TRY(keep_rest(batch, line, err));
      line = buf_bytes(&batch->rest);
    }
    TRY(add_line(batch, line, err));
    buf_reset(&batch->rest);
  }
  return true;
}

bool telemetry_batch_end(struct telemetry_batch *batch, struct err *err) {
  if (batch->rest.len) TRY(add_line(batch, buf_bytes(&batch->rest), err));
  if (batch->samples == 0) FAIL(ERR_INVALID, "there is no sample in it");
  for (size_t i = 0; i < batch->part_count; i++) {
    buf_str(&batch->parts[i]->data, "]}");
    must(buf_ok(&batch->parts[i]->data));
  }
  return true;
}

uint64_t telemetry_batch_samples(const struct telemetry_batch *batch) {
  return batch->samples;
}

size_t telemetry_batch_parts(const struct telemetry_batch *batch) {
  return batch->part_count;
}

struct telemetry_part telemetry_batch_part(const struct telemetry_batch *batch, size_t at) {
  must(at < batch->part_count);
  const struct part *part = batch->parts[at];
  return (struct telemetry_part){part->shard, part->number, part->samples, buf_bytes(&part->data)};
}

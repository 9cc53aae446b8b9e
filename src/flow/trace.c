/* flow/trace.c: the stack trace of bundled code, told in the user's own files and lines. Only a run
 * that failed pays for reading the source map. */
#include "base/cleanup.h"
#include "flow/run.h"
#include "model/sourcemap.h"

enum { TRACE_ARENA_BYTES_MAX = 256 << 20 };

static void write_frames(struct json_out *out, const struct json *frames,
                         const struct sourcemap *map, struct arena *arena) {
  json_out_name(out, "stackTrace");
  json_out_open(out, '[');
  for (const struct json *frame = frames->first; frame; frame = frame->next) {
    struct bytes own = sourcemap_frame(map, arena, json_text(frame));
    json_out_string(out, own.len ? own : json_text(frame));
  }
  json_out_close(out, ']');
}

void run_trace_sources(struct run *run) {
  struct sourcemap map;
  const struct json *error;
  struct json_out out;
  struct err err;
  if (run->end != RUN_FAILED || !run->version || run->version->source_map.len == 0) return;
  cleanup_arena struct arena arena;
  cleanup_buf struct buf body = {0};
  arena_init(&arena, TRACE_ARENA_BYTES_MAX);
  buf_init(&body, 2 * GUEST_OUTPUT_BYTES_MAX);
  if (!json_parse(&arena, buf_bytes(&run->body), &error, &err)) return;
  const struct json *frames = json_get(error, "stackTrace");
  if (!frames || frames->kind != JSON_ARRAY || !frames->first) return;
  if (!sourcemap_parse(&arena, run->version->source_map, &map, &err)) return;
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  for (const struct json *member = error->first; member; member = member->next) {
    if (member == frames) {
      write_frames(&out, frames, &map, &arena);
      continue;
    }
    json_out_name_bytes(&out, member->name);
    json_out_value(&out, member);
  }
  json_out_close(&out, '}');
  if (!buf_ok(&body) || !arena_ok(&arena)) return;
  buf_reset(&run->body);
  buf_put(&run->body, buf_bytes(&body));
}

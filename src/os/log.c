/* os/log.c: a line is built on the stack and written with one write, or not at all.
 *
 * A pipe or terminal that poll calls writable takes PIPE_BUF bytes without blocking, and
 * O_NONBLOCK would change the descriptor for everyone who shares it; so: poll, then write. */
#include "os/log.h"

#include "base/buf.h"
#include "base/must.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct log_tag_facts {
  const char *word;
  enum log_level level;
  int per_second;
  const char *sentence;
};

static const struct log_tag_facts tags[LOG_TAG_COUNT] = {
#define LOG_TAG(name, word, level, per_second, sentence) \
  [LOG_##name##_TAG] = {word, LOG_##level, per_second, sentence},
#include "os/log.tbl.h"
#undef LOG_TAG
};

static const char *const level_words[] = {"debug", "info", "warn", "error"};
static const char *const level_colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};

/* How often a tag was used in the current second. */
struct tag_use {
  int64_t second;
  int lines;
  uint64_t held_back;
};

static struct log_options out = {.fd = STDERR_FILENO, .level = LOG_INFO};
static struct tag_use uses[LOG_TAG_COUNT];
static pthread_mutex_t uses_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_ullong dropped;
static atomic_ullong dropped_unsaid;

enum { LINE_END_BYTES = 8 }; /* kept free for the brace or the colour's end, and the newline */

struct line {
  char at[LOG_LINE_BYTES_MAX];
  size_t len;
  bool json;
};

void log_open(const struct log_options *options) {
  out = *options;
  memset(uses, 0, sizeof uses);
}

uint64_t log_dropped(void) {
  return atomic_load(&dropped);
}

bool log_wanted(enum log_tag tag) {
  return tags[tag].level >= out.level;
}

/* False: this second is full; the next line of the tag says how many were held back. */
static bool admit(enum log_tag tag, int64_t now_ms, uint64_t *ret_held_back) {
  struct tag_use *use = &uses[tag];
  pthread_mutex_lock(&uses_lock);
  if (use->second != now_ms / 1000) {
    use->second = now_ms / 1000;
    use->lines = 0;
  }
  bool fits = use->lines < tags[tag].per_second;
  if (fits) {
    use->lines++;
    *ret_held_back = use->held_back;
    use->held_back = 0;
  } else {
    use->held_back++;
  }
  pthread_mutex_unlock(&uses_lock);
  return fits;
}

/* Puts all of it or nothing, so that a cut line is still a line. */
static bool put(struct line *line, struct bytes a) {
  if (a.len > sizeof line->at - LINE_END_BYTES - line->len) return false;
  memcpy(line->at + line->len, a.at, a.len);
  line->len += a.len;
  return true;
}

static void put_str(struct line *line, const char *text) {
  (void)put(line, bytes_str(text));
}

static bool is_word_byte(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c != 0 && strchr("._:/@-[]", c) != NULL);
}

static struct bytes word_of(struct bytes word, char at[LOG_WORD_BYTES_MAX]) {
  size_t len = word.len < LOG_WORD_BYTES_MAX ? word.len : LOG_WORD_BYTES_MAX;
  for (size_t i = 0; i < len; i++) at[i] = is_word_byte(word.at[i]) ? (char)word.at[i] : '?';
  return bytes_of(at, len);
}

/* Our own sentences; a quote or control byte has no place in them, so it is replaced. */
static struct bytes sentence_of(const char *text, char at[ERR_DETAIL_BYTES]) {
  size_t len = 0;
  for (; text && text[len] && len < ERR_DETAIL_BYTES; len++) {
    uint8_t c = (uint8_t)text[len];
    at[len] = c < 0x20 || c >= 0x7f ? '?' : c == '"' || c == '\\' ? '\'' : (char)c;
  }
  return bytes_of(at, len);
}

static void put_member(struct line *line, const char *name, struct bytes value, bool quoted) {
  size_t before = line->len;
  const char *quote = quoted ? "\"" : "";
  char start[64];
  snprintf(start, sizeof start, line->json ? ",\"%s\":%s" : " %s=%s", name, quote);
  if (put(line, bytes_str(start)) && put(line, value) && put(line, bytes_str(quote))) return;
  line->len = before;
}

static void put_number(struct line *line, const char *name, int64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)number);
  put_member(line, name, bytes_str(text), false);
}

static void put_err(struct line *line, const struct err *err) {
  char text[ERR_DETAIL_BYTES];
  put_member(line, "error", bytes_str(err_facts(err->code)->word), line->json);
  if (err->place) put_member(line, "place", sentence_of(err->place, text), line->json);
  if (err->detail[0]) put_member(line, "detail", sentence_of(err->detail, text), true);
}

static void put_field(struct line *line, const struct log_field *field) {
  char text[LOG_WORD_BYTES_MAX];
  switch (field->kind) {
  case LOG_KIND_END: break;
  case LOG_KIND_INT: put_number(line, field->name, field->number); break;
  case LOG_KIND_BOOL:
    put_member(line, field->name, bytes_str(field->number ? "true" : "false"), false);
    break;
  case LOG_KIND_WORD: put_member(line, field->name, word_of(field->word, text), line->json); break;
  case LOG_KIND_ID:
    id_text(field->id, text);
    put_member(line, field->name, bytes_str(text), line->json);
    break;
  case LOG_KIND_ERR: put_err(line, field->err); break;
  }
}

static void put_trail(struct line *line, const struct log_trail *trail) {
  const struct log_trail *links[LOG_TRAIL_DEPTH_MAX];
  size_t depth = 0;
  for (; trail && depth < LOG_TRAIL_DEPTH_MAX; trail = trail->up) links[depth++] = trail;
  while (depth > 0) put_field(line, &links[--depth]->field);
}

static void put_head(struct line *line, const struct log_tag_facts *facts, int64_t now_ms) {
  struct tm utc;
  time_t seconds = (time_t)(now_ms / 1000);
  char when[32], head[256];
  gmtime_r(&seconds, &utc);
  strftime(when, sizeof when, line->json ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &utc);
  if (line->json)
    snprintf(head, sizeof head, "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"tag\":\"%s\"", when,
             (int)(now_ms % 1000), level_words[facts->level], facts->word);
  else
    snprintf(head, sizeof head, "%s%s.%03d %-5s %s:", level_colours[facts->level], when,
             (int)(now_ms % 1000), level_words[facts->level], facts->word);
  put_str(line, head);
  if (!line->json) {
    put_str(line, " ");
    put_str(line, facts->sentence);
  }
}

static void put_end(struct line *line, const struct log_tag_facts *facts) {
  const char *end = line->json ? "}\n" : level_colours[facts->level][0] ? "\033[0m\n" : "\n";
  memcpy(line->at + line->len, end, strlen(end));
  line->len += strlen(end);
}

static void drop_line(void) {
  atomic_fetch_add(&dropped, 1);
  atomic_fetch_add(&dropped_unsaid, 1);
}

static void write_line(const struct line *line) {
  if (out.sink) {
    out.sink(out.sink_arg, bytes_of(line->at, line->len));
    return;
  }
  struct pollfd ready = {out.fd, POLLOUT, 0};
  if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT) ||
      write(out.fd, line->at, line->len) != (ssize_t)line->len)
    drop_line();
}

static bool wants_json(void) {
  return out.form == LOG_FORM_JSON || (out.form == LOG_FORM_AUTO && (out.sink || !isatty(out.fd)));
}

void log_line(enum log_tag tag, const struct log_trail *trail, const struct log_field *fields) {
  must(tag < LOG_TAG_COUNT);
  if (!log_wanted(tag)) return;
  int64_t now_ms = clock_wall_ms(out.clock ? out.clock : clock_real());
  uint64_t held_back = 0;
  if (!admit(tag, now_ms, &held_back)) return;
  struct line line;
  line.len = 0;
  line.json = wants_json();
  put_head(&line, &tags[tag], now_ms);
  if (held_back) put_number(&line, "held_back", (int64_t)held_back);
  uint64_t unsaid = atomic_exchange(&dropped_unsaid, 0);
  if (unsaid) put_number(&line, "dropped", (int64_t)unsaid);
  put_trail(&line, trail);
  for (; fields->kind != LOG_KIND_END; fields++) put_field(&line, fields);
  put_end(&line, &tags[tag]);
  write_line(&line);
}

/* store/sqlite_schema.c: who the ledger is, and the shape of its tables.
 *
 * ledger/identity is text: "medulla ledger", the format of pages, the store's id, the epoch, which
 * grows with each opening, and for sealed pages a sealed fact: the key of the log's frames, bound
 * to the lines before it. It is needed to read the first page, so it stands beside the database.
 * The schema's number is the database's user_version.
 *
 * KV:   kv_NAME (k, p, v), ordered by key: p is the version, the position of the last write.
 * LOG:  log_NAME (r, k, v): r is position << 20 | ordinal, so rows are only appended; an index by
 * k. mark: the unique marks of one transaction in one row, for rebuilding the index. counter: one
 * row: last position, next audit index.                                           */
#include "base/cleanup.h"
#include "base/must.h"
#include "store/sqlite_impl.h"
#include "wire/codec.h"

#include <stdio.h>
#include <string.h>

enum {
  PAGES_PLAIN = 1, /* behind a check: tests */
  PAGES_SEALED = 2,
  IDENTITY_BYTES_MAX = 512,
  FRAME_FACT_BYTES = AEAD_KEY_BYTES + KEYRING_FACT_EXTRA_BYTES,
};
#define IDENTITY_PATH SQL_FOLDER "/identity"

/* ---- Identity ---- */

static bool damaged(struct err *err) {
  FAIL(ERR_CORRUPT, "%s is damaged; restore it from a backup", IDENTITY_PATH);
}

static bool parse_line(struct bytes *rest, const char *name, struct bytes *ret_value) {
  struct bytes line = bytes_cut(*rest, '\n', rest);
  struct bytes word = bytes_cut(line, ' ', ret_value);
  return bytes_eq_str(word, name);
}

static bool check_format(uint64_t format, const struct page_key *key, struct err *err) {
  if (format > PAGES_SEALED)
    FAIL(ERR_NEWER, "the ledger has page format %llu, this Medulla knows %d",
         (unsigned long long)format, PAGES_SEALED);
  if (format == PAGES_PLAIN && key->keys)
    FAIL(ERR_UNSUPPORTED, "this data folder was made before data were sealed and stays as it is; "
                          "begin with a new one");
  if (format == PAGES_SEALED && !key->keys)
    FAIL(ERR_DENIED, "the ledger is sealed and no keys were given");
  return true;
}

/* The lines before are the fact's name: whoever changes one breaks it. */
static bool open_frame_key(struct bytes lines, struct bytes digits, struct page_key *key,
                           struct err *err) {
  cleanup_buf struct buf sealed;
  uint8_t frame[AEAD_KEY_BYTES];
  buf_init(&sealed, FRAME_FACT_BYTES);
  bool lower = true;
  for (size_t i = 0; i < digits.len; i++)
    lower = lower && (digits.at[i] < 'A' || digits.at[i] > 'F');
  if (!lower || !hex_decode(&sealed, digits, err) || sealed.len != FRAME_FACT_BYTES ||
      !keyring_open_fact(key->keys, lines, buf_bytes(&sealed), frame))
    return damaged(err);
  aead_key_init(&key->frame, frame);
  bytes_wipe(frame, sizeof frame);
  return true;
}

static bool parse_identity(struct bytes text, struct page_key *ret_key, struct err *err) {
  struct bytes format, store, epoch, seal, rest = text;
  struct id id;
  uint64_t number;
  if (!parse_line(&rest, "medulla-ledger", &format) || !bytes_u64(format, &number))
    return damaged(err);
  TRY(check_format(number, ret_key, err));
  if (!parse_line(&rest, "store", &store) || !id_parse(store, &id, err) ||
      !parse_line(&rest, "epoch", &epoch) || !bytes_u64(epoch, &ret_key->epoch))
    return damaged(err);
  memcpy(ret_key->store_id, id.at, sizeof ret_key->store_id);
  struct bytes lines = bytes_sub(text, 0, text.len - rest.len);
  if (!ret_key->keys) return true;
  if (!bytes_ends(text, BYTES("\n")) || !parse_line(&rest, "seal", &seal) || rest.len)
    return damaged(err);
  return open_frame_key(lines, seal, ret_key, err);
}

bool sql_identity_save(struct disk *disk, const struct page_key *key, struct err *err) {
  cleanup_buf struct buf text;
  char name[ID_TEXT_BYTES];
  uint8_t sealed[FRAME_FACT_BYTES];
  struct id id;
  memcpy(id.at, key->store_id, sizeof id.at);
  id_text(id, name);
  buf_init(&text, IDENTITY_BYTES_MAX);
  buf_printf(&text, "medulla-ledger %d\nstore %s\nepoch %llu\n",
             key->keys ? PAGES_SEALED : PAGES_PLAIN, name, (unsigned long long)key->epoch);
  if (key->keys) {
    keyring_seal_fact(key->keys, buf_bytes(&text), bytes_of(key->frame.key, AEAD_KEY_BYTES),
                      sealed);
    buf_str(&text, "seal ");
    hex_encode(&text, bytes_of(sealed, sizeof sealed));
    buf_char(&text, '\n');
  }
  return disk_save(disk, IDENTITY_PATH, buf_bytes(&text), err);
}

/* A new store: its id and the key of its log's frames. */
static void invent(const struct random_port *random, const struct clock_port *clock,
                   struct page_key *key) {
  uint8_t frame[AEAD_KEY_BYTES];
  struct id id = random_id(random, clock);
  memcpy(key->store_id, id.at, sizeof key->store_id);
  random_fill(random_real(), frame, sizeof frame);
  aead_key_init(&key->frame, frame);
  bytes_wipe(frame, sizeof frame);
}

bool sql_identity(const struct store_options *options, struct page_key *ret_key, bool *ret_fresh,
                  struct err *err) {
  struct disk *disk = options->disk;
  struct page_key key = {.keys = options->keys};
  *ret_fresh = !disk_exists(disk, IDENTITY_PATH);
  if (!*ret_fresh) {
    cleanup_buf struct buf text;
    buf_init(&text, IDENTITY_BYTES_MAX);
    TRY(disk_load(disk, IDENTITY_PATH, IDENTITY_BYTES_MAX, &text, err));
    TRY(parse_identity(buf_bytes(&text), &key, err));
  } else {
    if (disk_exists(disk, SQL_PATH))
      FAIL(ERR_CORRUPT, "%s is missing beside %s; restore it from a backup", IDENTITY_PATH,
           SQL_PATH);
    invent(options->random, options->clock, &key);
  }
  key.epoch++;
  *ret_key = key;
  return true;
}

/* ---- Tables ---- */

static bool create_tables(struct sql_link *writer, struct err *err) {
  char text[256];
  for (unsigned table = 0; table < TABLE_COUNT; table++) {
    const char *name = table_name(table);
    if (table_is_log(table))
      snprintf(text, sizeof text,
               "CREATE TABLE log_%s (r INTEGER PRIMARY KEY, k BLOB NOT NULL, v BLOB NOT NULL);"
               "CREATE INDEX log_%s_k ON log_%s (k)",
               name, name, name);
    else
      snprintf(text, sizeof text,
               "CREATE TABLE kv_%s (k BLOB PRIMARY KEY, p INTEGER NOT NULL, v BLOB NOT NULL)"
               " WITHOUT ROWID",
               name);
    TRY(sql_exec(writer, text, err));
  }
  return sql_exec(writer,
                  "CREATE TABLE counter (position INTEGER NOT NULL, audit_next INTEGER NOT NULL);"
                  "INSERT INTO counter VALUES (0, 0);"
                  "CREATE TABLE mark (p INTEGER PRIMARY KEY, day INTEGER NOT NULL,"
                  " marks BLOB NOT NULL)",
                  err);
}

/* Step i leads from schema i to i + 1; each is part of one transaction. */
typedef bool sql_step(struct sql_link *writer, struct err *err);
static sql_step *const steps[STORE_SCHEMA] = {create_tables};

static bool read_version(struct sql_link *writer, int *ret_version, struct err *err) {
  sqlite3_stmt *stmt;
  int code = sqlite3_prepare_v2(writer->db, "PRAGMA user_version", -1, &stmt, NULL);
  if (code != SQLITE_OK) return sql_fail(writer, code, "schema", err);
  code = sqlite3_step(stmt);
  *ret_version = code == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
  sqlite3_finalize(stmt);
  return code == SQLITE_ROW || sql_fail(writer, code, "schema", err);
}

static bool migrate(struct sql_link *writer, int version, struct err *err) {
  char text[64];
  for (; version < STORE_SCHEMA; version++) TRY(steps[version](writer, err));
  snprintf(text, sizeof text, "PRAGMA user_version=%d", STORE_SCHEMA);
  return sql_exec(writer, text, err);
}

bool sql_schema(struct sql_link *writer, struct err *err) {
  int version = 0;
  TRY(read_version(writer, &version, err));
  if (version > STORE_SCHEMA)
    FAIL(ERR_NEWER, "the ledger has schema %d, this Medulla knows %d; install the newer one",
         version, STORE_SCHEMA);
  if (version == STORE_SCHEMA) return true;
  TRY(sql_run_common(writer, SQL_BEGIN, "begin", err));
  if (migrate(writer, version, err) && sql_run_common(writer, SQL_COMMIT, "commit", err))
    return true;
  sqlite3_exec(writer->db, "ROLLBACK", NULL, NULL, NULL);
  return false;
}

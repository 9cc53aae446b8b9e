/* store/reach.c: one fact in one sector, so that a power cut leaves the old one or the new one. */
#include "store/reach.h"

#include "base/cleanup.h"
#include "store/pack.h"

#include <string.h>

enum { FACT_BYTES = 8, NOTE_BYTES = FACT_BYTES + KEYRING_FACT_EXTRA_BYTES };
#define NAME_BYTES 21

static struct bytes name_of(const struct page_key *key, uint8_t name[NAME_BYTES]) {
  memcpy(name, "reach", 5);
  memcpy(name + 5, key->store_id, sizeof key->store_id);
  return bytes_of(name, NAME_BYTES);
}

static bool write_note(struct reach *reach, uint64_t position, struct err *err) {
  uint8_t fact[FACT_BYTES], note[NOTE_BYTES], name[NAME_BYTES];
  pack_u64(fact, position);
  keyring_seal_fact(reach->key.keys, name_of(&reach->key, name), bytes_of(fact, FACT_BYTES), note);
  TRY(file_write(reach->file, 0, bytes_of(note, NOTE_BYTES), err));
  reach->position = position;
  return true;
}

static bool make(struct disk *disk, struct reach *reach, struct err *err) {
  TRY(file_open(disk, REACH_PATH, FILE_WRITE | FILE_CREATE, &reach->file, err));
  return write_note(reach, 0, err) && file_sync(reach->file, err) &&
         disk_sync_dir(disk, "ledger", err);
}

static bool read_note(struct disk *disk, struct reach *reach, struct err *err) {
  uint8_t fact[FACT_BYTES], note[NOTE_BYTES], name[NAME_BYTES];
  size_t len = 0;
  if (!disk_exists(disk, REACH_PATH))
    FAIL(ERR_CORRUPT, "%s is missing beside the ledger; restore it from a backup", REACH_PATH);
  TRY(file_open(disk, REACH_PATH, FILE_WRITE, &reach->file, err));
  TRY(file_read(reach->file, 0, note, NOTE_BYTES, &len, err));
  if (len != NOTE_BYTES || !keyring_open_fact(reach->key.keys, name_of(&reach->key, name),
                                              bytes_of(note, NOTE_BYTES), fact))
    FAIL(ERR_CORRUPT, "%s is damaged; restore it from a backup", REACH_PATH);
  reach->position = unpack_u64(fact);
  return true;
}

bool reach_open(struct disk *disk, const struct page_key *key, bool fresh, struct reach *ret_reach,
                struct err *err) {
  struct reach reach = {.key = *key};
  bool good = true;
  if (key->keys) good = fresh ? make(disk, &reach, err) : read_note(disk, &reach, err);
  if (!good) {
    file_close(&reach.file);
    return false;
  }
  *ret_reach = reach;
  return true;
}

void reach_note(struct reach *reach, uint64_t position) {
  struct err err;
  if (reach->file && position > reach->position) (void)!write_note(reach, position, &err);
}

void reach_close(struct reach *reach) {
  file_close(&reach->file);
  bytes_wipe(&reach->key, sizeof reach->key);
}

/* seal/keys.c: the ring's life; its text is in ring.c. */
#include "seal/keys.h"

#include "base/digest.h"
#include "base/must.h"
#include "os/secret.h"
#include "seal/ring.h"

#include <stdatomic.h>
#include <string.h>

#define EPOCH_RETIRED UINT32_MAX

struct epoch_keys {
  _Atomic uint32_t number; /* set last, cleared first; 0: free */
  uint8_t master[AEAD_KEY_BYTES];
  struct aead_key keys[KEY_PURPOSES];
};

struct keyring {
  struct disk *disk;
  const struct clock_port *clock;
  _Atomic uint32_t newest;
  uint8_t wrap[AEAD_KEY_BYTES], mac[AEAD_KEY_BYTES]; /* from the root key */
  struct ring ring;
  struct epoch_keys epochs[KEYRING_EPOCHS_MAX];
};

static const char *const labels[KEY_PURPOSES] = {
    [KEY_PAGE] = "page",
    [KEY_FILE] = "file",
    [KEY_MARK] = "mark",
    [KEY_SUBJECT] = "subject",
};

/* ---- Keys ---- */

static void use_root(struct keyring *keys, const struct root *root) {
  key_derive(root->key, "tenant", id_bytes(&keys->ring.facts.tenant), keys->wrap);
  key_derive(root->key, "ring", id_bytes(&keys->ring.facts.tenant), keys->mac);
  memcpy(keys->ring.facts.root_id, root->id, ROOT_ID_BYTES);
  memcpy(keys->ring.facts.salt, root->salt, ROOT_SALT_BYTES);
  keys->ring.facts.root_kind = root->kind;
  keys->ring.facts.cost_log = root->cost_log;
}

static struct epoch_keys *epoch_of(const struct keyring *keys, uint32_t number) {
  struct epoch_keys *epochs = (struct epoch_keys *)(uintptr_t)keys->epochs;
  for (size_t i = 0; i < KEYRING_EPOCHS_MAX; i++)
    if (atomic_load_explicit(&epochs[i].number, memory_order_acquire) == number) return &epochs[i];
  return NULL;
}

static void install(struct keyring *keys, uint32_t number, const uint8_t master[AEAD_KEY_BYTES]) {
  struct epoch_keys *epoch = epoch_of(keys, 0);
  uint8_t key[AEAD_KEY_BYTES];
  if (!epoch) epoch = epoch_of(keys, EPOCH_RETIRED); /* whoever looked at it is long gone */
  must(epoch != NULL);
  memcpy(epoch->master, master, AEAD_KEY_BYTES);
  for (size_t i = 0; i < KEY_PURPOSES; i++) {
    key_derive(master, labels[i], id_bytes(&keys->ring.facts.tenant), key);
    aead_key_init(&epoch->keys[i], key);
  }
  bytes_wipe(key, sizeof key);
  atomic_store_explicit(&epoch->number, number, memory_order_release);
}

static struct bytes wrap_name(const struct keyring *keys, uint32_t number, uint8_t ret_name[20]) {
  memcpy(ret_name, keys->ring.facts.tenant.at, ID_BYTES);
  for (int i = 0; i < 4; i++) ret_name[ID_BYTES + i] = (uint8_t)(number >> (24 - 8 * i));
  return bytes_of(ret_name, 20);
}

static void wrap(const struct keyring *keys, const struct epoch_keys *epoch, uint32_t number,
                 uint8_t ret_wrapped[RING_WRAPPED_BYTES]) {
  struct aead_key key;
  uint8_t name[20];
  aead_key_init(&key, keys->wrap);
  aead_seal(&key, wrap_name(keys, number, name), bytes_of(epoch->master, AEAD_KEY_BYTES),
            ret_wrapped + AEAD_NONCE_BYTES, ret_wrapped,
            ret_wrapped + AEAD_NONCE_BYTES + AEAD_KEY_BYTES);
  bytes_wipe(&key, sizeof key);
}

static bool unwrap(struct keyring *keys, size_t at, struct err *err) {
  struct aead_key key;
  uint8_t name[20], master[AEAD_KEY_BYTES];
  uint32_t number = keys->ring.facts.epochs[at].number;
  const uint8_t *wrapped = keys->ring.wrapped[at];
  aead_key_init(&key, keys->wrap);
  bool good = aead_open(&key, wrap_name(keys, number, name),
                        bytes_of(wrapped + AEAD_NONCE_BYTES, AEAD_KEY_BYTES), wrapped,
                        wrapped + AEAD_NONCE_BYTES + AEAD_KEY_BYTES, master);
  bytes_wipe(&key, sizeof key);
  if (good) install(keys, number, master);
  bytes_wipe(master, sizeof master);
  if (good) return true;
  FAIL(ERR_CORRUPT, "%s: the key of epoch %u is damaged; restore the file from a backup",
       KEYRING_PATH, number);
}

static bool save(struct keyring *keys, struct err *err) {
  TRY(disk_mkdir(keys->disk, "keys", err));
  return ring_save(keys->disk, &keys->ring, keys->mac, err);
}

/* A new master, random, the newest; the caller saves. */
static void add_epoch(struct keyring *keys) {
  struct keyring_facts *facts = &keys->ring.facts;
  uint8_t master[AEAD_KEY_BYTES];
  uint32_t number = facts->count ? facts->epochs[facts->count - 1].number + 1 : 1;
  random_fill(random_real(), master, sizeof master);
  install(keys, number, master);
  bytes_wipe(master, sizeof master);
  wrap(keys, epoch_of(keys, number), number, keys->ring.wrapped[facts->count]);
  facts->epochs[facts->count].number = number;
  facts->epochs[facts->count++].made_ms = clock_wall_ms(keys->clock);
}

static void note_newest(struct keyring *keys) {
  const struct keyring_facts *facts = &keys->ring.facts;
  atomic_store(&keys->newest, facts->epochs[facts->count - 1].number);
}

/* ---- Opening ---- */

bool keyring_create(struct disk *disk, const struct root *root, const struct clock_port *clock,
                    struct keyring **ret_ring, struct err *err) {
  if (disk_exists(disk, KEYRING_PATH)) FAIL(ERR_EXISTS, "%s is there already", KEYRING_PATH);
  struct keyring *keys = secret_alloc(sizeof *keys);
  keys->disk = disk;
  keys->clock = clock;
  keys->ring.facts.tenant = random_id(random_real(), clock);
  use_root(keys, root);
  add_epoch(keys);
  note_newest(keys);
  if (!save(keys, err)) {
    keyring_close(&keys);
    return false;
  }
  *ret_ring = keys;
  return true;
}

static bool open_all(struct keyring *keys, const struct root *root, struct err *err) {
  char wanted[ROOT_ID_BYTES];
  TRY(ring_load(keys->disk, &keys->ring, err));
  memcpy(wanted, keys->ring.facts.root_id, sizeof wanted);
  if (strcmp(wanted, root->id) != 0)
    FAIL(ERR_INVALID,
         "this data folder is sealed with root key %s, and %s was given; nothing was touched",
         wanted, root->id);
  use_root(keys, root);
  if (!ring_is_genuine(&keys->ring, keys->mac))
    FAIL(ERR_CORRUPT, "%s is damaged; restore it from a backup", KEYRING_PATH);
  for (size_t i = 0; i < keys->ring.facts.count; i++) TRY(unwrap(keys, i, err));
  note_newest(keys);
  return true;
}

bool keyring_open(struct disk *disk, const struct root *root, struct keyring **ret_ring,
                  struct err *err) {
  struct keyring *keys = secret_alloc(sizeof *keys);
  keys->disk = disk;
  keys->clock = clock_real();
  if (!open_all(keys, root, err)) {
    keyring_close(&keys);
    return false;
  }
  *ret_ring = keys;
  return true;
}

void keyring_close(struct keyring **keys) {
  secret_free((void **)keys, sizeof **keys);
}

bool keyring_peek(struct disk *disk, struct keyring_facts *ret_facts, struct err *err) {
  struct ring ring;
  TRY(ring_load(disk, &ring, err));
  *ret_facts = ring.facts;
  return true;
}

const struct keyring_facts *keyring_facts(const struct keyring *keys) {
  return &keys->ring.facts;
}

uint32_t keyring_epoch(const struct keyring *keys) {
  return atomic_load_explicit(&keys->newest, memory_order_acquire);
}

const struct aead_key *keyring_key(const struct keyring *keys, uint32_t number,
                                   enum key_purpose purpose) {
  const struct epoch_keys *epoch =
      number && number != EPOCH_RETIRED ? epoch_of(keys, number) : NULL;
  return epoch ? &epoch->keys[purpose] : NULL;
}

/* ---- Change ---- */

bool keyring_rotate(struct keyring *keys, struct err *err) {
  struct ring before = keys->ring;
  if (keys->ring.facts.count == KEYRING_EPOCHS_MAX)
    FAIL(ERR_LIMIT, "KEYRING_EPOCHS_MAX: older epochs are still in use");
  add_epoch(keys);
  if (save(keys, err)) {
    note_newest(keys);
    return true;
  }
  struct epoch_keys *added =
      epoch_of(keys, keys->ring.facts.epochs[keys->ring.facts.count - 1].number);
  atomic_store(&added->number, 0);
  bytes_wipe(added->master, sizeof added->master);
  keys->ring = before;
  return false;
}

bool keyring_retire(struct keyring *keys, uint32_t before, struct err *err) {
  struct ring kept = keys->ring;
  struct keyring_facts *facts = &keys->ring.facts;
  size_t from = 0;
  while (from + 1 < facts->count && facts->epochs[from].number < before) from++;
  if (!from) return true;
  facts->count -= (uint32_t)from;
  memmove(facts->epochs, facts->epochs + from, facts->count * sizeof *facts->epochs);
  memmove(keys->ring.wrapped, keys->ring.wrapped + from, facts->count * sizeof *keys->ring.wrapped);
  if (!save(keys, err)) {
    keys->ring = kept;
    return false;
  }
  for (size_t i = 0; i < from; i++) {
    struct epoch_keys *epoch = epoch_of(keys, kept.facts.epochs[i].number);
    if (!epoch) continue;
    /* Its keys stay until the ring closes: a reader may be looking at one. */
    atomic_store(&epoch->number, EPOCH_RETIRED);
    bytes_wipe(epoch->master, sizeof epoch->master);
  }
  return true;
}

bool keyring_rewrap(struct keyring *keys, const struct root *root, struct err *err) {
  struct keyring_facts *facts = &keys->ring.facts;
  use_root(keys, root);
  for (size_t i = 0; i < facts->count; i++)
    wrap(keys, epoch_of(keys, facts->epochs[i].number), facts->epochs[i].number,
         keys->ring.wrapped[i]);
  return save(keys, err);
}

/* ---- Small facts ---- */

void keyring_seal_fact(const struct keyring *keys, struct bytes name, struct bytes plain,
                       uint8_t *ret_sealed) {
  uint32_t epoch = keyring_epoch(keys);
  for (int i = 0; i < 4; i++) ret_sealed[i] = (uint8_t)(epoch >> (24 - 8 * i));
  uint8_t *cipher = ret_sealed + 4 + AEAD_NONCE_BYTES;
  aead_seal(keyring_key(keys, epoch, KEY_MARK), name, plain, cipher, ret_sealed + 4,
            cipher + plain.len);
}

bool keyring_open_fact(const struct keyring *keys, struct bytes name, struct bytes sealed,
                       uint8_t *ret_plain) {
  uint32_t epoch = 0;
  if (sealed.len < KEYRING_FACT_EXTRA_BYTES) return false;
  for (int i = 0; i < 4; i++) epoch = epoch << 8 | sealed.at[i];
  const struct aead_key *key = keyring_key(keys, epoch, KEY_MARK);
  struct bytes cipher =
      bytes_sub(sealed, 4 + AEAD_NONCE_BYTES, sealed.len - KEYRING_FACT_EXTRA_BYTES);
  return key && aead_open(key, name, cipher, sealed.at + 4, cipher.at + cipher.len, ret_plain);
}

/* Fuzzes page_decode, page_head_decode and ring_parse: pages, frames and rings from a stranger. */
#include "base/must.h"
#include "os/clock.h"
#include "os/disk_sim.h"
#include "seal/ring.h"
#include "store/page.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct page_key key;
static struct disk
    *volatile kept; /* the ring's memory is secret: a leak check cannot see into it */

static void open_keys(void) {
  struct err err;
  struct keyring *keys;
  struct root *root = root_random(random_real());
  kept = disk_new_simulated(1);
  must(keyring_create(kept, root, clock_real(), &keys, &err));
  root_free(&root);
  key.keys = keys;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t frame[PAGE_FRAME_HEAD_BYTES + PAGE_BYTES];
  struct ring ring;
  struct err err;
  if (!key.keys) open_keys();
  memset(frame, 0, sizeof frame);
  memcpy(frame, data, size < sizeof frame ? size : sizeof frame);
  page_head_decode(&key, frame);
  struct page_place place = {.number = 1, .frame_head = frame, .offset = 32};
  /* Nobody knows the key: whatever comes in was not sealed with it. */
  must(!page_decode(&key, &place, frame + PAGE_FRAME_HEAD_BYTES));
  if (ring_parse(bytes_of(data, size), &ring, &err)) must(ring.facts.count > 0);
  return 0;
}

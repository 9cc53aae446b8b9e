/* tools/engine/base.c: writes the base snapshot, the engine with our prelude evaluated, at build
 * time; a deployed function's snapshot holds only what differs from it.
 *
 *   engine-base > base.snap                                                                 */
#include "runtime/guest_impl.h"

#include <stdio.h>
#include <unistd.h>

/* There is none before this program wrote it. */
const uint8_t guest_base_image[1] = {0}, guest_base_image_end[1] = {0};

int main(void) {
  static struct guest guest = {.kind = GUEST_JS, .turn = {.preparing = true}};
  struct err err;
  if (!js_open(&guest, 64u << 20, &err) || !js_prepare_base(&guest, &err) ||
      !snapshot_write(&guest.in, GUEST_JS, guest_engine_hash(GUEST_JS), guest.words, NULL,
                      STDOUT_FILENO, &err)) {
    fprintf(stderr, "engine-base: %s\n", err.detail);
    return 1;
  }
  return 0;
}

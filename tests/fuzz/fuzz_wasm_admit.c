/* tests/fuzz/fuzz_wasm_admit.c: wasm_admit. */
#include "runtime/wasm_admit.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len) {
  struct err err;
  (void)!wasm_admit(bytes_of(at, len), &err);
  return 0;
}

/* runtime/wasm.c: user modules. */
#include "runtime/wasm.h"

bool wasm_open(struct guest *guest, const struct guest_code *code, struct err *err) {
  FAIL(ERR_UNSUPPORTED, "WebAssembly modules are not supported yet");
}
bool wasm_prepare(struct guest *guest, const struct guest_code *code, struct err *err) {
  FAIL(ERR_UNSUPPORTED, "WebAssembly modules are not supported yet");
}
void wasm_run(struct guest *guest) {
}
void wasm_close(struct guest *guest) {
}

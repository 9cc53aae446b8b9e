/* runtime/wasm_admit.h: is this WebAssembly module small and plain enough to be translated?
 * Owns:    nothing.
 * Units:   bytes; counts as named.
 * Errors:  MALFORMED (with byte offset), LIMIT (which says the limit), UNSUPPORTED.
 * Threads: pure; any thread.
 * Limits:  WASM_ below. What a function body says is wasm-validate's business, in the builder.
 * Source:  WebAssembly core specification 1.0, 5.5 (binary format of modules).                 */
#ifndef MEDULLA_RUNTIME_WASM_ADMIT_H
#define MEDULLA_RUNTIME_WASM_ADMIT_H

#include "base/bytes.h"
#include "base/err.h"

#define WASM_BYTES_MAX (16u << 20)
#define WASM_FUNCTIONS_MAX 50000u
#define WASM_BODY_BYTES_MAX (1u << 20)
#define WASM_LOCALS_MAX 5000u  /* of one function */
#define WASM_TABLE_MAX 100000u /* entries at the start */
#define WASM_MEMORY_PAGES_MAX 65536u

bool wasm_admit(struct bytes module, struct err *err) MUST_CHECK;

#endif

/* model/script.h: which kind of JavaScript a file holds.
 * Owns:    nothing.
 * Units:   none.
 * Errors:  none; a text that is neither is taken for a module.
 * Threads: pure; any thread.
 * Limits:  none.                                                                              */
#ifndef MEDULLA_MODEL_SCRIPT_H
#define MEDULLA_MODEL_SCRIPT_H

#include "base/bytes.h"

/* An ES module; false: CommonJS, which sets `exports`. The name counts where it says which: .mjs,
 * .cjs. Else a line that begins with `export` or `import` makes a module. */
bool script_is_module(struct bytes name, struct bytes source);

#endif

/* source/sources.c: open them all, close them all. */
#include "source/sources.h"

#include "base/must.h"
#include "source/telemetry/telemetry.h"

#include <stdlib.h>

struct sources {
  struct api *api;
};

bool sources_open(struct api *api, struct sources **ret_sources, struct err *err) {
  struct sources *sources = must_alloc(sizeof *sources);
  sources->api = api;
  telemetry_add(api);
  *ret_sources = sources;
  return true;
}

void sources_catalog_changed(struct sources *sources) {
}

void sources_close(struct sources **sources) {
  free(*sources);
  *sources = NULL;
}

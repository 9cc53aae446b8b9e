/* source/sources.h: the sources beside HTTP itself: telemetry, schedule, queue, object.
 * Owns:    what each of them keeps; their routes are added to the api.
 * Errors:  sources_open: the store's.
 * Threads: the loop's thread.                                                           */
#ifndef MEDULLA_SOURCE_SOURCES_H
#define MEDULLA_SOURCE_SOURCES_H

#include "source/api/api.h"

struct sources;

/* Once the api is open; closed before it. */
bool sources_open(struct api *api, struct sources **ret_sources, struct err *err) MUST_CHECK;
/* Triggers have changed. */
void sources_catalog_changed(struct sources *sources);
void sources_close(struct sources **sources);

#endif

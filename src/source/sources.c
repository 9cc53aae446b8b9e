/* source/sources.c: open them all, close them all. */
#include "source/sources.h"

#include "base/must.h"
#include "model/zone.h"
#include "source/object/object.h"
#include "source/queue/queue.h"
#include "source/schedule.h"
#include "source/telemetry/telemetry.h"

#include <stdlib.h>

struct sources {
  struct api *api;
  struct disk *tzdata; /* or NULL */
  struct schedule *schedule;
  struct queues *queues;
  struct objects *objects;
};

static bool open_schedule(struct sources *sources, struct err *err) {
  const struct api_options *api = api_options(sources->api);
  struct err no_zones;
  if (!disk_open_real(ZONE_FOLDER, &sources->tzdata, &no_zones)) sources->tzdata = NULL;
  struct schedule_options options = {.loop = api->loop,
                                     .flow = api->flow,
                                     .store = api->store,
                                     .clock = api->clock,
                                     .tzdata = sources->tzdata};
  return schedule_open(&options, &sources->schedule, err);
}

bool sources_open(struct api *api, struct sources **ret_sources, struct err *err) {
  struct sources *sources = must_alloc(sizeof *sources);
  sources->api = api;
  telemetry_add(api);
  queues_open(api, &sources->queues);
  objects_open(api, &sources->objects);
  if (!open_schedule(sources, err)) {
    sources_close(&sources);
    return false;
  }
  *ret_sources = sources;
  return true;
}

void sources_catalog_changed(struct sources *sources) {
  schedule_catalog_changed(sources->schedule);
  queues_catalog_changed(sources->queues);
}

void sources_close(struct sources **sources) {
  struct sources *s = *sources;
  *sources = NULL;
  if (!s) return;
  schedule_close(&s->schedule);
  queues_close(&s->queues);
  objects_close(&s->objects);
  if (s->tzdata) disk_close(&s->tzdata);
  free(s);
}

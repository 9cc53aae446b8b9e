#include "tests/unit/model/tzdata.h"

#include "base/civil.h"
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

struct zone *tzdata_zone(const char *name) {
  char path[256];
  static uint8_t data[ZONE_FILE_BYTES_MAX];
  snprintf(path, sizeof path, "%s/%s", ZONE_FOLDER, name);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  size_t len = fread(data, 1, sizeof data, file);
  fclose(file);
  struct zone *zone;
  struct err err;
  if (!zone_parse(bytes_of(data, len), &zone, &err)) {
    fprintf(stderr, "%s: %s\n", name, err.detail);
    abort();
  }
  return zone;
}

int64_t utc_s(int year, int month, int day, int hour, int minute) {
  return civil_days(year, month, day) * CIVIL_DAY_S + hour * 3600 + minute * 60;
}

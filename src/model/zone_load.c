/* model/zone_load.c: a zone by name from the system's tzdata. */
#include "base/cleanup.h"
#include "model/zone.h"

/* "Europe/Zurich": letters, digits, "+", "-", "_", and slashes between them. */
static bool name_is_sound(struct bytes name) {
  if (name.len == 0 || name.len > ZONE_NAME_BYTES_MAX) return false;
  bool slash = true;
  for (size_t i = 0; i < name.len; i++) {
    uint8_t c = name.at[i];
    bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                c == '+' || c == '-' || c == '_';
    if (!word && (c != '/' || slash)) return false;
    slash = c == '/';
  }
  return !slash;
}

bool zone_load(struct disk *tzdata, struct bytes name, struct zone **ret_zone, struct err *err) {
  if (!name_is_sound(name)) FAIL(ERR_NOT_FOUND, "this is no time zone's name");
  char path[ZONE_NAME_BYTES_MAX + 1];
  bytes_text(name, path, sizeof path);
  cleanup_buf struct buf file;
  buf_init(&file, ZONE_FILE_BYTES_MAX);
  struct err why;
  if (!disk_load(tzdata, path, ZONE_FILE_BYTES_MAX, &file, &why))
    FAIL(ERR_NOT_FOUND, "the system's tzdata has no time zone %s", path);
  return zone_parse(buf_bytes(&file), ret_zone, err);
}

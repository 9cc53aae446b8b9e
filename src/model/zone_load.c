/* model/zone_load.c: a zone by name from the system's tzdata. */
#include "base/cleanup.h"
#include "model/zone.h"

enum { LINKS_BYTES_MAX = 1 << 20 };

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

/* Some names are links, which a disk does not follow; tzdata.zi has a line "L TARGET NAME" for
 * each. */
static bool find_target(struct bytes links, struct bytes name, struct bytes *ret_target) {
  while (links.len) {
    struct bytes rest, line = bytes_cut(links, '\n', &links);
    if (!bytes_starts(line, BYTES("L "))) continue;
    struct bytes target = bytes_cut(bytes_from(line, 2), ' ', &rest);
    if (!bytes_eq(rest, name)) continue;
    *ret_target = target;
    return true;
  }
  return false;
}

static bool load_file(struct disk *tzdata, struct bytes name, struct buf *ret_file,
                      struct err *err) {
  char path[ZONE_NAME_BYTES_MAX + 1];
  bytes_text(name, path, sizeof path);
  return disk_load(tzdata, path, ZONE_FILE_BYTES_MAX, ret_file, err);
}

bool zone_load(struct disk *tzdata, struct bytes name, struct zone **ret_zone, struct err *err) {
  if (!name_is_sound(name)) FAIL(ERR_NOT_FOUND, "this is no time zone's name");
  if (bytes_eq_str(name, "UTC")) {
    *ret_zone = zone_new_utc();
    return true;
  }
  cleanup_buf struct buf file, links;
  buf_init(&file, ZONE_FILE_BYTES_MAX);
  buf_init(&links, LINKS_BYTES_MAX);
  struct bytes target;
  struct err why;
  bool found = load_file(tzdata, name, &file, &why);
  if (!found) {
    buf_reset(&file);
    found = disk_load(tzdata, "tzdata.zi", LINKS_BYTES_MAX, &links, &why) &&
            find_target(buf_bytes(&links), name, &target) && name_is_sound(target) &&
            load_file(tzdata, target, &file, &why);
  }
  /* Other files lie in that folder, too. */
  if (!found || !bytes_starts(buf_bytes(&file), BYTES("TZif")))
    FAIL(ERR_NOT_FOUND, "the system's tzdata has no time zone %.*s", BYTES_FMT(name));
  return zone_parse(buf_bytes(&file), ret_zone, err);
}

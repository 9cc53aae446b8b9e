/* model/zone.h: IANA time zones: what a wall clock shows at an instant, and the way back.
 * Owns:    zone_parse and zone_load give a zone on the heap; zone_free ends it.
 * Units:   UTC seconds since 1970; a wall time is the same count read off the wall clock.
 * Errors:  MALFORMED (with byte offset), UNSUPPORTED (no 64-bit data, leap seconds), LIMIT;
 *          zone_load: NOT_FOUND for a name the system's tzdata does not have.
 * Threads: a zone is never changed; any thread.
 * Limits:  ZONE_FILE_BYTES_MAX, ZONE_CHANGES_MAX, ZONE_NAME_BYTES_MAX.
 * Source:  RFC 8536 (TZif versions 2 to 4); POSIX.1-2017 8.3 for the rule in its footer.
 *
 * Neither TZ nor libc's tables are used: the answer depends on the file alone.          */
#ifndef MEDULLA_MODEL_ZONE_H
#define MEDULLA_MODEL_ZONE_H

#include "base/bytes.h"
#include "base/err.h"
#include "os/file.h"

#define ZONE_FILE_BYTES_MAX (256u << 10)
#define ZONE_CHANGES_MAX 4096
#define ZONE_NAME_BYTES_MAX 64
#define ZONE_FOLDER "/usr/share/zoneinfo"

struct zone;

bool zone_parse(struct bytes tzif, struct zone **ret_zone, struct err *err) MUST_CHECK;
/* `tzdata` is a disk on ZONE_FOLDER. "UTC" needs no file. */
bool zone_load(struct disk *tzdata, struct bytes name, struct zone **ret_zone,
               struct err *err) MUST_CHECK;
const struct zone *zone_utc(void); /* not to be freed */
struct zone *zone_new_utc(void);
void zone_free(struct zone **zone);

/* Seconds east of UTC at this instant. */
int32_t zone_offset(const struct zone *zone, int64_t utc_s);
/* The first instant after utc_s at which the offset may differ; INT64_MAX: never again. */
int64_t zone_next_change(const struct zone *zone, int64_t utc_s);

enum zone_fit { ZONE_ONCE, ZONE_GAP, ZONE_FOLD };
/* When a wall clock shows wall_s. ONCE: then. FOLD: the clock was set back and showed it twice; the
 * first time. GAP: the clock was set forward past it; the instant of the jump. */
enum zone_fit zone_instant(const struct zone *zone, int64_t wall_s, int64_t *ret_utc_s);

#endif

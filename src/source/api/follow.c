/* source/api/follow.c: runs and logs as they happen, to whoever follows them. */
#include "source/api/parts.h"

void api_publish_run(struct api *api, const struct run_record *run) {
}

void api_publish_log(struct api *api, const struct run_record *run, enum guest_level level,
                     int64_t at_ms, struct bytes line) {
}

/* model/manifest.tbl.h: every number of medulla.yaml once: readers, defaults and manual follow.
 *
 * NUMBER(map, key, field of struct manifest_function, unit, default, min, max, what it is)
 * Durations are in ms, sizes in bytes. A function's own keys have the map `function`.           */
#ifndef NUMBER_LIMITS
#define NUMBER_LIMITS(...)
#endif
#ifndef NUMBER_RETRY
#define NUMBER_RETRY(...)
#endif
#ifndef NUMBER_BATCH
#define NUMBER_BATCH(...)
#endif
#ifndef NUMBER_FUNCTION
#define NUMBER_FUNCTION(...)
#endif

NUMBER_LIMITS(time, time_ms, DURATION, 3000, 1, 900000, "a run is stopped after this")
NUMBER_LIMITS(memory, memory_bytes, SIZE, 128 << 20, 4 << 20, INT64_C(4) << 30,
              "linear memory of one run at most")
NUMBER_LIMITS(concurrency, concurrency, COUNT, 100, 1, 10000, "runs at once")
NUMBER_LIMITS(provisioned, provisioned, COUNT, 0, 0, 1000, "workers kept when there is no work")
NUMBER_LIMITS(idle, idle_ms, DURATION, 60000, 0, 86400000,
              "a worker beyond those ends after this without work")
NUMBER_RETRY(attempts, retry.attempts, COUNT, 3, 1, 100, "attempts in all")
NUMBER_RETRY(max_age, retry.max_age_ms, DURATION, 21600000, 1000, 604800000,
             "no attempt begins later than this after the event came")
NUMBER_RETRY(delay, retry.delay_ms, DURATION, 1000, 10, 300000,
             "before the second attempt; doubles with each, up to 5m")
NUMBER_BATCH(size, batch_size, COUNT, 1, 1, MANIFEST_BATCH_MAX, "messages in one run at most")
NUMBER_BATCH(window, batch_window_ms, DURATION, 0, 0, 300000, "wait this long for a batch to fill")
NUMBER_FUNCTION(hold_max, hold_max_ms, DURATION, 60000, 1000, 3600000,
                "how long a failed event holds those behind it in its key")

#undef NUMBER_LIMITS
#undef NUMBER_RETRY
#undef NUMBER_BATCH
#undef NUMBER_FUNCTION

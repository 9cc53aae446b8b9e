/* app/limits.tbl.h: the limits an operator meets, by the names their errors use.
 *
 * LIMIT(name, value, unit, what)                                                             */
LIMIT("workers_max", facts->workers_max, "workers", "worker processes at once")
LIMIT("deliveries_max", flow_limits_default.deliveries_max, "deliveries",
      "owed deliveries in memory; more wait in the store")
LIMIT("admitting_max", flow_limits_default.admitting_max, "admissions",
      "events waiting for the store; then 503")
LIMIT("sync_waiting_max", flow_limits_default.sync_waiting_max, "calls",
      "calls waiting for a function beyond its concurrency; then 429")
LIMIT("runs_max", flow_limits_default.runs_max, "runs", "runs under way in all; then 503")
LIMIT("timers_max", flow_limits_default.timers_max, "timers", "durable timers")
LIMIT("run_arena_bytes_max", flow_limits_default.run_arena_bytes_max, "bytes",
      "what one run may stage and read")
LIMIT("event_cache_bytes", flow_limits_default.event_cache_bytes, "bytes",
      "fresh events kept in memory")
LIMIT("deferred_max", flow_limits_default.deferred_max, "runs",
      "pure runs whose rows follow the answer; then the answer waits")
LIMIT("STORE_PENDING_MAX", STORE_PENDING_MAX, "commits", "waiting for the disk; then 503")
LIMIT("STORE_COMMIT_BYTES_MAX", STORE_COMMIT_BYTES_MAX, "bytes", "one commit")
LIMIT("API_BODY_BYTES_MAX", API_BODY_BYTES_MAX, "bytes", "a request's body, and a call's payload")
LIMIT("HTTP_HEAD_BYTES_MAX", HTTP_HEAD_BYTES_MAX, "bytes", "a request's head")
LIMIT("HTTP_HEADERS_MAX", HTTP_HEADERS_MAX, "headers", "of one request")
LIMIT("HTTP_TARGET_BYTES_MAX", HTTP_TARGET_BYTES_MAX, "bytes", "a request's target")
LIMIT("EVENT_BYTES_MAX", EVENT_BYTES_MAX, "bytes", "one event")
LIMIT("EVENT_BATCH_MAX", EVENT_BATCH_MAX, "events", "in one request")
LIMIT("JSON_DEPTH_MAX", JSON_DEPTH_MAX, "levels", "of any JSON")
LIMIT("TELEMETRY_LINE_BYTES_MAX", TELEMETRY_LINE_BYTES_MAX, "bytes", "one sample")
LIMIT("TELEMETRY_BYTES_MAX", TELEMETRY_BYTES_MAX, "bytes", "samples in one request")
LIMIT("QUEUE_BODY_BYTES_MAX", QUEUE_BODY_BYTES_MAX, "bytes", "one message of a queue")
LIMIT("QUEUE_WAITING_MAX", QUEUE_WAITING_MAX, "receives", "that wait for a message")
LIMIT("OBJECT_BYTES_MAX", OBJECT_BYTES_MAX, "bytes", "one object or part")
LIMIT("STAGE_OPS_MAX", STAGE_OPS_MAX, "effects", "staged by one run")
LIMIT("GUEST_REQUESTS_MAX", GUEST_REQUESTS_MAX, "effects", "asked for by one run")
LIMIT("GUEST_OUTPUT_BYTES_MAX", GUEST_OUTPUT_BYTES_MAX, "bytes", "a run's result")
LIMIT("RUNTIME_WAITING_MAX", RUNTIME_WAITING_MAX, "runs", "waiting for a worker, in all")
LIMIT("FETCH_ANSWER_BYTES_MAX", FETCH_ANSWER_BYTES_MAX, "bytes", "an answer to fetch")
LIMIT("OUTBOX_ROWS_MAX", OUTBOX_ROWS_MAX, "messages", "in memory; more wait in the store")
LIMIT("OUTBOX_AGE_MS_MAX", OUTBOX_AGE_MS_MAX, "ms", "until an unsent message is dead")
LIMIT("MANIFEST_FUNCTIONS_MAX", MANIFEST_FUNCTIONS_MAX, "functions", "of one app")
LIMIT("CATALOG_FUNCTIONS_MAX", CATALOG_FUNCTIONS_MAX, "functions", "in all")
LIMIT("DEPLOY_FILES_MAX", DEPLOY_FILES_MAX, "files", "of one app")
LIMIT("PRINCIPALS_MAX", PRINCIPALS_MAX, "tokens", "in all")

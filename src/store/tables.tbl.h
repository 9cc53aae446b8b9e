/* store/tables.tbl.h: every table of the ledger once.
 * KV tables hold the last value of a key; LOG tables only grow, in commit order.
 * SEALED values pass seal() on their way in and out; the engine below never sees them plain.
 * Never renumber: the order is part of the schema; add at the end and raise STORE_SCHEMA.
 *
 * TABLE(name, kind, sealed, what a row is)                                                 */
TABLE(meta, KV, PLAIN, "schema, store id, counters")
TABLE(event, LOG, SEALED, "an accepted event; key: event id")
TABLE(delivery, KV, SEALED, "an event owed to a function; key: delivery id")
TABLE(run, LOG, SEALED, "a finished attempt with outcome, times and meter; key: run id")
TABLE(recording, KV, SEALED, "what a run was answered, for replay; key: run id")
TABLE(audit, LOG, SEALED, "an audit record with its RFC 6962 leaf; key: tree index, big-endian")
TABLE(app, KV, PLAIN, "an app's manifest in force; key: app")
TABLE(version, KV, PLAIN, "an immutable function version; key: app/function NUL number, big-endian")
TABLE(alias, KV, PLAIN, "where an alias points, with weights; key: app/function NUL alias")
TABLE(code, KV, SEALED, "code by content; key: SHA-256")
TABLE(state, KV, SEALED, "functions' key-value state; key: app NUL key")
TABLE(outbox, KV, SEALED, "an outbound effect not yet sent; key: delivery id, ordinal")
TABLE(timer, KV, SEALED, "a durable timer; key: due time, id")
TABLE(timer_key, KV, SEALED, "a keyed timer's place in timer; key: app NUL key")
TABLE(schedule, KV, PLAIN, "last tick seen per schedule trigger; key: app/function NUL index")
TABLE(queue, KV, SEALED, "a message waiting or in flight; key: queue NUL message id")
TABLE(object, KV, SEALED, "an object's metadata; key: bucket NUL key")
TABLE(upload, KV, SEALED, "a multipart upload under way; key: upload id, part")
TABLE(token, KV, SEALED, "a principal by token; key: SHA-256 of the token")
TABLE(secret, KV, SEALED, "an app's secret; key: app NUL name")
TABLE(alert, KV, SEALED, "reserved for platform alerts; key: id")
TABLE(notice, KV, SEALED, "notification de-duplication; key: app NUL contact NUL key")
TABLE(usage, KV, PLAIN, "metered totals; key: day NUL app/function")
TABLE(telemetry, LOG, SEALED, "a durable batch of device samples; key: device or shard")

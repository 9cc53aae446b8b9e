/* effect/effects.tbl.h: every effect a run can ask for, once. context.* and the manual follow.
 *
 * EFFECT(name, class, function, what it does)                                              */
EFFECT("state.get", READ, effect_state_get, "reads a value of the app's state")
EFFECT("state.list", READ, effect_state_list, "lists keys of the app's state by prefix")
EFFECT("state.put", STAGED, effect_state_put, "writes a value of the app's state")
EFFECT("state.delete", STAGED, effect_state_delete, "removes a value of the app's state")
EFFECT("state.increment", STAGED, effect_state_increment, "adds to a counter; increments commute")
EFFECT("emit", STAGED, effect_emit, "emits an event, now or at a time")
EFFECT("cancel", STAGED, effect_cancel, "cancels a keyed timer")
EFFECT("queue.send", STAGED, effect_queue_send, "sends a message to a queue, now or later")
EFFECT("object.get", READ, effect_object_get, "reads an object with its body")
EFFECT("object.head", READ, effect_object_head, "reads what is known of an object")
EFFECT("object.list", READ, effect_object_list, "lists a bucket's objects by prefix")
EFFECT("object.put", STAGED, effect_object_put, "writes an object")
EFFECT("object.delete", STAGED, effect_object_delete, "removes an object")
EFFECT("fetch", LIVE, effect_fetch, "asks an HTTP server, at once")
EFFECT("notify", OUTBOX, effect_notify, "sends a message to a contact of the app")

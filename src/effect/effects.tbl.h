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
EFFECT("notify", OUTBOX, effect_notify, "sends a message to a contact of the app")

/* effect/outbox_scan.h: rows that did not fit into memory, when there is room again.
 * Owns:    nothing beyond one scan.
 * Threads: the loop's.
 * Limits:  SCAN_ROWS_MAX rows a step.                                              */
#ifndef MEDULLA_EFFECT_OUTBOX_SCAN_H
#define MEDULLA_EFFECT_OUTBOX_SCAN_H

struct outbox;

/* Harmless when nothing is spilled or a scan is under way. */
void outbox_scan_more(struct outbox *outbox);

#endif

/* wire/json_sort.h: an object's members in an order, for duplicates, equality and canonical form.
 * Owns:    the result is the caller's: free() it.
 * Errors:  none; the array is smaller than the nodes it points to, so no memory is a must().
 * Threads: pure; any thread.
 * Limits:  n log n comparisons whatever the names are: hostile input gains nothing.              */
#ifndef MEDULLA_WIRE_JSON_SORT_H
#define MEDULLA_WIRE_JSON_SORT_H

#include "wire/json.h"

typedef int json_order(const struct json *a, const struct json *b);

/* Shorter names first, then by bytes: the cheapest order. */
json_order json_order_quick;
/* By UTF-16 code units, RFC 8785 §3.2.3. */
json_order json_order_utf16;

/* The children of an object or array, `count` of them; equal ones keep their order. */
const struct json **json_sorted(const struct json *parent, json_order *order);

#endif

/* wire/xml.h: the little XML that S3 speaks: a writer that escapes, and a strict small reader.
 * Owns:    nodes and texts live in the caller's arena.
 * Units:   bytes.
 * Errors:  xml_parse: MALFORMED (with the byte offset), UNSUPPORTED, LIMIT.
 * Threads: pure; any thread.
 * Limits:  XML_BYTES_MAX, XML_DEPTH_MAX, the arena. No document type, so no entities but the five
 *          of XML itself, and nothing from outside; no comments, processing instructions or CDATA.
 * Source:  XML 1.0 §2 and §4.6.                                                                */
#ifndef MEDULLA_WIRE_XML_H
#define MEDULLA_WIRE_XML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define XML_BYTES_MAX (4u << 20)
#define XML_DEPTH_MAX 16

struct xml {
  struct bytes name; /* without its prefix */
  struct bytes text; /* decoded; only of an element without elements inside */
  const struct xml *first, *next;
};

bool xml_parse(struct arena *arena, struct bytes input, const struct xml **ret_root,
               struct err *err) MUST_CHECK;
/* All accept NULL. The first child of this name, or NULL; its text, or the empty slice. */
const struct xml *xml_child(const struct xml *element, const char *name);
/* The next sibling of the same name, or NULL. */
const struct xml *xml_again(const struct xml *element);
struct bytes xml_child_text(const struct xml *element, const char *name);

void xml_write_start(struct buf *buf); /* the declaration */
/* xmlns may be NULL. */
void xml_write_open(struct buf *buf, const char *name, const char *xmlns);
void xml_write_close(struct buf *buf, const char *name);
void xml_write_element(struct buf *buf, const char *name, struct bytes text);
void xml_write_number(struct buf *buf, const char *name, uint64_t value);
/* Escaped; what XML cannot hold (most control characters, invalid UTF-8) becomes U+FFFD. */
void xml_write_text(struct buf *buf, struct bytes text);

#endif

/* effect/outbox_parts.h: the outbox from the inside: contacts, and their lines of messages.
 * Owns:    see each struct.
 * Threads: the loop's.                                                                       */
#ifndef MEDULLA_EFFECT_OUTBOX_PARTS_H
#define MEDULLA_EFFECT_OUTBOX_PARTS_H

#include "audit/record.h"
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "effect/outbox.h"

enum { OUTBOX_REASON_BYTES = 64 };

/* A message in memory. */
struct send {
  struct list link; /* in line->sends, or in outbox->gone */
  uint8_t key[OUTBOX_KEY_BYTES];
  size_t value_bytes;
  uint8_t *value; /* what row's slices point into */
  struct outbox_row row;
};

enum verdict { VERDICT_SENT, VERDICT_LATER, VERDICT_DEAD };

/* What the lines to one contact share. */
struct contact {
  struct outbox *outbox;
  struct buf name;     /* app NUL contact */
  struct list waiting; /* lines with a due head, for want of a place among the contact's sends */
  uint32_t lines, busy;
  bool failing;          /* the last word from it was "later": one send at a time tries it */
  int64_t not_before_ms; /* and not before this */
};

/* Messages that go one after the other. */
struct line {
  struct list link; /* in outbox->ready or contact->waiting */
  struct outbox *outbox;
  struct contact *contact;
  struct list sends;
  struct loop_timer due;
  struct buf name; /* the contact's, and the lane when there are several */
  bool busy;
  /* Of the send under way. */
  struct arena arena;
  struct buf secret;
  struct buf secret_key;
  bool mail, secret_ok, secret_there;
  struct err secret_err;
  enum verdict verdict;
  int64_t next_ms;
  char reason[OUTBOX_REASON_BYTES];
};

struct outbox {
  struct egress_port port; /* first member */
  struct outbox_options options;
  struct map sends;    /* row key -> struct send */
  struct map lines;    /* name -> struct line */
  struct map contacts; /* name -> struct contact */
  struct list ready;
  struct list gone; /* ended while a scan is under way, which may still have seen them */
  size_t bytes;
  uint32_t calls; /* callbacks still to come */
  bool stopped, closed;
  bool spilled;  /* rows are in the store that are not in memory */
  bool scanning; /* a look for them is under way */
  struct outbox_load load;
};

/* Takes a copy, unless it is known or memory is full. */
void outbox_add(struct outbox *outbox, struct bytes key, struct bytes value);
int64_t outbox_now_ms(const struct outbox *outbox);
/* A callback has come; false: nobody is there any more (the outbox may be freed by this). */
bool outbox_called(struct outbox *outbox);
void outbox_audit(struct outbox *outbox, struct store_commit *commit, const struct outbox_row *row,
                  const char *outcome, const char *detail);

/* outbox_line.c */
struct line *line_of(struct outbox *outbox, const struct outbox_row *row);
void line_pump(struct line *line);
void line_free(struct line *line);
void send_free(struct send *send);
void lines_start(struct outbox *outbox);

#endif

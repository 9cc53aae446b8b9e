/* audit/record.h: one audit record: who did what to what, when, by which rule, and how it ended.
 * Owns:    nothing; slices point to what the maker or audit_decode's input holds.
 * Units:   UTC milliseconds.
 * Errors:  audit_decode: CORRUPT (also when the leaf hash does not fit the record).
 * Threads: pure; any thread.
 * Limits:  the commit's.
 * Source:  RFC 6962 §2.1 (leaf hash: SHA-256 of 0x00 and the leaf), 45 CFR 164.312(b).
 *
 * Stored: format, leaf hash, canonical JSON (the leaf), then the personal fields with their salt
 * outside the leaf. The leaf holds only SHA-256(salt, personal bytes): personal fields can be
 * erased and every proof still holds. */
#ifndef MEDULLA_AUDIT_RECORD_H
#define MEDULLA_AUDIT_RECORD_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/id.h"
#include "os/random.h"
#include "store/store.h"

#define AUDIT_SALT_BYTES 16

struct audit_record {
  int64_t at_ms;
  struct bytes actor;    /* principal, or "app/function" for a run's effects */
  struct bytes action;   /* "state.put", "deploy", "token.create", ... */
  struct bytes resource; /* what it was done to; never personal: bucket, contact, type, function */
  struct bytes outcome;  /* "ok", "denied", "failed", "unknown" */
  struct bytes detail;   /* PHI-free: the missing grant, an error word, a count */
  struct id run, event, delivery; /* or none */
  struct bytes
      personal; /* personal part (a key, a subject): committed to, stored beside the leaf */
};

/* The stored value. The salt is random per record. */
void audit_encode(struct buf *buf, const struct audit_record *record,
                  const uint8_t salt[AUDIT_SALT_BYTES]);

/* Encodes the record and appends it to the commit. */
void audit_append(struct store_commit *commit, const struct random_port *random,
                  const struct audit_record *record);

struct audit_stored {
  uint8_t leaf_hash[SHA256_BYTES];
  struct bytes leaf; /* canonical JSON */
  struct bytes salt; /* empty when the personal part was erased */
  struct bytes personal;
};
/* Checks the leaf hash and, where it is still there, the commitment to the personal part. */
bool audit_decode(struct bytes input, struct audit_stored *ret_stored, struct err *err) MUST_CHECK;

#endif

/* tests/unit/hl7/hl7_test.h: a message from a literal, in an arena that lives with the test. */
#ifndef MEDULLA_TESTS_UNIT_HL7_TEST_H
#define MEDULLA_TESTS_UNIT_HL7_TEST_H

#include "base/cleanup.h"
#include "hl7/message.h"
#include "tests/unit/test.h"

static struct arena arena;

static inline int hl7_test_setup(void **state) {
  arena_init(&arena, 64 << 20);
  return 0;
}

static inline int hl7_test_teardown(void **state) {
  arena_fini(&arena);
  return 0;
}

static inline struct hl7_message parsed_bytes(struct bytes text) {
  struct hl7_message message;
  struct err err;
  assert_ok(hl7_parse(&arena, text, NULL, &message, &err), err);
  return message;
}

static inline struct hl7_message parsed(const char *text) {
  return parsed_bytes(bytes_str(text));
}

static inline bool noted(const struct hl7_message *message, enum hl7_leniency leniency) {
  for (uint32_t i = 0; i < message->note_count && i < HL7_NOTES_MAX; i++) {
    if (message->notes[i].leniency == leniency) return true;
  }
  return false;
}

#endif

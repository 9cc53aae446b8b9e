/* fhir/outcome.h: problems of a resource, gathered and written as an OperationOutcome.
 * Owns:    texts live in the arena the list was made with.
 * Units:   offsets are bytes into the JSON text; lines and columns count from 1.
 * Errors:  none; an arena that is full drops what does not fit and counts it.
 * Threads: one at a time.
 * Limits:  FHIR_ISSUES_MAX; more are counted and told of at the end.
 * Source:  FHIR R4 OperationOutcome; extensions operationoutcome-issue-line and -col.           */
#ifndef MEDULLA_FHIR_OUTCOME_H
#define MEDULLA_FHIR_OUTCOME_H

#include "base/arena.h"
#include "wire/json.h"

#define FHIR_ISSUES_MAX 1000

enum fhir_severity { FHIR_FATAL, FHIR_ERROR, FHIR_WARNING, FHIR_INFORMATION };

/* http://hl7.org/fhir/issue-type */
enum fhir_issue_type {
  FHIR_ISSUE_STRUCTURE,
  FHIR_ISSUE_REQUIRED,
  FHIR_ISSUE_VALUE,
  FHIR_ISSUE_INVARIANT,
  FHIR_ISSUE_CODE,
  FHIR_ISSUE_NOT_FOUND,
  FHIR_ISSUE_DUPLICATE,
  FHIR_ISSUE_TOO_LONG,
  FHIR_ISSUE_PROCESSING,
  FHIR_ISSUE_INFORMATIONAL
};

struct fhir_issue {
  enum fhir_severity severity;
  enum fhir_issue_type type;
  uint64_t offset; /* or ERR_OFFSET_NONE */
  struct bytes text;
  struct bytes expression; /* FHIRPath: Patient.name[0].given[1] */
  const struct fhir_issue *next;
};

struct fhir_issues {
  struct arena *arena;
  struct fhir_issue *first, *last;
  size_t count, errors, warnings, dropped; /* errors include fatal ones */
};

void fhir_issues_init(struct fhir_issues *issues, struct arena *arena);
/* Copies neither text nor expression: both live in the arena or longer. */
void fhir_issue_add(struct fhir_issues *issues, const struct fhir_issue *issue);
/* A failure before validation: malformed JSON, a limit. */
void fhir_issue_err(struct fhir_issues *issues, const struct err *err);
/* `source` is the JSON text, for lines and columns; may be empty. `filename` (or NULL) is told of
 * in an extension, `line_first` (1) is where the text begins in it. */
struct fhir_outcome_source {
  struct bytes text;
  const char *filename;
  uint64_t line_first;
};
void fhir_outcome_write(struct json_out *out, const struct fhir_issues *issues,
                        const struct fhir_outcome_source *source);

#endif

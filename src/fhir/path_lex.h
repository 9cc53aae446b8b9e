/* fhir/path_lex.h: the tokens of FHIRPath, one at a time.
 * Owns:    decoded strings live in the arena; other texts point into the expression.
 * Units:   offsets are bytes into the expression.
 * Errors:  MALFORMED (with offset), LIMIT.
 * Threads: one at a time.
 * Limits:  the arena's.
 * Source:  FHIRPath 2.0.0 §2.1 and its grammar (fhirpath.g4).                             */
#ifndef MEDULLA_FHIR_PATH_LEX_H
#define MEDULLA_FHIR_PATH_LEX_H

#include "base/arena.h"
#include "base/err.h"

enum path_token_kind {
  PATH_TOKEN_END,
  PATH_TOKEN_NAME,      /* an identifier or a keyword */
  PATH_TOKEN_DELIMITED, /* an identifier in back quotes */
  PATH_TOKEN_STRING,
  PATH_TOKEN_NUMBER,
  PATH_TOKEN_DATE, /* text without the @ */
  PATH_TOKEN_DATETIME,
  PATH_TOKEN_TIME,   /* text without "@T" */
  PATH_TOKEN_DOLLAR, /* $this; text with the $ */
  PATH_TOKEN_SIGN    /* operators and brackets */
};

struct path_token {
  enum path_token_kind kind;
  struct bytes text; /* decoded */
  size_t at;
};

struct path_lexer {
  struct arena *arena;
  struct bytes text;
  size_t at;
  struct path_token token; /* the current one */
};

void path_lex_init(struct path_lexer *lexer, struct arena *arena, struct bytes text);
/* Reads the next token into lexer->token. */
bool path_lex_next(struct path_lexer *lexer, struct err *err) MUST_CHECK;

#endif

/* source/api/principal.h: who may knock: named principals, their tokens, and what a role may do.
 * Owns:    the principals loaded from the store; a principal lives until it is revoked.
 * Units:   UTC milliseconds.
 * Errors:  UNAUTHENTICATED, DENIED, INVALID, EXISTS; the store's.
 * Threads: the loop's thread.
 * Limits:  PRINCIPALS_MAX, PRINCIPAL_NAME_BYTES_MAX.
 *
 * A token is shown once, when it is made; the store keeps its SHA-256. An AWS secret key has to be
 * known to verify a signature, so it is kept, sealed.                                            */
#ifndef MEDULLA_SOURCE_API_PRINCIPAL_H
#define MEDULLA_SOURCE_API_PRINCIPAL_H

#include "flow/flow.h"

#define PRINCIPALS_MAX 100000
#define PRINCIPAL_NAME_BYTES_MAX 128
#define PRINCIPAL_TOKEN_BYTES 64
#define PRINCIPAL_AWS_KEY_BYTES 24
#define PRINCIPAL_AWS_SECRET_BYTES 48

/* ROLE(name, word, acts): a role may do these acts and nothing else. */
#define ROLES(ROLE) \
  ROLE(ADMIN, "admin", ACT_ALL) \
  ROLE(DEPLOY, "deploy", ACT_DEPLOY | ACT_READ | ACT_INVOKE | ACT_EMIT) \
  ROLE(INVOKE, "invoke", ACT_INVOKE | ACT_EMIT | ACT_DATA) \
  ROLE(READ, "read", ACT_READ) \
  ROLE(DEVICE, "device", ACT_EMIT_OWN)

enum act {
  ACT_INVOKE = 1,   /* call functions and their routes */
  ACT_EMIT = 2,     /* send events and samples */
  ACT_EMIT_OWN = 4, /* the same, from the principal's own source alone */
  ACT_DATA = 8,     /* objects and queues */
  ACT_READ = 16,    /* runs, logs, usage, audit */
  ACT_DEPLOY = 32,  /* apps, versions, secrets */
  ACT_ADMIN = 64,   /* principals, dead letters */
  ACT_ALL = 127,
};

enum role {
#define ROLE(name, word, acts) ROLE_##name,
  ROLES(ROLE)
#undef ROLE
      ROLE_COUNT
};

struct principal {
  struct bytes name;
  enum role role;
  struct bytes app;               /* only this app's functions and data; empty: all */
  struct bytes source;            /* device: the source its events must have */
  int64_t created_ms, expires_ms; /* 0: never */
  char aws_key[PRINCIPAL_AWS_KEY_BYTES];
  char aws_secret[PRINCIPAL_AWS_SECRET_BYTES];
  uint8_t token_sha[SHA256_BYTES];
  bool certified; /* known by its client certificate; nobody has been told a token */
  uint8_t certificate[SHA256_BYTES];
  struct principal *next_gone;
};

struct principals;
bool principals_open(struct flow *flow, struct store *store, const struct clock_port *clock,
                     const struct random_port *random, struct principals **ret_principals,
                     struct err *err) MUST_CHECK;
void principals_close(struct principals **principals);
bool principals_empty(const struct principals *principals);

const char *role_word(enum role role);
bool role_parse(struct bytes word, enum role *ret_role);
bool principal_may(const struct principal *principal, enum act act);
/* May it touch this app ("app" or "app/function")? */
bool principal_may_app(const struct principal *principal, struct bytes name);

/* NULL when unknown or expired. */
const struct principal *principal_by_token(struct principals *principals, struct bytes token);
const struct principal *principal_by_certificate(struct principals *principals,
                                                 const uint8_t sha[SHA256_BYTES]);
const struct principal *principal_by_aws_key(struct principals *principals, struct bytes key);

struct principal_request {
  struct bytes name, role, app, source;
  int64_t expires_ms;       /* 0: never */
  struct bytes certificate; /* Optional: the SHA-256 of the one that is shown instead of a token */
  struct bytes by;          /* who makes it */
};
/* done(arg, err or NULL, principal, token) when durable; the token is shown this once. */
typedef void principal_done(void *arg, const struct err *err, const struct principal *principal,
                            const char *token);
void principal_create(struct principals *principals, const struct principal_request *request,
                      principal_done *done, void *arg);
void principal_revoke(struct principals *principals, struct bytes name, struct bytes by,
                      principal_done *done, void *arg);
bool principal_next(struct principals *principals, size_t *at,
                    const struct principal **ret_principal);

#endif

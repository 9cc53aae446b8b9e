/* source/api/door.c: no anonymous access: a token, an AWS signature, a client certificate, or --dev
 * on loopback. */
#include "base/must.h"
#include "source/api/parts.h"
#include "wire/sigv4.h"

#include <stdio.h>

static void denied_durable(void *arg, const struct store_result *result) {
}

void door_deny(struct api_call *call, enum err_code code, struct bytes who, const char *what) {
  struct store_commit *commit = commit_new();
  flow_audit(call->api->options.flow, commit, who, "http", exchange_request(call->x)->method,
             "denied", what);
  store_submit(call->api->options.store, &commit, denied_durable, NULL);
  api_fail(call, code, "%s", what);
}

static bool is_loopback_name(struct bytes host) {
  struct bytes name = host;
  if (bytes_starts(host, BYTES("["))) {
    name = bytes_sub(host, 0, bytes_find(host, ']') + 1);
  } else {
    name = bytes_sub(host, 0, bytes_find(host, ':'));
  }
  return bytes_eq_str(name, "127.0.0.1") || bytes_eq_str(name, "localhost") ||
         bytes_eq_str(name, "[::1]");
}

/* A page elsewhere must not reach in through the developer's own browser: Host and Origin both have
 * to be loopback (DNS rebinding, cross-site requests). */
static bool dev_allows(struct api_call *call) {
  struct bytes origin = exchange_header(call->x, "origin");
  if (!call->api->options.dev) return false;
  if (!is_loopback_name(exchange_request(call->x)->host)) return false;
  if (!bytes_starts(bytes_str(exchange_peer(call->x)), BYTES("127.")) &&
      !bytes_starts(bytes_str(exchange_peer(call->x)), BYTES("[::1]")))
    return false;
  if (origin.len == 0) return true;
  size_t scheme = bytes_find_bytes(origin, BYTES("://"));
  return scheme < origin.len && is_loopback_name(bytes_from(origin, scheme + 3));
}

static const struct principal *by_bearer(struct api_call *call, struct bytes authorization) {
  struct bytes scheme = BYTES("Bearer ");
  if (!bytes_eq_nocase(bytes_sub(authorization, 0, scheme.len), scheme)) return NULL;
  return principal_by_token(call->api->options.principals,
                            bytes_trim(bytes_from(authorization, scheme.len)));
}

/* What the caller who showed nothing we know is told. */
static const char *whats_missing(const struct api_call *call, bool authorization) {
  if (authorization) return "the token is unknown, revoked or expired";
  if (exchange_certificate(call->x))
    return "this client certificate is nobody's, revoked or expired (medulla token create --cert)";
  return "a token is needed: Authorization: Bearer TOKEN";
}

const struct principal *door_open(struct api_call *call, enum act act) {
  struct bytes authorization = exchange_header(call->x, "authorization");
  const struct principal *principal = NULL;
  if (act == 0) return NULL; /* health: anybody */
  struct err err;
  if (sigv4_present(exchange_request(call->x))) {
    if (!door_aws(call, &principal, &err)) {
      door_deny(call, err.code, BYTES("anonymous"), err.detail);
      return NULL;
    }
  } else if (authorization.len) {
    principal = by_bearer(call, authorization);
  } else if (exchange_certificate(call->x)) {
    principal =
        principal_by_certificate(call->api->options.principals, exchange_certificate(call->x));
  } else if (dev_allows(call)) {
    principal = &call->api->dev;
  }
  if (!principal) {
    door_deny(call, ERR_UNAUTHENTICATED, BYTES("anonymous"),
              whats_missing(call, authorization.len > 0));
    return NULL;
  }
  if (principal_may(principal, act)) return principal;
  if (act == ACT_EMIT && principal_may(principal, ACT_EMIT_OWN)) return principal;
  char what[128];
  snprintf(what, sizeof what, "a token with role %s may not do this", role_word(principal->role));
  door_deny(call, ERR_DENIED, principal->name, what);
  return NULL;
}

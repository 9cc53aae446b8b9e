/* app/cli/token.c: who may do what. A token is shown once; the server keeps its hash. */
#include "app/cli/client.h"
#include "app/cli/input.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"
#include "os/tls_certificate.h"
#include "wire/codec.h"

#include <string.h>

/* "90d" as milliseconds; false: wrong. */
static bool parse_days(const char *text, int64_t *ret_ms) {
  static const struct {
    char unit;
    int64_t ms;
  } units[] = {{'d', 86400000}, {'h', 3600000}, {'m', 60000}};
  struct bytes given = bytes_str(text);
  uint64_t number;
  for (size_t i = 0; i < 3 && given.len > 1; i++) {
    if (given.at[given.len - 1] != (uint8_t)units[i].unit) continue;
    if (!bytes_u64(bytes_sub(given, 0, given.len - 1), &number) || number == 0) return false;
    if (number > 36500) return false;
    *ret_ms = (int64_t)number * units[i].ms;
    return true;
  }
  return false;
}

static bool role_is_known(const char *role) {
  static const char *const roles[] = {"admin", "deploy", "invoke", "read", "device"};
  for (size_t i = 0; role && i < sizeof roles / sizeof *roles; i++)
    if (strcmp(role, roles[i]) == 0) return true;
  return false;
}

/* Whoever shows this certificate is the principal: the server keeps its fingerprint. */
static bool add_certificate(struct json_out *out, const char *path, struct err *err) {
  cleanup_buf struct buf pem = {0}, hex = {0};
  uint8_t sha[SHA256_BYTES];
  buf_init(&pem, TLS_PEM_BYTES_MAX);
  buf_init(&hex, 2 * SHA256_BYTES);
  TRY(input_file(path, &pem, err));
  TRY(tls_certificate_digest(buf_bytes(&pem), sha, err));
  hex_encode(&hex, bytes_of(sha, sizeof sha));
  json_out_member(out, "certificate_sha256", buf_bytes(&hex));
  return true;
}

static void print_created(struct cli *cli, const struct json *answer) {
  struct bytes certificate = json_get_text(answer, "certificate_sha256");
  if (certificate.len) {
    fprintf(cli->out, "certificate  %.*s\n", BYTES_FMT(certificate));
    return;
  }
  fprintf(cli->out, "token              %.*s\n", BYTES_FMT(json_get_text(answer, "token")));
  fprintf(cli->out, "AWS_ACCESS_KEY_ID  %.*s\n", BYTES_FMT(json_get_text(answer, "access_key_id")));
  fprintf(cli->out, "AWS_SECRET_ACCESS_KEY  %.*s\n",
          BYTES_FMT(json_get_text(answer, "secret_access_key")));
  fprintf(cli->errors, "It is not shown again.\n");
}

int verb_token_create(struct cli *cli) {
  struct err err;
  const struct json *answer;
  struct json_out out;
  const char *role = cli_flag(cli, "role"), *expires = cli_flag(cli, "expires");
  const char *app = cli_flag(cli, "app"), *source = cli_flag(cli, "source");
  int64_t expires_ms = 0;
  if (!role_is_known(role))
    return cli_usage(cli, "--role must be admin, deploy, invoke, read or device");
  if (expires && !parse_days(expires, &expires_ms))
    return cli_usage(cli, "--expires takes a duration in d, h or m, as in 90d");
  cleanup_buf struct buf body;
  buf_init(&body, 4096);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member_str(&out, "name", cli->args[0]);
  json_out_member_str(&out, "role", role);
  if (app) json_out_member_str(&out, "app", app);
  if (!source && strcmp(role, "device") == 0) source = cli->args[0];
  if (source) json_out_member_str(&out, "source", source);
  if (expires) json_out_member_int(&out, "expires_in_ms", expires_ms);
  const char *cert = cli_flag(cli, "cert");
  if (cert && !add_certificate(&out, cert, &err)) return cli_fail(cli, &err);
  json_out_close(&out, '}');
  if (!cli_call(cli, "POST", "/admin/tokens", buf_bytes(&body), &answer, &err))
    return cli_fail(cli, &err);
  if (cli->json && answer) {
    fprintf(cli->out, "%.*s\n", BYTES_FMT(answer->text));
    return CLI_OK;
  }
  print_created(cli, answer);
  return CLI_OK;
}

int verb_token_list(struct cli *cli) {
  static const struct cli_column columns[] = {{"NAME", "name", 20, CLI_TEXT},
                                              {"ROLE", "role", 7, CLI_TEXT},
                                              {"APP", "app", 12, CLI_TEXT},
                                              {"CREATED", "created_ms", 20, CLI_TIME},
                                              {"EXPIRES", "expires_ms", 20, CLI_TIME},
                                              {"SOURCE", "source", 0, CLI_TEXT}};
  struct err err;
  const struct json *answer;
  if (!cli_call(cli, "GET", "/admin/tokens", BYTES_NONE, &answer, &err)) return cli_fail(cli, &err);
  CLI_ROWS(cli, json_get(answer, "tokens"), columns, "there are no tokens");
  return CLI_OK;
}

int verb_token_revoke(struct cli *cli) {
  struct err err;
  const struct json *answer;
  cleanup_buf struct buf target;
  buf_init(&target, HTTP_TARGET_BYTES_MAX);
  cli_target_add(&target, "/admin/tokens/", cli->args[0]);
  buf_char(&target, 0);
  if (!cli_call(cli, "DELETE", (const char *)target.at, BYTES_NONE, &answer, &err))
    return cli_fail(cli, &err);
  if (!cli->json) fprintf(cli->out, "%s is revoked\n", cli->args[0]);
  return CLI_OK;
}

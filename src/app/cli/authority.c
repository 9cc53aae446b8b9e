/* app/cli/authority.c: DIR/ca.pem and ca.key, made once; server.pem or NAME.pem with their keys. */
#include "app/cli/authority.h"

#include "app/cli/input.h"
#include "base/cleanup.h"
#include "os/clock.h"
#include "os/tls_certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, HOSTS_BYTES_MAX = 4096 };

#define DAY_MS INT64_C(86400000)
#define AUTHORITY_DAYS 3650
#define CERTIFICATE_DAYS 397 /* longer, and browsers refuse it */

struct pair {
  struct buf cert, key;
};

static void pair_init(struct pair *pair) {
  buf_init(&pair->cert, TLS_PEM_BYTES_MAX);
  buf_init(&pair->key, TLS_PEM_BYTES_MAX);
}

static void pair_fini(struct pair *pair) {
  buf_fini(&pair->cert);
  buf_fini(&pair->key);
}

static bool path_of(const char *folder, const char *name, const char *ending,
                    char ret_path[PATH_BYTES], struct err *err) {
  int len = snprintf(ret_path, PATH_BYTES, "%s/%s.%s", folder, name, ending);
  if (len < 0 || len >= PATH_BYTES) FAIL(ERR_LIMIT, "the folder's path is too long");
  return true;
}

/* The key first: a certificate without its key would be in the way of the next try. */
static bool write_pair(struct cli *cli, const char *folder, const char *name,
                       const struct pair *pair, struct err *err) {
  char cert[PATH_BYTES], key[PATH_BYTES];
  TRY(path_of(folder, name, "pem", cert, err));
  TRY(path_of(folder, name, "key", key, err));
  mode_t mask = umask(0077);
  bool written = output_new_file(key, buf_bytes(&pair->key), err);
  umask(mask);
  TRY(written && output_new_file(cert, buf_bytes(&pair->cert), err));
  if (!cli->json) fprintf(cli->out, "wrote %s and %s.key\n", cert, name);
  return true;
}

static bool make_authority(struct cli *cli, const char *folder, struct pair *pair,
                           struct err *err) {
  int64_t now_ms = clock_wall_ms(clock_real());
  const struct tls_subject subject = {"Medulla development CA", NULL, now_ms - DAY_MS,
                                      now_ms + AUTHORITY_DAYS * DAY_MS};
  TRY(tls_authority_make(&subject, &pair->cert, &pair->key, err));
  return write_pair(cli, folder, "ca", pair, err);
}

static bool find_authority(struct cli *cli, const char *folder, struct pair *pair,
                           struct err *err) {
  char cert[PATH_BYTES], key[PATH_BYTES];
  struct stat facts;
  if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
    err_set_errno(err, errno, ERR_PLACE, folder);
    return false;
  }
  TRY(path_of(folder, "ca", "pem", cert, err));
  TRY(path_of(folder, "ca", "key", key, err));
  if (stat(cert, &facts) != 0) return make_authority(cli, folder, pair, err);
  return input_file(cert, &pair->cert, err) && input_file(key, &pair->key, err);
}

/* OpenSSL reads the list as a text: only what may be in a name or address gets into it. */
static bool add_host(struct buf *hosts, const char *host, struct err *err) {
  struct in6_addr address;
  bool numeric =
      inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
  const char *allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*";
  if (!*host || (!numeric && host[strspn(host, allowed)]))
    FAIL(ERR_INVALID, "--host: a name or an address is needed, as in ward.example");
  buf_printf(hosts, "%s%s:%s", hosts->len ? "," : "", numeric ? "IP" : "DNS", host);
  return true;
}

static bool list_hosts(const struct cli *cli, struct buf *hosts, struct err *err) {
  static const char *const usual[] = {"localhost", "127.0.0.1", "::1"};
  int at = 0;
  const char *host;
  for (size_t i = 0; i < 3; i++) TRY(add_host(hosts, usual[i], err));
  while ((host = cli_flag_next(cli, "host", &at))) TRY(add_host(hosts, host, err));
  buf_char(hosts, 0);
  if (!buf_ok(hosts)) FAIL(ERR_LIMIT, "--host: too many names");
  return true;
}

static bool issue(struct cli *cli, const char *folder, const struct pair *authority,
                  struct pair *pair, struct err *err) {
  cleanup_buf struct buf hosts;
  const char *client = cli_flag(cli, "client");
  int64_t now_ms = clock_wall_ms(clock_real());
  buf_init(&hosts, HOSTS_BYTES_MAX);
  TRY(list_hosts(cli, &hosts, err));
  if (client && (strchr(client, '/') || client[0] == '.'))
    FAIL(ERR_INVALID, "--client: a name without \"/\" is needed");
  const struct tls_subject subject = {client ? client : "medulla",
                                      client ? NULL : (const char *)hosts.at, now_ms - DAY_MS,
                                      now_ms + CERTIFICATE_DAYS * DAY_MS};
  TRY(tls_certificate_issue(buf_bytes(&authority->cert), buf_bytes(&authority->key), &subject,
                            &pair->cert, &pair->key, err));
  return write_pair(cli, folder, client ? client : "server", pair, err);
}

int init_authority(struct cli *cli) {
  struct err err;
  struct pair authority, pair;
  const char *folder = cli_flag(cli, "ca");
  pair_init(&authority);
  pair_init(&pair);
  bool good =
      find_authority(cli, folder, &authority, &err) && issue(cli, folder, &authority, &pair, &err);
  pair_fini(&authority);
  pair_fini(&pair);
  if (!good) return cli_fail(cli, &err);
  if (!cli->json && !cli_flag(cli, "client"))
    fprintf(cli->out,
            "Use it: medulla serve --data DATA --tls-cert %s/server.pem --tls-key %s/server.key\n"
            "and for clients: export MEDULLA_CA=%s/ca.pem\n",
            folder, folder, folder);
  return CLI_OK;
}

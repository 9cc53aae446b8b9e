/* app/main.c: one program: the command line, and behind `serve` the server. */
#include "app/cli/cli.h"
#include "app/server.h"
#include "base/starve.h"
#include "os/log.h"
#include "os/process.h"

#include <stdio.h>
#include <unistd.h>

/* A run that waits longer than this for a busy worker gets one of its own. Shorter, and a burst of
 * brief runs makes more workers than there are cores, which then stand in each other's way.     */
enum { SERVE_FORK_WAIT_US = 3000 };

static void tell_of_key(struct cli *cli, const struct server *server) {
  bool made;
  const char *place = server_key_place(server, &made);
  if (!made) return;
  fprintf(cli->out,
          "its root key was made now: %s\n"
          "nobody can read the data without it: keep a copy elsewhere (medulla keys escrow)\n",
          place);
}

static int serve(struct cli *cli) {
  const char *listen = cli_flag(cli, "listen");
  struct server_options options = {.data = cli_flag(cli, "data"),
                                   .address = listen ? listen : "127.0.0.1:8080",
                                   .key = cli_flag(cli, "key"),
                                   .passphrase = cli_flag(cli, "passphrase"),
                                   .tls = {.cert = cli_flag(cli, "tls-cert"),
                                           .key = cli_flag(cli, "tls-key"),
                                           .client_ca = cli_flag(cli, "tls-client-ca")},
                                   .dev = cli_flag(cli, "dev") != NULL,
                                   .insecure = cli_flag(cli, "insecure") != NULL,
                                   .namespaces_off = cli_flag(cli, "no-namespaces") != NULL,
                                   .fork_wait_us = SERVE_FORK_WAIT_US,
                                   .spin_us = -1};
  struct server *server;
  struct err err = {0};
  int64_t workers;
  int64_t days;
  if (!cli_flag_number(cli, "workers", 0, 1, 100000, &workers)) return CLI_USAGE;
  if (!cli_flag_number(cli, "keep", 90, 1, 36500, &days)) return CLI_USAGE;
  if (!options.tls.cert != !options.tls.key || (options.tls.client_ca && !options.tls.cert))
    return cli_usage(cli, "TLS needs both --tls-cert and --tls-key");
  options.workers_max = (uint32_t)workers;
  options.keep_ms = days * 86400000;
  if (!starve_from_environment()) {
    fprintf(stderr, "MEDULLA_STARVE is must:N or room:N\n");
    return CLI_USAGE;
  }
  log_open(&(struct log_options){.fd = STDERR_FILENO, .level = LOG_INFO});
  if (!server_open(&options, &server, &err)) return cli_fail(cli, &err);
  fprintf(cli->out, "medulla is ready at %s://%s (data in %s)\n",
          options.tls.cert ? "https" : "http", server_address(server), options.data);
  tell_of_key(cli, server);
  fflush(cli->out);
  server_run(server);
  server_close(&server);
  return CLI_OK;
}

int main(int argc, char **argv) {
  static const struct cli_host host = {.serve = serve};
  process_title_init(argc, argv);
  return cli_main(&host, argc, argv, stdout, stderr, stdin);
}

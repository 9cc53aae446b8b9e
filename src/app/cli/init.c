/* app/cli/init.c: a small app to begin from; never over files that are there. */
#include "app/cli/authority.h"
#include "app/cli/input.h"
#include "app/cli/templates.h"
#include "app/cli/verbs.h"
#include "base/cleanup.h"
#include "base/nearest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096, TEXT_BYTES_MAX = 64 << 10, NAME_BYTES_MAX = 48 };

static bool template_is_known(struct cli *cli, const char *name) {
  const char *known[16];
  size_t count = 0;
  for (size_t i = 0; i < template_file_count && count < 16; i++) {
    if (strcmp(template_files[i].template, name) == 0) return true;
    if (!count || strcmp(known[count - 1], template_files[i].template) != 0)
      known[count++] = template_files[i].template;
  }
  const char *near = nearest_word(bytes_str(name), known, count);
  cli_usage(cli, "there is no template %s%s%s; there are http, queue and ward", name,
            near ? "; did you mean " : "", near ? near : "");
  return false;
}

/* What of a text may be an app's name: small letters, digits, "-" and "_". */
static void name_from_text(const char *text, char ret_name[NAME_BYTES_MAX]) {
  size_t at = 0;
  for (; *text && at + 1 < NAME_BYTES_MAX; text++) {
    char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
    bool letter = c >= 'a' && c <= 'z';
    if (letter || (at > 0 && ((c >= '0' && c <= '9') || c == '-' || c == '_'))) ret_name[at++] = c;
  }
  ret_name[at] = '\0';
  if (at == 0) snprintf(ret_name, NAME_BYTES_MAX, "app");
}

static void name_from_folder(const char *folder, char ret_name[NAME_BYTES_MAX]) {
  char whole[PATH_BYTES];
  name_from_text(realpath(folder, whole) ? strrchr(whole, '/') + 1 : "app", ret_name);
}

static bool make_folder(const char *path, struct err *err) {
  if (mkdir(path, 0777) == 0 || errno == EEXIST) return true;
  err_set_errno(err, errno, ERR_PLACE, path);
  return false;
}

static void put_named(struct buf *text, struct bytes template, const char *name) {
  while (template.len) {
    size_t at = bytes_find_bytes(template, BYTES("APP"));
    buf_put(text, bytes_sub(template, 0, at));
    if (at < template.len) buf_str(text, name);
    template = bytes_from(template, at < template.len ? at + 3 : at);
  }
}

static bool write_file(const char *folder, const struct template_file *file, const char *name,
                       struct err *err) {
  char path[PATH_BYTES];
  cleanup_buf struct buf text;
  buf_init(&text, TEXT_BYTES_MAX);
  const char *slash = strchr(file->path, '/');
  if (slash) {
    snprintf(path, sizeof path, "%s/%.*s", folder, (int)(slash - file->path), file->path);
    TRY(make_folder(path, err));
  }
  if (snprintf(path, sizeof path, "%s/%s", folder, file->path) >= (int)sizeof path)
    FAIL(ERR_LIMIT, "the folder's path is too long");
  put_named(&text, bytes_str(file->text), name);
  return output_new_file(path, buf_bytes(&text), err);
}

int verb_init(struct cli *cli) {
  struct err err;
  char name[NAME_BYTES_MAX];
  if (cli_flag(cli, "ca")) return init_authority(cli);
  const char *folder = cli->arg_count ? cli->args[0] : ".";
  const char *template = cli_flag(cli, "template") ? cli_flag(cli, "template") : "http";
  if (!template_is_known(cli, template)) return CLI_USAGE;
  if (!make_folder(folder, &err)) return cli_fail(cli, &err);
  name_from_folder(folder, name);
  if (cli_flag(cli, "name")) {
    name_from_text(cli_flag(cli, "name"), name);
    if (strcmp(name, cli_flag(cli, "name")) != 0)
      return cli_usage(cli, "--name: small letters, digits, \"-\" and \"_\", as in %s", name);
  }
  for (size_t i = 0; i < template_file_count; i++) {
    if (strcmp(template_files[i].template, template) != 0) continue;
    if (!write_file(folder, &template_files[i], name, &err)) return cli_fail(cli, &err);
    if (!cli->json) fprintf(cli->out, "wrote %s/%s\n", folder, template_files[i].path);
  }
  if (!cli->json) fprintf(cli->out, "Try it: medulla dev %s\n", folder);
  return CLI_OK;
}

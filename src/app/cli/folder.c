/* app/cli/folder.c: from a folder to what POST /admin/deploy takes. */
#include "app/cli/folder.h"

#include "app/cli/bundle.h"
#include "app/cli/client.h"
#include "app/cli/input.h"
#include "base/cleanup.h"
#include "model/script.h"
#include "model/zone.h"
#include "os/file.h"
#include "wire/yaml.h"

#include <string.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 };

static void write_problems(struct cli *cli, const struct folder *folder) {
  cleanup_buf struct buf buf;
  struct json_out out;
  buf_init(&buf, 1 << 20);
  json_out_init(&out, &buf);
  json_out_open(&out, '{');
  json_out_name(&out, "problems");
  json_out_open(&out, '[');
  for (uint32_t i = 0; i < folder->problems.count; i++) {
    const struct manifest_problem *problem = &folder->problems.list[i];
    json_out_open(&out, '{');
    json_out_member_int(&out, "line", problem->line);
    json_out_member_int(&out, "column", problem->column);
    json_out_member(&out, "path", problem->path);
    json_out_member(&out, "message", problem->message);
    json_out_close(&out, '}');
  }
  json_out_close(&out, ']');
  json_out_close(&out, '}');
  fprintf(cli->errors, "%.*s\n", BYTES_FMT(buf_bytes(&buf)));
}

void folder_print_problems(struct cli *cli, const struct folder *folder) {
  if (cli->json) {
    write_problems(cli, folder);
    return;
  }
  for (uint32_t i = 0; i < folder->problems.count; i++) {
    const struct manifest_problem *problem = &folder->problems.list[i];
    fprintf(cli->errors, "%s/medulla.yaml:%u:%u: ", folder->root, problem->line, problem->column);
    cli_print_safe(cli->errors, problem->path);
    fputs(problem->path.len ? ": " : "", cli->errors);
    cli_print_safe(cli->errors, problem->message);
    fputc('\n', cli->errors);
  }
}

static bool refuse(struct cli *cli, const struct folder *folder, struct err *err) {
  folder_print_problems(cli, folder);
  FAIL(ERR_INVALID, "%s has %u problem%s; nothing was deployed", "medulla.yaml",
       folder->problems.count, folder->problems.count == 1 ? "" : "s");
}

/* As this machine knows them; without tzdata here, the server says. */
static bool zones_exist(struct cli *cli, struct folder *folder) {
  struct disk *tzdata;
  struct err ignored;
  if (!disk_open_real(ZONE_FOLDER, &tzdata, &ignored)) return true;
  bool exist =
      manifest_zones_exist(&cli->arena, folder->manifest, tzdata, &folder->problems, &ignored);
  disk_close(&tzdata);
  return exist;
}

bool folder_open(struct cli *cli, const char *root, struct folder *ret_folder, struct err *err) {
  struct folder *folder = ret_folder;
  char path[PATH_BYTES];
  cleanup_buf struct buf yaml;
  *folder = (struct folder){.root = root};
  buf_init(&yaml, MANIFEST_BYTES_MAX);
  if (snprintf(path, sizeof path, "%s/medulla.yaml", root) >= (int)sizeof path)
    FAIL(ERR_LIMIT, "the folder's path is too long");
  struct err why;
  if (!input_file(path, &yaml, &why))
    FAIL(why.code, "%s; an app is a folder with medulla.yaml (medulla init writes one)",
         why.detail);
  folder->yaml = arena_copy(&cli->arena, buf_bytes(&yaml));
  struct err first;
  if (!manifest_parse(&cli->arena, folder->yaml, &folder->manifest, &folder->problems, &first) ||
      !manifest_is_supported(&cli->arena, folder->manifest, &folder->problems, &first))
    return refuse(cli, folder, err);
  return zones_exist(cli, folder) || refuse(cli, folder, err);
}

/* ---- Files ---- */

struct files {
  struct cli *cli;
  struct folder *folder;
  struct json_out *out;
  struct map seen;
};

static void put_file(struct files *files, struct bytes path, const char *more, struct bytes data) {
  cleanup_buf struct buf name, text;
  buf_init(&name, PATH_BYTES);
  buf_init(&text, FOLDER_FILE_BYTES_MAX * 2);
  buf_put(&name, path);
  buf_str(&name, more);
  base64_encode(&text, data, 0);
  json_out_name_bytes(files->out, buf_bytes(&name));
  json_out_string(files->out, buf_bytes(&text));
}

/* A named file that cannot be read is a problem of the manifest, at its place. */
static void missing_file(struct files *files, const struct json *node, const char *what) {
  struct manifest_problems *problems = &files->folder->problems;
  if (!node || problems->count >= MANIFEST_PROBLEMS_MAX) return;
  struct yaml_place place = yaml_place(files->folder->yaml, node->offset);
  problems->list[problems->count++] = (struct manifest_problem){
      .line = place.line,
      .column = place.column,
      .path = arena_copy(&files->cli->arena, node->name),
      .message = arena_printf(&files->cli->arena, "%s", what),
  };
}

static bool read_named(struct files *files, const struct json *node, struct bytes path,
                       struct buf *data) {
  char whole[PATH_BYTES];
  struct err err;
  snprintf(whole, sizeof whole, "%s/%.*s", files->folder->root, BYTES_FMT(path));
  if (input_file(whole, data, &err)) return true;
  missing_file(files, node, err.detail);
  return false;
}

/* The file a package begins with: "source", "module" or "main", else index.ts or index.js. */
static struct bytes package_entry(struct files *files, struct bytes folder) {
  static const char *const names[] = {"source", "module", "main"};
  struct arena *arena = &files->cli->arena;
  char path[PATH_BYTES];
  cleanup_buf struct buf text;
  const struct json *package = NULL;
  struct err err;
  struct stat found;
  buf_init(&text, MANIFEST_BYTES_MAX);
  while (folder.len && folder.at[folder.len - 1] == '/') folder.len--;
  snprintf(path, sizeof path, "%s/%.*s/package.json", files->folder->root, BYTES_FMT(folder));
  if (input_file(path, &text, &err) &&
      !json_parse(arena, arena_copy(arena, buf_bytes(&text)), &package, &err))
    package = NULL;
  for (size_t i = 0; i < 3; i++) {
    struct bytes entry = json_get_text(package, names[i]);
    if (bytes_starts(entry, BYTES("./"))) entry = bytes_from(entry, 2);
    if (entry.len) return arena_printf(arena, "%.*s/%.*s", BYTES_FMT(folder), BYTES_FMT(entry));
  }
  snprintf(path, sizeof path, "%s/%.*s/index.ts", files->folder->root, BYTES_FMT(folder));
  return arena_printf(arena, "%.*s/index.%s", BYTES_FMT(folder),
                      stat(path, &found) == 0 ? "ts" : "js");
}

static bool is_folder(const struct files *files, struct bytes path) {
  char whole[PATH_BYTES];
  struct stat found;
  snprintf(whole, sizeof whole, "%s/%.*s", files->folder->root, BYTES_FMT(path));
  return stat(whole, &found) == 0 && S_ISDIR(found.st_mode);
}

static bool put_code(struct files *files, const struct json *node, struct bytes path,
                     struct err *err) {
  cleanup_buf struct buf source, code, map;
  bool whole = is_folder(files, path);
  struct bytes entry = whole ? package_entry(files, path) : path;
  buf_init(&source, FOLDER_FILE_BYTES_MAX);
  buf_init(&code, BUNDLE_BYTES_MAX);
  buf_init(&map, BUNDLE_BYTES_MAX);
  if (!read_named(files, node, entry, &source)) return true;
  const char *name = arena_str(&files->cli->arena, entry);
  if (!name) FAIL(ERR_NO_MEMORY, "the app is too large");
  bool wasm = bytes_ends(path, BYTES(".wasm"));
  if (wasm || (!whole && !bundle_is_needed(name, buf_bytes(&source)))) {
    put_file(files, path, "", buf_bytes(&source));
    return true;
  }
  bool module = bytes_ends(entry, BYTES(".ts")) || script_is_module(entry, buf_bytes(&source));
  TRY(bundle_make(files->cli, files->folder->root, name, module, &code, &map, err));
  put_file(files, path, "", buf_bytes(&code));
  if (map.len) put_file(files, path, ".map", buf_bytes(&map));
  return true;
}

static void put_schema(struct files *files, const struct json *node, struct bytes path) {
  cleanup_buf struct buf data;
  buf_init(&data, FOLDER_FILE_BYTES_MAX);
  if (path.len == 0 || map_put(&files->seen, path, files)) return;
  if (read_named(files, node, path, &data)) put_file(files, path, "", buf_bytes(&data));
}

static bool put_function(struct files *files, const struct manifest_function *function,
                         struct err *err) {
  const struct json *functions = json_get(files->folder->manifest->tree, "functions");
  const struct json *node = json_get_bytes(functions, function->name);
  const struct json *contract = json_get(node, "contract");
  if (!map_put(&files->seen, function->code, files))
    TRY(put_code(files, json_get(node, "code"), function->code, err));
  put_schema(files, json_get(contract, "input"), function->input_schema);
  put_schema(files, json_get(contract, "output"), function->output_schema);
  return true;
}

bool folder_write_files(struct cli *cli, struct folder *folder, struct json_out *out,
                        struct err *err) {
  struct files files = {.cli = cli, .folder = folder, .out = out};
  const struct manifest_function *function = folder->manifest->functions;
  bool good = true;
  map_init(&files.seen, 1);
  for (; function && good; function = function->next) good = put_function(&files, function, err);
  map_fini(&files.seen);
  if (good && folder->problems.count) return refuse(cli, folder, err);
  return good;
}

bool folder_deploy(struct cli *cli, struct folder *folder, const char *canary, const char *message,
                   const struct json **ret_answer, struct err *err) {
  cleanup_buf struct buf body;
  struct json_out out;
  buf_init(&body, CLIENT_ANSWER_BYTES_MAX);
  json_out_init(&out, &body);
  json_out_open(&out, '{');
  json_out_member(&out, "manifest", folder->yaml);
  if (canary) json_out_member_str(&out, "canary", canary);
  if (message) json_out_member_str(&out, "message", message);
  json_out_name(&out, "files");
  json_out_open(&out, '{');
  TRY(folder_write_files(cli, folder, &out, err));
  json_out_close(&out, '}');
  json_out_close(&out, '}');
  if (!buf_ok(&body)) FAIL(ERR_LIMIT, "the app is larger than %u bytes", CLIENT_ANSWER_BYTES_MAX);
  return cli_call(cli, "POST", "/admin/deploy", buf_bytes(&body), ret_answer, err);
}

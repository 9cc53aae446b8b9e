/* app/cli/bundle.c: esbuild as a child process, its output through unnamed files. */
#include "app/cli/bundle.h"

#include "base/cleanup.h"
#include "wire/codec.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = BUNDLE_PATH_BYTES, STDERR_BYTES_MAX = 4096, POLL_MS = 5 };

static bool begins_line(struct bytes line, const char *word) {
  struct bytes rest = bytes_from(line, strlen(word));
  if (!bytes_starts(line, bytes_str(word)) || !rest.len) return false;
  return strchr(" \t{*\"'(", rest.at[0]) != NULL;
}

bool bundle_is_needed(const char *path, struct bytes source) {
  struct bytes name = bytes_str(path), rest = source;
  if (bytes_ends(name, BYTES(".ts")) || bytes_ends(name, BYTES(".tsx"))) return true;
  while (rest.len) {
    struct bytes line = bytes_trim(bytes_cut(rest, '\n', &rest));
    bool from = bytes_find_bytes(line, BYTES(" from ")) < line.len;
    if (begins_line(line, "import") || (begins_line(line, "export") && from)) return true;
    size_t require = bytes_find_bytes(line, BYTES("require("));
    if (require < line.len && !bytes_starts(line, BYTES("//"))) return true;
  }
  return false;
}

/* ---- Where esbuild is ---- */

static bool is_program(const char *path) {
  return access(path, X_OK) == 0;
}

/* FOLDER/node_modules/.bin/esbuild, there or in a folder above. */
static bool find_upwards(const char *folder, char ret_path[PATH_BYTES]) {
  char at[PATH_BYTES];
  if (!realpath(folder, at)) return false;
  for (;;) {
    int len = snprintf(ret_path, PATH_BYTES, "%s/node_modules/.bin/esbuild", at);
    if (len < PATH_BYTES && is_program(ret_path)) return true;
    char *slash = strrchr(at, '/');
    if (!slash || slash == at) return false;
    *slash = '\0';
  }
}

static bool find_beside_us(char ret_path[PATH_BYTES]) {
  char self[PATH_BYTES];
  ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
  if (len <= 0) return false;
  self[len] = '\0';
  *strrchr(self, '/') = '\0';
  int written = snprintf(ret_path, PATH_BYTES, "%s/esbuild", self);
  return (written < PATH_BYTES && is_program(ret_path)) || find_upwards(self, ret_path);
}

static bool find_on_path(char ret_path[PATH_BYTES]) {
  struct bytes rest = bytes_str(getenv("PATH"));
  while (rest.len) {
    struct bytes folder = bytes_cut(rest, ':', &rest);
    int len = snprintf(ret_path, PATH_BYTES, "%.*s/esbuild", BYTES_FMT(folder));
    if (folder.len && len < PATH_BYTES && is_program(ret_path)) return true;
  }
  return false;
}

bool bundle_program(const char *root, char ret_path[BUNDLE_PATH_BYTES]) {
  return find_upwards(root, ret_path) || find_beside_us(ret_path) || find_on_path(ret_path);
}

static bool find_esbuild(const char *root, char ret_path[PATH_BYTES], struct err *err) {
  if (bundle_program(root, ret_path)) return true;
  FAIL(ERR_NOT_FOUND, "esbuild is needed to bundle this app's code: run npm install esbuild in "
                      "the app's folder, or put it on PATH");
}

/* ---- Running it ---- */

static _Noreturn void become_esbuild(const char *program, const char *root, const char *entry,
                                     bool module, int out, int errors) {
  const char *argv[] = {program,
                        entry,
                        "--bundle",
                        module ? "--format=esm" : "--format=cjs",
                        "--platform=neutral",
                        "--main-fields=module,main",
                        "--target=es2022",
                        "--sourcemap=inline",
                        "--log-level=warning",
                        "--color=false",
                        NULL};
  if (chdir(root) == 0 && dup2(out, 1) == 1 && dup2(errors, 2) == 2)
    execv(program, (char *const *)(uintptr_t)argv);
  _exit(127);
}

static bool wait_for_end(pid_t pid, struct err *err) {
  for (int waited_ms = 0; waited_ms < BUNDLE_WAIT_MS_MAX; waited_ms += POLL_MS) {
    int status;
    pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) FAIL(ERR_IO, "esbuild cannot be waited for");
    if (ended == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    if (ended == pid) FAIL(ERR_INVALID, "esbuild failed");
    poll(NULL, 0, POLL_MS);
  }
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  FAIL(ERR_TIMEOUT, "esbuild took longer than %d s", BUNDLE_WAIT_MS_MAX / 1000);
}

static void read_back(FILE *file, struct buf *text) {
  char chunk[1 << 14];
  rewind(file);
  for (size_t got; (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
    buf_put(text, bytes_of(chunk, got));
}

/* The map is the last line: a comment with a data URL. */
static bool split_map(struct bytes output, struct buf *ret_code, struct buf *ret_map,
                      struct err *err) {
  static const char mark[] = "//# sourceMappingURL=data:application/json;base64,";
  size_t end = output.len;
  while (end && output.at[end - 1] == '\n') end--;
  size_t start = end;
  while (start && output.at[start - 1] != '\n') start--;
  struct bytes last = bytes_sub(output, start, end - start);
  if (!bytes_starts(last, bytes_str(mark))) {
    buf_put(ret_code, output);
    return true;
  }
  buf_put(ret_code, bytes_sub(output, 0, start));
  return base64_decode(ret_map, bytes_from(last, strlen(mark)), 0, err);
}

bool bundle_make(struct cli *cli, const char *root, const char *entry, bool module,
                 struct buf *ret_code, struct buf *ret_map, struct err *err) {
  char program[PATH_BYTES];
  TRY(find_esbuild(root, program, err));
  FILE *out = tmpfile(), *errors = tmpfile();
  pid_t pid = out && errors ? fork() : -1;
  if (pid == 0) become_esbuild(program, root, entry, module, fileno(out), fileno(errors));
  bool good = pid > 0 && wait_for_end(pid, err);
  cleanup_buf struct buf output, said;
  buf_init(&output, BUNDLE_BYTES_MAX);
  buf_init(&said, STDERR_BYTES_MAX);
  if (out) read_back(out, &output);
  if (errors) read_back(errors, &said);
  if (out) fclose(out);
  if (errors) fclose(errors);
  if (pid < 0) FAIL(ERR_IO, "esbuild cannot be started: %s", strerror(errno));
  /* What it warned about is worth reading even when it went well. */
  cli_print_safe(cli->errors, buf_bytes(&said));
  if (!good) return false;
  if (!buf_ok(&output))
    FAIL(ERR_LIMIT, "the bundle of %s is larger than %u bytes", entry, BUNDLE_BYTES_MAX);
  return split_map(buf_bytes(&output), ret_code, ret_map, err);
}

/* runtime/builder_tool.c: medulla-builder WORK MARK INCLUDE COMPILER, the program around the tools.
 *
 * WORK holds module.wasm; module.so appears there. Standard output gets lines "progress ..." and at
 * most one "error WORD ...". Exit 0: built. It copies the two headers into WORK, goes there, and
 * then confines a child in which everything else happens: that child and all it starts end with it.
 */
#define _GNU_SOURCE /* fexecve, and a process's own set-up */
#include "base/cleanup.h"
#include "runtime/builder.h"
#include "runtime/sandbox.h"
#include "runtime/wasm_admit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { SAID_BYTES = 180, TOOL_UID = 65534, OPTIMISE_BYTES_MAX = 2 << 20 };

struct tools {
  int mark_fd;
  const char *compiler;
};

static void say_error(const struct err *err) {
  printf("error %s %s\n", err_facts(err->code)->word, err->detail);
  fflush(stdout);
}

static void say_progress(const char *sentence) {
  printf("progress %s\n", sentence);
  fflush(stdout);
}

/* The first line the tool wrote to its log, without names of our files. */
static void said(const char *name, int status, struct err *err) {
  char line[SAID_BYTES] = "";
  FILE *log = fopen("log", "re");
  if (log && fgets(line, sizeof line, log)) line[strcspn(line, "\n")] = 0;
  if (log) fclose(log);
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
    err_set(err, ERR_LIMIT, ERR_PLACE, ERR_OFFSET_NONE,
            "%s was ended: it took more than %d s or too much memory", name, BUILDER_CPU_S_MAX);
  else if (WIFSIGNALED(status))
    err_set(err, ERR_GUEST, ERR_PLACE, ERR_OFFSET_NONE, "%s crashed on this module (signal %d)",
            name, WTERMSIG(status));
  else
    err_set(err, ERR_GUEST, ERR_PLACE, ERR_OFFSET_NONE, "%s refused the module: %s", name, line);
}

static bool run_tool(const char *path, int fd, const char *const *words, const char *output,
                     struct err *err) {
  static const char *const environment[] = {"PATH=/usr/bin:/bin", "TMPDIR=.", "LC_ALL=C", NULL};
  pid_t pid = fork();
  if (pid == 0) {
    int log = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int out = output ? open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600) : dup(log);
    if (log < 0 || out < 0 || dup2(log, 2) < 0 || dup2(out, 1) < 0) _exit(126);
    if (path)
      execve(path, (char *const *)words, (char *const *)environment);
    else
      fexecve(fd, (char *const *)words, (char *const *)environment);
    dprintf(2, "it cannot be started: %s\n", strerrordesc_np(errno));
    _exit(127);
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) FAIL(ERR_IO, "%s cannot be started", words[0]);
  if (status == 0) return true;
  said(words[0], status, err);
  return false;
}

static bool admit(uint64_t *ret_bytes, struct err *err) {
  struct stat facts;
  cleanup_fd int fd = open("module.wasm", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &facts) || facts.st_size <= 0) FAIL(ERR_MALFORMED, "the module is empty");
  void *at = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) FAIL(ERR_IO, "the module cannot be mapped");
  *ret_bytes = (uint64_t)facts.st_size;
  return wasm_admit(bytes_of(at, (size_t)facts.st_size), err);
}

/* The options are those of tools/wasm2so, which says why. */
static bool build(const struct tools *tools, struct err *err) {
  static const char *const validate[] = {"wasm-validate", "module.wasm", NULL};
  static const char *const translate[] = {
      "wasm2c", "--module-name=function", "--no-debug-names", "module.wasm", "-o", "function.c",
      NULL};
  static const char *const mark[] = {"wasm2c-mark", "function.c", "function.h", "medulla_module",
                                     NULL};
  uint64_t bytes = 0;
  say_progress("checking the module");
  TRY(admit(&bytes, err));
  TRY(run_tool("/usr/bin/wasm-validate", -1, validate, NULL, err));
  say_progress("translating it to C");
  TRY(run_tool("/usr/bin/wasm2c", -1, translate, NULL, err));
  TRY(run_tool(NULL, tools->mark_fd, mark, "module.c", err));
  const char *const compile[] = {"cc",
                                 "-shared",
                                 "-fPIC",
                                 bytes > OPTIMISE_BYTES_MAX ? "-O1" : "-O2",
                                 "-g0",
                                 "-w",
                                 "-std=gnu17",
                                 "-fvisibility=hidden",
                                 "-fno-stack-protector",
                                 "-fomit-frame-pointer",
                                 "-fstack-clash-protection",
                                 "-fno-optimize-sibling-calls",
                                 "-frounding-math",
                                 "-fsignaling-nans",
                                 "-I.",
                                 "module.c",
                                 "-o",
                                 "module.so",
                                 "-lm",
                                 NULL};
  say_progress("compiling it");
  return run_tool(tools->compiler, -1, compile, NULL, err);
}

/* Before the confinement. */

static bool copy_header(int work, const char *include, const char *name, struct err *err) {
  char path[1024], bytes[65536];
  snprintf(path, sizeof path, "%s/%s", include, name);
  cleanup_fd int from = open(path, O_RDONLY | O_CLOEXEC);
  cleanup_fd int to = openat(work, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  ssize_t got = from < 0 ? -1 : read(from, bytes, sizeof bytes);
  if (got <= 0 || got == (ssize_t)sizeof bytes || to < 0 || write(to, bytes, (size_t)got) != got)
    FAIL(ERR_NOT_FOUND, "%s cannot be copied", path);
  return true;
}

static bool allow(const struct sandbox_ground *ground, const char *path, unsigned rights,
                  struct err *err) {
  cleanup_fd int fd = open(path, O_PATH | O_CLOEXEC);
  return fd < 0 || sandbox_allow(ground, fd, rights, err); /* not there: nothing to allow */
}

/* What a compiler needs to see on Debian. */
static bool allow_all(const struct sandbox_ground *ground, const struct tools *tools, int work,
                      struct err *err) {
  static const char *const seen[] = {
      "/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives"};
  for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
    TRY(allow(ground, seen[i], SANDBOX_READ | SANDBOX_EXECUTE, err));
  TRY(allow(ground, tools->compiler, SANDBOX_READ | SANDBOX_EXECUTE, err));
  TRY(allow(ground, "/dev/null", SANDBOX_READ | SANDBOX_WRITE, err));
  TRY(sandbox_allow(ground, tools->mark_fd, SANDBOX_READ | SANDBOX_EXECUTE, err));
  return sandbox_allow(ground, work, SANDBOX_READ | SANDBOX_WRITE, err);
}

static int confined(const struct sandbox_ground *ground, const struct tools *tools, int work) {
  const struct sandbox_limits limits = {.memory_bytes_max = BUILDER_MEMORY_BYTES_MAX,
                                        .file_bytes_max = BUILDER_FILE_BYTES_MAX,
                                        .cpu_s_max = BUILDER_CPU_S_MAX,
                                        .life_fd = -1,
                                        .tools = true};
  struct err err;
  if (!allow_all(ground, tools, work, &err) || !sandbox_confine(ground, &limits, &err) ||
      !build(tools, &err)) {
    say_error(&err);
    return 1;
  }
  return 0;
}

static bool prepare(char **words, struct tools *ret_tools, int *ret_work, struct err *err) {
  int work = open(words[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (work < 0 || (mkdirat(work, "runtime", 0755) && errno != EEXIST))
    FAIL(ERR_IO, "the work folder cannot be used");
  TRY(copy_header(work, words[3], "runtime/module.h", err));
  TRY(copy_header(work, words[3], "runtime/module_marks.h", err));
  *ret_tools = (struct tools){.mark_fd = open(words[2], O_RDONLY), .compiler = words[4]};
  if (ret_tools->mark_fd < 0) FAIL(ERR_NOT_FOUND, "%s is not there", words[2]);
  bool root = geteuid() == 0;
  if (fchdir(work) || (root && (fchown(work, TOOL_UID, TOOL_UID) ||
                                fchownat(work, "module.wasm", TOOL_UID, TOOL_UID, 0))))
    FAIL(ERR_IO, "the work folder cannot be given away");
  *ret_work = work;
  return true;
}

int main(int count, char **words) {
  struct sandbox_ground ground;
  struct tools tools;
  struct err err;
  int work, status = 1;
  if (count != 5) {
    fprintf(stderr, "medulla-builder is started by medulla, not by hand\n");
    return 2;
  }
  umask(022);
  if (!prepare(words, &tools, &work, &err)) {
    say_error(&err);
    return 1;
  }
  sandbox_ground_open(SANDBOX_ISOLATED, &ground);
  pid_t pid = sandbox_fork(&ground);
  if (pid == 0) _exit(confined(&ground, &tools, work));
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

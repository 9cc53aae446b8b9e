/* runtime/wasm_wasi.c: WASI preview 1 for a program with three streams and nothing else.
 *
 * stdin is the event. A command's stdout is the result; all other output is log lines. There are
 * no files, no directories and no sockets: what would need them answers EBADF or ENOTSUP.
 * Source: WASI preview 1 (wasi_snapshot_preview1), witx of 2020-12.                            */
#include "runtime/trap.h"
#include "runtime/wasm_impl.h"
#include "wire/json.h"

#include <string.h>

enum { ESUCCESS = 0, EBADF = 8, EFAULT = 21, EINVAL = 28, ENOTSUP = 58, ESPIPE = 70 };
#define PARTS_MAX 1024 /* iovecs per call */

/* ---- environment ---- */

static void add_variable(struct wasm_language *language, const struct json *member) {
  if (language->environ_count == WASM_ENVIRON_MAX) return;
  struct bytes text =
      arena_printf(&language->arena, "%.*s=%.*s", BYTES_FMT(member->name), BYTES_FMT(member->text));
  if (!text.at || memchr(text.at, 0, text.len)) return;
  language->environ[language->environ_count++] = text;
  language->environ_bytes += (uint32_t)text.len + 1;
}

static void make_environ(struct instance *env) {
  struct wasm_language *language = wasm_language(env);
  const struct guest_input *input = wasm_guest(env)->turn.input;
  const struct json *object;
  struct err err;
  if (language->environ_ready) return;
  language->environ_ready = true;
  language->environ_count = language->environ_bytes = 0;
  if (!input || !json_parse(&language->arena, input->env, &object, &err)) return;
  if (object->kind != JSON_OBJECT) return;
  for (const struct json *member = object->first; member; member = member->next)
    if (member->kind == JSON_STRING) add_variable(language, member);
}

static uint32_t wasi_environ_sizes_get(struct instance *env, uint32_t count_at, uint32_t bytes_at) {
  struct wasm_language *language = wasm_language(env);
  make_environ(env);
  return guest_put_u32(env, count_at, language->environ_count) &&
                 guest_put_u32(env, bytes_at, language->environ_bytes)
             ? ESUCCESS
             : EFAULT;
}

static uint32_t wasi_environ_get(struct instance *env, uint32_t pointers_at, uint32_t text_at) {
  const struct wasm_language *language = wasm_language(env);
  make_environ(env);
  for (uint32_t i = 0; i < language->environ_count; i++) {
    struct bytes text = language->environ[i];
    uint8_t *room = guest_room_at(env, text_at, (uint32_t)text.len + 1);
    if (!room || !guest_put_u32(env, pointers_at + 4 * i, text_at)) return EFAULT;
    memcpy(room, text.at, text.len);
    room[text.len] = 0;
    text_at += (uint32_t)text.len + 1;
  }
  return ESUCCESS;
}

/* One argument: the program's name, always the same. */
static const char program[] = "function";

static uint32_t wasi_args_sizes_get(struct instance *env, uint32_t count_at, uint32_t bytes_at) {
  return guest_put_u32(env, count_at, 1) && guest_put_u32(env, bytes_at, sizeof program) ? ESUCCESS
                                                                                         : EFAULT;
}
static uint32_t wasi_args_get(struct instance *env, uint32_t pointers_at, uint32_t text_at) {
  uint8_t *room = guest_room_at(env, text_at, sizeof program);
  if (!room || !guest_put_u32(env, pointers_at, text_at)) return EFAULT;
  memcpy(room, program, sizeof program);
  return ESUCCESS;
}

/* ---- time and chance ---- */

static uint32_t wasi_clock_time_get(struct instance *env, uint32_t clock, uint64_t precision,
                                    uint32_t ret_at) {
  const struct guest *guest = wasm_guest(env);
  if (clock > 3) return EINVAL;
  uint64_t ms = (uint64_t)(clock == 0 ? guest_clock_ms(guest) : guest_elapsed_ms(guest));
  return guest_put_u64(env, ret_at, ms * 1000000) ? ESUCCESS : EFAULT;
}
static uint32_t wasi_clock_res_get(struct instance *env, uint32_t clock, uint32_t ret_at) {
  if (clock > 3) return EINVAL;
  return guest_put_u64(env, ret_at, 1000000) ? ESUCCESS : EFAULT;
}
static uint32_t wasi_random_get(struct instance *env, uint32_t at, uint32_t len) {
  struct guest *guest = wasm_guest(env);
  uint8_t *room = guest_room_at(env, at, len);
  if (!room) return EFAULT;
  if (guest->turn.preparing) {
    wasm_language(env)->refused = "randomness";
    return ENOTSUP;
  }
  guest_random_fill(&guest->turn.random, room, len);
  return ESUCCESS;
}

/* ---- streams ---- */

static bool part_at(struct instance *env, uint32_t parts, uint32_t i, uint32_t *ret_at,
                    uint32_t *ret_len) {
  return guest_u32_at(env, parts + 8 * i, ret_at) && guest_u32_at(env, parts + 8 * i + 4, ret_len);
}

static uint32_t wasi_fd_read(struct instance *env, uint32_t fd, uint32_t parts, uint32_t count,
                             uint32_t ret_at) {
  struct wasm_language *language = wasm_language(env);
  const struct guest_input *input = wasm_guest(env)->turn.input;
  uint32_t total = 0;
  if (fd != 0) return EBADF;
  if (count > PARTS_MAX) return EINVAL;
  for (uint32_t i = 0; input && i < count; i++) {
    uint32_t at, len;
    if (!part_at(env, parts, i, &at, &len)) return EFAULT;
    struct bytes from = bytes_sub(input->event, language->stdin_at, len);
    uint8_t *room = guest_room_at(env, at, (uint32_t)from.len);
    if (!room) return EFAULT;
    if (from.len > 0) memcpy(room, from.at, from.len);
    language->stdin_at += from.len;
    total += (uint32_t)from.len;
  }
  return guest_put_u32(env, ret_at, total) ? ESUCCESS : EFAULT;
}

static void write_part(struct guest *guest, uint32_t fd, struct bytes part) {
  const struct wasm_language *language = guest->language;
  if (guest->turn.preparing) return;
  if (fd == 2 || !language->command) {
    wasm_print(guest, fd == 2, part);
    return;
  }
  if (wasm_result(guest, part)) return;
  guest_end_error(guest, GUEST_THREW, "output", "Medulla.OutputTooLarge",
                  "the result is larger than its limit of 6 MiB");
  trap_throw(TRAP_EXIT);
}

static uint32_t wasi_fd_write(struct instance *env, uint32_t fd, uint32_t parts, uint32_t count,
                              uint32_t ret_at) {
  uint32_t total = 0;
  if (fd != 1 && fd != 2) return EBADF;
  if (count > PARTS_MAX) return EINVAL;
  for (uint32_t i = 0; i < count; i++) {
    uint32_t at, len;
    struct bytes part;
    if (!part_at(env, parts, i, &at, &len) || !guest_bytes_at(env, at, len, &part)) return EFAULT;
    write_part(wasm_guest(env), fd, part);
    total += len;
  }
  return guest_put_u32(env, ret_at, total) ? ESUCCESS : EFAULT;
}

/* fdstat: a character device that can be read (stdin) or written. */
static uint32_t wasi_fd_fdstat_get(struct instance *env, uint32_t fd, uint32_t ret_at) {
  uint8_t *room = guest_room_at(env, ret_at, 24);
  if (fd > 2) return EBADF;
  if (!room) return EFAULT;
  memset(room, 0, 24);
  room[0] = 2;                /* filetype: character device */
  room[8] = fd == 0 ? 2 : 64; /* rights: fd_read, or fd_write */
  return ESUCCESS;
}

static uint32_t wasi_fd_close(struct instance *env, uint32_t fd) {
  return fd <= 2 ? ESUCCESS : EBADF;
}
static uint32_t wasi_fd_sync(struct instance *env, uint32_t fd) {
  return fd <= 2 ? ESUCCESS : EBADF;
}
static uint32_t wasi_fd_seek(struct instance *env, uint32_t fd, uint64_t to, uint32_t whence,
                             uint32_t ret_at) {
  return fd <= 2 ? ESPIPE : EBADF;
}
static uint32_t wasi_fd_prestat_get(struct instance *env, uint32_t fd, uint32_t ret_at) {
  return EBADF; /* no directory was opened for it: programs stop asking */
}
static uint32_t wasi_sched_yield(struct instance *env) {
  return ESUCCESS;
}
static void wasi_proc_exit(struct instance *env, uint32_t status) {
  wasm_language(env)->exit_status = status;
  trap_throw(TRAP_EXIT);
}

/* ---- what there is not ---- */

#define NONE(suffix, ...) \
  static uint32_t none_##suffix(struct instance *env, __VA_ARGS__) { \
    return ENOTSUP; \
  }
NONE(i, uint32_t a)
NONE(ii, uint32_t a, uint32_t b)
NONE(iI, uint32_t a, uint64_t b)
NONE(iii, uint32_t a, uint32_t b, uint32_t c)
NONE(iII, uint32_t a, uint64_t b, uint64_t c)
NONE(iiii, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
NONE(iIIi, uint32_t a, uint64_t b, uint64_t c, uint32_t d)
NONE(iiiii, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e)
NONE(iiiIi, uint32_t a, uint32_t b, uint32_t c, uint64_t d, uint32_t e)
NONE(iiiiii, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f)
NONE(iiiiiii, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f, uint32_t g)
NONE(iiiiIIi, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint64_t e, uint64_t f, uint32_t g)
NONE(iiiiiIIii, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint64_t f, uint64_t g,
     uint32_t h, uint32_t i)

#define WASI(name, signature) \
  { "wasi_snapshot_preview1", #name, signature, (module_fn)wasi_##name }
#define WASI_NONE(name, params) \
  { "wasi_snapshot_preview1", #name, #params ":i", (module_fn)none_##params }
const struct host_function wasm_wasi_functions[] = {
    WASI(args_get, "ii:i"),
    WASI(args_sizes_get, "ii:i"),
    WASI(environ_get, "ii:i"),
    WASI(environ_sizes_get, "ii:i"),
    WASI(clock_res_get, "ii:i"),
    WASI(clock_time_get, "iIi:i"),
    WASI(fd_close, "i:i"),
    WASI(fd_fdstat_get, "ii:i"),
    WASI(fd_prestat_get, "ii:i"),
    WASI(fd_read, "iiii:i"),
    WASI(fd_seek, "iIii:i"),
    WASI(fd_sync, "i:i"),
    WASI(fd_write, "iiii:i"),
    WASI(proc_exit, "i:v"),
    WASI(random_get, "ii:i"),
    WASI(sched_yield, ":i"),
    WASI_NONE(fd_advise, iIIi),
    WASI_NONE(fd_allocate, iII),
    WASI_NONE(fd_datasync, i),
    WASI_NONE(fd_fdstat_set_flags, ii),
    WASI_NONE(fd_fdstat_set_rights, iII),
    WASI_NONE(fd_filestat_get, ii),
    WASI_NONE(fd_filestat_set_size, iI),
    WASI_NONE(fd_filestat_set_times, iIIi),
    WASI_NONE(fd_pread, iiiIi),
    WASI_NONE(fd_prestat_dir_name, iii),
    WASI_NONE(fd_pwrite, iiiIi),
    WASI_NONE(fd_readdir, iiiIi),
    WASI_NONE(fd_renumber, ii),
    WASI_NONE(fd_tell, ii),
    WASI_NONE(path_create_directory, iii),
    WASI_NONE(path_filestat_get, iiiii),
    WASI_NONE(path_filestat_set_times, iiiiIIi),
    WASI_NONE(path_link, iiiiiii),
    WASI_NONE(path_open, iiiiiIIii),
    WASI_NONE(path_readlink, iiiiii),
    WASI_NONE(path_remove_directory, iii),
    WASI_NONE(path_rename, iiiiii),
    WASI_NONE(path_symlink, iiiii),
    WASI_NONE(path_unlink_file, iii),
    WASI_NONE(poll_oneoff, iiii),
    WASI_NONE(proc_raise, i),
    WASI_NONE(sock_accept, iii),
    WASI_NONE(sock_recv, iiiiii),
    WASI_NONE(sock_send, iiiii),
    WASI_NONE(sock_shutdown, ii),
};
const size_t wasm_wasi_function_count = sizeof wasm_wasi_functions / sizeof *wasm_wasi_functions;

/* tests/unit/runtime/test_builder.c: modules are admitted, translated by confined tools, and run by
 * the real launcher with the real guests. */
#include "tests/unit/runtime/pool_fixture.h"

#include "runtime/builder.h"
#include "runtime/wasm_admit.h"

#include <stdlib.h>

#define HEAD "\0asm\1\0\0\0"
/* A start function that never ends; exports memory and handler. */
#define ENDLESS \
  HEAD "\1\4\1\x60\0\0" \
       "\3\2\1\0" \
       "\5\3\1\0\1" \
       "\7\x14\2\6memory\2\0\7handler\0\0" \
       "\x8\1\0" \
       "\xa\x9\1\7\0\3\x40\xc\0\xb\xb"

static void assert_admitted(struct bytes module) {
  struct err err;
  assert_ok(wasm_admit(module, &err), err);
}

static void assert_refused(struct bytes module, enum err_code code) {
  struct err err;
  assert_fails(wasm_admit(module, &err), err, code);
}

static void test_admission(void **state) {
  assert_admitted(BYTES(HEAD));
  assert_admitted(BYTES(ENDLESS));
  assert_refused(BYTES(""), ERR_MALFORMED);
  assert_refused(BYTES("\0asm\2\0\0\0"), ERR_MALFORMED);
  assert_refused(BYTES("\177ELF\2\1\1\0"), ERR_MALFORMED);
  assert_refused(BYTES(HEAD "\xa"), ERR_MALFORMED);
  assert_refused(BYTES(HEAD "\xa\x05\1"), ERR_MALFORMED);              /* shorter than it says */
  assert_refused(BYTES(HEAD "\x20\0"), ERR_UNSUPPORTED);               /* no such section */
  assert_refused(BYTES(HEAD "\3\xff\xff\xff\xff\xff"), ERR_MALFORMED); /* a number without end */
  assert_refused(BYTES(HEAD "\3\3\xd1\x86\3"), ERR_LIMIT);             /* 50001 functions */
  assert_refused(BYTES(HEAD "\4\6\1\x70\0\xff\xff\x7f"), ERR_LIMIT);   /* table */
  assert_refused(BYTES(HEAD "\5\3\1\3\1"), ERR_UNSUPPORTED);           /* shared memory */
  assert_refused(BYTES(HEAD "\xa\7\1\5\1\xff\xff\3\x7f"), ERR_LIMIT);  /* locals */
  assert_refused(BYTES(HEAD "\xa\4\1\x30\0\xb"), ERR_MALFORMED);       /* body beyond section */
}

struct test_job {
  struct builder_job job;
  bool done, ok;
  unsigned progress;
  char path[512];
  struct err err;
};

static void progress(struct builder_job *job, struct bytes sentence) {
  ((struct test_job *)job)->progress++;
}

static void done(struct builder_job *job, const char *path, const struct err *err) {
  struct test_job *test = (struct test_job *)job;
  test->done = true;
  test->ok = !err;
  if (err) test->err = *err;
  if (path) snprintf(test->path, sizeof test->path, "%s", path);
}

static const char *compiler; /* NULL: the usual one */

static struct builder *open_builder(struct world *world, int64_t time_ms_max) {
  struct builder *builder;
  struct err err;
  const struct builder_options options = {.loop = world->loop,
                                          .disk = world->disk,
                                          .builder_path = REAL_BUILDER,
                                          .mark_path = MARK,
                                          .include_path = INCLUDE,
                                          .compiler = compiler,
                                          .time_ms_max = time_ms_max};
  assert_ok(builder_open(&options, &builder, &err), err);
  return builder;
}

static void build(struct world *world, struct builder *builder, struct bytes module,
                  struct test_job *ret_job) {
  *ret_job = (struct test_job){.job = {.module = module, .progress = progress, .done = done}};
  builder_start(builder, &ret_job->job);
  assert_false(ret_job->done);
  int64_t until_ns = now_ns() + 60000 * MS;
  while (!ret_job->done && now_ns() < until_ns) loop_step(world->loop, 10);
  assert_true(ret_job->done);
}

static struct bytes read_module(const char *name) {
  char path[512];
  const char *folder = getenv("MEDULLA_MODULES");
  if (!folder) skip();
  snprintf(path, sizeof path, "%s/%s.wasm", folder, name);
  FILE *file = fopen(path, "re");
  if (!file) skip();
  uint8_t *at = malloc(1 << 20);
  size_t len = fread(at, 1, 1 << 20, file);
  fclose(file);
  return bytes_of(at, len);
}

static struct runtime_code *wasm_code(const char *path) {
  struct runtime_code *code = code_new("");
  code->code = (struct guest_code){
      .kind = GUEST_WASM, .file_name = "f.wasm", .module_path = path, .memory_bytes_max = 64 << 20};
  return code;
}

static void test_build_and_run(void **state) {
  struct bytes module = read_module("score");
  for (int lower = 0; lower < 2; lower++) {
    struct world *world = world_new(4, 1000, lower);
    struct builder *builder = open_builder(world, 0);
    struct test_job job;
    struct test_run run;
    build(world, builder, module, &job);
    assert_ok(job.ok, job.err);
    assert_int_equal(job.progress, 3);
    struct runtime_code *code = wasm_code(job.path);
    for (int i = 0; i < 3; i++) {
      run_once(world, code, "{}", &run);
      if (run.end != RUN_SUCCEEDED) fail_msg("%s", run.body);
    }
    run_init(&run, code, "{}");
    run.handle.input.handler = BYTES("stray");
    run_start(world, &run);
    run_wait(world, &run, 3000);
    assert_int_equal(run.end, RUN_FAILED);
    assert_string_equal(run.reason, "trapped");
    build(world, builder, module, &job); /* from the cache: no tool runs */
    assert_true(job.ok);
    assert_int_equal(job.progress, 0);
    code_free(world, code);
    builder_close(&builder);
    world_free(&world);
  }
  free((void *)module.at);
}

static void test_endless_start_function(void **state) {
  struct world *world = world_new(4, 1000, false);
  struct builder *builder = open_builder(world, 0);
  struct test_job job;
  struct err err;
  build(world, builder, BYTES(ENDLESS), &job);
  assert_ok(job.ok, job.err);
  struct runtime_code *code = wasm_code(job.path);
  assert_fails(prepare_once(world, code, &err), err, ERR_TIMEOUT);
  code_free(world, code);
  builder_close(&builder);
  world_free(&world);
}

static void test_refusals_are_readable(void **state) {
  struct world *world = world_new(4, 1000, false);
  struct builder *builder = open_builder(world, 0);
  struct test_job job;
  build(world, builder, BYTES("this is no module"), &job);
  assert_fails(job.ok, job.err, ERR_MALFORMED);
  assert_non_null(strstr(job.err.detail, "not a WebAssembly module"));
  /* Admitted by its sizes, but the body is rubbish. */
  build(world, builder, BYTES(HEAD "\1\4\1\x60\0\0\3\2\1\0\xa\5\1\3\0\xfe\xb"), &job);
  assert_fails(job.ok, job.err, ERR_GUEST);
  assert_non_null(strstr(job.err.detail, "wasm-validate refused the module"));
  builder_close(&builder);
  builder = open_builder(world, 1);
  struct bytes module = read_module("score");
  build(world, builder, module, &job);
  assert_fails(job.ok, job.err, ERR_TIMEOUT);
  free((void *)module.at);
  builder_close(&builder);
  world_free(&world);
}

/* What foreign code could do that has taken over the compiler. */
static void test_hostile_compiler(void **state) {
  struct world *world = world_new(4, 1000, false);
  struct test_job job;
  compiler = HOSTILE_COMPILER;
  struct builder *builder = open_builder(world, 0);
  build(world, builder, BYTES(ENDLESS), &job);
  compiler = NULL;
  assert_fails(job.ok, job.err, ERR_GUEST);
  if (!strstr(job.err.detail, "cc refused the module: escaped:.")) fail_msg("%s", job.err.detail);
  builder_close(&builder);
  world_free(&world);
}

static void test_javascript_in_a_confined_worker(void **state) {
  static const char source[] =
      "let n=0;export async function handler(e){n++;"
      "if(e.loop)for(;;);"
      "if(e.eat){const a=[];for(;;)a.push(new Uint8Array(1<<20));}"
      "const h=await crypto.subtle.digest('SHA-256',new TextEncoder().encode('x'));"
      "await new Promise(r=>setTimeout(r,1));"
      "return {n,bytes:h.byteLength,random:Math.random()<1};}";
  for (int lower = 0; lower < 2; lower++) {
    struct world *world = world_new(4, 1000, lower);
    struct runtime_code *code = code_new(source);
    struct test_run run;
    struct err err;
    code->code.module = true;
    assert_ok(prepare_once(world, code, &err), err);
    for (int i = 0; i < 3; i++) {
      run_once(world, code, "{}", &run);
      assert_string_equal(run.body, "{\"n\":1,\"bytes\":32,\"random\":true}");
    }
    run_once(world, code, "{\"eat\":true}", &run);
    assert_int_equal(run.end, RUN_FAILED);
    run_init(&run, code, "{\"loop\":true}");
    run.handle.time_ms_max = 100;
    run_start(world, &run);
    run_wait(world, &run, 2000);
    assert_int_equal(run.end, RUN_TIMED_OUT);
    code_free(world, code);
    world_free(&world);
  }
}

int main(void) {
  world_launcher = REAL_LAUNCHER;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_admission),
      cmocka_unit_test(test_javascript_in_a_confined_worker),
      cmocka_unit_test(test_refusals_are_readable),
      cmocka_unit_test(test_hostile_compiler),
      cmocka_unit_test(test_endless_start_function),
      cmocka_unit_test(test_build_and_run),
  };
  return cmocka_run_group_tests_name("builder", tests, NULL, NULL);
}

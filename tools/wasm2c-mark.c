/* tools/wasm2c-mark: makes wasm2c's output record what it writes, and describes it to the runtime.
 *
 *   wasm2c-mark NAME.c NAME.h SHAPE > OUT.c
 *
 * Reads the two files wasm2c (wabt 1.0.32) wrote and prints one C file: runtime/module.h, the
 * header, the code with runtime/module_marks.h in its middle, definitions of the imported
 * functions that call through pointers, and `const struct module_shape SHAPE`.
 *
 * It relies on the few lines of wasm2c's fixed text that are named below and refuses output in
 * which it does not find each of them once: an unknown translator is an error here, never a module
 * that forgets to mark. Exit status: 0 done, 1 refused (the reason on stderr), 2 wrong usage. */
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 4096
#define PARAMS_MAX 64
#define LINE_MAX_BYTES (64 * 1024)

struct signature {
  char c_name[512];
  char env[512]; /* the struct of the first parameter */
  char result;
  char params[PARAMS_MAX + 1];
};

static char *code, *header, *import_modules[NAMES_MAX];
static unsigned import_count, env_count;

__attribute__((noreturn, format(printf, 1, 2))) static void refuse(const char *format, ...) {
  va_list args;
  va_start(args, format);
  fputs("wasm2c-mark: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  exit(1);
}

static char *read_whole(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) refuse("%s: cannot be read", path);
  long bytes = ftell(file);
  char *text = bytes < 0 ? NULL : malloc((size_t)bytes + 1);
  rewind(file);
  if (!text || fread(text, 1, (size_t)bytes, file) != (size_t)bytes)
    refuse("%s: cannot be read", path);
  text[bytes] = 0;
  fclose(file);
  return text;
}

/* Where the only occurrence of `line` ends. */
static char *after_only(char *text, const char *line) {
  char *at = strstr(text, line);
  if (!at || strstr(at + 1, line)) refuse("unknown output of wasm2c: not once: %s", line);
  return at + strlen(line);
}

static char *next_line(char *at) {
  at = strchr(at, '\n');
  return at ? at + 1 : NULL;
}

static bool starts(const char *at, const char *prefix) {
  return strncmp(at, prefix, strlen(prefix)) == 0;
}

/* ---- declarations ---- */

static char type_letter(const char *word, size_t len) {
  static const struct {
    const char *c;
    char letter;
  } types[] = {{"u32", 'i'}, {"u64", 'I'}, {"f32", 'f'}, {"f64", 'F'}, {"void", 'v'}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strlen(types[i].c) == len && memcmp(word, types[i].c, len) == 0) return types[i].letter;
  return 0;
}

/* "u32 Z_aZ_c(struct Z_a_instance_t*, u32, f64);" False: not a function of scalars. */
static bool parse_declaration(const char *at, struct signature *ret_signature) {
  struct signature s = {0};
  size_t word = strcspn(at, " (\n");
  s.result = type_letter(at, word);
  if (!s.result || at[word] != ' ') return false;
  at += word + 1;
  size_t name = strcspn(at, "( \n");
  if (at[name] != '(' || name >= sizeof s.c_name) return false;
  memcpy(s.c_name, at, name);
  at += name + 1;
  size_t env = strcspn(at, "*)\n");
  if (at[env] != '*' || env >= sizeof s.env) return false;
  memcpy(s.env, at, env);
  at += env + 1;
  size_t count = 0;
  while (*at == ',') {
    at += 1 + strspn(at + 1, " \n");
    size_t len = strcspn(at, ",) \n");
    char letter = type_letter(at, len);
    if (!letter || letter == 'v') return false;
    if (count == PARAMS_MAX) refuse("%s: more than %d parameters", s.c_name, PARAMS_MAX);
    s.params[count++] = letter;
    at += len;
  }
  *ret_signature = s;
  return *at == ')';
}

static const char *c_type(char letter) {
  switch (letter) {
  case 'i': return "u32";
  case 'I': return "u64";
  case 'f': return "f32";
  case 'F': return "f64";
  default: return "void";
  }
}

/* A name from between quotes in a comment, as a C string. */
static void print_name(const char *at, size_t len) {
  putchar('"');
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)at[i];
    if (c == '"' || c == '\\' || c == '?' || c < 32 || c > 126)
      printf("\\%03o", c);
    else
      putchar(c);
  }
  putchar('"');
}

/* ---- imports ---- */

/* Two quoted names in the comment before an import. */
struct import_names {
  const char *module, *name;
  size_t module_len, name_len;
};

static struct import_names parse_import_comment(char *at) {
  struct import_names n = {0};
  char *end = strstr(at, " */");
  char *line_end = strchr(at, '\n');
  n.module = at + strlen("/* import: '");
  const char *middle = strstr(n.module, "' '");
  if (!end || !line_end || end > line_end || !middle || middle > end) refuse("odd import comment");
  n.module_len = (size_t)(middle - n.module);
  n.name = middle + 3;
  if (end[-1] != '\'' || end - 1 < n.name) refuse("odd import comment");
  n.name_len = (size_t)(end - 1 - n.name);
  return n;
}

static void print_import(const struct signature *s) {
  printf("static module_fn module_import_%u;\n", import_count);
  printf("%s %s(%s *env", c_type(s->result), s->c_name, s->env);
  for (size_t i = 0; s->params[i]; i++) printf(", %s p%zu", c_type(s->params[i]), i);
  printf(") {\n  %s((%s (*)(void *", s->result == 'v' ? "" : "return ", c_type(s->result));
  for (size_t i = 0; s->params[i]; i++) printf(", %s", c_type(s->params[i]));
  printf("))module_import_%u)(env", import_count);
  for (size_t i = 0; s->params[i]; i++) printf(", p%zu", i);
  printf(");\n}\n");
}

/* Prints a definition for each imported function, then the table of them. */
static bool print_imports(void) {
  static const char mark[] = "/* import: '";
  bool memory_imported = false;
  char *declarations = after_only(header, "_init_module(void);\n");
  for (char *at = declarations; at; at = next_line(at)) {
    if (!starts(at, mark)) continue;
    if (import_count == NAMES_MAX) refuse("more than %d imports", NAMES_MAX);
    struct signature s;
    char *line = next_line(at);
    if (!line || !parse_declaration(line, &s)) {
      struct import_names n = parse_import_comment(at);
      refuse("imports '%.*s' '%.*s', which is not a function of numbers", (int)n.module_len,
             n.module, (int)n.name_len, n.name);
    }
    print_import(&s);
    import_modules[import_count++] = at;
  }
  /* An imported memory is declared above the instance: extern wasm_rt_memory_t* F(struct E*); */
  for (char *at = header; at && at < declarations; at = next_line(at)) {
    if (starts(at, "extern wasm_rt_memory_t* ")) {
      size_t len = strcspn(at, ";") - strlen("extern ") - strlen("*)");
      printf("%.*s *env) {\n  return (wasm_rt_memory_t *)(void *)env;\n}\n", (int)len, at + 7);
      memory_imported = true;
    } else if (starts(at, "extern ") && !starts(at, "extern \"C\"")) {
      refuse("imports something that is neither a function nor a memory: %.*s",
             (int)strcspn(at, "\n"), at);
    }
  }
  printf("static const struct module_import module_imports[] = {\n");
  for (unsigned i = 0; i < import_count; i++) {
    struct import_names n = parse_import_comment(import_modules[i]);
    struct signature s;
    if (!parse_declaration(next_line(import_modules[i]), &s)) refuse("odd import");
    printf("  {");
    print_name(n.module, n.module_len);
    printf(", ");
    print_name(n.name, n.name_len);
    printf(", \"%s:%c\", &module_import_%u},\n", s.params, s.result, i);
  }
  printf("  {NULL, NULL, NULL, NULL}};\n");
  return memory_imported;
}

/* ---- exports ---- */

static unsigned print_exports(void) {
  static const char mark[] = "/* export: '";
  unsigned count = 0;
  printf("static const struct module_export module_exports[] = {\n");
  for (char *at = header; at; at = next_line(at)) {
    if (!starts(at, mark)) continue;
    struct signature s;
    char *line = next_line(at);
    char *end = strstr(at, "' */\n");
    if (!line || !end || end > line || !parse_declaration(line, &s)) continue;
    printf("  {");
    print_name(at + strlen(mark), (size_t)(end - at) - strlen(mark));
    printf(", \"%s:%c\", (module_fn)%s},\n", s.params, s.result, s.c_name);
    count++;
  }
  printf("  {NULL, NULL, NULL}};\n");
  return count;
}

/* ---- the instance ---- */

struct members {
  unsigned fields, tables;
  char memory[512]; /* name of the module's own memory, or empty */
  char instance[512];
};

static void print_field(const char *instance, const char *name, size_t len) {
  printf("  {\"%.*s\", offsetof(%s, %.*s), sizeof(((%s *)0)->%.*s)},\n", (int)len, name, instance,
         (int)len, name, instance, (int)len, name);
}

/* One line of the instance struct: its type and where its name starts. */
static void split_member(const char *line, size_t *ret_type_len, const char **ret_name,
                         size_t *ret_name_len) {
  size_t len = strcspn(line, ";:\n");
  while (len > 0 && line[len - 1] == ' ') len--;
  size_t name = len;
  while (name > 0 && (isalnum((unsigned char)line[name - 1]) || line[name - 1] == '_')) name--;
  *ret_name = line + name;
  *ret_name_len = len - name;
  while (name > 0 && line[name - 1] == ' ') name--;
  *ret_type_len = name;
}

static void print_member(const char *line, struct members *members, char tables[][512]) {
  static const char *const scalars[] = {"u32", "u64", "f32", "f64", "bool"};
  const char *name;
  size_t type_len, name_len;
  split_member(line, &type_len, &name, &name_len);
  if (name_len >= 512) refuse("a name of %zu bytes", name_len);
  for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++) {
    if (strlen(scalars[i]) != type_len || memcmp(line, scalars[i], type_len) != 0) continue;
    print_field(members->instance, name, name_len);
    members->fields++;
    return;
  }
  if (type_len == 16 && starts(line, "wasm_rt_memory_t")) {
    if (members->memory[0]) refuse("more than one memory");
    memcpy(members->memory, name, name_len);
  } else if (type_len == 23 && starts(line, "wasm_rt_funcref_table_t")) {
    if (members->tables == 16) refuse("more than 16 tables");
    memcpy(tables[members->tables++], name, name_len);
  } else if (starts(line, "struct Z_")) {
    env_count++; /* the pointer handed to imports; set by instantiate and never changed */
  } else if (starts(line, "/*") || starts(line, "wasm_rt_memory_t *")) {
    return;
  } else {
    refuse("holds something that a snapshot cannot: %.*s", (int)strcspn(line, ";\n"), line);
  }
}

static struct members print_instance(void) {
  static char tables[16][512];
  struct members members = {0};
  char *at = after_only(header, "\ntypedef struct Z_");
  size_t len = strcspn(at, " ");
  if (len + 3 > sizeof members.instance) refuse("a module name of %zu bytes", len);
  snprintf(members.instance, sizeof members.instance, "Z_%.*s", (int)len, at);
  printf("static const struct module_field module_fields[] = {\n");
  for (at = next_line(at); at && *at != '}'; at = next_line(at))
    print_member(at + strspn(at, " "), &members, tables);
  printf("  {NULL, 0, 0}};\nstatic const uint32_t module_tables[] = {");
  for (unsigned i = 0; i < members.tables; i++)
    printf("offsetof(%s, %s), ", members.instance, tables[i]);
  printf("0};\n");
  return members;
}

static unsigned print_segments(void) {
  static const char mark[] = "static const wasm_elem_segment_expr_t ";
  unsigned count = 0;
  printf("_Static_assert(sizeof(wasm_elem_segment_expr_t) == sizeof(struct module_elem), \"\");\n");
  printf("static const struct module_segment module_segments[] = {\n");
  for (char *at = code; at; at = next_line(at)) {
    if (!starts(at, mark)) continue;
    const char *name = at + strlen(mark);
    int len = (int)strcspn(name, "[ ");
    printf("  {(const struct module_elem *)%.*s, sizeof %.*s / sizeof *%.*s},\n", len, name, len,
           name, len, name);
    count++;
  }
  printf("  {NULL, 0}};\n");
  return count;
}

/* ---- the whole ---- */

/* Bit fields have no offset. */
static void widen_bit_fields(void) {
  static const char bit[] = " : 1;";
  for (char *at = header; (at = strstr(at, bit)) != NULL;) memcpy(at, ";    ", strlen(bit));
}

static void print_code(void) {
  char *include = strstr(code, "#include \"");
  if (!include) refuse("unknown output of wasm2c: no include of its header");
  char *rest = next_line(include);
  char *middle = after_only(code, "\nDEFINE_TABLE_FILL(externref)\n");
  if (!rest || middle < rest) refuse("unknown output of wasm2c: definitions before its header");
  after_only(code, "\nDEFINE_STORE(i32_store, u32, u32)\n");
  after_only(code, "\nDEFINE_STORE(i64_store32, u32, u64)\n");
  after_only(code,
             "\nstatic inline void memory_fill(wasm_rt_memory_t* mem, u32 d, u32 val, u32 n)");
  after_only(code, "\nstatic inline void memory_copy(wasm_rt_memory_t* dest,");
  after_only(code, "\nstatic inline void memory_init(wasm_rt_memory_t* dest,");
  printf("#include \"runtime/module.h\"\n");
  fwrite(code, 1, (size_t)(include - code), stdout);
  fputs(header, stdout);
  fwrite(rest, 1, (size_t)(middle - rest), stdout);
  printf("#include \"runtime/module_marks.h\"\n");
  fputs(middle, stdout);
}

/* What instantiate does, but for the start function: a snapshot is taken after it ran. */
static void print_link(const char *instance, const char *name) {
  char head[600];
  snprintf(head, sizeof head, "\nvoid %s_instantiate(", name);
  char *at = next_line(after_only(code, head));
  printf("static void module_link(void *at, void *env) {\n  %s *instance = at;\n  (void)env;\n",
         instance);
  for (; at && *at != '}'; at = next_line(at)) {
    if (starts(at, "  init_instance_import(")) {
      printf("  init_instance_import(instance");
      for (unsigned i = 0; i < env_count; i++) printf(", env");
      printf(");\n");
    } else if (starts(at, "  init_")) {
      printf("%.*s\n", (int)strcspn(at, "\n"), at);
    } else if (!starts(at, "  assert(") && !starts(at, "  w2c_")) {
      refuse("unknown output of wasm2c: odd line in instantiate");
    }
  }
  printf("}\n");
}

static void print_shape(const char *shape) {
  bool memory_imported = print_imports();
  unsigned exports = print_exports();
  struct members m = print_instance();
  unsigned segments = print_segments();
  char name[512]; /* of the module: the instance type without Z_ and _instance_t */
  snprintf(name, sizeof name, "%.*s", (int)(strlen(m.instance) - strlen("_instance_t")),
           m.instance);
  print_link(m.instance, name);
  printf("static void module_instantiate(void *instance, void *env) {\n  (void)env;\n");
  printf("  %s_instantiate(instance", name);
  for (unsigned i = 0; i < env_count; i++) printf(", env");
  printf(");\n}\n__attribute__((visibility(\"default\"))) extern const struct module_shape %s;\n",
         shape);
  printf("const struct module_shape %s = {\n  MODULE_ABI, sizeof(%s), module_fields,\n", shape,
         m.instance);
  printf("  module_tables, module_segments, module_imports, module_exports,\n");
  printf("  %u, %u, %u, %u, %u,\n  ", m.fields, m.tables, segments, import_count, exports);
  if (memory_imported)
    printf("MODULE_MEMORY_IMPORTED,\n");
  else if (m.memory[0])
    printf("offsetof(%s, %s),\n", m.instance, m.memory);
  else
    printf("MODULE_MEMORY_NONE,\n");
  printf(
      "  func_types, &module_depth, &module_data, &module_tables_changed, &module_runtime_at,\n");
  printf("  %s_init_module, module_instantiate, module_link};\n", name);
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fputs("usage: wasm2c-mark NAME.c NAME.h SHAPE > OUT.c\n", stderr);
    return 2;
  }
  code = read_whole(argv[1]);
  header = read_whole(argv[2]);
  widen_bit_fields();
  print_code();
  print_shape(argv[3]);
  return fflush(stdout) == 0 ? 0 : 1;
}

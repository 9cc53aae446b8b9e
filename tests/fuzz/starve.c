/* tests/fuzz/starve.c: read each file of a corpus with the nth allocation failing, for every n: the
 * reader gives an error with its words, and never a half result.
 *
 *   starve READER FOLDER */
#include "base/starve.h"
#include "base/must.h"
#include "hl7/message.h"
#include "model/manifest.h"
#include "wire/cloudevents.h"
#include "wire/json.h"
#include "wire/schema.h"
#include "wire/xml.h"
#include "wire/yaml.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 20, ARENA_BYTES_MAX = 64 << 20, FAILURES_MAX = 2000 };

static bool read_json(struct arena *arena, struct bytes input, struct err *err) {
  const struct json *tree;
  return json_parse(arena, input, &tree, err);
}

static bool read_yaml(struct arena *arena, struct bytes input, struct err *err) {
  const struct json *tree;
  return yaml_parse(arena, input, &tree, err);
}

static bool read_xml(struct arena *arena, struct bytes input, struct err *err) {
  const struct xml *root;
  return xml_parse(arena, input, &root, err);
}

static bool read_manifest(struct arena *arena, struct bytes input, struct err *err) {
  static struct manifest_problems problems;
  const struct manifest *manifest;
  return manifest_parse(arena, input, &manifest, &problems, err);
}

static bool read_cloudevents(struct arena *arena, struct bytes input, struct err *err) {
  struct cloudevents events;
  return cloudevents_read_file(arena, input, 0, &events, err);
}

static bool read_hl7(struct arena *arena, struct bytes input, struct err *err) {
  struct hl7_message message;
  return hl7_parse(arena, input, NULL, &message, err);
}

static bool read_schema(struct arena *arena, struct bytes input, struct err *err) {
  const struct json *tree;
  const struct schema *schema;
  return json_parse(arena, input, &tree, err) && schema_compile(arena, tree, NULL, &schema, err);
}

static const struct reader {
  const char *name;
  bool (*read)(struct arena *arena, struct bytes input, struct err *err);
} readers[] = {{"json", read_json},     {"yaml", read_yaml},
               {"xml", read_xml},       {"manifest", read_manifest},
               {"schema", read_schema}, {"cloudevents", read_cloudevents},
               {"hl7", read_hl7}};

/* False: it read to its end before the nth came. */
static bool starve_once(const struct reader *reader, struct bytes input, long nth) {
  struct arena arena;
  struct err err = {0};
  arena_init(&arena, ARENA_BYTES_MAX);
  starve_arm(STARVE_ROOM, nth);
  bool ok = reader->read(&arena, input, &err);
  bool starved = !starve_is_armed(STARVE_ROOM);
  starve_arm(STARVE_ROOM, 0);
  if (starved && ok && !arena_ok(&arena)) printf("# the %ldth: a half result\n", nth);
  must(!ok || arena_ok(&arena));
  must(ok || (err.code != ERR_OK && err.detail[0]));
  arena_fini(&arena);
  return starved;
}

static long starve_file(const struct reader *reader, const char *folder, const char *name) {
  static uint8_t data[FILE_BYTES_MAX];
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  must(file != NULL);
  size_t size = fread(data, 1, sizeof data, file);
  fclose(file);
  long nth = 1;
  while (nth <= FAILURES_MAX && starve_once(reader, bytes_of(data, size), nth)) nth++;
  return nth - 1;
}

int main(int argc, char **argv) {
  DIR *folder = argc > 2 ? opendir(argv[2]) : NULL;
  const struct reader *reader = NULL;
  int count = 0;
  for (size_t i = 0; folder && i < sizeof readers / sizeof *readers; i++)
    if (strcmp(argv[1], readers[i].name) == 0) reader = &readers[i];
  if (!reader) {
    printf("Bail out! starve READER FOLDER\n");
    return 1;
  }
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    printf("# %s\n", entry->d_name);
    fflush(stdout);
    long failures = starve_file(reader, argv[2], entry->d_name);
    printf("ok %d - %s: %ld allocations failed in turn\n", ++count, entry->d_name, failures);
  }
  closedir(folder);
  printf("1..%d\n", count);
  return 0;
}

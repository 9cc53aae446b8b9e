/* tests/fuzz/replay.c: run one fuzz target over every file of its corpus; a crash fails the test.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_BYTES_MAX = 1 << 20 };

static int replay(const char *folder, const char *name) {
  char path[4096];
  static uint8_t data[REPLAY_BYTES_MAX];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (!file) return 1;
  size_t size = fread(data, 1, sizeof data, file);
  fclose(file);
  /* An exact copy on the heap, so that a sanitizer sees one byte too far. */
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact) return 1;
  memcpy(exact, data, size);
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
  return 0;
}

int main(int argc, char **argv) {
  DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
  int count = 0;
  if (!folder) {
    printf("Bail out! no corpus folder\n");
    return 1;
  }
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    printf("%s %d - %s\n", replay(argv[1], entry->d_name) ? "not ok" : "ok", ++count,
           entry->d_name);
    fflush(stdout);
  }
  closedir(folder);
  LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
  printf("ok %d - empty input\n1..%d\n", count + 1, count + 1);
  return 0;
}

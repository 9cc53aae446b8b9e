/* tests/unit/runtime/hostile_compiler.c: a compiler that was taken over: says what it could do. */
#include "tests/unit/runtime/attacks.h"

#include <stdio.h>
#include <string.h>

int main(void) {
  static const char *const names[] = {
      "open_file",     "write_outside", "open_up",  "read_parent_memory", "make_folder",
      "connect_out",   "packet_socket", "do_mount", "do_chroot",          "become_root",
      "push_terminal", "kill_all",      NULL};
  fprintf(stderr, "escaped:");
  for (size_t i = 0; names[i]; i++)
    if (strcmp(attack(names[i]), "escaped") == 0) fprintf(stderr, " %s", names[i]);
  fprintf(stderr, ".\n");
  return 1;
}

/* runtime/trap.c: traps by guard page, by stack and by instruction end in one jump.
 *
 * Bounds checks of linear memory are pages without access; the fault lands here. The depth count
 * of the translated code stops recursion at the same depth in every run; only a frame of absurd
 * size reaches the native stack's own guard, which is told by its address. No signal mask is
 * saved, as that would be a system call per run: the handler does not block its own signal. */
#include "runtime/trap.h"

#include "base/must.h"

#include <setjmp.h>
#include <signal.h>

struct frame {
  sigjmp_buf jump;
  const uint8_t *data;
  uintptr_t stack;
};

static struct frame *volatile current;
static uint8_t signal_stack[64 << 10];

static int fault_code(const struct frame *frame, uintptr_t at) {
  uintptr_t data = (uintptr_t)frame->data;
  if (at >= data && at - data < (8ull << 30) + 65536) return WASM_RT_TRAP_OOB;
  if (at < frame->stack && frame->stack - at < TRAP_STACK_BYTES) return WASM_RT_TRAP_EXHAUSTION;
  return TRAP_NONE;
}

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  struct frame *frame = current;
  int code = frame ? fault_code(frame, (uintptr_t)info->si_addr) : TRAP_NONE;
  if (code != TRAP_NONE) siglongjmp(frame->jump, code);
  /* Ours, not the guest's: come back to the same instruction without a handler. */
  struct sigaction plain = {.sa_handler = SIG_DFL};
  sigaction(number, &plain, NULL);
}

void trap_install(void) {
  stack_t stack = {.ss_sp = signal_stack, .ss_size = sizeof signal_stack};
  must(sigaltstack(&stack, NULL) == 0);
  struct sigaction action = {.sa_sigaction = on_fault,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigemptyset(&action.sa_mask);
  must(sigaction(SIGSEGV, &action, NULL) == 0);
  must(sigaction(SIGBUS, &action, NULL) == 0);
}

int trap_try(const uint8_t *data, void (*body)(void *arg), void *arg) {
  struct frame frame = {.data = data, .stack = (uintptr_t)__builtin_frame_address(0)};
  struct frame *outer = current;
  int code = sigsetjmp(frame.jump, 0);
  if (code == TRAP_NONE) {
    current = &frame;
    body(arg);
  }
  current = outer;
  return code;
}

void trap_throw(int code) {
  must(current != NULL);
  siglongjmp(current->jump, code);
}

const char *trap_text(int code) {
  switch (code) {
  case WASM_RT_TRAP_OOB: return "it read or wrote outside its memory";
  case WASM_RT_TRAP_INT_OVERFLOW: return "a number did not fit into an integer";
  case WASM_RT_TRAP_DIV_BY_ZERO: return "it divided an integer by zero";
  case WASM_RT_TRAP_INVALID_CONVERSION: return "it converted a NaN to an integer";
  case WASM_RT_TRAP_UNREACHABLE: return "it executed an unreachable instruction";
  case WASM_RT_TRAP_CALL_INDIRECT: return "it called through a table entry of another type";
  case WASM_RT_TRAP_EXHAUSTION: return "its calls were nested too deeply (stack overflow)";
  case TRAP_EXIT: return "it exited";
  case TRAP_MEMORY: return "it ran out of memory";
  case TRAP_ABORT: return "the engine gave up";
  default: return "it trapped";
  }
}

/* base/must.h: what may never be false; kept in release builds.
 * Errors:  a broken promise of our own code aborts; the supervisor restarts us.
 * Threads: any.                                                              */
#ifndef MEDULLA_BASE_MUST_H
#define MEDULLA_BASE_MUST_H

/* The world's failures and the guest's faults never end here: they are values (base/err.h). */
#define must(condition) ((condition) ? (void)0 : must_fail(#condition, __FILE__, __LINE__))

_Noreturn void must_fail(const char *condition, const char *file, int line);

/* Checked allocation: no memory is a broken promise for a process whose limits are all named. */
void *must_alloc(unsigned long bytes);
void *must_realloc(void *at, unsigned long bytes);

#endif

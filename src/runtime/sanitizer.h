/* runtime/sanitizer.h: is this a build with an address sanitizer? It needs memory and system calls
 * that a confined worker does not have in a release.
 * Owns:    nothing.
 * Threads: compile time only.                                                                    */
#ifndef MEDULLA_RUNTIME_SANITIZER_H
#define MEDULLA_RUNTIME_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define RUNTIME_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RUNTIME_SANITIZER 1
#endif
#endif
#ifndef RUNTIME_SANITIZER
#define RUNTIME_SANITIZER 0
#endif

#endif

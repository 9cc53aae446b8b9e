/* runtime/js_digest.c: SHA-1 and SHA-2 by OpenSSL. */
#include "runtime/js_digest.h"

#include "base/must.h"

#include <openssl/evp.h>

static const struct {
  int which;
  const char *name;
} names[] = {{1, "SHA1"}, {256, "SHA256"}, {384, "SHA384"}, {512, "SHA512"}};
#define NAME_COUNT (sizeof names / sizeof *names)
static EVP_MD *algorithms[NAME_COUNT];
static EVP_MD_CTX *context;

void js_digest_init(void) {
  for (size_t i = 0; i < NAME_COUNT; i++) {
    if (!algorithms[i]) algorithms[i] = EVP_MD_fetch(NULL, names[i].name, NULL);
    must(algorithms[i] != NULL);
  }
  if (!context) context = EVP_MD_CTX_new();
  must(context != NULL);
}

size_t js_digest(int which, struct bytes content, uint8_t ret_digest[JS_DIGEST_BYTES_MAX]) {
  for (size_t i = 0; i < NAME_COUNT; i++) {
    if (names[i].which != which) continue;
    unsigned len = 0;
    must(EVP_DigestInit_ex2(context, algorithms[i], NULL) == 1 &&
         EVP_DigestUpdate(context, content.at, content.len) == 1 &&
         EVP_DigestFinal_ex(context, ret_digest, &len) == 1);
    EVP_MD_CTX_reset(context);
    return len;
  }
  return 0;
}

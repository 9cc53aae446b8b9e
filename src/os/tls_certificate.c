/* os/tls_certificate.c: keys and certificates through OpenSSL, in PEM. */
#include "os/tls_certificate.h"

#include "base/must.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { SERIAL_BITS = 127 };

static BIO *bio_over(struct bytes text) {
  BIO *bio = BIO_new_mem_buf(text.at, (int)(text.len < TLS_PEM_BYTES_MAX ? text.len : 0));
  must(bio != NULL);
  return bio;
}

static void drain(BIO *bio, struct buf *buf) {
  char *at;
  long len = BIO_get_mem_data(bio, &at);
  buf_put(buf, bytes_of(at, (size_t)len));
  bytes_wipe(at, (size_t)len);
  BIO_free(bio);
}

static void write_pair(X509 *cert, EVP_PKEY *pkey, struct buf *ret_cert, struct buf *ret_key) {
  BIO *bio = BIO_new(BIO_s_mem());
  must(bio && PEM_write_bio_X509(bio, cert));
  drain(bio, ret_cert);
  bio = BIO_new(BIO_s_mem());
  must(bio && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL));
  drain(bio, ret_key);
}

static void add_extension(X509 *cert, X509 *issuer, int what, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, what, value);
  must(extension && X509_add_ext(cert, extension, -1));
  X509_EXTENSION_free(extension);
}

static void set_serial(X509 *cert) {
  BIGNUM *number = BN_new();
  must(number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY));
  must(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL);
  BN_free(number);
}

/* Without extensions and signature. */
static X509 *certificate_new(const struct tls_subject *subject, EVP_PKEY *pkey, X509 *issuer) {
  X509 *cert = X509_new();
  must(cert && X509_set_version(cert, X509_VERSION_3) && X509_set_pubkey(cert, pkey));
  set_serial(cert);
  X509_NAME *name = X509_get_subject_name(cert);
  must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject->name,
                                  -1, -1, 0));
  must(X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)));
  must(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(subject->begin_ms / 1000)) &&
       ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(subject->end_ms / 1000)));
  return cert;
}

static bool subject_ok(const struct tls_subject *subject, struct err *err) {
  size_t len = bytes_str(subject->name).len;
  if (len == 0 || len > 64) FAIL(ERR_INVALID, "a certificate's name has 1 to 64 bytes");
  return true;
}

bool tls_authority_make(const struct tls_subject *subject, struct buf *ret_cert,
                        struct buf *ret_key, struct err *err) {
  TRY(subject_ok(subject, err));
  EVP_PKEY *pkey = EVP_EC_gen("P-256");
  must(pkey != NULL);
  X509 *cert = certificate_new(subject, pkey, NULL);
  add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(cert, cert, NID_subject_key_identifier, "hash");
  must(X509_sign(cert, pkey, EVP_sha256()) > 0);
  write_pair(cert, pkey, ret_cert, ret_key);
  X509_free(cert);
  EVP_PKEY_free(pkey);
  return true;
}

static void issue(X509 *ca, EVP_PKEY *ca_key, const struct tls_subject *subject,
                  struct buf *ret_cert, struct buf *ret_key) {
  EVP_PKEY *pkey = EVP_EC_gen("P-256");
  must(pkey != NULL);
  X509 *cert = certificate_new(subject, pkey, ca);
  add_extension(cert, ca, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(cert, ca, NID_key_usage, "critical,digitalSignature");
  add_extension(cert, ca, NID_ext_key_usage, subject->hosts ? "serverAuth" : "clientAuth");
  add_extension(cert, ca, NID_subject_key_identifier, "hash");
  add_extension(cert, ca, NID_authority_key_identifier, "keyid");
  if (subject->hosts) add_extension(cert, ca, NID_subject_alt_name, subject->hosts);
  must(X509_sign(cert, ca_key, EVP_sha256()) > 0);
  write_pair(cert, pkey, ret_cert, ret_key);
  X509_free(cert);
  EVP_PKEY_free(pkey);
}

static X509 *read_certificate(struct bytes pem) {
  BIO *bio = bio_over(pem);
  X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
  BIO_free(bio);
  ERR_clear_error();
  return cert;
}

/* An encrypted key asks for a passphrase: nobody is there to be asked. */
static int no_passphrase(char *text, int room, int writing, void *arg) {
  return -1;
}

static EVP_PKEY *read_key(struct bytes pem) {
  BIO *bio = bio_over(pem);
  EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
  BIO_free(bio);
  ERR_clear_error();
  return pkey;
}

bool tls_certificate_issue(struct bytes ca_cert, struct bytes ca_key,
                           const struct tls_subject *subject, struct buf *ret_cert,
                           struct buf *ret_key, struct err *err) {
  TRY(subject_ok(subject, err));
  X509 *ca = read_certificate(ca_cert);
  EVP_PKEY *signer = read_key(ca_key);
  bool good = ca && signer && X509_check_private_key(ca, signer) == 1;
  if (good) issue(ca, signer, subject, ret_cert, ret_key);
  X509_free(ca);
  EVP_PKEY_free(signer);
  ERR_clear_error();
  if (!good) FAIL(ERR_INVALID, "the authority's certificate and key do not fit or cannot be read");
  return true;
}

bool tls_certificate_digest(struct bytes pem, uint8_t ret_sha[SHA256_BYTES], struct err *err) {
  X509 *cert = read_certificate(pem);
  if (!cert) FAIL(ERR_INVALID, "there is no certificate in PEM in it");
  must(X509_digest(cert, EVP_sha256(), ret_sha, NULL));
  X509_free(cert);
  return true;
}

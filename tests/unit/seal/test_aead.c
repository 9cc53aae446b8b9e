/* XAES-256-GCM and HKDF by their published vectors, and everything that must not open. */
#include "tests/unit/test.h"

#include "seal/aead.h"
#include "wire/codec.h"

static struct aead_key key_of(uint8_t fill) {
  struct aead_key key;
  uint8_t bytes[AEAD_KEY_BYTES];
  memset(bytes, fill, sizeof bytes);
  aead_key_init(&key, bytes);
  return key;
}

static void expect_hex(const uint8_t *at, size_t len, const char *expected) {
  struct buf text;
  buf_init(&text, 256);
  hex_encode(&text, bytes_of(at, len));
  assert_bytes(buf_bytes(&text), expected);
  buf_fini(&text);
}

/* C2SP XAES-256-GCM, test vectors: CMAC's subkey with and without its carry. */
static void the_published_vectors_hold(void **state) {
  static const uint8_t nonce[AEAD_NONCE_BYTES] = "ABCDEFGHIJKLMNOPQRSTUVWX";
  struct bytes plain = BYTES("XAES-256-GCM");
  uint8_t out[12 + AEAD_TAG_BYTES];
  struct aead_key key = key_of(1);
  aead_seal_with(&key, BYTES_NONE, plain, nonce, out, out + 12);
  expect_hex(out, sizeof out, "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
  key = key_of(3);
  aead_seal_with(&key, BYTES("c2sp.org/XAES-256-GCM"), plain, nonce, out, out + 12);
  expect_hex(out, sizeof out, "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
}

static void what_was_sealed_comes_back(void **state) {
  uint8_t text[1000], cipher[1000], back[1000], nonce[AEAD_NONCE_BYTES], tag[AEAD_TAG_BYTES];
  struct aead_key key = key_of(7), other = key_of(8);
  for (size_t len = 0; len <= sizeof text; len += 125) {
    memset(text, (int)len, sizeof text);
    aead_seal(&key, BYTES("place"), bytes_of(text, len), cipher, nonce, tag);
    assert_true(aead_open(&key, BYTES("place"), bytes_of(cipher, len), nonce, tag, back));
    if (len) assert_memory_equal(back, text, len);
    assert_false(aead_open(&key, BYTES("elsewhere"), bytes_of(cipher, len), nonce, tag, back));
    assert_false(aead_open(&other, BYTES("place"), bytes_of(cipher, len), nonce, tag, back));
  }
}

static void every_flipped_bit_is_found(void **state) {
  /* cipher, nonce, tag in one piece */
  uint8_t piece[32 + AEAD_EXTRA_BYTES], back[32];
  struct aead_key key = key_of(9);
  uint8_t *nonce = piece + 32, *tag = nonce + AEAD_NONCE_BYTES;
  aead_seal(&key, BYTES("ad"), BYTES("thirty-two bytes of plain text.."), piece, nonce, tag);
  for (size_t bit = 0; bit < sizeof piece * 8; bit++) {
    piece[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (aead_open(&key, BYTES("ad"), bytes_of(piece, 32), nonce, tag, back)) fail_msg("%zu", bit);
    for (size_t i = 0; i < sizeof back; i++) assert_int_equal(back[i], 0);
    piece[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  assert_true(aead_open(&key, BYTES("ad"), bytes_of(piece, 32), nonce, tag, back));
}

/* Two keys in turn on one thread: what a context remembers must follow. */
static void keys_take_turns(void **state) {
  struct aead_key a = key_of(1), b = key_of(2);
  uint8_t first[AEAD_BLOCK_BYTES] = {1}, second[AEAD_BLOCK_BYTES] = {1};
  aead_block(&a, false, first);
  aead_block(&b, false, second);
  assert_memory_not_equal(first, second, sizeof first);
  aead_block(&a, true, first);
  aead_block(&b, true, second);
  assert_memory_equal(first, second, sizeof first);
  assert_int_equal(first[0], 1);
}

static void keys_differ_by_label_and_context(void **state) {
  static const uint8_t from[AEAD_KEY_BYTES] = {5};
  uint8_t a[AEAD_KEY_BYTES], b[AEAD_KEY_BYTES];
  key_derive(from, "page", BYTES("t"), a);
  key_derive(from, "page", BYTES("t"), b);
  assert_memory_equal(a, b, sizeof a);
  key_derive(from, "paget", BYTES_NONE, b);
  assert_memory_not_equal(a, b, sizeof a);
  key_derive(from, "file", BYTES("t"), b);
  assert_memory_not_equal(a, b, sizeof a);
}

/* RFC 7914, section 12, the third vector has N 16384 (2^14), r 8, p 1; its first 32 bytes. */
static void a_passphrase_becomes_a_key(void **state) {
  uint8_t key[AEAD_KEY_BYTES];
  struct err err;
  assert_ok(key_from_passphrase(BYTES("pleaseletmein"), BYTES("SodiumChloride"), 14, key, &err),
            err);
  expect_hex(key, sizeof key, "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
  assert_fails(key_from_passphrase(BYTES("p"), BYTES("s"), 40, key, &err), err, ERR_LIMIT);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_published_vectors_hold),
      cmocka_unit_test(what_was_sealed_comes_back),
      cmocka_unit_test(every_flipped_bit_is_found),
      cmocka_unit_test(keys_take_turns),
      cmocka_unit_test(keys_differ_by_label_and_context),
      cmocka_unit_test(a_passphrase_becomes_a_key),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

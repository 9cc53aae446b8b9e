/* The XML of S3: multipart completion and deletion are read; all that is clever is refused. */
#include "tests/unit/test.h"

#include "wire/xml.h"

static struct arena arena;

static int setup(void **state) {
  arena_init(&arena, 8 << 20);
  return 0;
}

static int teardown(void **state) {
  arena_fini(&arena);
  return 0;
}

static const struct xml *parse(const char *text) {
  const struct xml *root;
  struct err err;
  if (!xml_parse(&arena, bytes_str(text), &root, &err)) fail_msg("%s: %s", text, err.detail);
  return root;
}

static void a_multipart_completion_is_read(void **state) {
  const struct xml *root =
      parse("\xef\xbb\xbf<?xml version=\"1.0\" encoding='UTF-8'?>\n"
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
            "  <Part><PartNumber>1</PartNumber><ETag>&quot;a&#34;</ETag></Part >\n"
            "  <s3:Part ><PartNumber> 2 </PartNumber><ETag/></s3:Part>\n"
            "</CompleteMultipartUpload>\n");
  assert_bytes(root->name, "CompleteMultipartUpload");
  const struct xml *part = xml_child(root, "Part");
  assert_bytes(xml_child_text(part, "PartNumber"), "1");
  assert_bytes(xml_child_text(part, "ETag"), "\"a\"");
  part = xml_again(part);
  assert_bytes(xml_child_text(part, "PartNumber"), " 2 ");
  assert_bytes(xml_child_text(part, "ETag"), "");
  assert_null(xml_again(part));
  assert_null(xml_child(part, "None"));
  assert_bytes(xml_child_text(NULL, "x"), "");
}

static void texts_are_decoded(void **state) {
  assert_bytes(parse("<k>&lt;a&amp;b&gt;&apos;&#x0D;&#xe4;&#8364;</k>")->text,
               "<a&b>'\r\xc3\xa4\xe2\x82\xac");
  assert_bytes(parse("<k> </k>")->text, " ");
  assert_bytes(parse("<k a = 'x&amp;\"' b=\"'\"></k>")->text, "");
  assert_bytes(parse("<k>\xf0\x9f\x98\x80</k>")->text, "\xf0\x9f\x98\x80");
}

static void clever_documents_are_refused(void **state) {
  static const struct {
    const char *text;
    enum err_code code;
  } bad[] = {
      {"", ERR_MALFORMED},
      {"x", ERR_MALFORMED},
      {"<a>", ERR_MALFORMED},
      {"<a", ERR_MALFORMED},
      {"<a/", ERR_MALFORMED},
      {"<", ERR_MALFORMED},
      {"</a>", ERR_MALFORMED},
      {"<a></b>", ERR_MALFORMED},
      {"<s:a></a>", ERR_MALFORMED},
      {"<a><b></a></b>", ERR_MALFORMED},
      {"<a/><b/>", ERR_MALFORMED},
      {"<a/>x", ERR_MALFORMED},
      {"x<a/>", ERR_MALFORMED},
      {"< a/>", ERR_MALFORMED},
      {"<1a/>", ERR_MALFORMED},
      {"<a b/>", ERR_MALFORMED},
      {"<a b=c/>", ERR_MALFORMED},
      {"<a b=\"c/>", ERR_MALFORMED},
      {"<a b=\"<\"/>", ERR_MALFORMED},
      {"<a b=\"1\"c=\"2\"/>", ERR_MALFORMED},
      {"<a b=\"&x;\"/>", ERR_MALFORMED},
      {"<a ?>", ERR_MALFORMED},
      {"<a>&lol;</a>", ERR_MALFORMED},
      {"<a>&</a>", ERR_MALFORMED},
      {"<a>&amp</a>", ERR_MALFORMED},
      {"<a>&;</a>", ERR_MALFORMED},
      {"<a>&#;</a>", ERR_MALFORMED},
      {"<a>&#x;</a>", ERR_MALFORMED},
      {"<a>&#xg;</a>", ERR_MALFORMED},
      {"<a>&#0;</a>", ERR_MALFORMED},
      {"<a>&#8;</a>", ERR_MALFORMED},
      {"<a>&#xD800;</a>", ERR_MALFORMED},
      {"<a>&#x110000;</a>", ERR_MALFORMED},
      {"<a>&#99999999999999999999;</a>", ERR_MALFORMED},
      {"<a>\001</a>", ERR_MALFORMED},
      {"<a>\xff</a>", ERR_MALFORMED},
      {"<a>\xed\xa0\x80</a>", ERR_MALFORMED},
      {"<a>x<b/></a>", ERR_UNSUPPORTED},
      {"<a><b/>x</a>", ERR_UNSUPPORTED},
      {"<a><![CDATA[x]]></a>", ERR_UNSUPPORTED},
      {"<a><!-- x --></a>", ERR_UNSUPPORTED},
      {"<?xml version=\"1.0\"?><?php x?><a/>", ERR_UNSUPPORTED},
      {"<?xml version=\"1.0\"?", ERR_MALFORMED},
      {"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", ERR_UNSUPPORTED},
      {"<!DOCTYPE a><a/>", ERR_UNSUPPORTED},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const struct xml *root;
    struct err err = {0};
    if (xml_parse(&arena, bytes_str(bad[i].text), &root, &err) || err.code != bad[i].code)
      fail_msg("%s: %d %s", bad[i].text, err.code, err.detail);
  }
}

static void depth_and_size_have_limits(void **state) {
  const struct xml *root;
  struct err err;
  char deep[XML_DEPTH_MAX * 3 + 8] = "";
  for (size_t i = 0; i <= XML_DEPTH_MAX; i++) memcpy(deep + 3 * i, "<a>", 4);
  assert_fails(xml_parse(&arena, bytes_str(deep), &root, &err), err, ERR_LIMIT);
  struct arena small;
  arena_init(&small, 200);
  assert_fails(xml_parse(&small, BYTES("<a><b/><b/><b/><b/><b/></a>"), &root, &err), err,
               ERR_LIMIT);
  arena_fini(&small);
}

static void what_is_written_reads_back(void **state) {
  struct buf buf;
  buf_init(&buf, 4096);
  xml_write_start(&buf);
  xml_write_open(&buf, "R", "urn:x");
  xml_write_element(&buf, "Key", BYTES("a<b>&\"'\r\n\001\xff\xc3\xa4"));
  xml_write_number(&buf, "Size", 18446744073709551615u);
  xml_write_close(&buf, "R");
  assert_bytes(buf_bytes(&buf),
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"urn:x\"><Key>a&lt;b&gt;&amp;"
               "&quot;'&#13;\n\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4</Key>"
               "<Size>18446744073709551615</Size></R>");
  const struct xml *root;
  struct err err;
  assert_ok(xml_parse(&arena, buf_bytes(&buf), &root, &err), err);
  assert_bytes(xml_child_text(root, "Key"), "a<b>&\"'\r\n\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4");
  buf_fini(&buf);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_multipart_completion_is_read),
      cmocka_unit_test(texts_are_decoded),
      cmocka_unit_test(clever_documents_are_refused),
      cmocka_unit_test(depth_and_size_have_limits),
      cmocka_unit_test(what_is_written_reads_back),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}

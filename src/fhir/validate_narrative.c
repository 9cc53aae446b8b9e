/* fhir/validate_narrative.c: the xhtml of a narrative: well formed, of the elements and attributes
 * that the specification allows, nothing that acts, and something to see.
 *
 * Source: FHIR R4 narrative.html §2.4.0.3 (txt-1, txt-2); XML 1.0.                              */
#include "fhir/validate_impl.h"

#include <string.h>

enum { DEPTH_MAX = 128 };

/* "the basic HTML formatting elements" of chapters 7-11 and 15 of HTML 4.0, images and links. */
static const char elements[] = " a abbr acronym b big blockquote br caption cite code col colgroup "
                               "dd dfn div dl dt em h1 h2 h3 "
                               "h4 h5 h6 hr i img li ol p pre q samp small span strong sub sup "
                               "table tbody td tfoot th thead tr "
                               "tt ul var ";
static const char attributes[] =
    " abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign "
    "char "
    "charoff charset cite class color colspan compact coords dir face frame headers height href "
    "hreflang hspace id lang longdesc name nowrap rel rev rowspan rules scope shape size span src "
    "start style summary tabindex title type valign value vspace width xml:id xml:lang xml:space "
    "xmlns ";

struct scan {
  const uint8_t *at, *end;
  struct bytes open[DEPTH_MAX];
  size_t depth;
  bool visible;
};

static bool is_blank(uint8_t c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name(uint8_t c) {
  return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == ':' || c == '-' ||
         c == '_' || c == '.' || c >= 0x80;
}

/* Words stand between blanks. */
static bool is_word(const char *words, struct bytes word) {
  char text[16];
  if (word.len == 0 || word.len > sizeof text - 3) return false;
  text[0] = ' ';
  memcpy(text + 1, word.at, word.len);
  text[word.len + 1] = ' ';
  text[word.len + 2] = 0;
  return strstr(words, text) != NULL;
}

static void skip_blanks(struct scan *s) {
  while (s->at < s->end && is_blank(*s->at)) s->at++;
}

static struct bytes take_name(struct scan *s) {
  const uint8_t *from = s->at;
  while (s->at < s->end && is_name(*s->at)) s->at++;
  return bytes_of(from, (size_t)(s->at - from));
}

static bool take(struct scan *s, uint8_t c) {
  if (s->at == s->end || *s->at != c) return false;
  s->at++;
  return true;
}

static bool take_text(struct scan *s, const char *text) {
  size_t len = strlen(text);
  if ((size_t)(s->end - s->at) < len || memcmp(s->at, text, len) != 0) return false;
  s->at += len;
  return true;
}

/* &amp; &#160; &#xA0; and the names HTML gives to characters. */
static const char *take_entity(struct scan *s) {
  size_t digits = 0;
  s->at++;
  if (take(s, '#')) take(s, 'x');
  while (s->at < s->end && is_name(*s->at)) s->at++, digits++;
  return digits && take(s, ';') ? NULL : "has an '&' that begins no entity";
}

static const char *take_attribute(struct scan *s) {
  struct bytes name = take_name(s);
  if (!is_word(attributes, name)) return "has an attribute that narratives must not have";
  skip_blanks(s);
  if (!take(s, '=')) return "has an attribute without a value";
  skip_blanks(s);
  uint8_t quote = s->at < s->end ? *s->at : 0;
  if (quote != '"' && quote != '\'') return "has an attribute whose value is not quoted";
  const uint8_t *from = ++s->at;
  const char *problem = NULL;
  while (s->at < s->end && *s->at != quote && !problem) {
    if (*s->at == '<') return "has a '<' in an attribute";
    if (*s->at == '&')
      problem = take_entity(s);
    else
      s->at++;
  }
  struct bytes value = bytes_trim(bytes_of(from, (size_t)(s->at - from)));
  bool script = value.len >= 11 && bytes_eq_nocase(bytes_sub(value, 0, 11), BYTES("javascript:"));
  if (script) return "has a link that is a script";
  if (bytes_eq_str(name, "src")) s->visible = true;
  return problem ? problem : take(s, quote) ? NULL : "has a value that does not end";
}

static const char *take_open(struct scan *s) {
  struct bytes name = take_name(s);
  if (!is_word(elements, name)) return "has an element that narratives must not have";
  if (s->depth == 0 && !bytes_eq_str(name, "div")) return "must be one div";
  for (skip_blanks(s); s->at < s->end && is_name(*s->at); skip_blanks(s)) {
    const char *problem = take_attribute(s);
    if (problem) return problem;
  }
  if (take(s, '/')) return take(s, '>') ? NULL : "is not well formed";
  if (!take(s, '>')) return "is not well formed";
  if (s->depth == DEPTH_MAX) return "is nested too deeply";
  s->open[s->depth++] = name;
  return NULL;
}

static const char *take_close(struct scan *s) {
  struct bytes name = take_name(s);
  skip_blanks(s);
  if (!take(s, '>') || s->depth == 0 || !bytes_eq(s->open[s->depth - 1], name))
    return "has elements that do not close in order";
  s->depth--;
  return NULL;
}

static const char *take_tag(struct scan *s) {
  s->at++;
  if (take_text(s, "!--")) {
    while (s->at < s->end && !take_text(s, "-->")) s->at++;
    return NULL;
  }
  return take(s, '/') ? take_close(s) : take_open(s);
}

const char *narrative_problem(struct bytes xhtml) {
  struct scan s = {.at = xhtml.at, .end = xhtml.at + xhtml.len};
  const char *problem = NULL;
  skip_blanks(&s);
  if (s.at == s.end || *s.at != '<') return "must be one div";
  do {
    if (*s.at == '<') {
      problem = take_tag(&s);
    } else if (*s.at == '&') {
      s.visible = true;
      problem = take_entity(&s);
    } else {
      s.visible |= !is_blank(*s.at);
      s.at++;
    }
  } while (!problem && s.depth > 0 && s.at < s.end);
  skip_blanks(&s);
  if (problem) return problem;
  if (s.depth > 0) return "has elements that do not close in order";
  if (s.at < s.end) return "must be one div";
  return s.visible ? NULL : "has nothing to see";
}

/* hl7/leniency.tbl.h: what senders get wrong and is read all the same, each said once per place.
 *
 * LENIENCY(name, word, sentence): the word is what reports, --json and metrics print. */
LENIENCY(LINE_FEED, "line-feed",
         "segments end in a line feed; the standard wants a carriage return")
LENIENCY(BLANKS, "blanks", "blanks or framing bytes stand before, between or after the segments")
LENIENCY(CONTINUED, "continued",
         "a value holds a raw line break; the line was joined to the one above")
LENIENCY(LOWER_CASE, "lower-case", "a segment's name is in lower case")
LENIENCY(SHORT_ENCODING, "short-encoding", "MSH-2 lacks separators; the usual ones were taken")
LENIENCY(CHARSET_MISSING, "charset-missing", "bytes over 127 and no character set in MSH-18")
LENIENCY(CHARSET_WRONG, "charset-wrong", "the bytes are not in the character set that MSH-18 names")
LENIENCY(CHARSET_UNKNOWN, "charset-unknown", "MSH-18 names a character set that is not known")
LENIENCY(ESCAPE_OPEN, "escape-open", "an escape character without its end was kept as it is")
LENIENCY(ESCAPE_LOCAL, "escape-local", "an escape sequence of unknown meaning was kept as it is")
LENIENCY(BATCH_COUNT, "batch-count", "a batch's trailer counts other messages than it holds")

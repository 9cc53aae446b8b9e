/* base/err.tbl.h: every error code once: name, retry rule, HTTP status, CLI exit code, HL7 ack
 * code, FHIR issue type, DICOM status, sentence. Protocol answers and the manual derive from it.
 *
 * ERR(name, word, retry, http, exit, hl7, fhir, dicom, sentence)                                */
ERR(OK, "ok", NEVER, 200, 0, "AA", "informational", 0x0000, "it worked")
ERR(MALFORMED, "malformed", NEVER, 400, 1, "AR", "structure", 0xC000,
    "the input does not have the form it must have")
ERR(INVALID, "invalid", NEVER, 400, 1, "AE", "invalid", 0xA900,
    "the input is well formed but breaks a rule")
ERR(LIMIT, "limit", NEVER, 413, 1, "AR", "too-long", 0xA700, "a named limit is exceeded")
ERR(UNAUTHENTICATED, "unauthenticated", NEVER, 401, 3, "AR", "login", 0x0124,
    "no valid credential came with the request")
ERR(DENIED, "denied", NEVER, 403, 3, "AR", "forbidden", 0x0124,
    "the credential or grant does not allow this")
ERR(NOT_FOUND, "not_found", NEVER, 404, 1, "AR", "not-found", 0xC001, "there is no such thing")
ERR(METHOD, "method", NEVER, 405, 1, "AR", "not-supported", 0x0211, "this cannot be done to that")
ERR(EXISTS, "exists", NEVER, 409, 1, "AE", "duplicate", 0x0111, "it exists already")
ERR(CONFLICT, "conflict", NOW, 409, 1, "AE", "conflict", 0x0110,
    "what was read has changed meanwhile")
ERR(FENCED, "fenced", NEVER, 409, 1, "AE", "conflict", 0x0110,
    "the attempt was given up before it could commit")
ERR(PRECONDITION, "precondition", NEVER, 412, 1, "AE", "conflict", 0x0110,
    "a stated precondition does not hold")
ERR(UNSUPPORTED, "unsupported", NEVER, 501, 1, "AR", "not-supported", 0x0122,
    "this is not supported")
ERR(BUSY, "busy", LATER, 429, 1, "AR", "throttled", 0xA700, "too much at once; come again")
ERR(UNAVAILABLE, "unavailable", LATER, 503, 1, "AR", "transient", 0xA700, "not ready to serve")
ERR(TIMEOUT, "timeout", LATER, 504, 1, "AE", "timeout", 0x0110, "it took longer than its limit")
ERR(UNREACHABLE, "unreachable", LATER, 502, 4, "AE", "transient", 0x0110,
    "the other side cannot be reached")
ERR(CLOSED, "closed", LATER, 502, 4, "AE", "transient", 0x0110,
    "the other side closed the connection")
ERR(GUEST, "guest", LATER, 502, 1, "AE", "processing", 0x0110, "the function failed")
ERR(FULL, "full", LATER, 507, 1, "AR", "no-store", 0xA700, "no space is left")
ERR(IO, "io", LATER, 500, 1, "AE", "exception", 0x0110, "a device or the operating system failed")
ERR(CORRUPT, "corrupt", NEVER, 500, 1, "AE", "exception", 0x0110, "stored data are damaged")
ERR(NEWER, "newer", NEVER, 500, 1, "AE", "exception", 0x0110,
    "the data were written by a newer version")
ERR(NO_MEMORY, "no_memory", LATER, 503, 1, "AR", "exception", 0xA700, "no memory is left")
ERR(USAGE, "usage", NEVER, 400, 2, "AR", "invalid", 0x0110, "the command was used wrongly")
ERR(INTERNAL, "internal", LATER, 500, 1, "AE", "exception", 0x0110, "a part of Medulla failed")

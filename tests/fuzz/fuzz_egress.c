/* egress_frame_next, egress_get_request, egress_get_answer: what the two processes say to each
 * other. Either may be the one that was taken over. */
#include "base/must.h"
#include "effect/egress_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bytes frame = bytes_of(data, size);
  struct egress_request request;
  struct egress_answer answer;
  struct err err;
  uint64_t number;
  size_t consumed;
  if (egress_frame_next(frame, &frame, &consumed) == EGRESS_FRAME) must(consumed <= size);
  if (egress_get_request(frame, &number, &request, &err))
    must(request.timeout_ms > 0 && request.timeout_ms <= EGRESS_TIMEOUT_MS_MAX);
  if (egress_get_answer(frame, &number, &answer, &err)) must(answer.err.code < ERR_COUNT);
  return 0;
}

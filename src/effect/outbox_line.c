/* effect/outbox_line.c: messages that go one after the other, and what lines to a contact share.
 *
 *   due -> ready -> (secret is read) -> request -> verdict -> commit -> next, or the same later
 *           | ^
 *           v | a place among the contact's sends
 *         waiting                                                                                */
#include "base/must.h"
#include "effect/outbox_message.h"
#include "effect/outbox_parts.h"
#include "effect/outbox_scan.h"
#include "model/retry.h"
#include "os/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  MESSAGE_ARENA_BYTES_MAX = 24 << 20,
  SECRET_BYTES_MAX = 64 << 10,
  NAME_BYTES_MAX = 1024,
  STORE_RETRY_MS = 1000,
};

static const struct retry_policy policy = {
    .attempts = UINT32_MAX, .max_age_ms = OUTBOX_AGE_MS_MAX, .delay_ms = 1000};

void send_free(struct send *send) {
  list_drop(&send->link);
  if (send->value) bytes_wipe(send->value, send->value_bytes);
  free(send->value);
  free(send);
}

static struct send *head_of(struct line *line) {
  return LIST_FIRST(&line->sends, struct send, link);
}

/* ---- Lines ---- */

static void on_due(struct loop_timer *timer) {
  struct line *line = LIST_OF(timer, struct line, due);
  struct outbox *outbox = line->outbox;
  line_pump(line);
  lines_start(outbox);
}

static struct contact *contact_of(struct outbox *outbox, struct bytes name) {
  struct contact *contact = map_get(&outbox->contacts, name);
  if (contact) return contact;
  contact = must_alloc(sizeof *contact);
  contact->outbox = outbox;
  list_init(&contact->waiting);
  buf_init(&contact->name, NAME_BYTES_MAX);
  buf_put(&contact->name, name);
  map_put(&outbox->contacts, name, contact);
  return contact;
}

/* The last line takes the contact with it, and what it knew of its state. */
static void contact_unref(struct contact *contact) {
  if (--contact->lines) return;
  map_drop(&contact->outbox->contacts, buf_bytes(&contact->name));
  buf_fini(&contact->name);
  free(contact);
}

static bool contact_has_room(const struct contact *contact) {
  return contact->busy < (contact->failing ? 1 : OUTBOX_CONTACT_BUSY_MAX);
}

/* One send of it ended: who waited for its place is ready. */
static void contact_release(struct contact *contact) {
  contact->busy--;
  uint32_t places = contact->failing ? 1 : OUTBOX_CONTACT_BUSY_MAX;
  for (uint32_t at = contact->busy; at < places && !list_empty(&contact->waiting); at++) {
    struct line *line = LIST_FIRST(&contact->waiting, struct line, link);
    list_drop(&line->link);
    list_push(&contact->outbox->ready, &line->link);
  }
}

static struct line *line_new(struct outbox *outbox, struct contact *contact, struct bytes name) {
  struct line *line = must_alloc(sizeof *line);
  line->outbox = outbox;
  line->contact = contact;
  contact->lines++;
  line->due.fire = on_due;
  list_init(&line->link);
  list_init(&line->sends);
  buf_init(&line->name, NAME_BYTES_MAX);
  buf_put(&line->name, name);
  buf_init(&line->secret, SECRET_BYTES_MAX);
  buf_init(&line->secret_key, NAME_BYTES_MAX);
  arena_init(&line->arena, MESSAGE_ARENA_BYTES_MAX);
  map_put(&outbox->lines, name, line);
  return line;
}

void line_free(struct line *line) {
  list_drop(&line->link);
  loop_timer_drop(line->outbox->options.loop, &line->due);
  buf_fini(&line->name);
  buf_fini(&line->secret);
  buf_fini(&line->secret_key);
  arena_fini(&line->arena);
  contact_unref(line->contact);
  free(line);
}

struct line *line_of(struct outbox *outbox, const struct outbox_row *row) {
  struct buf name;
  buf_init(&name, NAME_BYTES_MAX);
  buf_put(&name, row->app);
  buf_char(&name, 0);
  buf_put(&name, row->contact);
  size_t contact_bytes = name.len;
  if (row->lane) buf_printf(&name, "%c%016llx", 0, (unsigned long long)row->lane);
  struct line *line = map_get(&outbox->lines, buf_bytes(&name));
  if (!line) {
    struct contact *contact = contact_of(outbox, bytes_sub(buf_bytes(&name), 0, contact_bytes));
    line = line_new(outbox, contact, buf_bytes(&name));
  }
  buf_fini(&name);
  return line;
}

/* Into the ready list, or to wait until its head is due. */
void line_pump(struct line *line) {
  struct outbox *outbox = line->outbox;
  struct send *head = head_of(line);
  if (line->busy || outbox->stopped) return;
  if (!head) {
    map_drop(&outbox->lines, buf_bytes(&line->name));
    line_free(line);
    return;
  }
  int64_t due_ms = head->row.next_ms, not_before_ms = line->contact->not_before_ms;
  int64_t wait_ms = (due_ms > not_before_ms ? due_ms : not_before_ms) - outbox_now_ms(outbox);
  list_drop(&line->link);
  if (wait_ms > 0)
    loop_timer_after(outbox->options.loop, &line->due, wait_ms);
  else
    list_push(&outbox->ready, &line->link);
}

/* ---- After the commit ---- */

static void end_head(struct line *line) {
  struct outbox *outbox = line->outbox;
  struct send *head = head_of(line);
  map_drop(&outbox->sends, bytes_of(head->key, sizeof head->key));
  outbox->bytes -= head->value_bytes;
  outbox->load.owed--;
  if (outbox->scanning) { /* the scan may have seen the row: it must know it is gone */
    list_drop(&head->link);
    list_push(&outbox->gone, &head->link);
  } else {
    send_free(head);
  }
}

static void settled(void *arg, const struct store_result *result) {
  struct line *line = arg;
  struct outbox *outbox = line->outbox;
  struct send *head = head_of(line);
  if (!outbox_called(outbox)) return;
  line->busy = false;
  outbox->load.sending--;
  contact_release(line->contact);
  arena_reset(&line->arena);
  buf_reset(&line->secret);
  if (result->err.code != ERR_OK) { /* the send is repeated under the same idempotency key */
    head->row.next_ms = outbox_now_ms(outbox) + STORE_RETRY_MS;
  } else if (line->verdict == VERDICT_LATER) {
    head->row.attempts++;
    head->row.next_ms = line->next_ms;
    outbox->load.retried++;
  } else {
    if (line->verdict == VERDICT_SENT)
      outbox->load.sent++;
    else
      outbox->load.dead++;
    end_head(line);
  }
  line_pump(line);
  outbox_scan_more(outbox);
  lines_start(outbox);
}

static void put_row(struct store_commit *commit, const struct send *send,
                    const struct outbox_row *row) {
  struct buf value;
  buf_init(&value, STORE_VALUE_BYTES_MAX);
  outbox_row_encode(&value, row);
  commit_put(commit, TABLE_outbox, bytes_of(send->key, sizeof send->key), buf_bytes(&value));
  buf_fini(&value);
}

static void settle(struct line *line, enum verdict verdict) {
  struct outbox *outbox = line->outbox;
  struct send *head = head_of(line);
  struct store_commit *commit = commit_new();
  struct outbox_row after = head->row;
  int64_t now_ms = outbox_now_ms(outbox), delay_ms = 0;
  line->contact->failing = verdict == VERDICT_LATER;
  after.attempts++;
  after.reason = bytes_str(line->reason);
  if (verdict == VERDICT_LATER && !retry_next(&policy, after.attempts, now_ms - after.created_ms,
                                              random_u64(outbox->options.random), &delay_ms))
    verdict = VERDICT_DEAD;
  line->verdict = verdict;
  line->next_ms = after.next_ms = verdict == VERDICT_LATER ? now_ms + delay_ms : 0;
  line->contact->not_before_ms = line->next_ms;
  after.state = verdict == VERDICT_DEAD ? OUTBOX_DEAD : OUTBOX_OWED;
  if (verdict == VERDICT_SENT) {
    commit_remove(commit, TABLE_outbox, bytes_of(head->key, sizeof head->key));
    outbox_audit(outbox, commit, &head->row, "ok", "sent");
  } else {
    put_row(commit, head, &after);
    if (verdict == VERDICT_DEAD) outbox_audit(outbox, commit, &head->row, "failed", line->reason);
  }
  if (verdict == VERDICT_LATER)
    LOG(OUTBOX_FAILED, NULL, log_name("contact", after.contact), log_word("why", line->reason),
        log_int("attempt", after.attempts));
  if (verdict == VERDICT_DEAD)
    LOG(OUTBOX_DEAD, NULL, log_name("contact", after.contact), log_word("why", line->reason));
  outbox->calls++;
  store_submit(outbox->options.store, &commit, settled, line);
}

/* ---- The send ---- */

/* What can become better by itself is tried again. */
static enum verdict judge_status(int status) {
  if (status >= 200 && status < 300) return VERDICT_SENT;
  if (status == 408 || status == 425 || status == 429 || status >= 500) return VERDICT_LATER;
  return VERDICT_DEAD;
}

static enum verdict judge(struct line *line, const struct egress_answer *answer) {
  enum err_code code = answer->err.code;
  if (code == ERR_OK && line->mail) return VERDICT_SENT;
  if (code == ERR_OK) {
    snprintf(line->reason, sizeof line->reason, "http_%d", answer->status);
    return judge_status(answer->status);
  }
  if (answer->status >= 500 && answer->status < 600) { /* RFC 5321 §4.2.1: permanent */
    snprintf(line->reason, sizeof line->reason, "smtp_%d", answer->status);
    return VERDICT_DEAD;
  }
  snprintf(line->reason, sizeof line->reason, "%s", err_facts(code)->word);
  return err_facts(code)->retry == ERR_RETRY_NEVER ? VERDICT_DEAD : VERDICT_LATER;
}

static void sent(void *arg, const struct egress_answer *answer) {
  struct line *line = arg;
  if (!outbox_called(line->outbox)) return;
  settle(line, judge(line, answer));
}

static void request(struct line *line, struct bytes secret) {
  struct outbox *outbox = line->outbox;
  struct egress_request request;
  struct err err;
  if (!outbox_message(&line->arena, &head_of(line)->row, secret, outbox_now_ms(outbox), &request,
                      &err)) {
    snprintf(line->reason, sizeof line->reason, "%s", err_facts(err.code)->word);
    settle(line, VERDICT_DEAD);
    return;
  }
  outbox->calls++;
  line->mail = request.kind == EGRESS_SMTP;
  outbox->options.egress->ops->request(outbox->options.egress->self, &request, sent, line);
}

static void secret_query(void *arg, struct store_reader *reader) {
  struct line *line = arg;
  uint64_t version = 0;
  line->secret_ok = store_get(reader, TABLE_secret, buf_bytes(&line->secret_key), &line->secret,
                              &version, &line->secret_err);
  line->secret_there = version != 0;
}

/* A secret nobody has set yet may still be set. */
static void secret_done(void *arg) {
  struct line *line = arg;
  if (!outbox_called(line->outbox)) return;
  if (line->secret_ok && line->secret_there) {
    request(line, buf_bytes(&line->secret));
    return;
  }
  snprintf(line->reason, sizeof line->reason, "%s",
           line->secret_ok ? "secret_missing" : err_facts(line->secret_err.code)->word);
  settle(line, VERDICT_LATER);
}

static void start(struct line *line) {
  struct outbox *outbox = line->outbox;
  const struct outbox_row *row = &head_of(line)->row;
  struct bytes name;
  struct err err;
  line->busy = true;
  line->contact->busy++;
  line->reason[0] = 0;
  outbox->load.sending++;
  if (!outbox_secret_name(&line->arena, row, &name, &err)) {
    snprintf(line->reason, sizeof line->reason, "%s", err_facts(err.code)->word);
    settle(line, VERDICT_DEAD);
    return;
  }
  if (name.len == 0) {
    request(line, BYTES_NONE);
    return;
  }
  buf_reset(&line->secret);
  buf_reset(&line->secret_key);
  buf_put(&line->secret_key, row->app);
  buf_char(&line->secret_key, 0);
  buf_put(&line->secret_key, name);
  outbox->calls++;
  store_ask(outbox->options.store, secret_query, secret_done, line);
}

void lines_start(struct outbox *outbox) {
  while (outbox->load.sending < OUTBOX_BUSY_MAX && !list_empty(&outbox->ready)) {
    struct line *line = LIST_FIRST(&outbox->ready, struct line, link);
    list_drop(&line->link);
    if (line->contact->not_before_ms > outbox_now_ms(outbox))
      line_pump(line); /* it has failed meanwhile */
    else if (contact_has_room(line->contact))
      start(line);
    else
      list_push(&line->contact->waiting, &line->link);
  }
}

/* app/cli/verbs.h: every verb's function; the table is in verbs.c.
 * Owns:    nothing.
 * Errors:  exit codes, as in cli.h.
 * Threads: one.                                                    */
#ifndef MEDULLA_APP_CLI_VERBS_H
#define MEDULLA_APP_CLI_VERBS_H

#include "app/cli/cli.h"

int verb_init(struct cli *cli);
int verb_dev(struct cli *cli);
int verb_test(struct cli *cli);
int verb_deploy(struct cli *cli);
int verb_rollback(struct cli *cli);
int verb_promote(struct cli *cli);
int verb_versions(struct cli *cli);
int verb_apps(struct cli *cli);
int verb_alias_set(struct cli *cli);
int verb_alias_list(struct cli *cli);
int verb_alias_remove(struct cli *cli);
int verb_invoke(struct cli *cli);
int verb_emit(struct cli *cli);
int verb_runs(struct cli *cli);
int verb_run(struct cli *cli);
int verb_logs(struct cli *cli);
int verb_usage(struct cli *cli);
int verb_dead_list(struct cli *cli);
int verb_dead_show(struct cli *cli);
int verb_dead_redrive(struct cli *cli);
int verb_dead_discard(struct cli *cli);
int verb_outbox_list(struct cli *cli);
int verb_outbox_show(struct cli *cli);
int verb_outbox_redrive(struct cli *cli);
int verb_outbox_discard(struct cli *cli);
int verb_token_create(struct cli *cli);
int verb_token_list(struct cli *cli);
int verb_token_revoke(struct cli *cli);
int verb_secret_set(struct cli *cli);
int verb_secret_list(struct cli *cli);
int verb_secret_remove(struct cli *cli);
int verb_fhirpath(struct cli *cli);
int verb_hl7_convert(struct cli *cli);
int verb_hl7_get(struct cli *cli);
int verb_hl7_tree(struct cli *cli);
int verb_hl7_validate(struct cli *cli);
int verb_audit_verify(struct cli *cli);
int verb_fhir_validate(struct cli *cli);
int verb_doctor(struct cli *cli);
int verb_keys_init(struct cli *cli);
int verb_keys_status(struct cli *cli);
int verb_keys_rotate(struct cli *cli);
int verb_keys_escrow(struct cli *cli);
int verb_keys_combine(struct cli *cli);
int verb_serve(struct cli *cli);

#endif

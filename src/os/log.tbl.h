/* os/log.tbl.h: every log line once: tag, level, how many a second, what it means. The tag is what
 * people search for; the sentence is for those who meet it the first time. The manual lists them.
 *
 * LOG_TAG(NAME, word, LEVEL, per_second, sentence)                                               */
LOG_TAG(STARTED, "started", INFO, 10, "the process is up")
LOG_TAG(STOPPING, "stopping", INFO, 10, "no new work is taken; what runs is finished")
LOG_TAG(STOPPED, "stopped", INFO, 10, "everything has ended")
LOG_TAG(FAILED, "failed", ERROR, 10, "a part could not do its work")
LOG_TAG(LISTENING, "listening", INFO, 10, "connections are accepted here")
LOG_TAG(LISTEN_FAILED, "listen_failed", ERROR, 10, "the address cannot be listened on")
LOG_TAG(ACCEPT_FAILED, "accept_failed", WARN, 1, "a connection could not be taken; trying again")
LOG_TAG(HTTP_FULL, "http_full", WARN, 1, "connections_max is reached; more are answered with 503")
LOG_TAG(HTTP_REFUSED, "http_refused", DEBUG, 20,
        "a request was answered with an error by the server")
LOG_TAG(HTTP_GONE, "http_gone", DEBUG, 20, "a client left before its answer")
LOG_TAG(TLS_REFUSED, "tls_refused", DEBUG, 20, "a TLS handshake did not come to an agreement")
LOG_TAG(TLS_RELOADED, "tls_reloaded", INFO, 10, "new connections get the certificate read just now")
LOG_TAG(TLS_KEPT, "tls_kept", ERROR, 10,
        "the new certificate is of no use; connections get the one before")
LOG_TAG(PROCESS_STARTED, "process_started", DEBUG, 20, "a child process was started")
LOG_TAG(PROCESS_ENDED, "process_ended", DEBUG, 20, "a child process ended")
LOG_TAG(LAUNCHER_ENDED, "launcher_ended", ERROR, 1,
        "the launcher ended; its workers with it; another starts")
LOG_TAG(STORE_FAILS, "store_fails", ERROR, 1,
        "nothing can be made durable: no event is accepted, no outcome kept, until it can")
LOG_TAG(STORE_GOES_ON, "store_goes_on", INFO, 1, "what is accepted is durable again")
LOG_TAG(SCHEDULE_RESTS, "schedule_rests", ERROR, 10,
        "a schedule trigger does not fire: its expression or time zone is of no use here")
LOG_TAG(EGRESS_ENDED, "egress_ended", ERROR, 1, "the egress process ended; another starts")
LOG_TAG(OUTBOX_FAILED, "outbox_failed", WARN, 5, "an outbound message could not be sent yet")
LOG_TAG(OUTBOX_DEAD, "outbox_dead", ERROR, 5, "an outbound message is given up; it is kept")

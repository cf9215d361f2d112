/* settings.h - what can be turned in the tests' AWS: name, default, meaning.
 * Shares are in thousandths; sizes in bytes; times in milliseconds. */
#ifndef AWS_SETTINGS_H
#define AWS_SETTINGS_H

#define AWS_SETTINGS(X) \
    /* CloudWatch Logs: pages */ \
    X(PAGE_EVENTS, "page-events", 10000)     /* most events in a page */ \
    X(PAGE_BYTES, "page-bytes", 1048576)     /* most bytes of events */ \
    X(EVENT_BYTES, "event-bytes", 26)        /* counted besides a message */ \
    X(SCAN_EVENTS, "scan-events", 200000)    /* looked at for one page */ \
    X(END_EXCLUSIVE, "end-exclusive", 0)     /* 1: endTime is not returned */ \
    X(EMPTY_PAGES, "empty-pages", 0)         /* share: no event, a token */ \
    X(SHORT_PAGES, "short-pages", 0)         /* share: fewer than fit */ \
    X(REPEAT_PAGES, "repeat-pages", 0)       /* share: sent once again */ \
    X(REPEAT_BORDER, "repeat-border", 0)     /* events sent again next page */ \
    X(REPEAT_INSIDE, "repeat-inside", 0)     /* share: event sent twice */ \
    X(LAST_TOKEN, "last-token", 0)           /* share: last page, a token */ \
    X(TOKEN_BYTES, "token-bytes", 200)       /* length of a page token */ \
    X(TOKEN_LIFE, "token-life", 86400000) \
    X(ODD_JSON, "odd-json", 0)   /* 1: members in any order, unknown ones */ \
    X(ERROR_FORM, "error-form", 0) /* 0..6: how errors are written; 7: any */ \
    /* CloudWatch Logs: what is readable */ \
    X(VISIBLE_AFTER, "visible-after", 0)     /* time from put to read */ \
    X(EXPIRY_LAG, "expiry-lag", 0)           /* expired, still readable */ \
    X(DENY_UNMASK, "deny-unmask", 0) \
    /* CloudWatch Logs: exports */ \
    X(EXPORT_TIME, "export-time", 60000)     /* how long one runs */ \
    X(EXPORT_FAILS, "export-fails", 0)       /* share that ends FAILED */ \
    X(EXPORT_FILE, "export-file", 67108864)  /* most raw bytes in a file */ \
    X(EXPORT_DISORDER, "export-disorder", 0) /* 1: not sorted, overlapping */ \
    X(EXPORT_INGESTED, "export-ingested", 0) /* 1: by ingestion time */ \
    X(EXPORT_LAG, "export-lag", 0)       /* came later: not exported yet */ \
    X(EXPORT_HIDDEN, "export-hidden", 0) /* until a new task is listed */ \
    X(EXPORT_CANCEL, "export-cancel", 5000)  /* PENDING_CANCEL takes */ \
    X(EXPORT_POLICY, "export-policy", 1) /* 0: the bucket needs none */ \
    /* S3 */ \
    X(PART_BYTES_MIN, "part-bytes-min", 5242880) \
    X(COPY_BYTES_MAX, "copy-bytes-max", 5368709120) /* as one part */ \
    X(COPY_SUMS, "copy-sums", 1)   /* 0: none of a part that is copied */ \
    X(LIST_ENTRIES, "list-entries", 1000) /* most in a page of a list */ \
    X(DISCARD, "discard", 0)     /* 1: keep sizes and CRCs, not bytes */ \
    X(DISCARD_MD5, "discard-md5", 0) /* 1: but their true MD5s as ETags */ \
    X(CHECK_SUMS, "check-sums", 1)     /* 0: a wrong checksum is accepted */ \
    X(RETURN_SUMS, "return-sums", 1)   /* 0: a store without checksums */ \
    X(CONDITIONS, "conditions", 1)     /* 0: If-Match and the like ignored */ \
    X(COMPLETE_AGAIN, "complete-again", 0) /* 1: Complete twice, 200 twice */ \
    X(ABORT_AGAIN, "abort-again", 0) /* share: aborted, but still there */ \
    X(OPAQUE_ETAGS, "opaque-etags", 0) /* 1: no MD5s, as with KMS keys */ \
    X(SPACES, "spaces", 0)       /* white space before Complete's XML */ \
    X(LIFECYCLE, "lifecycle", 0)  /* 0: not known here; 1: no rule; 2: one \
        that ends uploads; 3: another */ \
    X(RESTORE_TIME, "restore-time", 14400000) \
    /* signatures */ \
    X(CHECK_SIGNATURE, "check-signature", 1) \
    X(UNSIGNED_HTTP, "unsigned-http", 0) /* 1: UNSIGNED-PAYLOAD on http */ \
    X(SKEW, "skew", 0)           /* the server's clock is ahead by */ \
    X(KEY_LIFE, "key-life", 21600000)  /* of keys from IMDS, containers */ \
    /* time */ \
    X(CLOCK, "clock", 0)         /* the loopback server adds it to its own */ \
    X(LATENCY, "latency", 0) \
    X(JITTER, "jitter", 0)       /* at most, on top */ \
    X(LATENCY_THROTTLED, "latency-throttled", 5) \
    X(CHUNKED, "chunked", 0)     /* 1: no Content-Length */

#define AWS_SETTING_NAME(id, name, value) AWS_SET_##id,
enum aws_setting { AWS_SETTINGS(AWS_SETTING_NAME) AWS_SET_COUNT };
#undef AWS_SETTING_NAME

#endif

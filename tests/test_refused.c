/* test_refused.c - requests of an upload of several parts that are refused:
 * the fault comes out, and the next run makes the same object. */
#include "noise_rig.h"

static void refused_uploads(void **state)
{
    static const struct {
        const char *name, *fault;
        enum error  error;   /* ERROR_NONE: it is done all the same */
    } cases[] = {
        {"no upload, ever", "UploadPart error=NoSuchUpload status=404",
         ERROR_MISSING},
        {"no bucket for a part", "UploadPart error=NoSuchBucket status=404",
         ERROR_MISSING},
        {"a part is refused", "UploadPart #1 error=AccessDenied status=403",
         ERROR_DENIED},
        {"the last part is", "UploadPart #2- error=AccessDenied status=403",
         ERROR_DENIED},
        {"the group is not told again",
         "DescribeLogGroups #2- error=AccessDeniedException status=400",
         ERROR_DENIED},
        {"the parts are not listed", "ListParts error=AccessDenied status=403",
         ERROR_DENIED},
        {"it is not completed",
         "CompleteMultipartUpload error=AccessDenied status=403",
         ERROR_DENIED},
        {"there is one already",
         "CompleteMultipartUpload error=PreconditionFailed status=412",
         ERROR_CONFLICT},
        {"nor aborted", "UploadPart error=NoSuchBucket status=404\n"
         "AbortMultipartUpload error=AccessDenied status=403", ERROR_MISSING},
        {"a body that is not taken", "UploadPart error=InvalidPart status=400",
         ERROR_REMOTE},
        {"no events, and no release", "FilterLogEvents #9- "
         "error=AccessDeniedException status=400\n"
         "PutObject #2- error=AccessDenied status=403", ERROR_DENIED},
        {"the checkpoint is not deleted",
         "DeleteObject error=AccessDenied status=403", ERROR_NONE},
    };
    int failures = 0;
    (void)state;
    for (size_t i = 0; i < ROW_COUNT(cases); i++) {
        char fault[256], *rest = fault;
        open_world();
        put_noise();
        strcpy(fault, cases[i].fault);
        while (rest != NULL) {
            char *line = rest;
            rest = strchr(rest, '\n');
            if (rest != NULL)
                *rest++ = '\0';
            assert_true(aws_fault(model, line));
        }
        enum flow flow = run_job(FIRST);
        bool ok = cases[i].error == ERROR_NONE ||
                  (flow == FLOW_FAILED && job.fault.error == cases[i].error);
        if (!ok)
            fprintf(stderr, "  %d: %s %s\n", (int)job.fault.error,
                    job.fault.what, job.fault.code);
        aws_clear_faults(model);
        ok = run_job(FIRST + 2 * HOUR_MS) == FLOW_ENDED && ok && is_whole() &&
             is_there(RECEIPT) && !is_there(LEASE);
        failures += BROKEN(cases[i].name, ok);
        close_world();
    }
    assert_int_equal(failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_uploads),
    };
    make_undisturbed();
    return RUN(tests);
}

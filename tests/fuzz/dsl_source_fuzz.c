/*
 * dsl_source_fuzz - libFuzzer target: any bytes as a program, read, lowered and run in this
 * process. Whatever they are, the program gives jobs and text or says why not; a chunk that is
 * said to stand in a document stands there.
 *
 *     dsl_source_fuzz -max_len=4096 -timeout=10 -rss_limit_mb=1024 CORPUS
 */
#include "tests/fuzz/dsl_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dsl_run((struct text){(const char *)data, size});
    return 0;
}

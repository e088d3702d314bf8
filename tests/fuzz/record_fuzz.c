/*
 * record_fuzz - libFuzzer target: any bytes as a file of recorded calls (remote_record), read
 * to its end. What is read is written as a record, and must be read again the same.
 *
 *     record_fuzz -max_len=4096 -timeout=1 CORPUS
 */
#include "protocol/minions/remote_record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct remote_reply *reply)
{
    struct remote_record written = {0}, read = {0};
    struct remote_reply again = {0};
    struct error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    written.file = open_memstream(&bytes, &size);
    assert(written.file);
    enum status status = remote_record_add(&written, TEXT("{}"), reply, &err);
    assert(status == OK);
    remote_record_close(&written);
    text_buf_add(&read.lines, (struct text){bytes, size});
    status = remote_record_next(&read, &again, &err);
    assert(status == OK && again.is_cut == reply->is_cut);
    assert(text_equal(text_buf_text(&again.content), text_buf_text(&reply->content)));
    status = remote_record_next(&read, &again, &err);
    assert(status == ERR_REMOTE); /* one call is one line */
    remote_record_close(&read);
    text_buf_deinit(&again.content);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct remote_record record = {0};
    struct remote_reply reply = {0};
    struct error err = {0};
    enum status status = OK;
    text_buf_add(&record.lines, (struct text){(const char *)data, size});
    for (size_t calls = 0; status == OK || status == ERR_FORMAT; calls++) {
        assert(calls <= size);
        status = remote_record_next(&record, &reply, &err);
        if (status == OK)
            round_trip(&reply);
        else
            assert(err.text[0] != '\0');
    }
    remote_record_close(&record);
    text_buf_deinit(&reply.content);
    return 0;
}

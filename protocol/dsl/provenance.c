/* provenance - see provenance.h. */
#include "protocol/dsl/provenance.h"

#include "protocol/dsl/str.h"

static bool is_span(const struct interp *in, int32_t document, size_t offset, struct text text)
{
    if (document < 0 || (uint32_t)document >= in->document_count)
        return false;
    const struct text whole = in->documents[document];
    return offset <= whole.size && text.size <= whole.size - offset &&
           text_equal(text_slice(whole, offset, offset + text.size), text);
}

bool provenance_locate(struct interp *in, const struct str *chunk, struct dsl_job *job)
{
    const struct text text = str_text(chunk);
    job->document = -1;
    job->offset = 0;
    if (chunk->document >= 0) {
        job->document = chunk->document;
        job->offset = chunk->offset;
        return true;
    }
    for (uint32_t i = 0; i < in->document_count && text.size > 0; i++) {
        const size_t at = str_find(in, in->documents[i], text, 0);
        if (in->out_of_budget)
            return false;
        if (at == SIZE_MAX)
            continue;
        job->document = (int32_t)i;
        job->offset = at;
        break;
    }
    return true;
}

struct str *provenance_chunk(struct interp *in, const struct dsl_job *job)
{
    if (!is_span(in, job->document, job->offset, job->chunk))
        return str_repair(in, job->chunk);
    struct str *chunk = str_view(in, text_slice(in->documents[job->document], job->offset,
                                                job->offset + job->chunk.size));
    if (chunk) {
        chunk->document = job->document;
        chunk->offset = job->offset;
    }
    return chunk;
}

/* answer_json - see answer_json.h. */
#include "tools/answer_json.h"

static void write_citation(struct json_writer *w, const struct documents *documents,
                           const struct round_citation *citation)
{
    char place[DOCUMENTS_PLACE_MAX];
    const size_t end = citation->offset + citation->size;
    documents_place(documents, citation->document, citation->offset, place);
    json_write_object(w);
    json_write_key_text(
        w, "text", text_slice(documents->texts[citation->document], citation->offset, end));
    json_write_key_text(w, "document", documents->paths[citation->document]);
    json_write_key_i64(w, "offset", (int64_t)citation->offset);
    json_write_key_text(w, "place", text_of(place));
    json_write_key_double(w, "score", citation->score);
    json_write_object_end(w);
}

void answer_json_write(struct json_writer *w, const struct answer_json *answer)
{
    const struct round_result *result = answer->result;
    json_write_key_text(w, "answer", text_buf_text(&result->answer));
    json_write_key_bool(w, "is_found", !result->is_unanswered);
    json_write_key_bool(w, "is_quoted", result->is_quoted);
    json_write_key(w, "citations");
    json_write_array(w);
    for (uint32_t i = 0; i < result->citation_count; i++)
        write_citation(w, answer->documents, &result->citations[i]);
    json_write_array_end(w);
    json_write_key_i64(w, "rounds", result->rounds);
    if (answer->run > 0)
        json_write_key_i64(w, "run", answer->run);
    json_write_key(w, "ledger");
    ledger_write(answer->ledger, w);
}

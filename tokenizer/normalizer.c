/* normalizer - see normalizer.h. */
#include "tokenizer/normalizer.h"

#include "tokenizer/normalize.h"
#include "tokenizer/unicode.h"

enum status normalizer_init(struct normalizer *normalizer, const struct tokenizer_change *steps,
                            uint32_t step_count, struct arena *arena, struct error *err)
{
    *normalizer = (struct normalizer){.step_count = step_count};
    if (step_count > NORMALIZER_STEPS_MAX)
        FAIL(err, ERR_LIMIT, "normalizer: %u steps, the limit is %d", step_count,
             NORMALIZER_STEPS_MAX);
    for (uint32_t i = 0; i < step_count; i++) {
        struct tokenizer_change *step = &normalizer->steps[i];
        *step = steps[i];
        step->content = text_copy(steps[i].content, arena);
        if (!step->content.data)
            FAIL(err, ERR_MEMORY, "normalizer: no room for its steps");
        const struct tokenizer_split split = {.pattern = steps[i].pattern,
                                              .is_literal = steps[i].is_literal};
        step->pattern = TEXT(""); /* kept as the automaton, or as the map */
        if (step->kind == TOKENIZER_CHARSMAP || step->kind == TOKENIZER_CHARSMAP_CLUSTERS)
            TRY(charsmap_init(&normalizer->charsmaps[i], split.pattern, arena, err));
        if (step->kind == TOKENIZER_REPLACE)
            TRY(split_automaton_make(&normalizer->automata[i], &split, arena, err));
    }
    return OK;
}

/* Past the character at at, which goes to out where there is one. */
static size_t copy_character(struct text text, size_t at, struct text_buf *out)
{
    const size_t begin = at;
    if (at >= text.size)
        return at + 1;
    (void)text_utf8_next(text, &at);
    text_buf_add(out, text_slice(text, begin, at));
    return at;
}

/* What matches becomes content; an empty match is a place to put it, but not behind a match. */
static void replace(const struct split_automaton *automaton, struct text text,
                    struct text content, struct text_buf *out)
{
    struct split_found found;
    size_t at = 0, match_end = SIZE_MAX;
    while (split_automaton_find(automaton, text, at, &found)) {
        text_buf_add(out, text_slice(text, at, found.begin));
        if (found.end > found.begin || found.end != match_end)
            text_buf_add(out, content);
        match_end = at = found.end;
        if (found.end == found.begin)
            at = copy_character(text, at, out);
    }
    text_buf_add(out, text_slice(text, at, text.size));
}

static struct text strip(struct text text, bool left, bool right)
{
    size_t begin = 0, end = 0;
    bool is_led = left;
    for (size_t at = 0; at < text.size;) {
        const bool is_space = unicode_class(text_utf8_next(text, &at)) & UNICODE_SPACE;
        begin = is_led && is_space ? at : begin;
        is_led = is_led && is_space;
        end = is_space && right ? end : at;
    }
    return text_slice(text, begin, end);
}

static void drop_marks(struct text text, struct text_buf *out)
{
    for (size_t at = 0; at < text.size;) {
        const size_t begin = at;
        if (!(unicode_class(text_utf8_next(text, &at)) & UNICODE_MARK))
            text_buf_add(out, text_slice(text, begin, at));
    }
}

/* One step from text to out; true in *is_changed where out is what counts. */
static bool apply(const struct normalizer *normalizer, uint32_t index, struct text *text,
                  struct text_buf *out, bool *is_changed)
{
    static const enum normalize_form FORMS[] = {[TOKENIZER_NFC] = NORMALIZE_NFC,
                                                [TOKENIZER_NFD] = NORMALIZE_NFD,
                                                [TOKENIZER_NFKC] = NORMALIZE_NFKC,
                                                [TOKENIZER_NFKD] = NORMALIZE_NFKD};
    const struct tokenizer_change *step = &normalizer->steps[index];
    *is_changed = true;
    switch (step->kind) {
    case TOKENIZER_NFC:
    case TOKENIZER_NFD:
    case TOKENIZER_NFKC:
    case TOKENIZER_NFKD:
        *is_changed = !normalize_is_plain(FORMS[step->kind], *text);
        return !*is_changed || normalize_text(FORMS[step->kind], *text, out);
    case TOKENIZER_LOWER:
        return normalize_lower(*text, out);
    case TOKENIZER_STRIP:
        *text = strip(*text, step->left, step->right);
        *is_changed = false;
        return true;
    case TOKENIZER_DROP_MARKS:
        drop_marks(*text, out);
        return !out->failed;
    case TOKENIZER_PREPEND:
        if (text->size > 0)
            text_buf_add(out, step->content);
        text_buf_add(out, *text);
        return !out->failed;
    case TOKENIZER_REPLACE:
        replace(&normalizer->automata[index], *text, step->content, out);
        return !out->failed;
    case TOKENIZER_CHARSMAP:
        charsmap_apply(&normalizer->charsmaps[index], *text, out);
        return !out->failed;
    case TOKENIZER_CHARSMAP_CLUSTERS:
        charsmap_apply_clusters(&normalizer->charsmaps[index], *text, out);
        return !out->failed;
    case TOKENIZER_MERGE_SPACES:
        charsmap_merge_spaces(*text, out);
        return !out->failed;
    }
    return false;
}

bool normalizer_apply_part(const struct normalizer *normalizer,
                           struct normalizer_scratch *scratch, bool is_first, struct text *text)
{
    uint32_t turn = 0;
    for (uint32_t i = 0; i < normalizer->step_count; i++) {
        struct text_buf *out = &scratch->texts[turn];
        bool is_changed;
        if (normalizer->steps[i].kind == TOKENIZER_PREPEND && !is_first)
            continue;
        text_buf_clear(out);
        if (!apply(normalizer, i, text, out, &is_changed))
            return false;
        if (!is_changed)
            continue;
        *text = text_buf_text(out);
        turn = 1 - turn;
    }
    return true;
}

bool normalizer_apply(const struct normalizer *normalizer, struct normalizer_scratch *scratch,
                      struct text *text)
{
    return normalizer_apply_part(normalizer, scratch, true, text);
}

void normalizer_scratch_deinit(struct normalizer_scratch *scratch)
{
    text_buf_deinit(&scratch->texts[0]);
    text_buf_deinit(&scratch->texts[1]);
}

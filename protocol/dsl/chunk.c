/*
 * chunk - see chunk.h.
 *
 * by_section: fixed windows of code points. by_page: cut at what looks like the mark between
 * two pages; the marks are tried line by line, by hand for the usual ones and as regular
 * expressions where the program gives its own. by_paragraph: blank lines cut, pieces are packed
 * up to a size, and what is longer than that is cut after sentences. What cuts source code is
 * in chunk_code.c.
 */
#include "protocol/dsl/chunk.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules_re.h"
#include "protocol/dsl/unicode.h"

static bool push_span(struct interp *in, struct list *list, struct str *str, size_t begin,
                      size_t end)
{
    struct str *part = str_span(in, str, begin, end);
    return part && list_push(in, list, value_str(part));
}

static bool by_section(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {
        "chunk_by_section", 1, 3, {"doc", "max_chunk_size", "overlap"}, {NULL}};
    struct value values[3];
    struct str *doc = NULL;
    int64_t size = 3000, overlap = 20;
    struct list *list = list_new(in, 0);
    if (!list || !args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[0], "chunk_by_section() doc", &doc) ||
        !args_int(in, values[1], &size) || !args_int(in, values[2], &overlap))
        return false;
    if (size < 1 || overlap < 0 || overlap >= size)
        return exception_raise(in, &exception_value,
                               "chunk_by_section() wants 0 <= overlap < max_chunk_size, not "
                               "overlap %lld and max_chunk_size %lld",
                               (long long)overlap, (long long)size);
    const int64_t length = (int64_t)doc->length;
    for (int64_t at = 0; at < length; at += size - overlap) {
        const size_t end = size < length - at ? (size_t)(at + size) : doc->length;
        struct str *part = str_slice(in, doc, (size_t)at, end);
        if (!interp_charge(in, 1) || !part || !list_push(in, list, value_str(part)))
            return false;
        if (size - overlap > length - at)
            break;
    }
    *out = value_list(list);
    return true;
}

/* Lines such as "Page 3 of 10", "- 3 -", "--- page ---", "[page 3]"; and form feeds. */
static const char PAGE_MARKS[] = "\\f"
                                 "|^page\\s+\\d+(\\s+of\\s+\\d+)?\\s*$"
                                 "|^[\\s_\\-()]*\\d+[\\s_\\-()]*$"
                                 "|^[-=#]{3,}\\s*.*page.*[-=#]{3,}\\s*$"
                                 "|^\\s*[\\[<(]\\s*page(?:\\s+\\d+)?\\s*[\\]>)]\\s*$";

/* The marks as one expression: ours, or the program's own joined by |. */
static struct str *page_pattern(struct interp *in, struct value markers)
{
    struct str_builder b = {.in = in};
    if (markers.kind == VALUE_UNSET || markers.kind == VALUE_NONE)
        return str_view(in, text_of(PAGE_MARKS));
    const struct list *list = list_from(in, markers);
    for (uint32_t i = 0; list && i < list->count; i++) {
        struct str *mark = NULL;
        if (!args_str(in, list->items[i], "page_markers' items", &mark))
            return NULL;
        if (i > 0)
            str_builder_byte(&b, '|');
        str_builder_add(&b, str_text(mark));
    }
    return list ? str_builder_str(&b) : NULL;
}

static bool by_page(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {
        "chunk_by_page", 1, 2, {"doc", "page_markers"}, {NULL}};
    struct value values[2];
    struct str *doc = NULL;
    if (!args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[0], "chunk_by_page() doc", &doc))
        return false;
    struct str *source = page_pattern(in, values[1]);
    struct list *list = source ? list_new(in, 0) : NULL;
    struct pattern *pattern =
        list ? modules_re_compile(in, source, REGEX_IGNORECASE | REGEX_MULTILINE) : NULL;
    if (!pattern)
        return false;
    struct modules_re_scan scan = {.pattern = pattern, .subject = doc};
    size_t begin = 0;
    while (modules_re_next(in, &scan)) {
        if (scan.spans[0].begin > begin &&
            !push_span(in, list, doc, begin, scan.spans[0].begin))
            return false;
        begin = scan.spans[0].end;
    }
    if (in->out_of_budget)
        return false;
    *out = value_list(list);
    const bool is_over = begin == doc->size && doc->size > 0; /* an empty text is one page */
    return is_over || push_span(in, list, doc, begin, doc->size);
}

struct str *chunk_join(struct interp *in, struct str *doc, const struct list *parts,
                       struct text joint)
{
    struct str_builder b = {.in = in};
    const struct str *first = parts->items[0].as.str;
    bool spans = true;
    const char *end = first->data;
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct str *part = parts->items[i].as.str;
        const size_t between = i == 0 ? 0 : joint.size;
        spans = spans && part->data >= doc->data && part->data < doc->data + doc->size &&
                part->data == end + between &&
                text_equal((struct text){end, between}, i == 0 ? TEXT("") : joint);
        end = part->data + part->size;
    }
    if (spans) {
        const size_t begin = (size_t)(first->data - doc->data);
        return str_span(in, doc, begin, (size_t)(end - doc->data));
    }
    for (uint32_t i = 0; i < parts->count; i++) {
        if (i > 0)
            str_builder_add(&b, joint);
        str_builder_add(&b, str_text(parts->items[i].as.str));
    }
    return str_builder_str(&b);
}

/* Spans of the document, packed into pieces. */
struct packing {
    struct interp *in;
    struct str *doc;
    struct list *out;
    int64_t size_max;  /* code points */
    int64_t overlap;   /* sentences */
    struct text joint; /* between two parts of a piece */
    struct list *parts;
    int64_t length; /* of the parts, joints included */
};

static bool flush(struct packing *p)
{
    if (p->parts->count == 0)
        return true;
    struct str *piece = chunk_join(p->in, p->doc, p->parts, p->joint);
    return piece && list_push(p->in, p->out, value_str(piece));
}

/* Starts the next piece with the last `keep` parts of the one before. */
static bool restart(struct packing *p, uint32_t keep)
{
    const uint32_t count = p->parts->count;
    struct list *parts = list_slice(p->in, p->parts, count - keep, keep);
    if (!parts)
        return false;
    p->parts = parts;
    p->length = 0;
    for (uint32_t i = 0; i < keep; i++)
        p->length +=
            (int64_t)parts->items[i].as.str->length + (i > 0 ? (int64_t)p->joint.size : 0);
    return true;
}

static bool add_part(struct packing *p, struct str *part)
{
    const int64_t joint = p->parts->count > 0 ? (int64_t)p->joint.size : 0;
    p->length += joint + (int64_t)part->length;
    return interp_charge(p->in, 1) && list_push(p->in, p->parts, value_str(part));
}

static bool is_space(const struct str *str, size_t at)
{
    return unicode_is(str_next(str, &at), UNICODE_SPACE);
}

/* Sentences: cut at white space after . ! or ?. */
static struct list *sentences_of(struct interp *in, struct str *text)
{
    struct list *list = list_new(in, 0);
    size_t begin = 0;
    if (!list || !interp_charge(in, text->size / 16))
        return NULL;
    for (size_t at = 1; at < text->size; at++) {
        const char before = text->data[at - 1];
        if ((before != '.' && before != '!' && before != '?') || !is_space(text, at))
            continue;
        if (!push_span(in, list, text, begin, at))
            return NULL;
        while (at < text->size && is_space(text, at))
            str_next(text, &at);
        begin = at;
    }
    return push_span(in, list, text, begin, text->size) ? list : NULL;
}

static bool pack_sentences(struct packing *outer, struct str *paragraph)
{
    struct interp *in = outer->in;
    struct packing p = *outer;
    const struct list *sentences = sentences_of(in, paragraph);
    p.joint = TEXT(" ");
    p.parts = sentences ? list_new(in, 0) : NULL;
    p.length = 0;
    for (uint32_t i = 0; p.parts && i < sentences->count; i++) {
        struct str *sentence = sentences->items[i].as.str;
        const int64_t joint = p.parts->count > 0;
        if (p.length + joint + (int64_t)sentence->length > p.size_max && p.parts->count > 0) {
            const uint32_t count = p.parts->count;
            const uint32_t keep = p.overlap < count ? (uint32_t)p.overlap : count;
            if (!flush(&p) || !restart(&p, keep))
                return false;
        }
        if (!add_part(&p, sentence))
            return false;
    }
    return p.parts && flush(&p);
}

/* The last sentences of the paragraph before begin the next piece. */
static bool overlap_paragraph(struct packing *p)
{
    struct str *last = p->parts->items[p->parts->count - 1].as.str;
    const struct list *sentences = sentences_of(p->in, last);
    if (!sentences)
        return false;
    const uint32_t count = sentences->count;
    const uint32_t keep = p->overlap < count ? (uint32_t)p->overlap : count;
    const struct list *tail = list_slice(p->in, sentences, count - keep, keep);
    struct str *overlap = tail ? chunk_join(p->in, p->doc, tail, TEXT(" ")) : NULL;
    return overlap && restart(p, 0) && add_part(p, overlap);
}

static bool pack_paragraph(struct packing *p, struct str *paragraph)
{
    const int64_t length = (int64_t)paragraph->length;
    if (length > p->size_max)
        return flush(p) && restart(p, 0) && pack_sentences(p, paragraph);
    const int64_t joint = p->parts->count > 0 ? (int64_t)p->joint.size : 0;
    if (p->length + joint + length > p->size_max && p->parts->count > 0) {
        if (!flush(p) || !(p->overlap > 0 ? overlap_paragraph(p) : restart(p, 0)))
            return false;
    }
    return add_part(p, paragraph);
}

/* The end of the blank lines that begin at a line feed: past the last line feed of the white
 * space behind it; 0 when there is no second one. */
static size_t blank_end(const struct str *doc, size_t at)
{
    size_t end = 0;
    for (size_t next = at + 1; next < doc->size && is_space(doc, next);) {
        const bool feed = doc->data[next] == '\n';
        str_next(doc, &next);
        if (feed)
            end = next;
    }
    return end;
}

static bool pack_trimmed(struct packing *p, size_t begin, size_t end)
{
    while (begin < end && is_space(p->doc, begin))
        str_next(p->doc, &begin);
    size_t last = begin; /* past the last character that is no space */
    for (size_t at = begin; at < end;) {
        const bool space = is_space(p->doc, at);
        str_next(p->doc, &at);
        if (!space)
            last = at;
    }
    if (last == begin)
        return true;
    struct str *paragraph = str_span(p->in, p->doc, begin, last);
    return paragraph && pack_paragraph(p, paragraph);
}

static bool by_paragraph(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {
        "chunk_by_paragraph", 1, 3, {"doc", "max_chunk_size", "overlap_sentences"}, {NULL}};
    struct value values[3];
    struct packing p = {.in = in, .size_max = 1500, .joint = {"\n\n", 2}};
    p.out = list_new(in, 0);
    p.parts = p.out ? list_new(in, 0) : NULL;
    if (!p.parts || !args_bind(in, &SPEC, args, values) ||
        !args_str(in, values[0], "chunk_by_paragraph() doc", &p.doc) ||
        !args_int(in, values[1], &p.size_max) || !args_int(in, values[2], &p.overlap) ||
        !interp_charge(in, p.doc->size / 8))
        return false;
    if (p.overlap < 0)
        return exception_raise(in, &exception_value, "overlap_sentences must not be negative");
    size_t begin = 0;
    for (size_t at = 0; at < p.doc->size; at++) {
        const size_t end = p.doc->data[at] == '\n' ? blank_end(p.doc, at) : 0;
        if (end == 0)
            continue;
        if (!pack_trimmed(&p, begin, at))
            return false;
        begin = end;
        at = end - 1;
    }
    *out = value_list(p.out);
    return pack_trimmed(&p, begin, p.doc->size) && flush(&p);
}

const struct modules_member chunk_table[] = {
    {.name = "chunk_by_section", .call = by_section},
    {.name = "chunk_by_page", .call = by_page},
    {.name = "chunk_by_paragraph", .call = by_paragraph},
    {.name = NULL},
};

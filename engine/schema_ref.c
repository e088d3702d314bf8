/*
 * schema_ref - see schema_ref.h.
 *
 * A document whose only $id stands at its root needs no search: its references are pointers
 * from there. Otherwise the document is walked with the base URI that holds at each schema,
 * once for the base of the schema that refers and once for the target.
 */
#include "engine/schema_ref.h"

#include <string.h>

enum { URI_MAX = 400 };

struct uri {
    char data[URI_MAX];
    size_t size;
};

/* A walk over all schemas of a document, for one of several things. */
struct walk {
    const struct schema_document *document;
    const struct json *inside; /* wanted: the base at this schema */
    struct uri base;           /* what was found, or is wanted */
    const struct json *resource;
    struct text name; /* wanted: the schema of this name in the resource of that base */
    bool by_name;
    const struct json *found;
};

static struct text uri_text(const struct uri *uri)
{
    return (struct text){uri->data, uri->size};
}

static void uri_add(struct uri *uri, struct text text)
{
    const size_t room = URI_MAX - uri->size;
    const size_t size = text.size < room ? text.size : room;
    memcpy(uri->data + uri->size, text.data, size);
    uri->size += size;
}

/* Where the path of a URI begins: after scheme and authority. */
static size_t path_begin(struct text uri)
{
    const size_t authority = text_find(uri, TEXT("://"), 0);
    const size_t slash = authority == SIZE_MAX ? 0 : text_find(uri, TEXT("/"), authority + 3);
    return slash == SIZE_MAX ? uri.size : slash;
}

static bool has_scheme(struct text uri)
{
    const size_t colon = text_find(uri, TEXT(":"), 0);
    const size_t slash = text_find(uri, TEXT("/"), 0);
    return colon != SIZE_MAX && (slash == SIZE_MAX || colon < slash);
}

/* RFC 3986, section 5.2, without the dots of paths: reference seen from base. */
static struct uri uri_join(const struct uri *base, struct text reference)
{
    struct uri joined = {.size = 0};
    const struct text from = uri_text(base);
    const size_t hash = text_find(reference, TEXT("#"), 0);
    reference = text_slice(reference, 0, hash);
    if (reference.size == 0)
        return *base;
    size_t keep = 0;
    if (!has_scheme(reference)) {
        keep = path_begin(from);
        if (!text_starts(reference, TEXT("/")))
            for (size_t i = keep; i < from.size; i++)
                keep = from.data[i] == '/' ? i + 1 : keep;
    }
    uri_add(&joined, text_slice(from, 0, keep));
    if (keep > 0 && joined.data[keep - 1] != '/' && !text_starts(reference, TEXT("/")))
        uri_add(&joined, TEXT("/"));
    uri_add(&joined, reference);
    return joined;
}

/* The $id of a schema that may have one. */
static struct text id_of(const struct schema_document *document, const struct json *schema)
{
    struct text id = TEXT("");
    if (document->ref_alone && json_get(schema, "$ref"))
        return id;
    if (!json_text(json_get(schema, "$id"), &id) && document->old)
        json_text(json_get(schema, "id"), &id);
    return id;
}

static bool has_name(const struct schema_document *document, const struct json *schema,
                     struct text name)
{
    struct text own;
    if ((json_text(json_get(schema, "$anchor"), &own) ||
         json_text(json_get(schema, "$dynamicAnchor"), &own)) &&
        text_equal(own, name))
        return true;
    own = id_of(document, schema);
    return text_starts(own, TEXT("#")) && text_equal(text_slice(own, 1, own.size), name);
}

/* Values that only look like schemas. */
static bool is_data(const struct json *member)
{
    static const char *const keys[] = {"enum", "const", "default", "examples"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (text_equal(json_key(member), text_of(keys[i])))
            return true;
    return false;
}

static bool visit(struct walk *walk, const struct json *at, struct uri base,
                  const struct json *resource)
{
    const bool named = json_type(at) == JSON_OBJECT;
    if (named) {
        const struct text id = id_of(walk->document, at);
        if (id.size > 0 && !text_starts(id, TEXT("#"))) {
            base = uri_join(&base, id);
            resource = at;
        }
        const bool is_resource = resource == at;
        const bool here = text_equal(uri_text(&base), uri_text(&walk->base));
        if (walk->inside ? at == walk->inside
                         : here && (walk->by_name ? has_name(walk->document, at, walk->name)
                                                  : is_resource)) {
            walk->found = at;
            walk->base = base;
            walk->resource = resource;
            return true;
        }
    }
    for (const struct json *child = json_first(at); child; child = json_next(child))
        if (!(named && is_data(child)) && visit(walk, child, base, resource))
            return true;
    return false;
}

static bool walk_all(struct walk *walk)
{
    return visit(walk, walk->document->root, (struct uri){.size = 0}, walk->document->root);
}

/* One step of a JSON pointer: ~0, ~1 and %XX undone. */
static bool read_step(struct text step, char *out, size_t room)
{
    size_t size = 0;
    for (size_t i = 0; i < step.size; i++) {
        char c = step.data[i];
        if (size + 1 >= room)
            return false;
        if (c == '%' && i + 2 < step.size) {
            static const char digits[] = "0123456789abcdef";
            const char *high = memchr(digits, step.data[i + 1] | 0x20, 16);
            const char *low = memchr(digits, step.data[i + 2] | 0x20, 16);
            if (!high || !low)
                return false;
            c = (char)((high - digits) * 16 + (low - digits));
            i += 2;
        } else if (c == '~' && i + 1 < step.size) {
            c = step.data[++i] == '1' ? '/' : '~';
        }
        out[size++] = c;
    }
    out[size] = '\0';
    return true;
}

static const struct json *child_of(const struct json *value, const char *name)
{
    if (json_type(value) == JSON_OBJECT)
        return json_get(value, name);
    size_t index = 0;
    for (const char *digit = name; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || index > 100000)
            return NULL;
        index = index * 10 + (size_t)(*digit - '0');
    }
    const struct json *child = json_first(value);
    while (child && index-- > 0)
        child = json_next(child);
    return child;
}

static const struct json *follow(const struct json *at, struct text pointer)
{
    char name[256];
    for (size_t from = 0; at && from < pointer.size;) {
        if (pointer.data[from] != '/')
            return NULL;
        size_t end = text_find(pointer, TEXT("/"), from + 1);
        end = end > pointer.size ? pointer.size : end;
        if (!read_step(text_slice(pointer, from + 1, end), name, sizeof name))
            return NULL;
        at = child_of(at, name);
        from = end;
    }
    return at;
}

static bool has_inner_id(const struct schema_document *document, const struct json *at)
{
    const bool named = json_type(at) == JSON_OBJECT;
    const struct text id = named ? id_of(document, at) : TEXT("");
    if (at != document->root && id.size > 0 && !text_starts(id, TEXT("#")))
        return true;
    for (const struct json *child = json_first(at); child; child = json_next(child))
        if (!(named && is_data(child)) && has_inner_id(document, child))
            return true;
    return false;
}

static uint64_t count_values(const struct json *at)
{
    uint64_t count = 1;
    for (const struct json *child = json_first(at); child; child = json_next(child))
        count += count_values(child);
    return count;
}

static bool has_member(const struct json *at, const char *key)
{
    bool has = json_type(at) == JSON_OBJECT && json_get(at, key);
    for (const struct json *child = json_first(at); child && !has; child = json_next(child))
        has = has_member(child, key);
    return has;
}

struct schema_document schema_ref_document(const struct json *root)
{
    struct text dialect = TEXT("");
    json_text(json_get(root, "$schema"), &dialect);
    struct schema_document document = {
        .root = root,
        .ref_alone = text_find(dialect, TEXT("draft-0"), 0) != SIZE_MAX,
        .old = text_find(dialect, TEXT("draft-03"), 0) != SIZE_MAX ||
               text_find(dialect, TEXT("draft-04"), 0) != SIZE_MAX};
    document.inner_ids = has_inner_id(&document, root);
    document.size = count_values(root);
    document.evaluates =
        has_member(root, "unevaluatedProperties") || has_member(root, "unevaluatedItems");
    return document;
}

const struct json *schema_ref_find(const struct schema_document *document,
                                   const struct json *from, struct text ref)
{
    size_t hash = text_find(ref, TEXT("#"), 0);
    hash = hash > ref.size ? ref.size : hash;
    const struct text name = text_slice(ref, hash + 1, ref.size);
    const bool by_name = name.size > 0 && name.data[0] != '/';
    struct walk walk = {.document = document, .inside = from, .resource = document->root};
    if (hash == 0 && !by_name && !document->inner_ids)
        return follow(document->root, name);
    if (!walk_all(&walk) && hash > 0)
        return NULL;
    walk.inside = NULL;
    if (hash > 0)
        walk.base = uri_join(&walk.base, text_slice(ref, 0, hash));
    walk.name = name;
    walk.by_name = by_name;
    if ((hash > 0 || by_name) && !walk_all(&walk))
        return NULL;
    return by_name ? walk.found : follow(walk.resource, name);
}

static uint32_t count_dynamic(const struct json *at, struct text name)
{
    struct text own;
    const bool named = json_type(at) == JSON_OBJECT;
    uint32_t count =
        named && json_text(json_get(at, "$dynamicAnchor"), &own) && text_equal(own, name);
    for (const struct json *child = json_first(at); child; child = json_next(child))
        if (!(named && is_data(child)))
            count += count_dynamic(child, name);
    return count;
}

uint32_t schema_ref_dynamic_count(const struct schema_document *document, struct text name)
{
    return count_dynamic(document->root, name);
}

enum status schema_ref_charge(const struct schema_document *document, uint64_t work,
                              struct error *err)
{
    if (*document->work < work)
        FAIL(err, ERR_LIMIT, "schema: compiling it takes too long");
    *document->work -= work;
    return OK;
}

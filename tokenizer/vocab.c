/* vocab - see vocab.h. */
#include "tokenizer/vocab.h"

#include <string.h>

/* GPT-2's byte alphabet: printable Latin-1 characters spell themselves, the other bytes get
 * the code points from U+0100 on, in order. */
enum { SPELLED_FIRST = 0x100, SPELLED_COUNT = 68, SPACE_MARK_BYTES = 3 };

bool vocab_spells_itself(uint32_t code_point)
{
    return (code_point >= 0x21 && code_point <= 0x7e) ||
           (code_point >= 0xa1 && code_point <= 0xac) ||
           (code_point >= 0xae && code_point <= 0xff);
}

/* The byte that a code point spells, -1 for none. moved: the bytes that do not spell
 * themselves, in order. */
static int spelled_byte(uint32_t code_point, const uint8_t moved[SPELLED_COUNT])
{
    if (code_point >= SPELLED_FIRST && code_point < SPELLED_FIRST + SPELLED_COUNT)
        return moved[code_point - SPELLED_FIRST];
    return vocab_spells_itself(code_point) ? (int)code_point : -1;
}

/* Writes the bytes of a byte-level spelling to out, which has room for piece.size. A character
 * outside of the alphabet stands for itself. */
static size_t from_byte_level(struct text piece, const uint8_t *moved, char *out)
{
    size_t size = 0, at = 0;
    while (at < piece.size) {
        const size_t begin = at;
        const int byte = spelled_byte(text_utf8_next(piece, &at), moved);
        if (byte >= 0) {
            out[size++] = (char)byte;
            continue;
        }
        memcpy(out + size, piece.data + begin, at - begin);
        size += at - begin;
    }
    return size;
}

/* The same for SentencePiece: U+2581 is a space. */
static size_t from_space_mark(struct text piece, char *out)
{
    size_t size = 0;
    for (size_t at = 0; at < piece.size;) {
        const struct text rest = text_slice(piece, at, piece.size);
        const bool mark = text_starts(rest, TEXT("\xe2\x96\x81"));
        out[size++] = mark ? ' ' : piece.data[at];
        at += mark ? SPACE_MARK_BYTES : 1;
    }
    return size;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* <0x0A> */
static bool byte_piece(struct text piece, char *byte)
{
    if (piece.size != 6 || !text_starts(piece, TEXT("<0x")) || piece.data[5] != '>')
        return false;
    const int high = hex_digit(piece.data[3]), low = hex_digit(piece.data[4]);
    if (high < 0 || low < 0)
        return false;
    *byte = (char)(high * 16 + low);
    return true;
}

/* What a slot says of its key. */
struct key_mark {
    uint64_t head;
    uint32_t hash;
};

static uint64_t load_8(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint32_t load_4(const char *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* The first bytes of a key, as one number, which with its size tells one of up to
 * VOCAB_HEAD_BYTES from all others; read in as few loads as cover it, which overlap. */
static uint64_t head_of(struct text key)
{
    const uint8_t *bytes = (const uint8_t *)key.data;
    if (key.size >= VOCAB_HEAD_BYTES)
        return load_8(key.data);
    if (key.size >= 4)
        return (uint64_t)load_4(key.data + key.size - 4) << 32 | load_4(key.data);
    if (key.size == 0)
        return 0;
    return (uint32_t)bytes[0] | (uint32_t)bytes[key.size / 2] << 8 |
           (uint32_t)bytes[key.size - 1] << 16;
}

static struct key_mark mark_of(struct text key)
{
    const uint64_t prime = 0x9fb21c651e98df25u, head = head_of(key);
    uint64_t hash = (head ^ key.size) * prime;
    for (size_t at = VOCAB_HEAD_BYTES; at < key.size; at += VOCAB_HEAD_BYTES) {
        const size_t end = at + VOCAB_HEAD_BYTES < key.size ? at + VOCAB_HEAD_BYTES : key.size;
        hash = (hash ^ hash >> 32 ^ load_8(key.data + end - VOCAB_HEAD_BYTES)) * prime;
    }
    return (struct key_mark){head, (uint32_t)(hash ^ hash >> 32)};
}

static bool index_init(struct vocab_index *index, uint32_t count, const struct text *keys,
                       struct arena *arena)
{
    uint32_t size = 16;
    while (size / 2 < count)
        size *= 2;
    *index = (struct vocab_index){.keys = keys, .mask = size - 1};
    index->slots = ARENA_NEW(arena, struct vocab_slot, size);
    return index->slots;
}

/* A size as far as a slot tells it; all that is said of it is told by those up to 8. */
static uint32_t size_part(size_t size)
{
    const uint32_t most = UINT32_MAX >> VOCAB_ID_BITS;
    return (size < most ? (uint32_t)size : most) << VOCAB_ID_BITS;
}

/* The slot of a key, or the free one where it would be. */
static uint32_t find_slot(const struct vocab_index *index, struct text key,
                          struct key_mark mark)
{
    const uint32_t id_mask = (1u << VOCAB_ID_BITS) - 1, size = size_part(key.size);
    uint32_t at = mark.hash & index->mask;
    for (; index->slots[at].id_and_size != 0; at = (at + 1) & index->mask) {
        const struct vocab_slot *slot = &index->slots[at];
        if (slot->hash != mark.hash || slot->head != mark.head ||
            (slot->id_and_size & ~id_mask) != size)
            continue;
        if (key.size <= VOCAB_HEAD_BYTES ||
            text_equal(index->keys[(slot->id_and_size & id_mask) - 1], key))
            break;
    }
    return at;
}

static void index_put(struct vocab_index *index, token_id id)
{
    const struct text key = index->keys[id];
    const struct key_mark mark = mark_of(key);
    struct vocab_slot *slot = &index->slots[find_slot(index, key, mark)];
    if (slot->id_and_size == 0)
        *slot =
            (struct vocab_slot){mark.hash, size_part(key.size) | ((uint32_t)id + 1), mark.head};
}

/* What piece id stands for. */
static enum status piece_bytes(struct vocab *vocab, token_id id, const uint8_t *moved,
                               struct arena *arena, struct error *err)
{
    const struct text piece = vocab->pieces[id];
    const uint8_t kind = vocab->kinds[id];
    char *out = ARENA_NEW(arena, char, piece.size);
    if (!out)
        FAIL(err, ERR_MEMORY, "tokenizer: no room for piece %d", id);
    size_t size = 0;
    if (kind == TOKENIZER_BYTE) {
        if (!byte_piece(piece, out))
            FAIL(err, ERR_FORMAT, "tokenizer: piece %d, %.*s, is a byte and not <0xNN>", id,
                 TEXT_ARG(piece));
        size = 1;
        vocab->byte_ids[(uint8_t)out[0]] = id;
    } else if (kind == TOKENIZER_USER_DEFINED && vocab->byte_level &&
               !vocab_is_plain(vocab, id)) {
        if (piece.size > 0)
            memcpy(out, piece.data, piece.size);
        size = piece.size;
    } else if (kind == TOKENIZER_NORMAL || kind == TOKENIZER_UNUSED ||
               kind == TOKENIZER_USER_DEFINED) {
        size = vocab->byte_level ? from_byte_level(piece, moved, out)
                                 : from_space_mark(piece, out);
    }
    vocab->bytes[id] = (struct text){out, size};
    if (!vocab_is_plain(vocab, id))
        return OK;
    const struct text key = vocab->plain.keys[id];
    if (key.size > vocab->plain_max)
        vocab->plain_max = key.size;
    if (vocab->byte_level && size == 1 && vocab->byte_ids[(uint8_t)out[0]] == TOKEN_NONE)
        vocab->byte_ids[(uint8_t)out[0]] = id;
    return OK;
}

/* Copies spelling, kind and score of every piece. */
static enum status copy_pieces(struct vocab *vocab, const struct tokenizer_source *source,
                               struct arena *arena, struct error *err)
{
    for (uint32_t i = 0; i < source->piece_count; i++) {
        const int32_t kind = source->kinds ? source->kinds[i] : TOKENIZER_NORMAL;
        if (kind < TOKENIZER_NORMAL || kind > TOKENIZER_BYTE)
            FAIL(err, ERR_FORMAT, "tokenizer: piece %u is of kind %d, known are 1 to 6", i,
                 kind);
        if (source->pieces[i].size > VOCAB_PIECE_BYTES_MAX)
            FAIL(err, ERR_LIMIT, "tokenizer: piece %u has %zu bytes, the limit is %d", i,
                 source->pieces[i].size, VOCAB_PIECE_BYTES_MAX);
        vocab->kinds[i] = (uint8_t)kind;
        vocab->flags[i] = source->flags ? source->flags[i] : 0;
        if (vocab->scores)
            vocab->scores[i] = source->scores[i];
        vocab->pieces[i] = text_copy(source->pieces[i], arena);
        if (!vocab->pieces[i].data)
            FAIL(err, ERR_MEMORY, "tokenizer: no room for piece %u", i);
    }
    return OK;
}

enum status vocab_init(struct vocab *vocab, const struct tokenizer_source *source,
                       struct arena *arena, struct error *err)
{
    const uint32_t count = source->piece_count;
    uint8_t moved[SPELLED_COUNT];
    uint32_t moved_count = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        if (!vocab_spells_itself(byte))
            moved[moved_count++] = (uint8_t)byte;
    }
    if (count == 0 || count > TOKENIZER_PIECES_MAX)
        FAIL(err, ERR_LIMIT, "tokenizer: %u pieces, taken are 1 to %d", count,
             TOKENIZER_PIECES_MAX);
    *vocab = (struct vocab){.count = count,
                            .byte_level = text_equal(source->model, TEXT("gpt2")),
                            .spells_special = text_equal(source->model, TEXT("bpe")) ||
                                              text_equal(source->model, TEXT("unigram"))};
    for (uint32_t byte = 0; byte < 256; byte++)
        vocab->byte_ids[byte] = TOKEN_NONE;
    vocab->pieces = ARENA_NEW(arena, struct text, count);
    vocab->bytes = ARENA_NEW(arena, struct text, count);
    vocab->kinds = ARENA_NEW(arena, uint8_t, count);
    vocab->flags = ARENA_NEW(arena, uint8_t, count);
    if (source->scores)
        vocab->scores = ARENA_NEW(arena, float, count);
    if (!vocab->pieces || !vocab->bytes || !vocab->kinds || !vocab->flags ||
        (source->scores && !vocab->scores) ||
        !index_init(&vocab->spelled, count, vocab->pieces, arena) ||
        !index_init(&vocab->plain, count, vocab->byte_level ? vocab->bytes : vocab->pieces,
                    arena))
        FAIL(err, ERR_MEMORY, "tokenizer: no room for %u pieces", count);
    TRY(copy_pieces(vocab, source, arena, err));
    for (uint32_t i = 0; i < count; i++) {
        const token_id id = (token_id)i;
        TRY(piece_bytes(vocab, id, moved, arena, err));
        if (vocab->pieces[i].size > 0)
            index_put(&vocab->spelled, id);
        if (vocab_is_plain(vocab, id) && vocab->plain.keys[i].size > 0)
            index_put(&vocab->plain, id);
    }
    return OK;
}

bool vocab_is_plain(const struct vocab *vocab, token_id id)
{
    return vocab->kinds[id] == TOKENIZER_NORMAL ||
           (vocab->kinds[id] == TOKENIZER_USER_DEFINED &&
            (vocab->flags[id] & TOKENIZER_IN_MODEL));
}

token_id vocab_find(const struct vocab_index *index, struct text key)
{
    const uint32_t id_mask = (1u << VOCAB_ID_BITS) - 1;
    const struct vocab_slot *slot = &index->slots[find_slot(index, key, mark_of(key))];
    return slot->id_and_size == 0 ? TOKEN_NONE : (token_id)((slot->id_and_size & id_mask) - 1);
}

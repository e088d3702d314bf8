/* kbench_case - see kbench_case.h: memory, random numbers, and the comparison with the twin. */
#include "tools/kbench_case.h"

#include "base/checked.h"
#include "kernels/half.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KV_HEADS_SMALL = 2,
    HIDDEN_SMALL = 256,
    FFN_SMALL = 512, /* whole blocks of K-quants */
    VOCAB_SMALL = 2048,
    CONTEXT = 1024,
    CONTEXT_SMALL = 72,
    CHUNK_TOKENS = 800,
    JOB_TOKENS = 250,
    JOB_TOKENS_SMALL = 21,
    CHUNKS_SMALL = 3
};

#define SCALE_OF_BLOCKS 0.01F

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t kbench_case_random(struct kbench_case *c)
{
    return (uint32_t)(random_next(&c->seed) >> 32);
}

static float uniform_of(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-23F - 1.0F;
}

/* ---- sizes ---- */

static struct kbench_dims dims_of(const struct kbench_args_shape *shape)
{
    const struct model_config *config = shape->config;
    return (struct kbench_dims){.hidden = config->hidden,
                                .ffn = config->ffn,
                                .heads = config->heads,
                                .kv_heads = config->kv_heads,
                                .head_dim = config->head_dim,
                                .vocab = config->vocab,
                                .chunks = shape->chunks,
                                .jobs = shape->jobs,
                                .context =
                                    shape->chunks > 0 ? CHUNK_TOKENS + JOB_TOKENS : CONTEXT,
                                .shared = shape->chunks > 0 ? CHUNK_TOKENS : 0,
                                .is_interleaved = config->rope_interleaved};
}

static void clip(int32_t *value, int32_t most)
{
    if (*value > most)
        *value = most;
}

/* What the emulator can do in a second. A chunk fills one split, or nothing would be shared. */
static void make_small(struct kbench_dims *dims, int32_t split)
{
    const int32_t group = dims->heads / dims->kv_heads;
    clip(&dims->kv_heads, KV_HEADS_SMALL);
    dims->heads = group * dims->kv_heads;
    clip(&dims->hidden, HIDDEN_SMALL);
    clip(&dims->ffn, FFN_SMALL);
    clip(&dims->vocab, VOCAB_SMALL);
    clip(&dims->chunks, CHUNKS_SMALL);
    clip(&dims->context, dims->shared > 0 ? split + JOB_TOKENS_SMALL : CONTEXT_SMALL);
    clip(&dims->shared, split);
}

/* ---- memory ---- */

void *kbench_case_add(struct kbench_case *c, size_t bytes, enum kbench_output output)
{
    assert(c->buffer_count < KBENCH_BUFFERS_MAX);
    struct kbench_buffer *buffer = &c->buffers[c->buffer_count++];
    *buffer = (struct kbench_buffer){.bytes = bytes > 0 ? bytes : 1, .output = output};
    buffer->host = device_alloc(c->host, buffer->bytes);
    return buffer->host;
}

float *kbench_case_floats(struct kbench_case *c, size_t count, enum kbench_output output)
{
    float *floats = kbench_case_add(c, count * sizeof(float), output);
    for (size_t i = 0; floats && i < count; i++)
        floats[i] = uniform_of(kbench_case_random(c));
    return floats;
}

void *kbench_case_at(const struct kbench_case *c, int32_t index, int32_t set)
{
    assert(index >= 0 && index < c->buffer_count && set < c->set_count);
    return set == KBENCH_HOST ? c->buffers[index].host : c->buffers[index].sets[set];
}

const struct weight *kbench_case_weight(const struct kbench_case *c, int32_t index, int32_t set)
{
    assert(index >= 0 && index < c->weight_count && set < c->set_count);
    return set == KBENCH_HOST ? &c->weights[index].host : &c->weights[index].sets[set];
}

static bool is_held_to_cpu(const struct kbench_case *c)
{
    return c->kernel->has_cpu_bits && device_kind(c->device) != DEVICE_CPU;
}

const struct ops *kbench_case_ops(const struct kbench_case *c, int32_t set)
{
    if (set != KBENCH_HOST)
        return c->ops;
    return is_held_to_cpu(c) ? ops_cpu() : ops_ref();
}

double kbench_case_tolerance(const struct kbench_case *c)
{
    return is_held_to_cpu(c) ? 0 : c->kernel->tolerance;
}

struct device *kbench_case_device(const struct kbench_case *c, int32_t set)
{
    return set == KBENCH_HOST ? c->host : c->device;
}

/* Where the halves stand in a block that scale its numbers. */
struct scales {
    enum weight_type type;
    uint32_t count, first;
};

static void set_scales(enum weight_type type, uint8_t *block)
{
    static const struct scales SCALES[] = {
        {WEIGHT_Q4_0, 1, 0}, {WEIGHT_Q4_1, 2, 0},   {WEIGHT_Q5_0, 1, 0},
        {WEIGHT_Q5_1, 2, 0}, {WEIGHT_Q8_0, 1, 0},   {WEIGHT_Q4_K, 2, 0},
        {WEIGHT_Q5_K, 2, 0}, {WEIGHT_Q6_K, 1, 208}, {WEIGHT_IQ4_NL, 1, 0},
    };
    const uint16_t half = half_from_float(SCALE_OF_BLOCKS);
    for (size_t i = 0; i < sizeof SCALES / sizeof SCALES[0]; i++)
        for (uint32_t s = 0; SCALES[i].type == type && s < SCALES[i].count; s++)
            memcpy(block + SCALES[i].first + s * sizeof half, &half, sizeof half);
}

/* Random blocks; of types without blocks, random numbers. */
static void fill_matrix(struct kbench_case *c, enum weight_type type, uint8_t *data,
                        size_t bytes)
{
    uint32_t elems, size;
    const bool is_known = weight_type_layout(type, &elems, &size);
    assert(is_known);
    for (size_t at = 0; at + size <= bytes; at += size) {
        const float number = 0.05F * uniform_of(kbench_case_random(c));
        const uint16_t half = type == WEIGHT_F16 ? half_from_float(number)
                                                 : (uint16_t)(half_float_bits(number) >> 16);
        if (type == WEIGHT_F32)
            memcpy(data + at, &number, sizeof number);
        else if (type == WEIGHT_F16 || type == WEIGHT_BF16)
            memcpy(data + at, &half, sizeof half);
        else
            for (uint32_t i = 0; i < size; i++)
                data[at + i] = (uint8_t)kbench_case_random(c);
        set_scales(type, data + at);
    }
}

enum status kbench_case_matrix(struct kbench_case *c, int32_t out_dim, int32_t in_dim,
                               enum weight_type type, enum weight_form form, struct error *err)
{
    assert(c->weight_count < KBENCH_WEIGHTS_MAX);
    struct kbench_weight *weight = &c->weights[c->weight_count];
    uint32_t elems, size;
    if (!weight_type_layout(type, &elems, &size) || in_dim % (int32_t)elems != 0)
        FAIL(err, ERR_LIMIT, "%s: rows of %d are no whole blocks of %s", c->kernel->name,
             in_dim, weight_type_name(type));
    const size_t bytes = (size_t)out_dim * ((size_t)in_dim / elems) * size;
    uint8_t *data = malloc(bytes);
    if (!data)
        FAIL(err, ERR_MEMORY, "%s: no room for %zu bytes", c->kernel->name, bytes);
    fill_matrix(c, type, data, bytes);
    *weight = (struct kbench_weight){.form = form, .bytes = bytes};
    weight->source = (struct weight_source){c->kernel->name, type, out_dim, in_dim, data};
    c->weight_count++;
    if (!c->is_check)
        return OK; /* the twin will not run */
    return weight_prepare(c->host, &weight->source, form, &weight->host, err);
}

static int32_t stride_of(int32_t cols)
{
    return (cols + 63) / 64 * 64;
}

enum status kbench_case_activation(struct kbench_case *c, int32_t cols, uint32_t forms,
                                   bool fill, struct error *err)
{
    const size_t rows = (size_t)c->m, stride = (size_t)stride_of(cols);
    const enum kbench_output bytes = fill ? KBENCH_NO_OUTPUT : KBENCH_OUT_BYTES;
    const enum kbench_output floats = fill ? KBENCH_NO_OUTPUT : KBENCH_OUT_F32;
    const int32_t first = c->buffer_count;
    const bool has_f32 = (forms & ACTIVATION_F32) != 0, has_q8 = (forms & ACTIVATION_INT8) != 0;
    if (!kbench_case_add(c, has_f32 ? rows * (size_t)cols * sizeof(float) : 0,
                         has_f32 ? floats : KBENCH_NO_OUTPUT) ||
        !kbench_case_add(c, has_q8 ? rows * stride : 0, has_q8 ? bytes : KBENCH_NO_OUTPUT) ||
        !kbench_case_add(c, has_q8 ? rows * sizeof(float) : 0,
                         has_q8 ? floats : KBENCH_NO_OUTPUT))
        FAIL(err, ERR_MEMORY, "%s: no room for %d rows of %d", c->kernel->name, c->m, cols);
    if (!fill)
        return OK;
    float *row = malloc((size_t)cols * sizeof *row);
    if (!row)
        FAIL(err, ERR_MEMORY, "%s: no room for a row of %d", c->kernel->name, cols);
    const struct activation host = kbench_case_view(c, first, cols, forms, KBENCH_HOST);
    for (int32_t r = 0; r < c->m; r++) {
        for (int32_t i = 0; i < cols; i++)
            row[i] = uniform_of(kbench_case_random(c));
        if (has_f32)
            memcpy(host.f32 + (int64_t)r * cols, row, (size_t)cols * sizeof *row);
        if (has_q8)
            activation_quantize(&host, r, row);
    }
    free(row);
    return OK;
}

struct activation kbench_case_view(const struct kbench_case *c, int32_t first, int32_t cols,
                                   uint32_t forms, int32_t set)
{
    return (struct activation){.forms = forms,
                               .cols = cols,
                               .f32 = kbench_case_at(c, first, set),
                               .q8 = kbench_case_at(c, first + 1, set),
                               .scales = kbench_case_at(c, first + 2, set),
                               .stride = stride_of(cols)};
}

/* ---- sets ---- */

static size_t set_size(const struct kbench_case *c)
{
    size_t bytes = 0;
    for (int32_t i = 0; i < c->buffer_count; i++)
        bytes += c->buffers[i].bytes;
    for (int32_t i = 0; i < c->weight_count; i++)
        bytes += c->weights[i].bytes;
    return bytes;
}

static enum status make_set(struct kbench_case *c, int32_t set, struct error *err)
{
    for (int32_t i = 0; i < c->buffer_count; i++) {
        struct kbench_buffer *buffer = &c->buffers[i];
        buffer->sets[set] = device_alloc(c->device, buffer->bytes);
        if (!buffer->sets[set])
            FAIL(err, ERR_MEMORY, "%s: no room for %zu bytes on the device", c->kernel->name,
                 buffer->bytes);
        TRY(device_upload(c->device, buffer->sets[set], buffer->host, buffer->bytes));
    }
    for (int32_t i = 0; i < c->weight_count; i++) {
        struct kbench_weight *weight = &c->weights[i];
        TRY(weight_prepare(c->device, &weight->source, weight->form, &weight->sets[set], err));
    }
    return OK;
}

static enum status open_all(struct kbench_case *c, size_t set_bytes, struct error *err)
{
    TRY(c->kernel->open(c, err));
    const size_t each = set_size(c);
    const size_t wanted = set_bytes / (each > 0 ? each : 1) + 1;
    const int32_t count = wanted < KBENCH_SETS_MAX ? (int32_t)wanted : KBENCH_SETS_MAX;
    while (c->set_count < count) {
        c->set_count++; /* before it is made: what there is of it is freed */
        TRY(make_set(c, c->set_count - 1, err));
    }
    return device_wait(c->device, err);
}

enum status kbench_case_open(struct kbench_case *c, size_t set_bytes, struct error *err)
{
    c->dims = dims_of(c->shape);
    if (c->is_small)
        make_small(&c->dims, c->ops->attention_split);
    const enum status status = open_all(c, set_bytes, err);
    if (status != OK)
        kbench_case_close(c);
    return status;
}

void kbench_case_close(struct kbench_case *c)
{
    for (int32_t i = 0; i < c->buffer_count; i++) {
        struct kbench_buffer *buffer = &c->buffers[i];
        for (int32_t set = 0; set < c->set_count; set++)
            if (buffer->sets[set])
                device_free(c->device, buffer->sets[set], buffer->bytes);
        if (buffer->host)
            device_free(c->host, buffer->host, buffer->bytes);
    }
    for (int32_t i = 0; i < c->weight_count; i++) {
        struct kbench_weight *weight = &c->weights[i];
        for (int32_t set = 0; set < c->set_count; set++)
            weight_release(c->device, &weight->sets[set]);
        weight_release(c->host, &weight->host);
        free((void *)(uintptr_t)weight->source.data);
    }
    c->buffer_count = c->weight_count = c->set_count = 0;
}

enum status kbench_case_reckon(struct kbench_case *c, struct error *err)
{
    c->dims = dims_of(c->shape);
    if (c->is_small)
        make_small(&c->dims, c->ops->attention_split);
    const enum status status = c->kernel->open(c, err);
    kbench_case_close(c);
    return status;
}

/* ---- comparison ---- */

static void add_difference(double difference, double largest, struct kbench_check *check)
{
    const double share = difference == 0 ? 0 : largest > 0 ? difference / largest : HUGE_VAL;
    if (difference > check->max_abs)
        check->max_abs = difference;
    if (share > check->share)
        check->share = share;
}

static double apart(float got, float wanted)
{
    const double difference = fabs((double)got - (double)wanted);
    return isnan(difference) ? HUGE_VAL : difference; /* a NaN on one side counts */
}

static void compare_floats(const float *got, const float *wanted, size_t count,
                           struct kbench_check *check)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < count; i++) {
        difference = fmax(difference, apart(got[i], wanted[i]));
        largest = fmax(largest, fabs((double)wanted[i]));
    }
    add_difference(difference, largest, check);
}

static void compare_samples(const struct sample_result *got, const struct sample_result *wanted,
                            size_t count, struct kbench_check *check)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < count; i++) {
        const bool is_same = got[i].token == wanted[i].token;
        difference =
            fmax(difference, is_same ? apart(got[i].logprob, wanted[i].logprob) : HUGE_VAL);
        largest = fmax(largest, fabs((double)wanted[i].logprob));
    }
    add_difference(difference, largest, check);
}

/* Buffers of bytes that differ have no size of difference: all or nothing. */
static void compare_buffer(const struct kbench_buffer *buffer, const void *got,
                           const void *wanted, struct kbench_check *check)
{
    if (memcmp(got, wanted, buffer->bytes) == 0)
        return;
    check->is_bits = false;
    if (buffer->output == KBENCH_OUT_F32)
        compare_floats(got, wanted, buffer->bytes / sizeof(float), check);
    else if (buffer->output == KBENCH_OUT_SAMPLES)
        compare_samples(got, wanted, buffer->bytes / sizeof(struct sample_result), check);
    else
        check->max_abs = check->share = HUGE_VAL;
}

/* Output `index` of set 0 in fresh memory, which the caller frees; NULL: none, or no copy. */
static void *download(const struct kbench_case *c, int32_t index)
{
    const struct kbench_buffer *buffer = &c->buffers[index];
    void *got = malloc(buffer->bytes);
    if (got && device_download(c->device, got, buffer->sets[0], buffer->bytes) == OK)
        return got;
    free(got);
    return NULL;
}

/* Runs c on its device and compares with other's, or, when that is NULL, with the twin's. */
static enum status check_against(struct kbench_case *c, struct kbench_case *other,
                                 struct kbench_check *check, struct error *err)
{
    bool has_output = false;
    *check = (struct kbench_check){.is_bits = true};
    TRY(c->kernel->run(c, 0));
    TRY(device_wait(c->device, err));
    TRY(other ? other->kernel->run(other, 0) : c->kernel->run(c, KBENCH_HOST));
    for (int32_t i = 0; i < c->buffer_count; i++) {
        if (c->buffers[i].output == KBENCH_NO_OUTPUT)
            continue;
        void *got = download(c, i), *others = other ? download(other, i) : NULL;
        const void *wanted = other ? others : c->buffers[i].host;
        if (got && wanted)
            compare_buffer(&c->buffers[i], got, wanted, check);
        const bool is_compared = got && wanted;
        free(got);
        free(others);
        if (!is_compared)
            FAIL(err, ERR_DEVICE, "%s: output %d cannot be read back", c->kernel->name, i);
        has_output = true;
    }
    assert(has_output);
    return OK;
}

enum status kbench_case_check(struct kbench_case *c, struct kbench_check *check,
                              struct error *err)
{
    return check_against(c, NULL, check, err);
}

enum status kbench_case_check_pair(struct kbench_case *c, struct kbench_case *other,
                                   struct kbench_check *check, struct error *err)
{
    return check_against(c, other, check, err);
}

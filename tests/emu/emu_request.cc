/*
 * emu_request - requests being gathered, and what they came to.
 *
 * A warp keeps its requests until its lanes meet. A lane's next access is mostly the request
 * after its last one; a lane that took another way looks for the first request of the same
 * place that it has no part in yet.
 */
#include "tests/emu/emu_request.h"

#include "tests/emu/emu_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REQUESTS_MAX = 128, /* kept per warp; then lanes pause for the others to catch up */
    KERNELS_MAX = 128,
    PLACES_MAX = 4096, /* a power of two */
    NAME_BYTES = 128,
    BANKS = 32,
    SECTOR_BYTES = 32
};

struct request {
    uint32_t bytes; /* of each lane */
    bool is_shared;
    uintptr_t address[EMU_LANES];
};

static struct gathering {
    int count;
    int next[EMU_LANES]; /* where each lane looks first */
    const void *pc[REQUESTS_MAX];
    uint32_t lanes[REQUESTS_MAX];
    struct request request[REQUESTS_MAX];
} gatherings[EMU_WARPS_MAX];

static struct kernel { /* outlives clears */
    char name[NAME_BYTES];
    struct device_emu_counters counters; /* since the last clear */
    struct device_emu_counters before;   /* until then, and all that was asked for */
} kernels[KERNELS_MAX];
static int kernel_count;
static struct kernel untraced, *kernel = &untraced; /* that runs */

static struct place {
    const void *pc; /* NULL: free */
    const struct kernel *kernel;
    bool is_shared;
    uint64_t requests, bytes, costs, conflicts; /* costs: wavefronts or sectors */
} places[PLACES_MAX];
static int place_count;

static void add(struct device_emu_counters *to, const struct device_emu_counters *from)
{
    to->launches += from->launches;
    to->blocks += from->blocks;
    to->shared_requests += from->shared_requests;
    to->shared_wavefronts += from->shared_wavefronts;
    to->shared_conflicts += from->shared_conflicts;
    to->global_requests += from->global_requests;
    to->global_sectors += from->global_sectors;
    to->global_bytes += from->global_bytes;
    to->barriers += from->barriers;
    to->mma_f16 += from->mma_f16;
    to->mma_s8 += from->mma_s8;
    if (from->shared_bytes > to->shared_bytes)
        to->shared_bytes = from->shared_bytes;
}

void emu_request_clear(void)
{
    for (int i = 0; i < KERNELS_MAX; i++) {
        add(&kernels[i].before, &kernels[i].counters);
        memset(&kernels[i].counters, 0, sizeof kernels[i].counters);
    }
    kernel = &untraced;
    place_count = 0;
    memset(places, 0, sizeof places);
}

static struct kernel *kernel_of(const char *name)
{
    int i = 0;
    while (i < kernel_count && strncmp(kernels[i].name, name, NAME_BYTES - 1) != 0)
        i++;
    if (i == kernel_count && kernel_count < KERNELS_MAX - 1)
        kernel_count++; /* the last one gathers those beyond the table */
    if (kernels[i].name[0] == 0)
        snprintf(kernels[i].name, NAME_BYTES, "%s", name);
    return &kernels[i];
}

void emu_request_ask(const char *name, size_t shared_bytes)
{
    struct kernel *asked = kernel_of(name);
    if (shared_bytes > asked->before.shared_bytes)
        asked->before.shared_bytes = shared_bytes;
}

void emu_request_launch(const char *name, size_t shared_bytes, bool is_traced)
{
    struct kernel *launched = kernel_of(name);
    kernel = is_traced ? launched : &untraced;
    if (!is_traced) {
        launched->before.launches++;
        return;
    }
    kernel->counters.launches++;
    if (shared_bytes > kernel->counters.shared_bytes)
        kernel->counters.shared_bytes = shared_bytes;
}

void emu_request_block(void)
{
    kernel->counters.blocks++;
    for (int w = 0; w < emu_block.warp_count; w++) {
        gatherings[w].count = 0;
        memset(gatherings[w].next, 0, sizeof gatherings[w].next);
    }
}

void emu_request_barrier(void)
{
    kernel->counters.barriers++;
}

void emu_request_mma(enum emu_meeting kind)
{
    if (kind == EMU_MMA_F16)
        kernel->counters.mma_f16++;
    else
        kernel->counters.mma_s8++;
}

/* ---- what a request costs ---- */

static struct place *place_of(const void *pc, bool is_shared)
{
    uint32_t at = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pc) * 0x9e3779b1u >> 7);
    for (;; at++) {
        struct place *place = &places[at % PLACES_MAX];
        if (place->pc == pc && place->kernel == kernel && place->is_shared == is_shared)
            return place;
        if (place->pc)
            continue;
        if (place_count == PLACES_MAX - 1)
            return nullptr; /* the table always keeps a free one, so that looking ends */
        place_count++;
        place->pc = pc;
        place->kernel = kernel;
        place->is_shared = is_shared;
        return place;
    }
}

/* The most different words that one bank has to give to these lanes. */
static uint32_t wavefronts(const struct request *request, uint32_t lanes)
{
    uint32_t words[BANKS][BANKS], counts[BANKS] = {0}, most = 0;
    for (; lanes; lanes &= lanes - 1) {
        const uintptr_t start = request->address[__builtin_ctz(lanes)];
        const uintptr_t end = start + request->bytes;
        for (uintptr_t word = start / 4; word * 4 < end; word++) {
            const uint32_t bank = word % BANKS, value = static_cast<uint32_t>(word);
            uint32_t i = 0;
            while (i < counts[bank] && words[bank][i] != value)
                i++;
            if (i == counts[bank] && i < BANKS) {
                words[bank][counts[bank]++] = value;
                most = counts[bank] > most ? counts[bank] : most;
            }
        }
    }
    return most;
}

static void cost_shared(const struct request *request, uint32_t lanes, struct place *place)
{
    struct device_emu_counters *counters = &kernel->counters;
    const int width = request->bytes >= 16 ? 8 : request->bytes == 8 ? 16 : EMU_LANES;
    uint64_t fronts = 0, phases = 0;
    for (int first = 0; first < EMU_LANES; first += width) {
        const uint32_t phase = (0xffffffffu >> (EMU_LANES - width) << first) & lanes;
        if (phase == 0)
            continue;
        phases++;
        fronts += wavefronts(request, phase);
    }
    counters->shared_requests++;
    counters->shared_wavefronts += fronts;
    counters->shared_conflicts += fronts - phases;
    if (place) {
        place->costs += fronts;
        place->conflicts += fronts - phases;
    }
}

static void cost_global(const struct request *request, uint32_t lanes, struct place *place)
{
    struct device_emu_counters *counters = &kernel->counters;
    uintptr_t sectors[EMU_LANES * 2];
    int count = 0, bytes = 0;
    for (; lanes; lanes &= lanes - 1) {
        const uintptr_t start = request->address[__builtin_ctz(lanes)];
        const uintptr_t last = (start + request->bytes - 1) / SECTOR_BYTES;
        bytes += static_cast<int>(request->bytes);
        for (uintptr_t sector = start / SECTOR_BYTES; sector <= last; sector++) {
            int i = count - 1; /* neighbours ask for the same */
            while (i >= 0 && sectors[i] != sector)
                i--;
            if (i < 0 && count < EMU_LANES * 2)
                sectors[count++] = sector;
        }
    }
    counters->global_requests++;
    counters->global_sectors += static_cast<uint64_t>(count);
    counters->global_bytes += static_cast<uint64_t>(bytes);
    if (place)
        place->costs += static_cast<uint64_t>(count);
}

void emu_request_flush(int warp)
{
    struct gathering *gathering = &gatherings[warp];
    if (gathering->count == 0)
        return;
    for (int i = 0; i < gathering->count; i++) {
        const struct request *request = &gathering->request[i];
        struct place *place = place_of(gathering->pc[i], request->is_shared);
        if (place) {
            place->requests++;
            place->bytes += uint64_t{request->bytes} *
                            static_cast<uint64_t>(__builtin_popcount(gathering->lanes[i]));
        }
        if (request->is_shared)
            cost_shared(request, gathering->lanes[i], place);
        else
            cost_global(request, gathering->lanes[i], place);
    }
    gathering->count = 0;
    memset(gathering->next, 0, sizeof gathering->next);
}

/* ---- gathering ---- */

/* The first request in [from, to) of this place without this lane; `to` when there is none. */
static inline int find(const struct gathering *gathering, const void *pc, bool is_shared,
                       int from, int to)
{
    const int lane = emu_block.running->lane;
    int i = from;
    while (i < to && (gathering->pc[i] != pc || gathering->lanes[i] >> lane & 1 ||
                      gathering->request[i].is_shared != is_shared))
        i++;
    return i;
}

void emu_request_add(uintptr_t address, size_t bytes, bool is_shared, const void *pc)
{
    const int lane = emu_block.running->lane;
    struct gathering *gathering = &gatherings[emu_block.running->warp->number];
    const int first = gathering->next[lane];
    int i = find(gathering, pc, is_shared, first, gathering->count);
    if (i == gathering->count && first > 0) {
        i = find(gathering, pc, is_shared, 0, first);
        i = i == first ? gathering->count : i;
    }
    while (i == REQUESTS_MAX) { /* after the pause all is as at the start */
        emu_block_pause();
        i = find(gathering, pc, is_shared, 0, gathering->count);
    }
    struct request *request = &gathering->request[i];
    if (i == gathering->count) {
        gathering->count++;
        gathering->pc[i] = pc;
        gathering->lanes[i] = 0;
        request->bytes = static_cast<uint32_t>(bytes);
        request->is_shared = is_shared;
    }
    gathering->lanes[i] |= 1u << lane;
    request->address[lane] = address;
    gathering->next[lane] = i + 1;
}

/* ---- for people ---- */

bool emu_request_count(const char *name, struct device_emu_counters *counters)
{
    bool is_found = false;
    memset(counters, 0, sizeof *counters);
    for (int i = 0; i < kernel_count; i++) {
        const struct device_emu_counters *from = &kernels[i].counters;
        if (from->launches == 0 || strstr(kernels[i].name, name) == nullptr)
            continue;
        is_found = true;
        add(counters, from);
    }
    return is_found;
}

const char *emu_request_total(int32_t index, struct device_emu_counters *counters)
{
    if (index < 0 || index >= KERNELS_MAX || kernels[index].name[0] == 0)
        return nullptr;
    *counters = kernels[index].before;
    add(counters, &kernels[index].counters);
    return kernels[index].name;
}

static int more_conflicts(const void *a, const void *b)
{
    const struct place *left = *static_cast<const struct place *const *>(a);
    const struct place *right = *static_cast<const struct place *const *>(b);
    if (left->conflicts != right->conflicts)
        return left->conflicts < right->conflicts ? 1 : -1;
    return left->bytes < right->bytes ? 1 : left->bytes > right->bytes ? -1 : 0;
}

size_t emu_request_lines(const char *name, char *text, size_t bytes)
{
    static const struct place *found[PLACES_MAX];
    const void *pcs[EMU_REPORT_PLACES];
    char where[EMU_REPORT_PLACES][EMU_REPORT_PLACE_BYTES];
    int count = 0;
    size_t used = 0;
    for (int i = 0; i < PLACES_MAX; i++)
        if (places[i].pc && strstr(places[i].kernel->name, name))
            found[count++] = &places[i];
    qsort(found, static_cast<size_t>(count), sizeof *found, more_conflicts);
    count = count < EMU_REPORT_PLACES ? count : int{EMU_REPORT_PLACES};
    for (int i = 0; i < count; i++)
        pcs[i] = found[i]->pc;
    emu_report_resolve(pcs, count, where);
    if (bytes)
        text[0] = 0;
    for (int i = 0; i < count && used + 1 < bytes; i++) {
        const struct place *place = found[i];
        const int length = snprintf(text + used, bytes - used,
                                    "%s: %llu requests, %llu bytes, %llu %s, %llu conflicts\n",
                                    where[i], static_cast<unsigned long long>(place->requests),
                                    static_cast<unsigned long long>(place->bytes),
                                    static_cast<unsigned long long>(place->costs),
                                    place->is_shared ? "wavefronts" : "sectors",
                                    static_cast<unsigned long long>(place->conflicts));
        used += static_cast<size_t>(length);
    }
    return used < bytes ? used : bytes ? bytes - 1 : 0;
}

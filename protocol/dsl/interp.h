/*
 * interp - the state of one running program, and its budgets.
 *
 * Everything a program makes lies in one arena with a hard cap. Steps are charged for each
 * node evaluated, and for each byte or element that an operation moves, before it moves them.
 * What libraries take from the heap for the program (compiled expressions, syntax trees) counts
 * as its memory too; it is looked at after each few milliseconds of their work, and the clock
 * at each few thousand charges. A budget that trips sets `budget` and from then on nothing
 * runs: no handler of the program sees it. An exception is a value in `raised`; handlers take
 * it from there.
 *
 * Functions of the language answer false when they raised or tripped a budget; the reason is
 * in the interp.
 *
 * Owner    interp_init/interp_deinit own the arena.
 * Thread   one thread at a time.
 */
#ifndef DSL_INTERP_H
#define DSL_INTERP_H

#include "protocol/dsl/dsl.h"
#include "protocol/dsl/exception.h"
#include "protocol/dsl/value.h"

enum {
    INTERP_NEST_MAX = 2500,    /* C calls deep: evaluation, comparison, repr */
    INTERP_STACK_MAX = 1 << 16 /* values: locals and arguments of all active calls */
};

struct interp {
    struct arena arena;
    struct dsl_limits limits; /* no zeros, but for wall_s: no limit */
    uint64_t steps_left;
    uint64_t charges;     /* since the clock was looked at */
    double end_s, left_s; /* when its time is over; what is left while it does not run */
    size_t heap_before, heap_now; /* bytes, at its start and when last looked at */
    uint32_t depth;               /* calls deep */
    uint32_t nest;
    struct value *stack; /* [INTERP_STACK_MAX] */
    uint32_t stack_used;
    struct exception *raised;  /* on its way to a handler, or NULL */
    struct exception *handled; /* innermost one whose handler runs: for a bare raise */
    bool out_of_budget;
    bool tells_left_64;     /* as a line of print_to, for tests: Python goes on there */
    char budget[160];       /* which budget tripped, in a sentence */
    int32_t line;           /* of the statement that runs */
    struct value *globals;  /* [global_count] */
    struct value *builtins; /* [global_count] what each name means when unassigned */
    uint32_t global_count;
    const struct text *documents;
    uint32_t document_count;
    struct dict *symbols;      /* interned names: str -> int */
    struct regex *regexes;     /* compiled so far; a list */
    struct dict *regex_cache;  /* (pattern, flags) -> VALUE_PATTERN */
    double regex_s, heap_s;    /* wall time spent in expressions; when the heap was looked at */
    struct text_buf *print_to; /* what print writes goes here; NULL: dropped */
};

/* limits must have no zeros, but for wall_s. ERR_MEMORY when the machine has no room. */
MUST_USE enum status interp_init(struct interp *in, const struct dsl_limits *limits,
                                 struct error *err);
void interp_deinit(struct interp *in);

/* Takes steps off the budget; false when it trips. */
/* An integer leaves 64 bits: OverflowError is about to be raised. */
void interp_leave_64(struct interp *in);
bool interp_charge(struct interp *in, uint64_t steps);

/* The program's time runs from begin to end. */
void interp_begin(struct interp *in);
void interp_end(struct interp *in);

/* Looks at the clock; false when its time is over (tripped). */
bool interp_check_time(struct interp *in);

/* Looks at what the heap has grown by; false when that and the arena are too much (tripped). */
bool interp_check_heap(struct interp *in);

/* What is left of its memory. */
size_t interp_bytes_left(const struct interp *in);

/* count elements of size bytes, zeroed; NULL when the memory budget trips. Charged by bytes. */
void *interp_alloc(struct interp *in, size_t count, size_t size);

/* Trips a budget: always false. */
bool interp_trip(struct interp *in, const char *format, ...) PRINTF_LIKE(2, 3);

/* One level deeper in C; false (tripped) past INTERP_NEST_MAX. Leave when it was true. */
bool interp_enter(struct interp *in);
void interp_leave(struct interp *in);

/* count values on the stack, all unset; NULL when it is full (tripped). Given back by setting
 * stack_used to what it was. */
struct value *interp_push(struct interp *in, uint32_t count);

#define INTERP_NEW(in, type) ((type *)interp_alloc((in), 1, sizeof(type)))
#endif

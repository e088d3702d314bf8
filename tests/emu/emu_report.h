/*
 * emu_report - findings: counted, and the first of them kept as sentences.
 *
 * The same kind at the same place is one sentence, however often it happens. Places become
 * function, file and line only when somebody reads the report (addr2line, one call for all).
 */
#ifndef TESTS_EMU_REPORT_H
#define TESTS_EMU_REPORT_H

#include <stddef.h>
#include <stdint.h>

enum emu_kind {
    EMU_RACE,       /* two threads, one writes, nothing orders them */
    EMU_UNWRITTEN,  /* a read of shared bytes that nobody wrote */
    EMU_OVERRUN,    /* outside of a piece, the block's shared bytes or a device buffer */
    EMU_HOST,       /* memory that is neither shared, device nor the thread's own */
    EMU_FLIGHT,     /* a place that an asynchronous copy is on its way to */
    EMU_COPY,       /* a copy wrongly asked for, or never waited for */
    EMU_MISALIGNED, /* an address that the hardware would refuse */
    EMU_DIVERGENT,  /* lanes of one warp at different meetings */
    EMU_EXITED,     /* a meeting that somebody will not come to */
    EMU_BADBARRIER, /* number or count of threads that cannot be */
    EMU_DEADLOCK,   /* nobody can run */
    EMU_PIECES,     /* shared pieces that differ between threads or exceed the launch's bytes */
    EMU_FAULT,      /* the machine refused an access */
    EMU_KINDS
};

/* A finding at pc, with the other place that takes part in it, or NULL. */
void emu_report_add(enum emu_kind kind, const void *pc, const void *other_pc,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

uint64_t emu_report_count(void);
uint64_t emu_report_count_of(enum emu_kind kind);
const char *emu_report_text(void); /* valid until the next call of either */
void emu_report_clear(void);

/* Writes "file:line (function)" of each place to texts[i]; pcs of inlined wrappers name the
 * kernel's line. */
enum { EMU_REPORT_PLACE_BYTES = 192, EMU_REPORT_PLACES = 32 };
void emu_report_resolve(const void *const *pcs, int count,
                        char (*texts)[EMU_REPORT_PLACE_BYTES]);

#endif

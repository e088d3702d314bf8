/*
 * emu_trace - every access of a kernel comes by here: checked, counted.
 *
 * Plain accesses come through the calls that the compiler inserts for -fsanitize=thread, whose
 * library is not linked: these functions stand in its place.
 */
#ifndef TESTS_EMU_TRACE_H
#define TESTS_EMU_TRACE_H

/* At a launch's start and end. */
void emu_trace_launch(bool is_traced);
extern bool emu_trace_on;

/* A lane's row of an ldmatrix; ends the launch when that is not shared memory. */
void emu_trace_read_shared16(const void *row, const void *pc);
/* An asynchronous copy sets out, and lands. */
void emu_trace_copy(void *to_shared, const void *from, int bytes, const void *pc);
void emu_trace_land(void *to_shared, const void *pc);

#endif

/*
 * emu_copy - asynchronous copies: they land at their thread's wait, not before.
 *
 * What is copied is read when it is asked for; the destination is filled with 0xff and belongs
 * to the copy until it lands.
 */
#ifndef TESTS_EMU_COPY_H
#define TESTS_EMU_COPY_H

/* At a block's start. */
void emu_copy_reset(void);
/* At a thread's end: a finding where a copy was not waited for. */
void emu_copy_check_end(int thread);

#endif

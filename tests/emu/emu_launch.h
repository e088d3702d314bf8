/* emu_launch - a grid of blocks, one after the other. */
#ifndef TESTS_EMU_LAUNCH_H
#define TESTS_EMU_LAUNCH_H

/* Whether a finding has ended a launch since the last clear; no other runs until then. */
bool emu_launch_has_failed(void);
void emu_launch_clear(void);

#endif

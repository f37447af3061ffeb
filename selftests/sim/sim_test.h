/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the simulated FPGA share, besides what ../fpgabuf has: its
 * channels by name, and their files in debugfs.
 */
#ifndef FPGABUF_SIM_TEST_H
#define FPGABUF_SIM_TEST_H

#include "../fpgabuf/fpgabuf_test.h"

/* A channel by its own name: rx0, tx0, loop0. */
int sim_open(const char *name);
/* Number in a file of the channel in debugfs, or a negative errno */
__s64 sim_number(const char *name, const char *file);
/* What is written into the file "fault" of a channel, and read from it. */
int sim_fault(const char *name, const char *text);
int sim_fault_ms(const char *name, unsigned int ms);
const char *sim_fault_left(const char *name);
/* Wait until all faults that were planned were met, 5 s at most; whether they were */
bool sim_fault_met(const char *name);
/* Load the simulated FPGA with that engine, unless it has it. */
int sim_load(const char *engine);
/* For a main() whose tests do: it has its usual engine again afterwards. */
void sim_load_at_exit(void);
/*
 * Bind the device again, with an importing device whose engine may take so long,
 * 0: the default. Its nodes must not be open.
 */
int sim_copier_timeout(unsigned int ms);
/* Register @count frames of @size bytes, one after the other in @fd. */
int sim_register(int ch, int fd, size_t size, int count);

#endif /* FPGABUF_SIM_TEST_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The boards of board.dtsi, and the module that drives them,
 * test_modules/soc_board.c.
 *
 * Functions return a negative errno when they fail.
 */
#ifndef FPGABUF_SOC_H
#define FPGABUF_SOC_H

#include <stdbool.h>
#include <stddef.h>

#include "../fpgabuf/fpgabuf_test.h"

#define SOC_MODULE	"soc_board"
#define SOC_FILE	"test_modules/" SOC_MODULE ".ko"
#define SOC_NODE	"/dev/" SOC_MODULE

#define MIB		(1UL << 20)
/* Pieces of a megabyte of the longest one */
#define SOC_PIECES	16

/* NULL, or why there is no board */
const char *soc_missing(void);
/* Load the module, which binds all boards that it can; its node. */
int soc_load(void);
int soc_unload(void);
/* Write a board's name into a file of the driver: bind, unbind. */
int soc_write(const char *file, const char *board);
/* A dma-buf, not mapped, and mapped */
int soc_get(int node, const char *board, size_t size, __u32 kind);
int soc_alloc(int node, const char *board, size_t size, __u32 kind,
	      struct buffer *b);
/* The entry of the board's memory-region that it is in; -ERANGE: none */
int soc_where(int node, const char *board, int fd);
/* By the engine */
int soc_copy(int node, const char *board, int fd, int to);
/*
 * Take @count pieces of a megabyte: how many there were in entry @index of the
 * board's memory-region, in @fds.
 */
int soc_take(int node, const char *board, __u32 kind, int index, int count,
	     int *fds);
void soc_give_back(const int *fds, int count);
/* Both */
int soc_room(int node, const char *board, __u32 kind, int index, int count);
/* What is in use of the CMA area that the device tree calls @name, pages */
long soc_cma_used(const char *name);

#endif /* FPGABUF_SOC_H */

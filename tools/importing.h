/* SPDX-License-Identifier: GPL-2.0 */
/* An importing device at work. All tell what went wrong. */
#ifndef IMPORTING_H
#define IMPORTING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <fpgabuf.h>

/* A dma-buf of a process, and what the device made of it. */
struct imported {
	pid_t pid;
	int number;
	/* of this process */
	int fd;
	struct fpgabuf_import_attach attach;
};

void print_importer(const struct fpgabuf_importer *importer);

/* Get the file, and attach the device for @access. */
bool import_buffer(struct fpgabuf_importer *importer, struct imported *buffer,
		   uint32_t access, uint32_t flags);
/* @pieces: each of them, not only how many */
bool print_imported(struct fpgabuf_importer *importer,
		    const struct imported *buffer, bool pieces);

/* The device copies all of @from to the beginning of @to. */
bool import_copy(struct fpgabuf_importer *importer, const struct imported *from,
		 const struct imported *to);
/*
 * The device has copied @buffer to @copy, which has room for it: whether it has
 * read what the CPU reads.
 */
bool compare_with_cpu(const struct imported *buffer,
		      const struct imported *copy);

#endif /* IMPORTING_H */

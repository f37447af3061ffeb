// SPDX-License-Identifier: GPL-2.0
/*
 * Which kinds of memory there are.
 */
#include <linux/export.h>
#include <linux/kernel.h>

#include "exporter.h"

const struct fpgabuf_kind_ops *const fpgabuf_kinds[FPGABUF_NUM_KINDS] = {
	[FPGABUF_KIND_COHERENT] = &fpgabuf_kind_coherent,
	[FPGABUF_KIND_CONTIGUOUS] = &fpgabuf_kind_contiguous,
	[FPGABUF_KIND_SYSTEM] = &fpgabuf_kind_system,
	[FPGABUF_KIND_WRITECOMBINE] = &fpgabuf_kind_writecombine,
	[FPGABUF_KIND_NONCONTIGUOUS] = &fpgabuf_kind_noncontiguous,
	[FPGABUF_KIND_USER] = &fpgabuf_kind_user,
	[FPGABUF_KIND_POOL] = &fpgabuf_kind_pool,
	[FPGABUF_KIND_REGION] = &fpgabuf_kind_region,
};

/**
 * fpgabuf_kind_name() - what users call a kind of memory
 * @kind: the kind; they are numbered from 0 on
 *
 * Return: its name, or NULL for one that there is not.
 */
const char *fpgabuf_kind_name(enum fpgabuf_kind kind)
{
	return (unsigned int)kind < ARRAY_SIZE(fpgabuf_kinds) ?
		fpgabuf_kinds[kind]->name : NULL;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_kind_name, "FPGABUF");

/**
 * fpgabuf_kind_by_size() - whether a size is enough to allocate of a kind
 * @kind: the kind
 *
 * Return: true for those that fpgabuf_alloc() makes.
 */
bool fpgabuf_kind_by_size(enum fpgabuf_kind kind)
{
	return fpgabuf_kind_name(kind) && !fpgabuf_kinds[kind]->requested;
}
EXPORT_SYMBOL_NS_GPL(fpgabuf_kind_by_size, "FPGABUF");

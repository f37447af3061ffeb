// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

int fpgabuf_importer_open(const char *path, struct fpgabuf_importer **importer)
{
	struct fpgabuf_importer *im;
	int ret;

	im = calloc(1, sizeof(*im));
	if (!im)
		return -ENOMEM;

	ret = fpgabuf_node_open(&im->node, path, fpgabuf_importer_list,
				FPGABUF_IMPORT_IOC_INFO, &im->info);
	if (ret < 0) {
		free(im);
		return ret;
	}
	*importer = im;

	return 0;
}

void fpgabuf_importer_close(struct fpgabuf_importer *importer)
{
	if (!importer)
		return;

	fpgabuf_node_close(&importer->node);
	free(importer);
}

int fpgabuf_importer_fd(const struct fpgabuf_importer *importer)
{
	return importer->node.fd;
}

const char *fpgabuf_importer_path(const struct fpgabuf_importer *importer)
{
	return importer->node.path;
}

const struct fpgabuf_import_info *
fpgabuf_importer_info(const struct fpgabuf_importer *importer)
{
	return &importer->info;
}

int fpgabuf_importer_attach(struct fpgabuf_importer *importer,
			    struct fpgabuf_import_attach *attach)
{
	return fpgabuf_ioctl(importer->node.fd, FPGABUF_IMPORT_IOC_ATTACH,
			     attach);
}

int fpgabuf_importer_detach(struct fpgabuf_importer *importer, uint32_t slot)
{
	struct fpgabuf_import_detach arg = { .slot = slot };

	return fpgabuf_ioctl(importer->node.fd, FPGABUF_IMPORT_IOC_DETACH,
			     &arg);
}

int fpgabuf_importer_segments(struct fpgabuf_importer *importer, uint32_t slot,
			      struct fpgabuf_import_segment *segments,
			      uint32_t max)
{
	struct fpgabuf_import_segments arg = {
		.segments = (uintptr_t)segments,
		.slot = slot,
		.count = max,
	};
	int ret;

	ret = fpgabuf_ioctl(importer->node.fd, FPGABUF_IMPORT_IOC_SEGMENTS,
			    &arg);

	return ret < 0 ? ret : (int)arg.count;
}

static int exchange(struct fpgabuf_importer *importer,
		    struct fpgabuf_import_exchange *arg, int64_t deadline)
{
	return fpgabuf_ioctl_wait(importer->node.fd,
				  FPGABUF_IMPORT_IOC_EXCHANGE, arg,
				  &arg->done_count, &arg->timeout, deadline);
}

int fpgabuf_importer_exchange(struct fpgabuf_importer *importer,
			      struct fpgabuf_import_copy *copies,
			      uint32_t copy_count,
			      struct fpgabuf_import_done *done, uint32_t max,
			      uint32_t min, int64_t timeout_ns)
{
	const int64_t deadline = fpgabuf_deadline(timeout_ns);
	struct fpgabuf_import_exchange arg = {
		.copies = (uintptr_t)copies,
		.done = (uintptr_t)done,
		.copy_count = copy_count,
		.done_count = max,
		.min_done = min,
	};
	uint32_t taken;
	int ret;

	ret = exchange(importer, &arg, deadline);
	if (ret < 0)
		return ret;

	/* As with a channel: a signal may have ended the wait early. */
	for (taken = ret; taken < min; taken += ret) {
		arg.done = (uintptr_t)(done + taken);
		arg.copy_count = 0;
		arg.done_count = max - taken;
		arg.min_done = min - taken;
		ret = exchange(importer, &arg, deadline);
		if (ret <= 0)
			break;
	}

	return taken;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The requests of /dev/dma_peer, for the module and its test. What returns no
 * number returns 0, and any of them a negative errno.
 */
#ifndef DMA_PEER_H
#define DMA_PEER_H

#include <linux/ioctl.h>

/* Whether the kernel knows of peer to peer at all */
#define PEER_POSSIBLE	_IO('p', 0)
/* Attach to the dma-buf that the argument is the file descriptor of. */
#define PEER_ATTACH	_IO('p', 1)
#define PEER_DETACH	_IO('p', 2)
#define PEER_MAP	_IO('p', 3)
#define PEER_UNMAP	_IO('p', 4)
/* How often the exporter said that the mapping is void; since PEER_ATTACH */
#define PEER_TOLD	_IO('p', 5)
/* Let the device write words that count from the argument, PEER_BYTES. */
#define PEER_WRITE	_IO('p', 6)

#define PEER_BYTES	2048

#endif /* DMA_PEER_H */

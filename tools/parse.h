/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The values of options. All of the text must be understood and the number must
 * fit, else the return is false and the result is untouched.
 */
#ifndef PARSE_H
#define PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/fpgabuf.h>

/* "300", from 1 to @max */
bool parse_count(const char *text, uint64_t max, uint64_t *count);
/* "0", "5": the number of a file descriptor */
bool parse_fd(const char *text, int *fd);
/* "4096", "64K", "2M", "1G" (powers of 1024), from 1 */
bool parse_bytes(const char *text, uint64_t *bytes);
/* "1280x720", each from 1 */
bool parse_size(const char *text, uint32_t *width, uint32_t *height);
/* "60", "30000/1001", "max" (which is 0/1) */
bool parse_rate(const char *text, struct fpgabuf_fract *rate);
/* "10", "0.5", more than 0, down to a nanosecond */
bool parse_seconds(const char *text, int64_t *ns);
/* "YUYV", "R8": 1 to 4 characters, filled up with spaces */
bool parse_fourcc(const char *text, uint32_t *fourcc);

#endif /* PARSE_H */

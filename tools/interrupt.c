// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "interrupt.h"

static volatile sig_atomic_t caught;
static int event = -1;

static void handler(int number)
{
	const int error = errno;
	const uint64_t one = 1;

	(void)number;
	caught = 1;
	/* Never full: nobody sends that many. It cannot fail then. */
	if (write(event, &one, sizeof(one)) < 0)
		_exit(1);
	errno = error;
}

/* A signal that is ignored stays so: that is how shells start a job with "&". */
static bool catch_signal(int number)
{
	/* Without SA_RESTART: a write to a full pipe ends, too. */
	struct sigaction old, action = {
		.sa_handler = handler,
		.sa_flags = SA_RESETHAND,
	};

	sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &old))
		return false;

	return old.sa_handler == SIG_IGN || !sigaction(number, &action, NULL);
}

int interrupt_init(void)
{
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return -errno;

	/* SIGPIPE: a reader that went away is an error of write(). */
	if (!catch_signal(SIGINT) || !catch_signal(SIGTERM) ||
	    signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;

	return event;
}

bool interrupted(void)
{
	return caught;
}

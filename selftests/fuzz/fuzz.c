// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's program, see fuzz.h. Status 0: nothing was found but what the
 * kernel's log says, 1: something was, 2: it could not begin.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

static const struct option long_options[] = {
	{ "seconds", required_argument, NULL, 's' },
	{ "programs", required_argument, NULL, 'p' },
	{ "seed", required_argument, NULL, 'S' },
	{ "threads", required_argument, NULL, 't' },
	{ "repro", required_argument, NULL, 'r' },
	{ "dir", required_argument, NULL, 'd' },
	{ "seeds", required_argument, NULL, 'f' },
	{ 0 }
};

static int usage(void)
{
	fputs("usage: fuzz [--seconds N] [--programs N] [--seed N] [--threads N]\n"
	      "            [--repro FILE] [--dir DIR] [--seeds FILE]\n", stderr);
	return 2;
}

static bool parse(int argc, char **argv, struct options *opts)
{
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case 's':
			opts->seconds = strtoul(optarg, NULL, 0);
			break;
		case 'p':
			opts->programs = strtoul(optarg, NULL, 0);
			break;
		case 'S':
			opts->seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			opts->threads = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			opts->repro = optarg;
			break;
		case 'd':
			opts->dir = optarg;
			break;
		case 'f':
			opts->seeds = optarg;
			break;
		default:
			return false;
		}
	}
	return optind == argc && opts->threads >= 1 &&
	       opts->threads <= MAX_THREADS;
}

int main(int argc, char **argv)
{
	struct options opts = {
		.threads = 3, .seed = time(NULL), .faults = true,
	};
	struct totals totals;
	int ret;

	if (!parse(argc, argv, &opts))
		return usage();
	printf("fuzz: seed %llu, %u threads\n", opts.seed, opts.threads);
	ret = session_run(&opts, &totals);
	if (ret) {
		fprintf(stderr, "fuzz: %s\n", strerror(-ret));
		return 2;
	}
	printf("fuzz: %lu programs, %lu calls, %lu succeeded (%lu%%), %lu of %u kinds of calls\n",
	       totals.programs, totals.calls, totals.succeeded,
	       totals.calls ? totals.succeeded * 100 / totals.calls : 0,
	       totals.ops_succeeded, num_ops);
	printf("fuzz: %lu blocks, %lu edges, corpus %lu, %lu processes died, %lu reports\n",
	       totals.blocks, totals.edges, totals.corpus, totals.died,
	       totals.reports);
	return totals.reports > totals.of_kernel ? 1 : 0;
}

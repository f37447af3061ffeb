/* SPDX-License-Identifier: GPL-2.0 */
/* The commands: a file each. argv[1] is the first word after the command. */
#ifndef COMMAND_H
#define COMMAND_H

int cmd_list(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_alloc(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_import(int argc, char **argv);
int cmd_capture(int argc, char **argv);
int cmd_stats(int argc, char **argv);

#endif /* COMMAND_H */

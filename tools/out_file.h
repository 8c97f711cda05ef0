/* out_file.h - a file that a command is told to write (-o, --page, --png): standard output goes there instead.
 *
 * A file is written beside the one of that name, as .NAME.tmp, and takes its place, with its mode, when all of it is there: until
 * then, and whatever fails, the old one stays as it is.  The folder has to be one to write in.  A link is followed.  A pipe or a
 * device is written as it is, and "-" and /dev/stdout are standard output.
 * What katamichi itself lives by - its state, inbox, keys and configuration - is never written over: such a name is wrong usage. */
#ifndef KM_OUT_FILE_H
#define KM_OUT_FILE_H

#include "receiver/receiver_conf.h"
#include "sender/sender_conf.h"

/* Names of what is ours: a file, or a directory with all that is in it.  "" is none. */
struct out_own {
	const char *path[16 + RECEIVER_PEERS_MAX + RECEIVER_RETIRED_MAX];
	unsigned paths;
};
void out_own_add(struct out_own *o, const char *path);
void out_own_receiver(struct out_own *o, const struct receiver_conf *c, const char *name); /* name: of the configuration's file */
void out_own_sender(struct out_own *o, const struct sender_conf *c, const char *name);

/* Is this standard output? */
int out_file_stdout(const char *path);
/* May it be written?  EXIT_OK, or an exit code after one line. */
int out_file_allowed(const char *path, const struct out_own *own);
/* path NULL: standard output.  EXIT_OK, or an exit code after one line; one at a time. */
int out_file_begin(const char *path, const struct out_own *own) __attribute__((warn_unused_result));
/* Standard output is again what it was.  good 0: what was written to a file is dropped, and nothing
 * is said.  EXIT_OK, or EXIT_SYSTEM after one line. */
int out_file_end(int good) __attribute__((warn_unused_result));

#endif

/* exits.h - exit codes of every program (README, "Exit codes"). */
#ifndef KM_EXITS_H
#define KM_EXITS_H

enum exits {
	EXIT_OK = 0,
	EXIT_NO = 1,       /* the question was answered "no": not verified, gaps exist */
	EXIT_USAGE = 2,    /* unknown option or missing argument */
	EXIT_CONFIG = 3,   /* configuration: unknown key, bad value (file:line is said) */
	EXIT_KEYS = 4,     /* a key is missing, malformed, or has the wrong owner or mode */
	EXIT_SYSTEM = 5,   /* a directory, port, file or the memory is not to be had */
	EXIT_DATA = 6,     /* our own database or ledger does not make sense */
	EXIT_INTERNAL = 70, /* a bug of ours, or one of our processes died */
	EXIT_DISK = 75     /* between our processes: a disk is not as it has to be; all begin again (proc_pause) */
};

#endif

/* usage.h - one line for a wrong command line. */
#ifndef KM_USAGE_H
#define KM_USAGE_H

/* "katamichi: CMD: TEXT; see katamichi CMD --help".  Returns EXIT_USAGE. */
int usage_error(const char *cmd, const char *text);
/* The option that getopt_long() has just refused by '?' (with opterr = 0). */
int usage_bad_option(int argc, char **argv);

#endif

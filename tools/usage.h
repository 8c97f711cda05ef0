/* usage.h - one line for a wrong command line. */
#ifndef KM_USAGE_H
#define KM_USAGE_H

/* "katamichi: CMD: TEXT; see katamichi CMD --help".  Returns EXIT_USAGE. */
int usage_error(const char *cmd, const char *text);
/* The option that getopt_long() has just refused by '?' (with opterr = 0). */
int usage_bad_option(int argc, char **argv);
/* The command line of a command that knows -c FILE and nothing else: its help, or run(FILE), or EXIT_USAGE. */
int usage_config_only(int argc, char **argv, const char *help, int (*run)(const char *conf));

#endif

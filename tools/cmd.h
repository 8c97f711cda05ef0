/* cmd.h - the subcommands of katamichi: a file each, cmd_NAME.c.
 * argv[0] is the subcommand's name; the result is an exit code (host/exits.h). */
#ifndef KM_CMD_H
#define KM_CMD_H

int cmd_keygen(int argc, char **argv);
int cmd_key(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_link_test(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_gaps(int argc, char **argv);
int cmd_close(int argc, char **argv);
int cmd_closings(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_resend(int argc, char **argv);
int cmd_ledger(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_firmware_config(int argc, char **argv);

#endif

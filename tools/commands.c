/* commands.c - the table of subcommands (cmd.h), in the order of the help. */
#include <stddef.h>

#include "tools/cmd.h"

const struct cmd *const commands[] = {
	/* every day */
	&cmd_status,
	&cmd_watch,
	&cmd_list,
	&cmd_show,
	&cmd_gaps,
	&cmd_closings,
	&cmd_settle,
	&cmd_resend,
	&cmd_close,
	&cmd_quarantine_list,
	&cmd_quarantine_show,
	&cmd_quarantine_release,
	&cmd_quarantine_discard,
	/* proof */
	&cmd_verify,
	&cmd_ledger_verify,
	&cmd_ledger_checkpoint,
	&cmd_ledger_export,
	&cmd_report,
	&cmd_doctor,
	/* setting up */
	&cmd_keygen,
	&cmd_key_show,
	&cmd_key_rotate,
	&cmd_key_retired,
	&cmd_key_revoke,
	&cmd_config_check,
	&cmd_plan,
	&cmd_link_test_receive,
	&cmd_link_test_send,
	&cmd_firmware_config,
	&cmd_completion,
	/* trouble */
	&cmd_restore,
	&cmd_link_reset_epoch,
	NULL,
};

/* doctor_media.c - R10: nothing is carried out of the zone (doctor.h). */
#include <stdlib.h>
#include <string.h>

#include "tools/doctor.h"

static int blocked; /* by a file of modprobe.d; one look at a time */

static void modprobe_line(struct doctor *d, const char *path, char *line)
{
	char *save = NULL, *word = strtok_r(line, " \t", &save), *module = strtok_r(NULL, " \t", &save);
	char *what = strtok_r(NULL, " \t", &save);

	if (module == NULL || (strcmp(module, "usb-storage") != 0 && strcmp(module, "usb_storage") != 0))
		return;
	if (strcmp(word, "blacklist") != 0 && (strcmp(word, "install") != 0 || what == NULL || (strstr(what, "false") == NULL &&
	    strstr(what, "true") == NULL)))
		return;
	blocked = 1;
	doctor_fact(d, _("%s: %s usb-storage"), path, word);
}

static void modprobe_file(struct doctor *d, const char *dir, const char *name)
{
	char path[512];
	size_t n = strlen(name);

	if (n < 6 || strcmp(name + n - 5, ".conf") != 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)doctor_lines(d, path, modprobe_line);
}

static void mount_line(struct doctor *d, const char *path, char *line)
{
	char source[256], where[256], type[64];

	if (sscanf(line, "%255s %255s %63s", source, where, type) != 3)
		return;
	if (strcmp(type, "autofs") == 0 && strcmp(where, "/proc/sys/fs/binfmt_misc") != 0)
		doctor_wrong(d, _("%s: %s is mounted automatically (autofs)"), path, where);
	if (strcmp(type, "cifs") == 0 || strcmp(type, "smb3") == 0 || strncmp(type, "nfs", 3) == 0 || strcmp(type, "fuse.sshfs") == 0)
		doctor_wrong(d, _("%s: %s is a share of another host (%s)"), path, where, type);
}

static void export_line(struct doctor *d, const char *path, char *line)
{
	doctor_wrong(d, _("%s: %.200s is shared with other hosts"), path, line);
}

static void listener(struct doctor *d, const char *path, char *line)
{
	static const unsigned shares[] = { 21, 111, 139, 445, 873, 2049 };
	unsigned port, state;

	if (sscanf(line, "%*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x", &port, &state) != 2 || state != 0x0a /* LISTEN */)
		return;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		if (port == shares[i])
			doctor_wrong(d, _("%s: something listens on TCP port %u, as file shares do"), path, port);
}

void doctor_media(struct doctor *d)
{
	blocked = 0;
	(void)doctor_each(d, "/etc/modprobe.d", modprobe_file);
	(void)doctor_each(d, "/usr/lib/modprobe.d", modprobe_file);
	if (doctor_there(d, "/sys/module/usb_storage"))
		doctor_wrong(d, _("USB storage can be used: it is in the kernel (/sys/module/usb_storage)"));
	else if (!blocked && doctor_there(d, "/proc/modules"))
		doctor_wrong(d, _("nothing in /etc/modprobe.d keeps usb-storage from being loaded"));
	else if (!blocked)
		doctor_fact(d, _("this kernel has no USB storage, and no modules that could be loaded"));
	if (doctor_lines(d, "/proc/mounts", mount_line) < 0)
		doctor_unclear(d, _("%s cannot be read"), "/proc/mounts");
	(void)doctor_lines(d, "/etc/exports", export_line);
	(void)doctor_lines(d, "/proc/net/tcp", listener);
	(void)doctor_lines(d, "/proc/net/tcp6", listener);
	if (d->verdict == DOCTOR_MET)
		doctor_fact(d, _("nothing is mounted by itself or from other hosts, nothing is exported, no port of a file share is open"));
}

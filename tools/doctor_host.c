/* doctor_host.c - reading the host, or the copy of one (doctor.h). */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/doctor.h"

enum { FILE_MAX = 16 << 20 };

char *doctor_read_stream(FILE *f)
{
	char *text = NULL, *more;
	size_t have = 0, room = 0, n;

	do {
		if (have + 4096 > room) {
			room = room == 0 ? 16384 : 2 * room;
			if ((more = realloc(text, room + 1)) == NULL)
				break;
			text = more;
		}
		n = fread(text + have, 1, room - have, f);
		have += n;
	} while (n > 0 && have < FILE_MAX);
	if (text == NULL || ferror(f) || have >= FILE_MAX) {
		free(text);
		return NULL;
	}
	text[have] = '\0';
	return text;
}

static const char *path_of(const struct doctor *d, char out[static PATH_MAX], const char *path)
{
	(void)snprintf(out, PATH_MAX, "%s%s", d->root, path);
	return out;
}

char *doctor_read(const struct doctor *d, const char *path)
{
	char full[PATH_MAX], *text;
	FILE *f = fopen(path_of(d, full, path), "re");

	if (f == NULL)
		return NULL;
	text = doctor_read_stream(f);
	fclose(f);
	return text;
}

long doctor_number(const struct doctor *d, const char *path, long otherwise)
{
	char *text = doctor_read(d, path), *end;
	long v;

	if (text == NULL)
		return otherwise;
	v = strtol(text, &end, 0);
	if (end == text)
		v = otherwise;
	free(text);
	return v;
}

int doctor_there(const struct doctor *d, const char *path)
{
	char full[PATH_MAX];

	return access(path_of(d, full, path), F_OK) == 0;
}

int doctor_each(struct doctor *d, const char *path, void (*each)(struct doctor *d, const char *dir, const char *name))
{
	char full[PATH_MAX];
	struct dirent **names;
	int n = scandir(path_of(d, full, path), &names, NULL, alphasort), found = 0;

	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			each(d, path, names[i]->d_name);
			found++;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return found;
}

int doctor_lines(struct doctor *d, const char *path, void (*each)(struct doctor *d, const char *path, char *line))
{
	char *text = doctor_read(d, path), *save = NULL;
	int n = 0;

	if (text == NULL)
		return -1;
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, "#")] = '\0';
		line += strspn(line, " \t");
		for (size_t len = strlen(line); len > 0 && strchr(" \t\r", line[len - 1]) != NULL; len--)
			line[len - 1] = '\0';
		if (line[0] != '\0') {
			each(d, path, line);
			n++;
		}
	}
	free(text);
	return n;
}

int doctor_has(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list + strspn(list, " ,"); *p != '\0'; p += strspn(p, " ,")) {
		size_t len = strcspn(p, " ,");
		if (len == n && memcmp(p, word, n) == 0)
			return 1;
		p += len;
	}
	return 0;
}

/* --- the link's device --- */
static void by_address(char device[static IF_NAMESIZE], const struct in_addr *address)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) != 0)
		return;
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET &&
		    ((struct sockaddr_in *)(void *)i->ifa_addr)->sin_addr.s_addr == address->s_addr)
			(void)snprintf(device, IF_NAMESIZE, "%s", i->ifa_name);
	freeifaddrs(all);
}

/* Of the routes to the destination, the closest. */
static void by_route(struct doctor *d)
{
	char *text = doctor_read(d, "/proc/net/route"), *save = NULL, name[IF_NAMESIZE];
	unsigned to = d->sender.destination.sin_addr.s_addr, net, mask, best = 0;

	for (char *line = text != NULL ? strtok_r(text, "\n", &save) : NULL; line != NULL; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", name, &net, &mask) == 3 && (to & mask) == net &&
		    (d->device[0] == '\0' || ntohl(mask) > ntohl(best))) {
			(void)snprintf(d->device, sizeof(d->device), "%s", name);
			best = mask;
		}
	free(text);
}

void doctor_look(struct doctor *d)
{
	const char *named = d->role == DOCTOR_SENDER ? d->sender.interface : d->receiver.interface;

	(void)snprintf(d->device, sizeof(d->device), "%s", named);
	if (d->device[0] == '\0' && d->role == DOCTOR_RECEIVER)
		by_address(d->device, &d->receiver.listen.sin_addr);
	else if (d->device[0] == '\0')
		by_route(d);
	d->rules = doctor_rules(d);
}

void doctor_free(struct doctor *d)
{
	json_decref(d->rules);
}

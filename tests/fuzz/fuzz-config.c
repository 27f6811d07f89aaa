// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * FAULTS 45: a configuration of any bytes is read or refused, with file and place; what was read
 * names absolute trees and nothing that leads out of them.
 */
#include "config/config.h"
#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a channel's user can rely on. */
static void config_check(const struct config *config)
{
	FUZZ_CHECK(config->len > 0 && config->len <= CONFIG_CHANNELS_MAX);
	for (size_t i = 0; i < config->len; i++) {
		const struct config_channel *channel = &config->channels[i];
		const struct config_remote *remote = &channel->remote;

		FUZZ_CHECK(config_find(config, channel->name) == channel);
		FUZZ_CHECK(*channel->name != '.' && !strchr(channel->name, '/'));
		FUZZ_CHECK(*channel->local_path == '/' && !strstr(channel->local_path, "/../"));
		FUZZ_CHECK(!remote->host != !remote->tunnel);
		FUZZ_CHECK(remote->tunnel || (remote->user && remote->port));
		FUZZ_CHECK(channel->connections > 0);
	}
}

/* Loads the bytes from a file in memory. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[64];
	struct config *config;
	struct error err = {0};

	if (fd < 0) {
		fd = memfd_create("config", MFD_CLOEXEC);
		FUZZ_CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
		setenv("HOME", "/home/alice", 1);
	}
	FUZZ_CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(path, &config, &err) == 0)
		config_check(config);
	else
		FUZZ_CHECK(!config && err.kind == ERROR_CONFIG && strstr(err.text, path));
	config_free(&config);
	return 0;
}

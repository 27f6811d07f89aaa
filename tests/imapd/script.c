// SPDX-License-Identifier: GPL-3.0-or-later
#include "script.h"

#include "base/alloc.h"
#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a transcript. */
void script_load(struct script *script, const char *path)
{
	char line[4096];
	FILE *file = fopen(path, "r");

	*script = (struct script){0};
	if (!file) {
		perror(path);
		exit(99);
	}
	for (size_t number = 1; fgets(line, sizeof(line), file); number++) {
		line[strcspn(line, "\n")] = '\0';
		size_t word = strcspn(line, " ");

		if (line[0] == '#' || line[0] == '\0')
			continue;
		*array_push(script->lines, script->len, script->cap) = (struct script_line){
		    .number = number,
		    .word = xstrndup(line, word),
		    .text = xstrdup(line + word + (line[word] == ' ')),
		};
	}
	fclose(file);
}

/* Frees a transcript. */
void script_free(struct script *script)
{
	for (size_t i = 0; i < script->len; i++) {
		free(script->lines[i].word);
		free(script->lines[i].text);
	}
	free(script->lines);
	*script = (struct script){0};
}

/* The value of a hexadecimal digit. */
static int script_hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : 0;
}

/* Reads \r \n \\ \xNN. */
void script_unescape(const char *text, struct buf *out)
{
	for (const char *at = text; *at; at++) {
		if (*at != '\\') {
			buf_putc(out, *at);
		} else if (at[1] == 'x' && at[2] && at[3]) {
			buf_putc(out, (char)(script_hex(at[2]) * 16 + script_hex(at[3])));
			at += 3;
		} else if (at[1] == 'r' || at[1] == 'n' || at[1] == '\\') {
			at++;
			buf_putc(out, *at == 'r' ? '\r' : *at == 'n' ? '\n' : *at);
		} else {
			buf_putc(out, *at); /* of a flag */
		}
	}
}

// SPDX-License-Identifier: GPL-3.0-or-later
#include "cmd/report-progress.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_MS      100
#define RATE_MS        1000 /* no rate is told before */
#define COLUMNS        80   /* where the terminal does not tell */
#define LINE_MAX_BYTES 512

bool progress_is_wanted(const struct options *options)
{
	const char *term = getenv("TERM");

	return !options->quiet && !options->json && !options->no_progress && options->verbose < 2 &&
	       isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

/* How much of a line the terminal holds without breaking it. */
static size_t columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 2)
		return COLUMNS - 1;
	return size.ws_col - 1u;
}

/* Draws a line in place of the last. */
static void draw(const char *line)
{
	fprintf(stderr, PROGRESS_CLEAR "%.*s", (int)columns(), line);
	fflush(stderr);
}

/* Appends the rate and the time left, once they mean something. */
static void put_rate(const struct meter *meter, int64_t passed_ms, struct buf *out)
{
	uint64_t seconds;

	if (passed_ms < RATE_MS || !meter->messages)
		return;
	double passed = (double)passed_ms / 1000;
	double done = meter->sized ? (double)meter->bytes : (double)meter->messages;
	double all = meter->sized ? (double)meter->all_bytes : (double)meter->all_messages;

	buf_printf(out, ", %s/s", text_size((uint64_t)((double)meter->bytes / passed)));
	if (done <= 0 || all <= done)
		return;
	seconds = (uint64_t)((all - done) * passed / done);
	if (seconds >= 3600)
		buf_printf(out, ", %ju:%02ju:%02ju left", (uintmax_t)(seconds / 3600),
			   (uintmax_t)(seconds / 60 % 60), (uintmax_t)(seconds % 60));
	else
		buf_printf(out, ", %ju:%02ju left", (uintmax_t)(seconds / 60),
			   (uintmax_t)(seconds % 60));
}

void progress_line(const struct meter *meter, int64_t now_ms, struct buf *out)
{
	buf_printf(out, "%s: ", meter->channel);
	if (!meter->all_messages) {
		buf_puts(out, "looking at both sides");
		return;
	}
	buf_printf(out, "%ju of %ju messages, %s", (uintmax_t)meter->messages,
		   (uintmax_t)meter->all_messages, text_size(meter->bytes));
	if (meter->sized)
		buf_printf(out, " of %s", text_size(meter->all_bytes));
	put_rate(meter, now_ms - meter->began_ms, out);
}

/* Draws the line as it is now. */
static void redraw(struct meter *meter, int64_t now_ms)
{
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	progress_line(meter, now_ms, &line);
	draw(line.data);
	buf_free(&line);
	meter->drawn_ms = now_ms;
}

/* struct progress: one more message has come to rest. */
static void moved(struct progress *progress, enum side side, uint64_t bytes)
{
	struct meter *meter = (struct meter *)progress;
	int64_t now_ms = clock_ms();

	(void)side;
	meter->messages++;
	meter->bytes += bytes;
	if (meter->shown && now_ms - meter->drawn_ms >= REDRAW_MS)
		redraw(meter, now_ms);
}

void progress_open(struct meter *meter, const struct options *options, const char *channel)
{
	*meter = (struct meter){
	    .progress.moved = moved,
	    .channel = channel,
	    .shown = progress_is_wanted(options),
	};
	if (meter->shown)
		redraw(meter, clock_ms());
}

void progress_expect(struct meter *meter, const struct channel *channel)
{
	meter->sized = true;
	meter->began_ms = clock_ms();
	for (size_t i = 0; i < channel->len; i++) {
		const struct plan *plan = &channel->boxes[i].plan;
		for (size_t k = 0; k < plan->len; k++) {
			const struct op *op = &plan->ops[k];
			if (op->kind != OP_COPY || op->blocked)
				continue;
			meter->all_messages++;
			if (op->identity.size == SIZE_UNKNOWN)
				meter->sized = false;
			else
				meter->all_bytes += op->identity.size;
		}
	}
	if (meter->shown)
		redraw(meter, meter->began_ms);
}

void progress_close(struct meter *meter)
{
	if (meter->shown)
		draw("");
	meter->shown = false;
}

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Deliveries whose content comes in pieces. They are written with LF for CRLF as they come; where a
 * bare CR or LF shows late that this message is not to be converted, what is written becomes CRLF
 * again in place.
 */
#include "maildir/deliver-inner.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "mail/eol.h"
#include "mail/header.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is needed only while content comes in. */
struct intake {
	struct eol_unwire eol;
	struct digest_stream *digest;
	struct header_scan header;
	size_t len; /* bytes in out, which wait to be written */
	char out[DELIVER_CHUNK + 1];
};

/* Its buffer is not cleared: that would take longer than most messages do. */
struct intake *intake_open(void)
{
	struct intake *intake = xmalloc(sizeof(*intake));

	intake->eol = (struct eol_unwire){0};
	intake->digest = digest_open();
	intake->header = (struct header_scan){0};
	intake->len = 0;
	return intake;
}

/* Writes what waits. */
static int flush(struct maildir_delivery *delivery, struct error *err)
{
	struct intake *intake = delivery->intake;

	if (file_write(delivery->fd, intake->out, intake->len, err) < 0)
		return error_prefix(err, "tmp/%s", text_show(delivery->file));
	delivery->disk_size += intake->len;
	intake->len = 0;
	return 0;
}

/* Reads or writes all of a piece in the middle of the file. */
static int move_piece(struct maildir_delivery *delivery, char *bytes, size_t len, uint64_t offset,
		      bool out, struct error *err)
{
	while (len) {
		ssize_t done = out ? pwrite(delivery->fd, bytes, len, (off_t)offset)
				   : pread(delivery->fd, bytes, len, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO;
		if (done <= 0)
			return delivery_fail(delivery, out ? "write" : "read", err);
		bytes += done;
		offset += (uint64_t)done;
		len -= (size_t)done;
	}
	return 0;
}

/*
 * Makes every LF in the file CRLF again, in place and from the end, so that nothing is overwritten
 * before it was read. full_size is what that will come to.
 */
static int expand(struct maildir_delivery *delivery, uint64_t full_size, struct error *err)
{
	const size_t chunk = DELIVER_CHUNK / 2;
	char *in = xmalloc(chunk), *out = xmalloc(2 * chunk);
	uint64_t from = delivery->disk_size, to = full_size;
	int rc = 0;

	while (from > 0 && rc == 0) {
		size_t len = from < chunk ? (size_t)from : chunk;
		struct eol_wire eol = {0};
		size_t wire_len;

		from -= len;
		rc = move_piece(delivery, in, len, from, false, err);
		if (rc < 0)
			break;
		wire_len = eol_wire(&eol, in, len, out);
		assert(to >= wire_len);
		to -= wire_len;
		rc = move_piece(delivery, out, wire_len, to, true, err);
	}
	assert(rc < 0 || to == 0);
	delivery->disk_size = full_size;
	if (rc == 0 && lseek(delivery->fd, (off_t)full_size, SEEK_SET) < 0)
		rc = delivery_fail(delivery, "write", err);
	free(in);
	free(out);
	return rc;
}

/* Goes on without converting; a CR that waited is one of the bytes as they came. */
static int turn_raw(struct maildir_delivery *delivery, struct error *err)
{
	struct intake *intake = delivery->intake;

	if (flush(delivery, err) < 0 ||
	    expand(delivery, delivery->wire_size - intake->eol.pending_cr, err) < 0)
		return -1;
	if (intake->eol.pending_cr)
		intake->out[intake->len++] = '\r';
	return 0;
}

/* Takes up to DELIVER_CHUNK / 2 bytes. */
static int take_piece(struct maildir_delivery *delivery, const char *bytes, size_t len,
		      struct error *err)
{
	struct intake *intake = delivery->intake;
	bool was_raw = intake->eol.raw;

	if (intake->len + len > DELIVER_CHUNK && flush(delivery, err) < 0)
		return -1;
	if (!was_raw)
		intake->len += eol_unwire(&intake->eol, bytes, len, intake->out + intake->len);
	if (intake->eol.raw) {
		if (!was_raw && turn_raw(delivery, err) < 0)
			return -1;
		memcpy(intake->out + intake->len, bytes, len);
		intake->len += len;
	}
	delivery->wire_size += len;
	return 0;
}

/* Takes content in pieces that the buffer holds. */
int maildir_deliver_write(struct maildir_delivery *delivery, const char *bytes, size_t len,
			  struct error *err)
{
	assert(delivery->intake);
	digest_update(delivery->intake->digest, bytes, len);
	header_feed(&delivery->intake->header, bytes, len);
	while (len) {
		size_t piece = len < DELIVER_CHUNK / 2 ? len : DELIVER_CHUNK / 2;

		if (take_piece(delivery, bytes, piece, err) < 0)
			return -1;
		bytes += piece;
		len -= piece;
	}
	return 0;
}

int intake_finish(struct maildir_delivery *delivery, struct identity *identity, struct error *err)
{
	struct intake *intake = delivery->intake;

	if (!intake->eol.raw) {
		eol_unwire_end(&intake->eol);
		if (intake->eol.raw && turn_raw(delivery, err) < 0)
			return -1;
	}
	if (flush(delivery, err) < 0)
		return -1;
	*identity = (struct identity){
	    .size = delivery->wire_size,
	    .message_id = header_message_id(&intake->header),
	    .has_message_id = true,
	    .has_digest = true,
	};
	digest_finish(intake->digest, &identity->digest);
	intake_close(delivery);
	return 0;
}

void intake_close(struct maildir_delivery *delivery)
{
	if (!delivery->intake)
		return;
	digest_close(&delivery->intake->digest);
	free(delivery->intake);
	delivery->intake = NULL;
}

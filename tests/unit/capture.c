// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

void capture_begin(struct capture *capture, FILE *stream)
{
	fflush(stream);
	capture->stream = stream;
	capture->saved = dup(fileno(stream));
	capture->file = memfd_create("said", MFD_CLOEXEC);
	assert_true(capture->saved >= 0 && capture->file >= 0);
	assert_true(dup2(capture->file, fileno(stream)) >= 0);
	buf_init(&capture->said, 65536);
}

void capture_end(struct capture *capture)
{
	struct error err;

	fflush(capture->stream);
	dup2(capture->saved, fileno(capture->stream));
	close(capture->saved);
	assert_int_equal(lseek(capture->file, 0, SEEK_SET), 0);
	assert_int_equal(file_read_all(capture->file, &capture->said, &err), 0);
	close(capture->file);
}

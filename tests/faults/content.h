// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Messages made of numbers: content and date follow from the token, and the token from the content.
 */
#ifndef FAULTS_CONTENT_H
#define FAULTS_CONTENT_H

#include "base/buf.h"

#include <stdint.h>

#define CONTENT_MAX (256 * 1024)

/*
 * As the server has it, over what out holds. Of ten one is large and one cannot do without its CRs.
 */
void content_make(unsigned token, struct buf *out);
int64_t content_date(unsigned token);
/* 0 where it is not what was made; content ends in a NUL. */
unsigned content_token(const char *content, size_t len);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * Small hexadecimal digits, eight at a time: a journal of 100,000 pairs has eight million of them.
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HEX_EACH UINT64_C(0x0101010101010101)

/* The number that eight digits say; false where one of them is none. */
static inline bool hex_read(const char text[8], uint32_t *number)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	word = be64toh(word);
	uint64_t letters = word >> 6 & HEX_EACH;
	uint64_t values = (word & HEX_EACH * 0x0f) + letters * 9;
	uint64_t above = (values + HEX_EACH * 6) >> 4 & HEX_EACH; /* 9 */
	uint64_t again = values + HEX_EACH * '0' + above * ('a' - '0' - 10);
	uint64_t pairs = (values >> 4 | values) & UINT64_C(0x00ff00ff00ff00ff);

	pairs = (pairs >> 8 | pairs) & UINT64_C(0x0000ffff0000ffff);
	*number = (uint32_t)(pairs >> 16 | pairs);
	return again == word && !(values & HEX_EACH * 0xf0);
}

#endif
